/**
 * Every border of the engine against anything at all: what comes in is told apart or refused, in a way
 * that the border names; nothing else is ever thrown.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventSchemas } from "../../machines/order-item/events.ts";
import { loadConfig } from "../../src/config.ts";
import { decodeActor, encodeActor } from "../../src/core/actor.ts";
import { EngineError, ERROR_CODES } from "../../src/core/errors.ts";
import { EVENT_MAX_BYTES } from "../../src/core/event.ts";
import { type ReadEvent, readEvent, readEvents } from "../../src/core/read-event.ts";
import { pushOutcome, unreadOutcome } from "../../src/offergrid/push-outcome.ts";
import { resolveUnknown } from "../../src/offergrid/push-resolution.ts";
import { describeReply, readResponse, type Reply } from "../../src/offergrid/reply.ts";
import { ITEM_STATUSES } from "../../src/offergrid/status-update.ts";
import { verifyOffergridWebhook } from "../../src/offergrid/webhook-signature.ts";
import { checkEvent, packJobs } from "../../src/queue/producer.ts";
import { anyJson, damaged, viciousText } from "../support/arbitrary-json.ts";
import { orderEvent } from "../support/order-item-events.ts";

const CODES = new Set<string>(ERROR_CODES);
const SCHEMAS = eventSchemas(64 * 1024);

const event = fc.oneof(
  { weight: 1, arbitrary: anyJson },
  { weight: 3, arbitrary: damaged({ ...orderEvent("order.accepted"), sequence: "1" }) },
  { weight: 1, arbitrary: damaged({ ...orderEvent("order.cancelled"), account: "default" }) },
);
const jobData = fc.oneof(
  event,
  fc.array(event, { maxLength: 4 }),
  event.map((value) => JSON.stringify(value)),
  viciousText,
);
const enqueuedAt = fc.oneof(
  fc.integer({ min: 0, max: 4_000_000_000_000 }),
  fc.constantFrom(NaN, Infinity, -1, 8.64e15, 8.64e15 + 1),
);

/** What the engine relies on in everything that passed the border. */
function expectSound(read: ReadEvent): void {
  if (read.result === "unreadable") {
    assert.ok(CODES.has(read.problem.code));
    assert.ok(JSON.stringify(read.data ?? null).length <= EVENT_MAX_BYTES);
    return;
  }
  const { id, source, type, subject, time, sequence, sequencetype, data } = read.event;
  for (const each of [id, source, type, subject]) expect(each.length).toBeGreaterThan(0);
  expect(Number.isNaN(Date.parse(time))).toBe(false);
  // Redis and digests see UTF-8: two ids that differ in a lone surrogate alone would be one.
  for (const each of [id, source, type, subject]) {
    expect(Buffer.from(each).toString()).toBe(each);
  }
  if (sequencetype !== undefined) assert.match(sequence ?? "", /^\d+$/);
  expect(Array.isArray(data)).toBe(false);
}

describe("an event", () => {
  test("is refused however deep it is", () => {
    const levels = 100_000;
    const data: unknown = JSON.parse(`${'{"data":'.repeat(levels)}1${"}".repeat(levels)}`);
    expect(readEvent(data, 0)).toMatchObject({
      result: "unreadable",
      problem: { code: "EVENT_INVALID" },
    });
  });

  test("is read or refused, whatever a job holds", () => {
    fc.assert(
      fc.property(jobData, enqueuedAt, (data, at) => {
        const reads = readEvents(data, at);
        expect(reads.length).toBeGreaterThan(0);
        for (const read of reads) expectSound(read);
      }),
      { numRuns: 1_000 },
    );
  });

  test("is read the same from its own JSON", () => {
    fc.assert(
      fc.property(event, (value) => {
        const read = readEvent(value, 0);
        if (read.result !== "event") return;
        // That nobody dated it is the job's doing, and no attribute of the event.
        const { isUndated: _undated, ...attributes } = read.event;
        const again = readEvent(JSON.parse(JSON.stringify(attributes)), 1);
        expect(again).toEqual({ result: "event", event: attributes });
      }),
      { numRuns: 500 },
    );
  });

  test("is refused by its producer with a code, or packed whole", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), (values) => {
        const checked = values.map((value) => checkEvent(SCHEMAS, value, 0));
        const events = checked.flatMap((each) => {
          if (each.result === "event") return [each.event];
          expect(CODES).toContain(each.problem.code);
          return [];
        });
        expect(new Set(packJobs(events).flat())).toEqual(new Set(events));
      }),
      { numRuns: 300 },
    );
  });
});

test("a stored actor is decoded, or is corrupt", () => {
  const sound = { id: "i", revision: 3, machine: "m", version: "1", parked: [] };
  const stored = encodeActor({ ...sound, timers: {}, sources: {} });
  const text = fc.oneof(
    viciousText,
    fc.tuple(viciousText, anyJson).map(([revision, json]) => `${revision} ${JSON.stringify(json)}`),
    fc.tuple(fc.nat(), anyJson).map(([revision, json]) => `${revision} ${JSON.stringify(json)}`),
    fc.nat(stored.length).map((length) => stored.slice(0, length)),
    fc.tuple(fc.nat(9), damaged(sound)).map(([at, json]) => `${at} ${JSON.stringify(json)}`),
  );
  fc.assert(
    fc.property(text, (each) => {
      const actor = refusal("STORE_CORRUPT", () => decodeActor("i", each));
      if (actor === undefined) return;
      const { revision, timers, sources, parked } = actor;
      assert.ok(Number.isSafeInteger(revision) && Array.isArray(parked));
      assert.deepEqual([typeof timers, typeof sources], ["object", "object"]);
    }),
    { numRuns: 500 },
  );
});

describe("a reply of the marketplace", () => {
  const header = fc.oneof(
    viciousText,
    fc.array(viciousText, { maxLength: 2 }),
    fc.constantFrom("120", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999"),
  );
  const raw = fc.record({
    status: fc.integer({ min: 100, max: 599 }),
    headers: fc.record(
      {
        date: header,
        "retry-after": header,
        "x-ratelimit-limit": header,
        "x-ratelimit-remaining": header,
        "x-ratelimit-reset": header,
      },
      { requiredKeys: [] },
    ),
    text: fc.oneof(
      viciousText,
      anyJson.map((json) => JSON.stringify(json)),
      damaged({ status: "accepted", message: "m", error: "e", field: "f", retryAfter: 3 }).map(
        (json) => JSON.stringify(json),
      ),
      damaged({ status: "scheduled", scheduledFor: "2026-03-02T09:00:00Z", providerNotes: "n" })
        .filter(isShallow)
        .map((item) => JSON.stringify({ data: item })),
    ),
    nowMs: fc.nat(),
  });
  const silence: fc.Arbitrary<Reply> = fc.record({
    kind: fc.constant("no-response" as const),
    reason: fc.constantFrom("timeout", "connection", "aborted"),
    sent: fc.boolean(),
    error: viciousText,
  });
  const reply = fc.oneof({ weight: 4, arbitrary: raw.map(readResponse) }, silence);

  test("is described in a line that a journal can hold", () => {
    fc.assert(
      fc.property(reply, (each) => {
        expect(describeReply(each).length).toBeLessThan(400);
      }),
      { numRuns: 500 },
    );
  });

  test("ends a push in one of the outcomes, and the wait is a time", () => {
    const attempt = fc.record({
      itemId: fc.constant("i"),
      account: fc.constant("a"),
      attempt: fc.integer({ min: 1, max: 400 }),
      random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    });
    fc.assert(
      fc.property(reply, attempt, (each, tried) => {
        for (const outcome of [pushOutcome(each, tried), unreadOutcome(each, tried)]) {
          if ("afterMs" in outcome) {
            assert.ok(outcome.afterMs >= 0);
            assert.ok(outcome.afterMs <= 60 * 60_000);
          }
          if ("problem" in outcome) assert.ok(CODES.has(outcome.problem.code));
        }
      }),
      { numRuns: 500 },
    );
  });

  test("says what became of a push, and only a documented item says that it arrived", () => {
    const push = fc.record({
      itemId: fc.constant("i"),
      intended: fc.record({
        status: fc.constantFrom(...ITEM_STATUSES),
        providerNotes: viciousText,
      }),
      previousStatus: fc.option(fc.constantFrom(...ITEM_STATUSES), { nil: undefined }),
    });
    fc.assert(
      fc.property(reply, push, (each, unknown) => {
        const { verdict } = resolveUnknown(each, unknown);
        expect([
          "already-applied",
          "not-applied",
          "cancelled-upstream",
          "divergent",
          "unread",
        ]).toContain(verdict);
        if (each.kind === "no-response" || each.status >= 300) assert.equal(verdict, "unread");
      }),
      { numRuns: 500 },
    );
  });
});

test("a webhook is verified or refused with a reason, and never on a guessed signature", () => {
  const header = fc.option(
    fc.oneof(viciousText, fc.array(viciousText, { maxLength: 2 }), fc.constant("ab".repeat(32))),
    { nil: undefined },
  );
  fc.assert(
    fc.property(
      fc.record({
        rawBody: fc.uint8Array({ maxLength: 64 }),
        headers: fc.record({
          "x-offergrid-signature": header,
          "x-offergrid-timestamp": fc.oneof(header, fc.constantFrom("1772442000", "0000000000")),
        }),
        secrets: fc.array(viciousText, { maxLength: 2 }),
        nowMs: fc.constantFrom(1_772_442_000_000, NaN),
        toleranceMs: fc.constant(300_000),
      }),
      (webhook) => {
        expect(verifyOffergridWebhook(webhook).outcome).toBe("refused");
      },
    ),
    { numRuns: 500 },
  );
});

test("an environment is a configuration, or CONFIG_INVALID", () => {
  const names = [
    "REDIS_URL",
    "OFFERGRID_API_KEY",
    "OFFERGRID_BASE_URL",
    "OFFERGRID_LIMIT_PER_MINUTE",
    "ORDERWRIGHT_ACCOUNTS",
    "ORDERWRIGHT_LEASE_MS",
    "ORDERWRIGHT_SHARDS",
    "ORDERWRIGHT_KEY_PREFIX",
    "ORDERWRIGHT_LOG_LEVEL",
    "ORDERWRIGHT_PARKED_FOR_MS",
    "__proto__",
  ];
  const value = fc.oneof(
    viciousText,
    fc.constantFrom("redis://h:1", "https://x", "2000", "1e3", "0x10", "default"),
    anyJson.map((json) => JSON.stringify(json)),
  );
  const environment = fc
    .array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 4 })
    .map((pairs) => Object.fromEntries(pairs));
  fc.assert(
    fc.property(environment, (env) => {
      const config = refusal("CONFIG_INVALID", () => loadConfig(env));
      if (config === undefined) return;
      assert.ok([config.leaseMs, config.shards].every(Number.isSafeInteger));
    }),
    { numRuns: 300 },
  );
});

/** What `read` returns; `undefined` when it refuses with the code, as it may. */
function refusal<Result>(code: string, read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof EngineError && error.code === code, String(error));
    return undefined;
  }
}

function isShallow(value: unknown): boolean {
  return JSON.stringify(value).length < 1_000;
}
