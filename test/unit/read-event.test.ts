import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EVENT_BATCH_MAX, EVENT_MAX_BYTES } from "../../src/core/event.ts";
import { type ReadEvent, readEvent, readEvents } from "../../src/core/read-event.ts";

/** Seconds of a busy machine, shrinking included. */
const TIMEOUT_MS = 60_000;

const NOW = Date.parse("2026-03-02T09:00:00Z");
const VALID = {
  specversion: "1.0",
  id: "1",
  source: "crm",
  type: "order.noted",
  subject: "item 1/2",
};

function codesOf(data: unknown): (string | undefined)[] {
  return readEvents(data, NOW).map((read) =>
    read.result === "event" ? undefined : read.problem.code,
  );
}

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** What would hurt whoever works with it. */
function faultOf(read: ReadEvent): string | undefined {
  if (read.result === "unreadable") {
    return read.problem.message.length > 10 ? undefined : "no message";
  }
  const { event } = read;
  const text = JSON.stringify(event);
  if (JSON.stringify(JSON.parse(text)) !== text) return "changed by JSON";
  if (Number.isNaN(Date.parse(event.time))) return "no time";
  return Object.getPrototypeOf(event.data) === Object.prototype ? undefined : "a strange prototype";
}

describe("whatever a stranger puts into the queue", () => {
  const hostile = fc.oneof(
    fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
    }),
    fc.json(),
    fc.string(),
    fc.nat({ max: 6_000 }).map(nested),
    fc.nat({ max: 6_000 }).map((levels) => `${"[".repeat(levels)}${"]".repeat(levels)}`),
    fc.array(fc.anything(), { maxLength: 120 }),
    fc.double().map((number) => ({ ...VALID, sequence: number, data: { number } })),
    fc.jsonValue().map((data) => ({ ...VALID, data })),
    fc
      .jsonValue()
      .map((value) => JSON.stringify({ ...VALID, __proto__: value, data: { a: value } })),
    fc
      .tuple(fc.constantFrom(...Object.keys(VALID), "time", "redrive", "account"), fc.anything())
      .map(([key, value]) => ({ ...VALID, [key]: value })),
  );

  test("becomes events or problems, and never throws", { timeout: TIMEOUT_MS }, () => {
    const seen = { event: 0, unreadable: 0 };
    fc.assert(
      fc.property(hostile, fc.oneof(fc.nat(), fc.double()), (data, enqueuedAt) => {
        const reads = readEvents(data, enqueuedAt);
        expect(reads.length).toBeGreaterThan(0);
        for (const read of reads) {
          seen[read.result] += 1;
          expect(faultOf(read)).toBeUndefined();
        }
      }),
      { numRuns: 1_000 },
    );
    expect(seen.event).toBeGreaterThan(50);
    expect(seen.unreadable).toBeGreaterThan(50);
  });

  test("can be kept as a dead letter: what is not whole is an excerpt", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    for (const data of [
      circle,
      nested(20_000),
      "x".repeat(100_000),
      { ...VALID, subject: "", more: "x".repeat(5_000) },
    ]) {
      const [read] = readEvents(data, NOW);
      if (read?.result !== "unreadable") throw new Error("it was read");
      expect(JSON.stringify(read.data).length).toBeLessThan(2_100);
      expect(read.data).toMatch(/…$/);
    }
    const small = { ...VALID, subject: "" };
    expect(readEvents(small, NOW)).toMatchObject([{ data: small }]);
  });
});

describe("the code says what is wrong:", () => {
  test.each<[string, string, unknown]>([
    ["EVENT_NOT_JSON", "text that is no JSON", "{ oops"],
    ["EVENT_INVALID", "JSON that is no object", "42"],
    ["EVENT_INVALID", "null", null],
    ["EVENT_INVALID", "no specversion", { ...VALID, specversion: undefined }],
    ["EVENT_INVALID", "another specversion", { ...VALID, specversion: "0.3" }],
    ["EVENT_INVALID", "no id", { ...VALID, id: "" }],
    ["EVENT_INVALID", "no source", { ...VALID, source: undefined }],
    ["EVENT_INVALID", "a time without an offset", { ...VALID, time: "2026-03-02T09:00:00" }],
    ["EVENT_INVALID", "a day that is none", { ...VALID, time: "2026-02-30T09:00:00Z" }],
    ["EVENT_INVALID", "a subject with a brace", { ...VALID, subject: "{s1}" }],
    ["EVENT_INVALID", "a subject with a control character", { ...VALID, subject: "a\nb" }],
    ["EVENT_INVALID", "data that is a list", { ...VALID, data: [] }],
    ["EVENT_INVALID", "a negative sequence", { ...VALID, sequence: -1 }],
    ["EVENT_INVALID", "a sequence that a double cannot hold", { ...VALID, sequence: 2 ** 60 }],
    ["EVENT_INVALID", "data nested beyond the limit", { ...VALID, data: { a: nested(200) } }],
    ["EVENT_SUBJECT_MISSING", "no subject", { ...VALID, subject: undefined }],
    ["EVENT_SUBJECT_MISSING", "an empty subject", { ...VALID, subject: "" }],
    ["EVENT_TYPE_RESERVED", "XState's own type", { ...VALID, type: "xstate.done.actor.x" }],
    ["EVENT_TYPE_RESERVED", "the engine's own type", { ...VALID, type: "orderwright.tick" }],
    ["EVENT_TOO_LARGE", "too many bytes", { ...VALID, data: { a: "x".repeat(EVENT_MAX_BYTES) } }],
    [
      "EVENT_TOO_LARGE",
      "too many bytes in few characters",
      { ...VALID, data: { a: "漢".repeat(22_000) } },
    ],
    ["EVENT_BATCH_TOO_LARGE", "no event at all", []],
    ["EVENT_BATCH_TOO_LARGE", "more than a batch", Array(EVENT_BATCH_MAX + 1).fill(VALID)],
  ])("%s for %s", (code, _what, data) => {
    expect(codesOf(data)).toEqual([code]);
  });

  test("EVENT_INVALID for an event without a time in a job without one", () => {
    expect(readEvent(VALID, Number.NaN)).toMatchObject({ problem: { code: "EVENT_INVALID" } });
    const timed = { ...VALID, time: "2026-03-02T09:00:00Z" };
    expect(readEvent(timed, Number.NaN).result).toBe("event");
  });

  test("the message names the field and the limit", () => {
    const [read] = readEvents({ ...VALID, time: "yesterday", id: 7 }, NOW);
    expect(read).toMatchObject({ problem: { message: expect.stringMatching(/id: .*time: /) } });
  });
});

describe("a job holds", () => {
  test("one event, as an object or as text", () => {
    expect(codesOf(VALID)).toEqual([undefined]);
    expect(codesOf(JSON.stringify(VALID))).toEqual([undefined]);
  });

  test("a batch, in which each event is read for itself, in order", () => {
    const batch = [VALID, { ...VALID, type: "xstate.init" }, null, { ...VALID, id: "2" }];
    const codes = [undefined, "EVENT_TYPE_RESERVED", "EVENT_INVALID", undefined];
    expect(codesOf(batch)).toEqual(codes);
    expect(codesOf(JSON.stringify(batch))).toEqual(codes);
    expect(codesOf(Array(EVENT_BATCH_MAX).fill(VALID))).toHaveLength(EVENT_BATCH_MAX);
  });
});

describe("an event that was read", () => {
  test("has a time: its own, as it was written, else when it was enqueued", () => {
    const time = "2026-03-02T10:00:00+01:00";
    expect(readEvent({ ...VALID, time }, 0)).toMatchObject({ event: { time } });
    expect(readEvent({ ...VALID, time }, 0)).not.toHaveProperty("event.isUndated");
    expect(readEvent(VALID, NOW)).toMatchObject({
      event: { time: "2026-03-02T09:00:00.000Z", isUndated: true },
    });
  });

  test("has a number where it promises numbers without holes", () => {
    const numbered = { ...VALID, sequencetype: "Integer" };
    expect(readEvent({ ...numbered, sequence: "12" }, NOW).result).toBe("event");
    expect(readEvent({ ...numbered, sequence: "12a" }, NOW)).toMatchObject({
      problem: { code: "EVENT_INVALID" },
    });
    expect(readEvent(numbered, NOW)).toMatchObject({ problem: { code: "EVENT_INVALID" } });
  });

  test("has data, a sequence of text, and nothing that CloudEvents extensions added", () => {
    const read = readEvent({ ...VALID, sequence: 12, traceparent: "00-x" }, NOW);
    expect(read).toEqual({
      result: "event",
      event: {
        ...VALID,
        sequence: "12",
        data: {},
        time: "2026-03-02T09:00:00.000Z",
        isUndated: true,
      },
    });
  });

  test("has no prototype of a stranger's making", () => {
    const text = `{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"i","__proto__":{"account":"x"},"data":{"__proto__":{"evil":1},"constructor":{"prototype":{"evil":1}}}}`;
    const [read] = readEvents(text, NOW);
    if (read?.result !== "event") throw new Error("it was not read");
    expect(read.event.account).toBeUndefined();
    expect(Object.getPrototypeOf(read.event.data)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)["evil"]).toBeUndefined();
  });
});
