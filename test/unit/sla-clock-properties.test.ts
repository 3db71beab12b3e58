/**
 * Random histories of an item's clocks under random calendars. SLA_RUNS sets the number of cases.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openBetween, type OpenCalendar, openCalendar } from "../../src/sla/calendar.ts";
import { DEFAULT_POLICY } from "../../src/sla/default-policy.ts";
import { describeClocks } from "../../src/sla/describe.ts";
import type { Fact } from "../../src/core/clock-fact.ts";
import type { HoldRequest } from "../../src/core/clockwork.ts";
import { hold } from "../../src/sla/hold.ts";
import { placedRungs } from "../../src/sla/ladder.ts";
import { applyFacts, EMPTY_LEDGER } from "../../src/core/clock-ledger.ts";
import { packLedger } from "../../src/core/clock-ledger-codec.ts";
import { type ItemRules, openPolicy, type Policy, rulesFor } from "../../src/sla/policy.ts";
import { policySchema } from "../../src/sla/policy-schema.ts";
import {
  DAY_MS,
  HOUR_MS,
  keysIn,
  MONDAY,
  PAUSING,
  TestItem,
  testPolicy,
} from "../support/sla-item.ts";
import { someCalendar } from "../support/sla-calendars.ts";

const RUNS = Math.min(Number(process.env["SLA_RUNS"] ?? 300), 20_000);
const LONG_TEST = { timeout: 60_000 + RUNS * 50 };
const LIMIT_MS = 300 * DAY_MS;

const calendars = someCalendar(["06-08", "12-24", "2026-06-03"]);
const gap = fc.oneof(
  fc.integer({ min: 1, max: 3 * DAY_MS }),
  fc.integer({ min: 1, max: 90 * 60_000 }),
);
const waits = fc.constantFrom("customer", "customer", "provider", null);

interface Setup {
  readonly calendar: Parameters<typeof openCalendar>[0];
  readonly targetMs: number;
}
/** Only what the schema takes: what passes there fails no item. */
const setups: fc.Arbitrary<Setup> = fc
  .record({ calendar: calendars, targetMs: fc.integer({ min: 1, max: 20 * HOUR_MS }) })
  .filter((setup) => policySchema.safeParse(policyOf(setup, "v")).success);

function policyOf({ calendar, targetMs }: Setup, version: string): Policy {
  const work = { ...testPolicy().clocks["work"], targetMs, ...PAUSING, maxPauseMs: LIMIT_MS };
  const clocks = { ...testPolicy().clocks, work } as never;
  return testPolicy({ version, calendars: { work: { ...calendar, zone: "UTC" } }, clocks });
}

function rulesOf(setup: Setup, version = "v"): ItemRules {
  return rulesFor(openPolicy(policyOf(setup, version)), { account: "a" });
}

type Pauses = readonly (readonly [from: number, to: number])[];

/** Used time counted another way: all open time, less that of each pause. */
function countedMs(calendar: OpenCalendar, pauses: Pauses, at: number): number {
  return pauses.reduce(
    (sum, [from, to]) => sum - openBetween(calendar, Math.min(from, at), Math.min(to, at)),
    openBetween(calendar, MONDAY, at),
  );
}

interface Step {
  readonly afterMs: number;
  readonly wait: string | null;
}
const steps = fc.array(fc.record({ afterMs: gap, wait: waits }), { maxLength: 12 });

/** The waits as they happen, with whatever looks at the clocks before each. */
function play(item: TestItem, history: readonly Step[], look: (until: number) => void): Pauses {
  item.tell(MONDAY, { eventType: "start" });
  const pauses: [number, number][] = [];
  let [at, on]: [number, string | null] = [MONDAY, null];
  for (const { afterMs, wait } of history) {
    at += afterMs;
    look(at);
    item.tell(at, { wait: wait === null ? null : { on: wait } });
    const last = pauses.at(-1);
    if (on === "customer" && wait !== "customer" && last !== undefined) last[1] = at;
    if (on !== "customer" && wait === "customer") pauses.push([at, Infinity]);
    on = wait;
  }
  const end = at + 5 * DAY_MS;
  look(end);
  item.wake(end);
  return pauses.map(([from, to]) => [from, Math.min(to, end)]);
}

function rungsPassed(facts: readonly Fact[], clock: string): readonly string[] {
  const passed = facts.flatMap((fact) =>
    fact.kind === "rang" && fact.clock === clock
      ? [...(fact.skipped ?? []), fact.rung].map((rung) => `${fact.epoch}:${rung}`)
      : [],
  );
  return passed.toSorted();
}

describe("properties", () => {
  test("used time is all open time less that of the pauses", LONG_TEST, () => {
    fc.assert(
      fc.property(setups, steps, (setup, history) => {
        const item = new TestItem(rulesOf(setup));
        const pauses = play(item, history, (until) => item.liveUntil(until));
        const calendar = openCalendar({ ...setup.calendar, zone: "UTC" }, "UTC");
        const at = MONDAY + history.reduce((sum, { afterMs }) => sum + afterMs, 0) + 5 * DAY_MS;
        const [view] = describeClocks(item.ledger, item.rules, at).clocks;
        expect(view?.elapsedMs).toBe(countedMs(calendar, pauses, at));
        const { dueAt, breach, phase } = item.clock();
        if (phase.is === "paused" && breach === "none") return;
        expect(countedMs(calendar, pauses, Math.min(dueAt, at))).toBe(
          Math.min(setup.targetMs, view?.elapsedMs ?? 0),
        );
      }),
      { numRuns: RUNS },
    );
  });

  test("a rung rings at its used time: never before, and its fact says when", LONG_TEST, () => {
    fc.assert(
      fc.property(setups, steps, (setup, history) => {
        const item = new TestItem(rulesOf(setup));
        const looked: { readonly now: number; readonly facts: readonly Fact[] }[] = [];
        const pauses = play(item, history, (until) => {
          for (let next = item.ledger.nextAt; next !== undefined && next <= until;) {
            looked.push({ now: next, facts: item.wake(next) });
            next = item.ledger.nextAt;
          }
        });
        const calendar = openCalendar({ ...setup.calendar, zone: "UTC" }, "UTC");
        const rule = item.rules.clocks["work"];
        const ladder = rule?.rungs ?? { rungs: [] };
        const rungs = (["operator", "customer"] as const).flatMap((lane) =>
          placedRungs(ladder, setup.targetMs, lane),
        );
        for (const { now, facts } of looked) {
          for (const fact of facts) {
            if (fact.kind !== "rang") continue;
            const rung = rungs.find(({ name }) => name === fact.rung);
            expect(fact.at).toBe(now);
            expect(countedMs(calendar, pauses, now)).toBe(rung?.thresholdMs);
          }
        }
      }),
      { numRuns: RUNS },
    );
  });

  test(
    "whenever the wake-ups come, the same rungs pass and the same breach is seen",
    LONG_TEST,
    () => {
      const looks = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 });
      fc.assert(
        fc.property(setups, steps, fc.array(looks, { maxLength: 13 }), (setup, history, times) => {
          const exact = new TestItem(rulesOf(setup));
          play(exact, history, (until) => exact.liveUntil(until));
          const other = new TestItem(rulesOf(setup));
          let [from, index] = [MONDAY, 0];
          play(other, history, (until) => {
            for (const share of (times[index] ?? []).toSorted((a, b) => a - b)) {
              other.wake(Math.floor(from + share * (until - from)));
            }
            [from, index] = [until, index + 1];
          });
          expect(rungsPassed(other.facts, "work")).toEqual(rungsPassed(exact.facts, "work"));
          const breaches = (item: TestItem) => item.facts.filter(({ kind }) => kind === "breached");
          expect(breaches(other)).toEqual(breaches(exact));
          expect(new Set(keysIn(exact.facts))).toEqual(
            new Set([...keysIn(exact.facts), ...keysIn(other.facts)]),
          );
        }),
        { numRuns: RUNS },
      );
    },
  );
});

const moves = fc.oneof(
  fc.record({ do: fc.constant("wait" as const), wait: waits }),
  fc.record({
    do: fc.constant("date" as const),
    inMs: fc.option(fc.integer({ min: -DAY_MS, max: 5 * DAY_MS })),
  }),
  fc.record({
    do: fc.constant("policy" as const),
    setup: setups,
  }),
  fc.record({
    do: fc.constant("event" as const),
    type: fc.constantFrom("start", "stop", "arrived"),
  }),
  fc.record({
    do: fc.constantFrom("snoozed" as const, "acknowledged" as const),
    forMs: fc.integer({ min: 1, max: 2 * DAY_MS }),
  }),
  fc.record({ do: fc.constantFrom("wake" as const, "live" as const) }),
);
const wildSteps = fc.array(
  fc.record({ afterMs: gap, lateMs: fc.oneof(fc.constant(0), gap), move: moves }),
  { minLength: 1, maxLength: 25 },
);

const lives = fc.array(
  fc.record({
    afterMs: gap,
    lateMs: fc.oneof(fc.constant(0), gap),
    status: fc.constantFrom(
      "pending",
      "accepted",
      "scheduled",
      "in_progress",
      "failed",
      "completed",
    ),
    wait: waits,
    dateInMs: fc.option(fc.integer({ min: -DAY_MS, max: 12 * DAY_MS }), { freq: 2 }),
  }),
  { minLength: 1, maxLength: 12 },
);

type Move = typeof moves extends fc.Arbitrary<infer Value> ? Value : never;

function make(
  item: TestItem,
  move: Move,
  when: { readonly now: number; readonly at: number; readonly step: number },
): void {
  const { now, at, step } = when;
  switch (move.do) {
    case "wait":
      item.tell(at, { wait: move.wait === null ? null : { on: move.wait }, arrives: now });
      return;
    case "date":
      item.tell(at, { appointment: move.inMs === null ? null : now + move.inMs, arrives: now });
      return;
    case "policy":
      item.rules = rulesOf(move.setup, `v${step}`);
      return;
    case "snoozed":
    case "acknowledged":
      silence(item, { kind: move.do, now, until: now + move.forMs });
      return;
    case "wake":
      item.wake(now);
      return;
    case "live":
      item.liveUntil(now);
      return;
    case "event":
      item.tell(at, { eventType: move.type, arrives: now });
  }
}

function silence(
  item: TestItem,
  asked: { readonly kind: HoldRequest["kind"]; readonly now: number; readonly until: number },
): void {
  const request = { clock: "work", by: "x", role: "lead", ...asked } as const;
  const held = hold(item.ledger, item.rules, request);
  if (held.outcome === "held") item.keep(held.facts);
}

describe("whatever happens, in time or late", () => {
  test(
    "no notice comes twice or before its time, and facts alone give the same ledger",
    LONG_TEST,
    () => {
      fc.assert(
        fc.property(setups, wildSteps, (setup, history) => {
          const item = new TestItem(rulesOf(setup));
          item.tell(MONDAY, { eventType: "start" });
          let now = MONDAY;
          for (const [step, { afterMs, lateMs, move }] of history.entries()) {
            now += afterMs;
            const seen = item.facts.length;
            make(item, move, { now, at: now - lateMs, step });
            const times = item.facts
              .slice(seen)
              .flatMap((fact) => (fact.kind === "armed" ? [] : [fact.at]));
            expect(Math.max(...times, -Infinity)).toBeLessThanOrEqual(now);
            // A wake-up moves only time: what it leaves is ahead.
            item.wake(now);
          }
          item.liveUntil(now + 10 * DAY_MS);
          const keys = keysIn(item.facts);
          expect(new Set(keys).size).toBe(keys.length);
          const replayed = applyFacts(EMPTY_LEDGER, item.facts);
          expect(JSON.stringify(packLedger(replayed))).toBe(
            JSON.stringify(packLedger(item.ledger)),
          );
          expect(replayed).toEqual(item.ledger);
        }),
        { numRuns: RUNS },
      );
    },
  );

  test(
    "and so it is with the default policy, whose level is always the present one",
    LONG_TEST,
    () => {
      const policy = {
        ...DEFAULT_POLICY,
        delayNotes: { clocks: ["install", "arrival"], everyMs: DAY_MS },
      };
      const rules = rulesFor(openPolicy(policy), { account: "a", zone: "America/Los_Angeles" });
      fc.assert(
        fc.property(lives, (life) => {
          const item = new TestItem(rules);
          let now = MONDAY;
          for (const { afterMs, lateMs, dateInMs, ...told } of life) {
            now += afterMs;
            item.tell(now - lateMs, {
              status: told.status,
              wait: told.wait === null ? null : { on: told.wait },
              ...(dateInMs !== null && { appointment: now + dateInMs }),
              arrives: now,
            });
            // What was told late is caught up on by then.
            now += 10_000;
            item.liveUntil(now);
            const view = describeClocks(item.ledger, rules, now).jeopardy;
            const known = item.ledger.jeopardy?.level ?? "green";
            expect(view?.level ?? known).toBe(known);
          }
          item.liveUntil(now + 40 * DAY_MS);
          const keys = keysIn(item.facts);
          expect(new Set(keys).size).toBe(keys.length);
          expect(applyFacts(EMPTY_LEDGER, item.facts)).toEqual(item.ledger);
        }),
        { numRuns: RUNS },
      );
    },
  );
});
