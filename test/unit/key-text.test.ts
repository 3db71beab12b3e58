import fc from "fast-check";
import { expect, test } from "vitest";
import type { StoredKey } from "../../src/store/key-store.ts";
import { standingOf } from "../../src/store/key-store.ts";
import { judge } from "../../src/store/key-ring.ts";
import { digestOf, isOfDigest, newKey, readKeyText } from "../../src/store/key-text.ts";

const NOW = 1_764_000_000_000;

test("a new key is read back, has the documented shape, and is never the same", () => {
  const [first, second] = [newKey(), newKey()];
  expect(readKeyText(first.text)).toEqual({ is: "key", ...first });
  expect(first.text).toMatch(/^ow_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
  expect(first.id).not.toBe(second.id);
});

test("one character that was copied wrongly is told from a wrong key", () => {
  const { text } = newKey();
  const digit = fc.stringMatching(/^[0-9A-Za-z]$/);
  fc.assert(
    fc.property(fc.integer({ min: 3, max: text.length - 1 }), digit, (at, by) => {
      fc.pre(text.charAt(at) !== "_" && text.charAt(at) !== by);
      expect(readKeyText(text.slice(0, at) + by + text.slice(at + 1))).toEqual({ is: "mistyped" });
    }),
  );
});

test("no text whatever makes reading it throw, and hardly any is a key", () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: "binary", maxLength: 5_000 }));
  fc.assert(
    fc.property(text, (each) => {
      expect(readKeyText(each).is).not.toBe("key");
    }),
  );
  const shaped = fc.stringMatching(/^ow_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
  fc.assert(
    fc.property(shaped, (each) => {
      expect(readKeyText(each).is).toBe("mistyped");
    }),
  );
});

test("a digest is of one text alone, and of another length it is of none", () => {
  expect(isOfDigest("a", digestOf("a"))).toBe(true);
  expect(isOfDigest("b", digestOf("a"))).toBe(false);
  expect(isOfDigest("a", "short")).toBe(false);
  expect(isOfDigest("a", "")).toBe(false);
});

function keyWith(changes: Partial<StoredKey>): StoredKey {
  return {
    id: "k1",
    name: "crm",
    scopes: ["items:read"],
    perMinute: 10,
    createdAt: NOW,
    digest: digestOf("text"),
    ...changes,
  };
}

test.each([
  [{}, "good"],
  [{ expiresAt: NOW + 1 }, "good"],
  [{ expiresAt: NOW }, "expired"],
  [{ replaced: { by: "k2", until: NOW + 1 } }, "good"],
  [{ replaced: { by: "k2", until: NOW } }, "replaced"],
  [{ revokedAt: NOW + 1_000 }, "revoked"],
  [{ revokedAt: NOW, expiresAt: NOW }, "revoked"],
] as const)("a key with %o is %s", (changes, standing) => {
  expect(standingOf(keyWith(changes), NOW)).toBe(standing);
  expect(judge(keyWith(changes), "text", NOW).standing).toBe(standing);
});

test("whoever has not the secret learns nothing about the key", () => {
  expect(judge(undefined, "text", NOW)).toEqual({ standing: "unknown" });
  expect(judge(keyWith({ revokedAt: NOW }), "other", NOW)).toEqual({ standing: "unknown" });
});
