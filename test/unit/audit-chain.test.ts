import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalText } from "../../src/core/canonical-json.ts";
import {
  type Act,
  type AuditHead,
  checkEntry,
  EMPTY_HEAD,
  entryAfter,
} from "../../src/store/audit-chain.ts";

const act = fc.record(
  {
    actor: fc.string({ unit: "binary", minLength: 1 }),
    action: fc.constantFrom("skip", "retry", "policy set"),
    reason: fc.string({ unit: "binary" }),
    item: fc.string(),
    key: fc.string(),
    detail: fc.dictionary(fc.string(), fc.jsonValue()),
  },
  { requiredKeys: ["actor", "action", "reason"] },
) as fc.Arbitrary<Act>;

const acts = fc.array(act, { minLength: 1, maxLength: 6 });

function chained(said: readonly Act[]): string[] {
  let head: AuditHead = EMPTY_HEAD;
  return said.map((each, index) => {
    const entry = entryAfter(head, each, 1_764_000_000_000 + index);
    head = entry;
    return canonicalText(entry);
  });
}

/** Number of the first entry that does not fit, or nothing. */
function brokenAt(texts: readonly string[]): number | undefined {
  let head: AuditHead = EMPTY_HEAD;
  for (const text of texts) {
    const checked = checkEntry(head, text);
    if (checked.is === "broken") return checked.seq;
    head = checked.entry;
  }
  return undefined;
}

describe("a chain", () => {
  test("of any acts is sound as it is read back", () => {
    fc.assert(
      fc.property(acts, (said) => {
        expect(brokenAt(chained(said))).toBeUndefined();
      }),
    );
  });

  test("in which any one character is changed breaks at that entry", () => {
    fc.assert(
      fc.property(
        acts,
        fc.nat(),
        fc.nat(),
        fc.string({ minLength: 1, maxLength: 1 }),
        (said, ...[which, where, by]) => {
          const texts = chained(said);
          const index = which % texts.length;
          const text = texts[index] ?? "";
          const at = where % text.length;
          fc.pre(text.charAt(at) !== by);
          texts[index] = text.slice(0, at) + by + text.slice(at + 1);
          expect(brokenAt(texts)).toBe(index + 1);
        },
      ),
    );
  });

  test("from which an entry was taken, or into which one was put, breaks there", () => {
    const texts = chained(["a", "b", "c"].map((actor) => ({ actor, action: "skip", reason: "r" })));
    expect(brokenAt(texts.toSpliced(1, 1))).toBe(2);
    expect(brokenAt(texts.toSpliced(1, 0, texts[0] ?? ""))).toBe(2);
    expect(brokenAt(texts.toSpliced(0, 1))).toBe(1);
    expect(brokenAt(texts.toReversed())).toBe(1);
  });

  test("that lost its end is sound: only a head that was kept tells", () => {
    const texts = chained(["a", "b"].map((actor) => ({ actor, action: "skip", reason: "r" })));
    expect(brokenAt(texts.slice(0, 1))).toBeUndefined();
  });

  test("shows a field that is there twice, though a reader sees only one of them", () => {
    const [text = ""] = chained([{ actor: "ada", action: "skip", reason: "r" }]);
    const forged = text.replace('"actor":"ada"', '"actor":"eve","actor":"ada"');
    expect(JSON.parse(forged)).toEqual(JSON.parse(text));
    expect(brokenAt([forged])).toBe(1);
  });
});

describe("no text whatever makes checking it throw", () => {
  test("among those that people think of", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(checkEntry(EMPTY_HEAD, text).is).toBe("broken");
      }),
    );
  });

  test("nor one of brackets alone", () => {
    const brackets = "[".repeat(50_000) + "]".repeat(50_000);
    expect(checkEntry(EMPTY_HEAD, brackets).is).toBe("broken");
    const [text = ""] = chained([{ actor: "ada", action: "skip", reason: "r" }]);
    expect(checkEntry(EMPTY_HEAD, text.replace("{", `{"detail":${brackets},`)).is).toBe("broken");
  });
});
