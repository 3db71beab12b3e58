/** Who is told what and when: ladders, holds, reminders of appointments, quiet hours, delay notes. */
import { describe, expect, test } from "vitest";
import { DEFAULT_POLICY } from "../../src/sla/default-policy.ts";
import type { HoldRequest } from "../../src/core/clockwork.ts";
import { hold } from "../../src/sla/hold.ts";
import { nextDueAt } from "../../src/core/clock-ledger.ts";
import { openPolicy, rulesFor } from "../../src/sla/policy.ts";
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

const at = (text: string): number => Date.parse(`2026-06-${text}:00Z`);

function started(rules = workRules()): TestItem {
  const item = new TestItem(rules);
  item.tell(MONDAY, { eventType: "start" });
  return item;
}

describe("the default ladder (A7)", () => {
  const told = started()
    .liveUntil(MONDAY + 30 * DAY_MS)
    .flatMap((fact) => (fact.kind === "rang" ? [fact] : []));

  test.each([
    ["50%", "Mon 13:00", ["owner"]],
    ["75%", "Mon 15:00", ["owner", "lead"]],
    ["-30m", "Mon 16:30", ["owner", "lead"]],
    ["breach", "Mon 17:00", ["owner", "lead"]],
    ["breach+4h", "Tue 13:00", ["owner", "lead"]],
    ["breach+8h", "Tue 17:00", ["owner", "lead"]],
  ])("%s rings at %s of the calendar", (rung, when, to) => {
    const fact = told.find((one) => one.rung === rung);
    expect(wall(fact?.at ?? 0)).toBe(when);
    expect(fact?.notice).toEqual({ key: `work:0:${rung}`, to });
  });

  test("it ends after nine repeats, and every notice has a key of its own", () => {
    expect(told.map(({ rung }) => rung).slice(3)).toEqual([
      "breach",
      ...Array.from({ length: 9 }, (_, index) => `breach+${4 * (index + 1)}h`),
    ]);
    expect(new Set(keysIn(told)).size).toBe(told.length);
  });

  test("a new start has a new epoch, so its notices are other ones", () => {
    const item = started();
    item.tell(at("01T10:00"), { eventType: "stop" });
    item.tell(at("02T09:00"), { eventType: "start" });
    expect(keysIn(item.liveUntil(at("02T13:00")))).toEqual(["work:1:50%"]);
  });

  test("a late wake-up tells the latest rung and names those that it passes over", () => {
    const item = started();
    const facts = item.wake(at("01T16:45"));
    expect(facts).toContainEqual(
      expect.objectContaining({ rung: "-30m", skipped: ["50%", "75%"], at: at("01T16:30") }),
    );
    expect(keysIn(facts)).toHaveLength(1);
  });

  test("a shorter target leaves no place for a reminder that supposes a longer one", () => {
    const item = started(workRules({ targetMs: 20 * MINUTE_MS }));
    expect(rungsIn(item.liveUntil(at("01T09:20")))).toEqual(["50%", "75%", "breach"]);
  });

  test("a paused clock rings nothing, its repeats included", () => {
    const item = started();
    item.liveUntil(at("02T09:00"));
    item.tell(at("02T10:00"), { wait: { on: "customer" } });
    expect(item.liveUntil(at("08T10:00"))).toEqual([]);
    item.tell(at("08T10:00"), { wait: null });
    expect(rungsIn(item.liveUntil(at("08T13:00")))).toEqual(["breach+4h"]);
    expect(wall(item.clock().dueAt)).toBe("Mon 17:00");
  });
});

const request = (changes: Partial<HoldRequest>): HoldRequest => ({
  kind: "snoozed",
  clock: "work",
  until: at("01T14:00"),
  by: "ada",
  role: "owner",
  now: at("01T12:00"),
  ...changes,
});

describe("holds (A8)", () => {
  test("an acknowledgement stops repeats until its end, then the latest of them rings", () => {
    const item = started();
    item.liveUntil(at("01T17:00"));
    const held = hold(
      item.ledger,
      item.rules,
      request({ kind: "acknowledged", now: at("01T17:10"), until: at("03T10:00") }),
    );
    item.keep(held.outcome === "held" ? held.facts : []);
    expect(rungsIn(item.liveUntil(at("03T09:59")))).toEqual([]);
    expect(item.liveUntil(at("03T10:00"))).toContainEqual(
      expect.objectContaining({ rung: "breach+8h", skipped: ["breach+4h"] }),
    );
  });

  test("an acknowledgement does not silence what comes before the repeats", () => {
    const item = started();
    const held = hold(
      item.ledger,
      item.rules,
      request({ kind: "acknowledged", until: at("01T23:00") }),
    );
    item.keep(held.outcome === "held" ? held.facts : []);
    expect(rungsIn(item.liveUntil(at("01T17:00")))).toEqual(["50%", "75%", "-30m", "breach"]);
  });

  test("a snooze silences reminders until its end and never moves the due time", () => {
    const item = started();
    const { dueAt } = item.clock();
    const held = hold(item.ledger, item.rules, request({ until: at("01T16:00") }));
    item.keep(held.outcome === "held" ? held.facts : []);
    expect(item.clock().dueAt).toBe(dueAt);
    expect(rungsIn(item.liveUntil(at("01T15:59")))).toEqual([]);
    expect(rungsIn(item.wake(at("01T16:00")))).toEqual(["75%"]);
  });

  test("a lead may snooze beyond the due time: the breach is a fact at its time, told later", () => {
    const item = started();
    const until = at("02T10:00");
    const held = hold(item.ledger, item.rules, request({ until, role: "lead" }));
    item.keep(held.outcome === "held" ? held.facts : []);
    const facts = item.liveUntil(at("02T09:59"));
    expect(kindsIn(facts)).toEqual(["breached"]);
    expect(facts[0]).toMatchObject({ at: at("01T17:00") });
    expect(rungsIn(item.wake(until))).toEqual(["breach"]);
  });

  test.each([
    ["beyond-due", { until: at("01T17:01") }],
    ["end-not-ahead", { until: at("01T12:00") }],
    ["end-too-far", { until: at("09T12:00"), role: "lead" }],
    ["clock-not-open", { clock: "visit" }],
    ["clock-not-open", { clock: "constructor" }],
  ] as const)("a snooze is refused: %s", (reason, changes) => {
    const item = started();
    expect(hold(item.ledger, item.rules, request(changes))).toMatchObject({
      outcome: "refused",
      reason,
    });
  });

  test("another due time ends both", () => {
    const item = started();
    for (const kind of ["snoozed", "acknowledged"] as const) {
      const held = hold(item.ledger, item.rules, request({ kind }));
      item.keep(held.outcome === "held" ? held.facts : []);
    }
    item.rules = workRules({ targetMs: 16 * HOUR_MS }, { version: "test-2" });
    item.wake(at("01T12:30"));
    expect(item.clock()).not.toHaveProperty("snoozedUntil");
    expect(item.clock()).not.toHaveProperty("ackUntil");
  });
});

describe("reminders of an appointment (A9)", () => {
  test.each([
    ["in four days", "05T12:00", ["-48h", "-24h", "-30m", "breach"]],
    ["in 40 hours", "03T01:00", ["-24h", "-30m", "breach"]],
    ["in 20 minutes", "01T09:20", ["breach"]],
  ])("made for %s, those that are past already do not ring", (_, date, rungs) => {
    const item = new TestItem(testRules());
    const facts = item.tell(MONDAY, { appointment: at(date) });
    expect(rungsIn([...facts, ...item.liveUntil(at("10T00:00"))])).toEqual(rungs);
  });

  test("another date resets them", () => {
    const item = new TestItem(testRules());
    item.tell(MONDAY, { appointment: at("03T09:00") });
    expect(keysIn(item.liveUntil(at("02T10:00")))).toEqual(["visit:0:-24h"]);
    const moved = item.tell(at("02T11:00"), { appointment: at("08T09:00") });
    expect(moved).toContainEqual(
      expect.objectContaining({ kind: "moved", why: "rescheduled", epoch: 1 }),
    );
    expect(keysIn(item.liveUntil(at("08T09:00")))).toEqual([
      "visit:1:-48h",
      "visit:1:-24h",
      "visit:1:-30m",
      "visit:1:breach",
    ]);
  });

  test("a date that was told late rings what fell due since, once", () => {
    const item = new TestItem(testRules());
    item.tell(MONDAY, { appointment: at("04T09:00"), arrives: at("03T10:00") });
    const facts = item.liveUntil(at("03T10:01"));
    expect(facts).toContainEqual(expect.objectContaining({ rung: "-24h", skipped: ["-48h"] }));
  });

  test("a date in the past is breached at once, and its reminders stay silent", () => {
    const item = new TestItem(testRules());
    expect(keysIn(item.tell(MONDAY, { appointment: at("01T07:00") }))).toEqual(["visit:0:breach"]);
  });

  test("an appointment that loses its date has no clock", () => {
    const item = new TestItem(testRules());
    item.tell(MONDAY, { appointment: at("03T09:00") });
    item.tell(at("01T10:00"), { appointment: null });
    expect(item.ledger.clocks).toEqual({});
    expect(nextDueAt(item.ledger)).toBeUndefined();
  });
});

describe("what the marketplace is told (A10)", () => {
  const noted = (everyMs: number) => testRules({ delayNotes: { clocks: ["visit"], everyMs } });

  test("nothing, unless the policy says so", () => {
    const item = new TestItem(testRules());
    item.tell(MONDAY, { appointment: at("02T09:00") });
    const notices = item
      .liveUntil(at("03T09:00"))
      .flatMap((fact) => ("notice" in fact && fact.notice ? fact.notice.to : []));
    expect(notices).not.toContain("marketplace");
  });

  test("a breach, and at most one in a day for an item", () => {
    const item = new TestItem(noted(DAY_MS));
    item.tell(MONDAY, { appointment: at("02T09:00") });
    expect(keysIn(item.liveUntil(at("02T09:00")))).toContain("visit:0:delay-note");
    item.tell(at("02T10:00"), { appointment: at("02T12:00") });
    expect(keysIn(item.liveUntil(at("02T12:00")))).toEqual(["visit:1:-30m", "visit:1:breach"]);
    item.tell(at("02T13:00"), { appointment: at("03T12:00") });
    expect(keysIn(item.liveUntil(at("03T12:00")))).toContain("visit:2:delay-note");
  });
});

describe("quiet hours (A11)", () => {
  const rules = (zone: string) =>
    rulesFor(
      openPolicy(
        testPolicy({
          calendars: DEFAULT_POLICY.calendars,
          customerHours: "customer-hours",
          ladders: {
            visit: {
              rungs: [
                { beforeMs: 24 * HOUR_MS, to: ["customer"] },
                { beforeMs: 24 * HOUR_MS, to: ["owner"] },
                { beforeMs: 30 * MINUTE_MS, to: ["customer"] },
              ],
            },
          },
          clocks: { visit: { ...testPolicy().clocks["visit"], atDue: "end" } as never },
        }),
      ),
      { account: "a", zone },
    );

  test("a customer is told at the next opening in his own zone, an operator at once", () => {
    const item = new TestItem(rules("America/Los_Angeles"));
    // 23:00 on Wednesday in Los Angeles; a day before, it is night there.
    item.tell(MONDAY, { appointment: at("04T06:00") });
    expect(item.liveUntil(at("03T06:00"))).toContainEqual(
      expect.objectContaining({ rung: "-24h", lane: "operator" }),
    );
    const opening = at("03T15:00");
    expect(nextDueAt(item.ledger)).toBe(opening);
    const facts = item.wake(opening);
    expect(facts).toContainEqual(
      expect.objectContaining({ rung: "customer:-24h", at: at("03T06:00") }),
    );
  });

  test("what would reach him after the appointment is not told", () => {
    const item = new TestItem(rules("America/Los_Angeles"));
    item.tell(MONDAY, { appointment: at("04T06:00") });
    item.liveUntil(at("03T15:00"));
    const facts = item.liveUntil(at("04T06:00"));
    expect(rungsIn(facts)).toEqual([]);
    expect(facts).toContainEqual(expect.objectContaining({ kind: "stopped", outcome: "met" }));
  });

  test("when nobody was awake for the reminders, the journal says which were lost", () => {
    const item = new TestItem(rules("UTC"));
    item.tell(MONDAY, { appointment: at("04T12:00") });
    expect(item.wake(at("04T13:00"))).toContainEqual(
      expect.objectContaining({
        kind: "stopped",
        skipped: ["-24h", "customer:-24h", "customer:-30m"],
      }),
    );
  });
});
