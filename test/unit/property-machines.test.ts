/**
 * A random machine under the whole engine's decisions: births, events in and out of order, events that
 * wait, timers, the end. One twin is stored as text and read back after every decision, as between two
 * events that two processes take; the other lives on in memory. They must never differ.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Actor, decodeActor, dueAt, encodeActor } from "../../src/core/actor.ts";
import { decideDue, decideEvent } from "../../src/core/decide.ts";
import type { Decision, Setting, Verdict } from "../../src/core/decision.ts";
import type { DecisionEntry, JournalEntry } from "../../src/core/journal.ts";
import { type Machines, registerMachines } from "../../src/core/machine.ts";
import { replayAll } from "../../src/core/replay.ts";
import { CHART_EVENTS, chartOf, randomChart } from "../support/random-chart.ts";
import { arrived, LIMITS, smallDefinition } from "../support/small-machine.ts";

const START = Date.parse("2026-03-02T09:00:00Z");

/** What happens next: an event, or time, which fires whatever falls due. */
const happening = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("event" as const),
      type: fc.constantFrom(...CHART_EVENTS, "E-unknown", "born"),
      source: fc.constantFrom("crm/a", "crm/b"),
      /** Numbered events come early, late and twice. */
      sequence: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined, freq: 2 }),
      /** ms, against the time of the decision. */
      ahead: fc.constantFrom(0, 0, -1_000, 5_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("time" as const), ms: fc.nat(1_200) }) },
  /** Exactly until the next timer or the end of a wait. */
  { weight: 1, arbitrary: fc.constant({ kind: "due" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "time" as const, ms: LIMITS.parkedForMs }) },
);
type Happening = typeof happening extends fc.Arbitrary<infer Each> ? Each : never;

interface Taken {
  readonly decision: Decision;
  readonly verdict?: Verdict;
}

/** The same for both twins. */
function plan(happenings: readonly Happening[]) {
  return happenings.map((each, index) => {
    if (each.kind !== "event") return each;
    const { type, source, sequence, ahead } = each;
    const place =
      sequence === undefined
        ? {}
        : ({ sequence: String(sequence), sequencetype: "Integer" } as const);
    const event = arrived(type, { id: `e${index}`, source, ...place });
    return { kind: "event", event, ahead } as const;
  });
}

type Planned = ReturnType<typeof plan>[number];

function take(setting: Setting, actor: Actor | undefined, planned: Planned): Taken | undefined {
  if (planned.kind === "event") {
    const time = new Date(setting.now + planned.ahead).toISOString();
    return decideEvent(setting, actor, { ...planned.event, time });
  }
  return actor === undefined ? undefined : { decision: decideDue(setting, actor) };
}

function after(now: number, planned: Planned, actor: Actor | undefined): number {
  switch (planned.kind) {
    case "event":
      return now + 1;
    case "time":
      return now + planned.ms;
    case "due":
      return Math.max(now, (actor && dueAt(actor)) ?? now);
  }
}

function forget(actor: Actor | undefined): Actor | undefined {
  return actor && decodeActor(actor.id, encodeActor(actor));
}

/** Bytes, for that is what replay compares. */
function told(taken: Taken | undefined): string {
  if (taken === undefined) return "";
  const { actor, ...written } = taken.decision;
  return JSON.stringify([actor && encodeActor(actor), written, taken.verdict]);
}

function outcomesOf(entries: readonly DecisionEntry[], actor: Actor | undefined): string[] {
  const outcomes = entries.map((entry) =>
    entry.kind === "expired" || entry.kind === "clocks"
      ? entry.kind
      : `${entry.kind} ${entry.outcome}`,
  );
  return actor?.snapshot?.status === "done" ? [...outcomes, "done"] : outcomes;
}

function live(machines: Machines, planned: readonly Planned[], seen: Map<string, number>): void {
  let [stored, living]: (Actor | undefined)[] = [undefined, undefined];
  const journal: JournalEntry[] = [];
  let now = START;
  for (const each of planned) {
    now = after(now, each, stored);
    const setting = { machines, limits: LIMITS, now };
    const ours = take(setting, forget(stored), each);
    // A decision must not change what it is given: the living twin is used again and again.
    const theirs = take(setting, living, each);
    expect(told(ours)).toBe(told(theirs));
    if (ours === undefined || theirs === undefined) continue;
    [stored, living] = [ours.decision.actor, theirs.decision.actor];
    const { entries } = ours.decision;
    journal.push(...(JSON.parse(JSON.stringify(entries)) as JournalEntry[]));
    // An item that only waited and that nobody announced is forgotten, journal and all.
    if (stored === undefined) journal.length = 0;
    for (const outcome of outcomesOf(entries, stored))
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
  }
  const replayed = stored && replayAll(machines, stored.id, journal);
  expect(replayed && encodeActor(replayed)).toBe(stored && encodeActor(stored));
}

const OUTCOMES = [
  "event applied",
  "event parked",
  "event stale",
  "event rejected",
  "timer applied",
  "expired",
  "done",
];

test(
  "an actor that is stored, forgotten and read back after every decision has the future of one that never was",
  { timeout: 60_000 },
  () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(
        randomChart,
        fc.boolean(),
        fc.array(happening, { minLength: 4, maxLength: 24 }),
        (config, isBornFirst, happenings) => {
          const definition = smallDefinition(chartOf(config), CHART_EVENTS);
          const machines = registerMachines([definition]);
          const birth = {
            kind: "event",
            event: arrived("born", { id: "birth" }),
            ahead: 0,
          } as const;
          live(machines, [...(isBornFirst ? [birth] : []), ...plan(happenings)], seen);
        },
      ),
      { numRuns: 150 },
    );
    // The lives are worth something: each kind of decision comes up.
    const rare = OUTCOMES.filter((outcome) => (seen.get(outcome) ?? 0) < 3);
    expect(rare).toEqual([]);
  },
);
