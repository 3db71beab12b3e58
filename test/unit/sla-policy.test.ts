/** What a policy may say, what each fault is called, and which rule wins for an item. */
import { describe, expect, test } from "vitest";
import { openBetween } from "../../src/sla/calendar.ts";
import { DEFAULT_POLICY } from "../../src/sla/default-policy.ts";
import { unpackLedger } from "../../src/core/clock-ledger-codec.ts";
import { openPolicy, type Policy, rulesFor } from "../../src/sla/policy.ts";
import { policySchema } from "../../src/sla/policy-schema.ts";
import { DAY_MS, HOUR_MS, testPolicy, WORKDAYS } from "../support/sla-item.ts";

const work = testPolicy().clocks["work"];
const visit = testPolicy().clocks["visit"];

function faultsOf(policy: unknown): readonly string[] {
  const read = policySchema.safeParse(policy);
  return read.success
    ? []
    : read.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`);
}

const exceptions = (clocks: object) => ({ exceptions: [{ account: "a", clocks }] });

describe("the schema", () => {
  test("takes the default policy", () => {
    expect(faultsOf(DEFAULT_POLICY)).toEqual([]);
  });

  test.each<readonly [string, object]>([
    ["clocks.work.calendar must be a calendar", { clocks: { work: { ...work, calendar: "x" } } }],
    ["clocks.work.ladder must be a ladder", { clocks: { work: { ...work, ladder: "toString" } } }],
    [
      "clocks.work.pausesWhile.0 must be one of waiting.customer",
      { clocks: { work: { ...work, pausesWhile: ["waiting.provider"] } } },
    ],
    [
      "clocks.work.maxPauseMs is needed",
      { clocks: { work: { ...work, maxPauseMs: undefined, pausesWhile: ["waiting.reseller"] } } },
    ],
    ["clocks.work.zone must be", { clocks: { work: { ...work, zone: "Mars/Base" } } }],
    ["clocks.constructor must be a name", { clocks: { constructor: work } }],
    ["calendars.always is taken", { calendars: { work: WORKDAYS, always: WORKDAYS } }],
    [
      "calendars.work is open too seldom",
      { calendars: { work: { zone: "UTC", weekly: { mon: [["09:00", "09:01"]] } } } },
    ],
    ["customerHours must be a calendar", { customerHours: "nights" }],
    [
      "ladders.default.rungs must not have two rungs",
      {
        ladders: {
          visit: { rungs: [] },
          default: {
            rungs: [
              { percent: 50, to: ["owner"] },
              { percent: 50, to: ["lead"] },
            ],
          },
        },
      },
    ],
    [
      "ladders.visit.rungs.0 must have",
      { ladders: { visit: { rungs: [{ percent: 50, to: ["customer", "owner"] }] } } },
    ],
    [
      "ladders.visit.repeat.timesMax",
      {
        ladders: {
          visit: {
            rungs: [],
            breach: { to: ["owner"] },
            repeat: { everyMs: HOUR_MS, timesMax: 10, to: ["owner"] },
          },
        },
      },
    ],
    [
      "exceptions.0.clocks.visit.targetMs is not for a fixed-date clock",
      exceptions({ visit: { targetMs: HOUR_MS } }),
    ],
    ["exceptions.0.clocks.none must be a clock", exceptions({ none: "off" })],
    [
      "exceptions.1 is there twice",
      {
        exceptions: [
          { account: "a", clocks: {} },
          { account: "a", clocks: {} },
        ],
      },
    ],
    ["exceptions.0 must name an account", { exceptions: [{ clocks: {} }] }],
    [
      "jeopardy.committedBy must be a duration clock",
      { jeopardy: { ...DEFAULT_POLICY.jeopardy, committedBy: "visit" } },
    ],
    [
      "jeopardy.redMs must not be more",
      { jeopardy: { ...DEFAULT_POLICY.jeopardy, committedBy: "work", redMs: 2 * DAY_MS } },
    ],
    [
      "delayNotes.clocks names no clock: none",
      { delayNotes: { clocks: ["none"], everyMs: DAY_MS } },
    ],
    ["delayNotes.everyMs", { delayNotes: { clocks: [], everyMs: DAY_MS - 1 } }],
  ])("names the fault: %s", (fault, changes) => {
    const policy = JSON.parse(JSON.stringify({ ...testPolicy(), ...changes }));
    const faults = faultsOf(policy);
    expect(faults.filter((text) => text.includes(fault))).not.toEqual([]);
  });

  test("names an unknown field, and several faults at once", () => {
    const policy = { ...testPolicy(), clocks: { work: { ...work, ladder: "x", calendar: "y" } } };
    expect(faultsOf({ ...policy, extra: 1 })).toHaveLength(3);
  });
});

describe("the rules of an item", () => {
  const policy: Policy = testPolicy({
    exceptions: [
      { account: "a", category: "fiber", clocks: { work: { targetMs: 4 * HOUR_MS } } },
      { account: "a", clocks: { work: { targetMs: 3 * HOUR_MS, ladder: "visit" }, visit: "off" } },
      { category: "fiber", clocks: { work: { targetMs: 2 * HOUR_MS, calendar: "always" } } },
    ],
  });
  const open = openPolicy(policy);

  test.each([
    { scope: { account: "b" }, hours: 8, calendar: "work", ladder: "default" },
    { scope: { account: "b", category: "fiber" }, hours: 2, calendar: "always", ladder: "default" },
    { scope: { account: "a", category: "cable" }, hours: 3, calendar: "work", ladder: "visit" },
    { scope: { account: "a", category: "fiber" }, hours: 4, calendar: "always", ladder: "visit" },
  ])("the most specific wins field by field: $scope", ({ scope, hours, calendar, ladder }) => {
    const { clocks } = rulesFor(open, scope);
    expect(clocks["work"]).toMatchObject({ targetMs: hours * HOUR_MS, calendar, ladder });
    expect(Object.keys(clocks)).toEqual(scope.account === "a" ? ["work"] : ["work", "visit"]);
  });

  test("are the same object for the same scope, and share their calendars", () => {
    const scope = { account: "x", zone: "Europe/Berlin" };
    expect(rulesFor(open, scope)).toBe(rulesFor(open, { ...scope }));
    const other = rulesFor(open, { account: "y", zone: "Asia/Tokyo" });
    expect(other.clocks["work"]?.opened).toBe(rulesFor(open, scope).clocks["work"]?.opened);
  });

  test.each([
    ["the item's zone", "item", "Europe/Berlin", 1],
    ["the policy's own when the item's is none", "item", "Mars/Base", 0],
    ["a zone that the clock names", "Asia/Tokyo", "Europe/Berlin", 9],
  ])("a calendar opens in %s", (_, ...[zone, itemZone, hoursAhead]) => {
    const opened = openPolicy(
      testPolicy({ clocks: { work: { ...work, zone } as never, visit } as never }),
    );
    const calendar = rulesFor(opened, { account: "a", zone: itemZone }).clocks["work"]?.opened;
    const opening = Date.parse("2026-01-05T09:00:00Z") - hoursAhead * HOUR_MS;
    expect(calendar && openBetween(calendar, opening - HOUR_MS, opening + HOUR_MS)).toBe(HOUR_MS);
    expect(calendar && openBetween(calendar, opening - HOUR_MS, opening)).toBe(0);
  });
});

test("a stored ledger of another shape is refused", () => {
  for (const stored of [null, [], [2, "x", {}, {}, {}], [1, "x", { a: 1 }, {}, {}]]) {
    expect(() => unpackLedger(stored)).toThrow("STORE_CORRUPT");
  }
});
