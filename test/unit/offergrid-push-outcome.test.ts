import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  accountPauseMs,
  backoffMs,
  PUSH_MAX_ATTEMPTS,
  pushOutcome,
  unreadOutcome,
} from "../../src/offergrid/push-outcome.ts";
import type { Reply } from "../../src/offergrid/reply.ts";

const attempt = { itemId: "i7", account: "north", attempt: 4, random: 0.5 };
type Response = Extract<Reply, { kind: "response" }>;
const answer = (status: number, more: Partial<Response> = {}): Reply => ({
  kind: "response",
  status,
  body: "",
  rateLimit: {},
  ...more,
});
const silence = (reason: "timeout" | "connection" | "aborted", sent: boolean): Reply => ({
  kind: "no-response",
  reason,
  sent,
  error: "x",
});

describe("the outcome of a push", () => {
  test.each<[string, Reply, object]>([
    ["200", answer(200), { outcome: "delivered" }],
    ["204", answer(204), { outcome: "delivered" }],
    ["301", answer(301), { outcome: "unknown", afterMs: 4_000 }],
    ["408", answer(408), { outcome: "unknown" }],
    ["425", answer(425), { outcome: "retry" }],
    ["500", answer(500), { outcome: "unknown", afterMs: 4_000 }],
    [
      "503 with a hint",
      answer(503, { retryAfterMs: 9_000 }),
      { outcome: "unknown", afterMs: 9_000 },
    ],
    [
      "429 with a hint",
      answer(429, { retryAfterMs: 60_000 }),
      { outcome: "limited", afterMs: 60_000 },
    ],
    ["429 with a reset", answer(429, { rateLimit: { resetAfterMs: 5_000 } }), { afterMs: 5_000 }],
    ["429 without a hint", answer(429), { outcome: "limited", afterMs: 60_000 }],
    ["429 for a year", answer(429, { retryAfterMs: 3e10 }), { afterMs: 3_600_000 }],
    ["refused connection", silence("connection", false), { outcome: "retry", afterMs: 4_000 }],
    ["reset connection", silence("connection", true), { outcome: "unknown" }],
    ["time-out", silence("timeout", true), { outcome: "unknown" }],
    ["stopping", silence("aborted", true), { outcome: "unknown", afterMs: 0 }],
    ["stopping in the queue", silence("aborted", false), { outcome: "retry", afterMs: 0 }],
    ["401", answer(401), { next: "hold-account", problem: { code: "PUSH_UNAUTHORIZED" } }],
    ["403", answer(403), { next: "hold-account", problem: { code: "PUSH_FORBIDDEN" } }],
    ["404", answer(404), { next: "dead-letter", problem: { code: "PUSH_ITEM_NOT_FOUND" } }],
    ["400", answer(400), { next: "read-item", problem: { code: "PUSH_REFUSED" } }],
    ["409", answer(409), { next: "read-item", problem: { code: "PUSH_REFUSED" } }],
  ])("%s", (_name, reply, expected) => {
    expect(pushOutcome(reply, attempt)).toMatchObject(expected);
  });

  test("the last attempt is blocked, and says whether it may have been applied", () => {
    const last = { ...attempt, attempt: PUSH_MAX_ATTEMPTS };
    const doubtful = pushOutcome(answer(502), last);
    const surely = pushOutcome(silence("connection", false), last);
    for (const outcome of [doubtful, surely]) {
      expect(outcome).toMatchObject({ next: "dead-letter", problem: { code: "PUSH_EXHAUSTED" } });
    }
    expect(JSON.stringify(doubtful)).toContain("may have been applied");
    expect(JSON.stringify(surely)).toContain("was not applied");
  });

  test("too many requests never exhaust a push", () => {
    const last = { ...attempt, attempt: PUSH_MAX_ATTEMPTS };
    expect(pushOutcome(answer(429), last)).toMatchObject({ outcome: "limited" });
  });
});

test("a read that shows no item leaves the push unknown, whatever it was", () => {
  expect(unreadOutcome(answer(200, { body: "<html>" }), attempt)).toMatchObject({
    outcome: "unknown",
  });
  expect(unreadOutcome(silence("connection", false), attempt)).toMatchObject({
    outcome: "unknown",
  });
  expect(unreadOutcome(answer(429), attempt)).toMatchObject({ outcome: "limited" });
  expect(unreadOutcome(answer(401), attempt)).toMatchObject({ next: "hold-account" });
  expect(unreadOutcome(answer(400), attempt)).toMatchObject({ next: "dead-letter" });
});

test("a success that used the window up pauses the account", () => {
  const rateLimit = { limit: 100, remaining: 0, resetAfterMs: 12_000 };
  expect(accountPauseMs(answer(200, { rateLimit }))).toBe(12_000);
  expect(accountPauseMs(answer(200, { rateLimit: { ...rateLimit, remaining: 1 } }))).toBe(
    undefined,
  );
  expect(accountPauseMs(answer(200))).toBe(undefined);
});

test("the backoff stays between nothing and the step, and never above five minutes", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (n, random) => {
        const delayMs = backoffMs(n, random);
        expect(Number.isInteger(delayMs)).toBe(true);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(Math.min(300_000, 1_000 * 2 ** (n - 1)));
      },
    ),
  );
});
