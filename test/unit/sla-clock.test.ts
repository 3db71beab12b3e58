/** The rules of the clocks: kinds, pauses, calendars, time of the event, wake-ups that are hints. */
import { describe, expect, test } from "vitest";
import { whenDue } from "../../src/sla/clock.ts";
import { describeClocks } from "../../src/sla/describe.ts";
import { applyFacts, EMPTY_LEDGER, nextDueAt } from "../../src/core/clock-ledger.ts";
import { recompute } from "../../src/sla/recompute.ts";
import {
  DAY_MS,
  HOUR_MS,
  keysIn,
  kindsIn,
  MINUTE_MS,
  MONDAY,
  rungsIn,
  TestItem,
  testPolicy,
  testRules,
  wall,
  workRules,
} from "../support/sla-item.ts";

const CUSTOMER = { on: "customer", reason: "No access to the cellar." };
const at = (text: string): number => Date.parse(`2026-06-${text}:00Z`);

function started(rules = workRules()): TestItem {
  const item = new TestItem(rules);
  item.tell(MONDAY, { eventType: "start" });
  return item;
}

describe("two kinds of clock (A1)", () => {
  test("a pause moves a duration's due time by the paused open time", () => {
    const item = started();
    item.tell(at("01T12:00"), { wait: CUSTOMER });
    item.tell(at("02T11:00"), { wait: null });
    // Five hours of Monday and two of Tuesday were paused.
    expect(wall(item.clock().dueAt)).toBe("Tue 16:00");
  });

  test("a pause never moves a fixed date, and its reminders ring during it", () => {
    const item = new TestItem(testRules());
    const appointment = at("05T10:00");
    item.tell(MONDAY, { appointment });
    item.tell(MONDAY + HOUR_MS, { wait: CUSTOMER });
    expect(item.clock("visit")).toMatchObject({ dueAt: appointment, phase: { is: "running" } });
    expect(rungsIn(item.liveUntil(appointment))).toEqual(["-48h", "-24h", "-30m", "breach"]);
  });
});

describe("pauses (A2)", () => {
  test.each([
    ["customer", "paused"],
    ["provider", "running"],
    ["reseller", "running"],
  ])("a clock that pauses for the customer is, while waiting on the %s, %s", (on, phase) => {
    const item = started();
    item.tell(at("01T10:00"), { wait: { on } });
    expect(item.clock().phase.is).toBe(phase);
  });

  test("a pause has its reason, its start and its end in the journal, by the event's time", () => {
    const item = started();
    const begun = item.tell(at("01T10:00"), { wait: CUSTOMER });
    expect(begun).toContainEqual({ kind: "wait", at: at("01T10:00"), ...CUSTOMER });
    expect(begun).toContainEqual({
      kind: "paused",
      clock: "work",
      at: at("01T10:00"),
      on: "customer",
      accruedMs: HOUR_MS,
      endsAt: at("01T10:00") + 14 * DAY_MS,
    });
    const ended = item.tell(at("01T11:00"), { wait: null });
    expect(ended).toContainEqual(
      expect.objectContaining({ kind: "resumed", at: at("01T11:00"), by: "event" }),
    );
  });

  test("the maximum ends a pause by itself, once, with one notice for all clocks", () => {
    const two = { work: testPolicy().clocks["work"], more: testPolicy().clocks["work"] };
    const item = new TestItem(testRules({ clocks: two as never }));
    item.tell(MONDAY, { eventType: "start" });
    item.tell(at("01T10:00"), { wait: CUSTOMER });
    const limit = at("01T10:00") + 14 * DAY_MS;
    expect(nextDueAt(item.ledger)).toBe(limit);
    expect(item.wake(limit - 1)).toEqual([]);
    const facts = item.wake(limit);
    expect(kindsIn(facts)).toEqual(["resumed", "resumed"]);
    expect(facts[0]).toMatchObject({ by: "limit", at: limit });
    expect(keysIn(facts)).toEqual([`wait:${at("01T10:00")}:${limit}`]);
    // The customer is still waited for, and the clock runs on.
    expect(item.clock().phase.is).toBe("overstayed");
    expect(kindsIn(item.tell(limit + HOUR_MS, { eventType: "noted" }))).toEqual([]);
  });

  test("another wait pauses again after the maximum", () => {
    const item = started(workRules({ maxPauseMs: HOUR_MS }));
    item.tell(at("01T10:00"), { wait: CUSTOMER });
    item.wake(at("01T11:00"));
    item.tell(at("01T11:30"), { wait: null });
    item.tell(at("01T11:40"), { wait: CUSTOMER });
    expect(item.clock()).toMatchObject({
      phase: { is: "paused", endsAt: at("01T12:40") },
      accruedMs: HOUR_MS + 40 * MINUTE_MS,
    });
  });

  test("an end that is told after the maximum, but lay before it, counts from its own time", () => {
    const item = started(workRules({ maxPauseMs: 2 * HOUR_MS }));
    item.tell(at("01T10:00"), { wait: CUSTOMER });
    item.wake(at("01T12:00"));
    item.tell(at("01T11:00"), { wait: null, arrives: at("01T13:00") });
    // One hour paused, not two.
    expect(wall(item.clock().dueAt)).toBe("Tue 10:00");
  });

  test("a clock that starts while the item waits starts paused", () => {
    const item = new TestItem(workRules());
    item.tell(MONDAY, { wait: CUSTOMER });
    item.tell(MONDAY + HOUR_MS, { eventType: "start" });
    expect(item.clock()).toMatchObject({ phase: { is: "paused" }, accruedMs: 0 });
  });
});

describe("a ledger and its calendar (A3, A4)", () => {
  test("it keeps the policy's version, the start, what was accrued, and the due time", () => {
    const item = started();
    item.tell(at("01T12:00"), { wait: CUSTOMER });
    expect(item.ledger.policy).toBe("test-1");
    expect(item.clock()).toMatchObject({
      startedAt: MONDAY,
      accruedMs: 3 * HOUR_MS,
      since: at("01T12:00"),
      epoch: 0,
    });
  });

  test.each([
    ["within closed hours", "01T18:00", "02T07:00", "Mon 17:00"],
    ["over a night", "01T16:00", "02T10:00", "Tue 11:00"],
    ["from open into closed", "01T16:00", "01T20:00", "Tue 10:00"],
    ["from closed into open", "01T07:00", "01T10:00", "Tue 10:00"],
    ["over a weekend", "05T17:30", "08T08:00", "Mon 17:00"],
  ])("a pause %s takes off open time alone, and once", (_, ...[from, to, due]) => {
    const start = from.startsWith("05") ? at("05T17:00") : at("01T06:00");
    const item = new TestItem(workRules());
    item.tell(start, { eventType: "start" });
    item.tell(at(from), { wait: CUSTOMER });
    item.tell(at(to), { wait: null });
    expect(wall(item.clock().dueAt)).toBe(due);
  });

  test("another policy moves open clocks, raises their epoch, and leaves closed ones alone", () => {
    const item = new TestItem(testRules());
    item.tell(MONDAY, { eventType: "start", appointment: at("05T10:00") });
    item.tell(at("01T10:00"), { eventType: "arrived" });
    const closed = item.ledger.closed;
    const rules = workRules({ targetMs: 16 * HOUR_MS }, { version: "test-2" });
    const facts = item.keep(recompute(item.ledger, rules, at("01T11:00")));
    expect(facts).toContainEqual({
      kind: "moved",
      clock: "work",
      at: at("01T11:00"),
      why: "recomputed",
      dueAt: at("02T17:00"),
      targetMs: 16 * HOUR_MS,
      epoch: 1,
      markMs: 0,
      breach: "none",
    });
    expect(item.ledger).toMatchObject({ policy: "test-2", closed });
  });

  test("a changed calendar counts from the last pause on, and the same policy moves nothing", () => {
    const item = started();
    const always = { work: { ...testPolicy().clocks["work"], calendar: "always" } };
    const rules = testRules({ version: "test-2", clocks: always as never });
    item.keep(whenDue(item.ledger, rules, at("01T10:00")));
    expect(wall(item.clock().dueAt)).toBe("Mon 17:00");
    item.rules = testRules({
      version: "test-3",
      calendars: { work: { zone: "UTC", weekly: { mon: [["09:00", "11:00"]] } } },
    });
    item.wake(at("01T10:30"));
    expect(new Date(item.clock().dueAt).toISOString()).toBe("2026-06-22T11:00:00.000Z");
    expect(kindsIn(recompute(item.ledger, item.rules, at("01T10:40")))).toEqual([]);
  });

  test.each([
    ["shorter and past: it is breached now", 60, "seen", ["breach"]],
    ["shorter and ahead: the latest rung that is past now rings", 170, "none", ["50%", "75%"]],
  ] satisfies readonly [string, number, string, string[]][])(
    "another target, %s",
    (_, ...[minutes, breach, rungs]) => {
      const item = started();
      const rules = workRules({ targetMs: minutes * MINUTE_MS }, { version: "test-2" });
      const facts = item.keep(recompute(item.ledger, rules, at("01T11:15")));
      const rang = facts.find((fact) => fact.kind === "rang");
      expect([...(rang?.skipped ?? []), rang?.rung]).toEqual(expect.arrayContaining(rungs));
      expect(item.clock().breach === "none" ? "none" : "seen").toBe(breach);
    },
  );

  test("a breach that another target undoes may happen again, in another epoch", () => {
    const item = started(workRules({ targetMs: HOUR_MS }));
    expect(keysIn(item.liveUntil(at("01T10:30"))).at(-1)).toBe("work:0:breach");
    item.rules = workRules({ targetMs: 8 * HOUR_MS }, { version: "test-2" });
    item.wake(at("01T11:00"));
    expect(item.clock()).toMatchObject({ breach: "none", epoch: 1 });
    expect(keysIn(item.liveUntil(at("01T17:00"))).at(-1)).toBe("work:1:breach");
  });

  test("a breach that was told stays told when the other target is past as well", () => {
    const item = started(workRules({ targetMs: HOUR_MS }));
    item.liveUntil(at("01T12:00"));
    item.rules = workRules({ targetMs: 2 * HOUR_MS }, { version: "test-2" });
    expect(keysIn(item.wake(at("01T12:30")))).toEqual([]);
  });

  test("a clock that the policy no longer knows is dropped", () => {
    const item = started();
    item.rules = testRules({ version: "test-2", clocks: {} });
    expect(item.wake(at("01T11:00"))).toContainEqual(
      expect.objectContaining({ kind: "stopped", clock: "work", outcome: "dropped" }),
    );
  });
});

describe("by the event's own time (A5)", () => {
  test("a clock that starts in the past rings what is past once, the latest of it", () => {
    const item = new TestItem(workRules());
    expect(rungsIn(item.tell(MONDAY, { eventType: "start", arrives: at("01T15:30") }))).toEqual([]);
    const facts = item.liveUntil(at("01T15:31"));
    expect(item.clock()).toMatchObject({ startedAt: MONDAY, dueAt: at("01T17:00") });
    expect(facts).toContainEqual(
      expect.objectContaining({ kind: "rang", rung: "75%", skipped: ["50%"], at: at("01T15:00") }),
    );
    expect(keysIn(facts)).toEqual(["work:0:75%"]);
  });

  test("one that is past due from the start rings its breach, and no older rung or repeat", () => {
    const item = new TestItem(workRules());
    item.tell(MONDAY, { eventType: "start", arrives: at("03T12:00") });
    const facts = item.liveUntil(at("03T12:01"));
    expect(kindsIn(facts)).toEqual(["breached", "rang"]);
    expect(keysIn(facts)).toEqual(["work:0:breach"]);
    expect(facts[0]).toMatchObject({ kind: "breached", at: at("01T17:00") });
    expect(rungsIn(item.liveUntil(at("04T12:00")))).toEqual(["breach+12h", "breach+16h"]);
  });

  test("a shorter target that a paused clock has used up is a breach, and told as one", () => {
    const item = started();
    item.tell(at("01T15:00"), { wait: CUSTOMER });
    item.rules = workRules({ targetMs: 4 * HOUR_MS }, { version: "test-2" });
    const facts = item.wake(at("01T15:30"));
    expect(kindsIn(facts).filter((kind) => kind === "breached" || kind === "rang")).toEqual([
      "breached",
      "rang",
    ]);
    expect(item.clock().breach).toBe("told");
  });

  test("a story that is caught up on in one go rings nothing that its next event ends", () => {
    const item = new TestItem(workRules());
    const arrives = at("03T12:00");
    const facts = [
      ...item.tell(MONDAY, { eventType: "start", arrives }),
      ...item.tell(at("01T12:00"), { eventType: "stop", arrives: arrives + 1 }),
      ...item.liveUntil(at("10T12:00")),
    ];
    expect(kindsIn(facts)).toEqual(["started", "stopped"]);
    expect(facts.at(-2)).toMatchObject({ outcome: "met", usedMs: 3 * HOUR_MS });
  });

  test("a pause in the past undoes a breach that it would have prevented", () => {
    const item = started();
    item.liveUntil(at("01T18:00"));
    expect(item.clock().breach).toBe("told");
    const facts = item.tell(at("01T13:00"), { wait: CUSTOMER, arrives: at("02T10:00") });
    expect(kindsIn(facts)).toEqual(["wait", "paused", "moved"]);
    expect(item.clock()).toMatchObject({ breach: "none", epoch: 1, accruedMs: 4 * HOUR_MS });
    item.tell(at("02T11:00"), { wait: null });
    expect(wall(item.clock().dueAt)).toBe("Tue 15:00");
    expect(keysIn(item.liveUntil(at("02T15:00"))).at(-1)).toBe("work:1:breach");
  });

  test.each([
    ["in time", "01T16:59", "met"],
    ["at the due time", "01T17:00", "missed"],
    ["after it", "02T09:01", "missed"],
  ])("a stop %s that arrives a day late is judged by its own time", (_, when, outcome) => {
    const item = started();
    const facts = item.tell(at(when), { eventType: "stop", arrives: at("02T12:00") });
    expect(facts).toContainEqual(expect.objectContaining({ kind: "stopped", outcome }));
    // Nobody is told of what is over.
    expect(keysIn(facts)).toEqual([]);
  });

  test("a breach that was told is withdrawn by a stop that lay before it", () => {
    const item = started();
    item.liveUntil(at("01T18:00"));
    const facts = item.tell(at("01T16:00"), { eventType: "stop", arrives: at("02T12:00") });
    expect(facts).toContainEqual(expect.objectContaining({ kind: "stopped", outcome: "met" }));
  });

  test.each([
    ["the future", at("02T09:00"), MONDAY],
    ["1970", 0, MONDAY - 2 * 365 * DAY_MS],
  ])("a time in %s is bounded", (_, when, startedAt) => {
    const item = new TestItem(workRules());
    item.tell(when, { eventType: "start", arrives: MONDAY });
    expect(item.clock().startedAt).toBe(startedAt);
  });
});

describe("wake-ups are hints (A6)", () => {
  test("one that is early, or for a clock that was stopped or paused, finds nothing", () => {
    const item = started();
    const due = nextDueAt(item.ledger) ?? 0;
    expect(item.wake(due - 1)).toEqual([]);
    item.tell(due - 2, { wait: CUSTOMER });
    expect(item.wake(due)).toEqual([]);
    item.tell(due, { eventType: "stop" });
    expect(item.wake(due + DAY_MS)).toEqual([]);
    expect(nextDueAt(item.ledger)).toBeUndefined();
  });

  test("a second one finds nothing more", () => {
    const item = started();
    const due = nextDueAt(item.ledger) ?? 0;
    expect(keysIn(item.wake(due))).toEqual(["work:0:50%"]);
    expect(item.wake(due)).toEqual([]);
  });

  test("an appointment in the year 9999 is kept, and one beyond all calendars fails nothing", () => {
    const item = new TestItem(testRules());
    item.tell(MONDAY, { appointment: Date.parse("9999-12-31T00:00:00Z") });
    expect(item.clock("visit").dueAt).toBe(Date.parse("9999-12-31T00:00:00Z"));
    item.tell(MONDAY, { appointment: 8.64e15 });
    expect(kindsIn(item.tell(MONDAY + 1, { eventType: "noted" }))).toEqual([]);
  });
});

describe("for people", () => {
  test("a running clock says what is used, left and next; a paused one has no due time", () => {
    const item = started();
    const [running] = describeClocks(item.ledger, item.rules, at("01T12:00")).clocks;
    expect(running).toMatchObject({
      clock: "work",
      elapsedMs: 3 * HOUR_MS,
      remainingMs: 5 * HOUR_MS,
      percentage: 37,
      state: { is: "running", dueAt: at("01T17:00") },
      next: { rung: "50%", at: at("01T13:00"), to: ["owner"] },
    });
    item.tell(at("01T12:00"), { wait: CUSTOMER });
    const [paused] = describeClocks(item.ledger, item.rules, at("03T12:00")).clocks;
    expect(paused).toMatchObject({
      elapsedMs: 3 * HOUR_MS,
      state: { is: "paused", since: at("01T12:00"), on: "customer" },
    });
    expect(paused?.next).toBeUndefined();
  });
});

test("a ledger that nobody wrote is refused, and an unknown fact's clock changes nothing", () => {
  const stray = { kind: "breached", clock: "none", at: MONDAY } as const;
  expect(applyFacts(EMPTY_LEDGER, [stray])).toEqual(EMPTY_LEDGER);
});
