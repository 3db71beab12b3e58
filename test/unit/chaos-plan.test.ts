/** What a chaos run does is fixed before it begins; a plan that did little would prove little. */
import { describe, expect, test } from "vitest";
import {
  ALL_FAULT_KINDS,
  isKill,
  type PlannedFault,
  planFaults,
} from "../../src/chaos/fault-plan.ts";
import { newLife } from "../../src/chaos/item-lives.ts";
import { TESTED_POLICIES } from "../../src/chaos/policy-change.ts";
import { seededRandom } from "../../src/chaos/seeded-random.ts";
import { TESTED_DEFINITIONS } from "../../src/chaos/tested-definitions.ts";
import { silencesOf } from "../../src/chaos/silences.ts";
import { type Actor, isLiving } from "../../src/core/actor.ts";
import { decideDue, decideEvent } from "../../src/core/decide.ts";
import { registerMachines } from "../../src/core/machine.ts";
import { readEvent } from "../../src/core/read-event.ts";
import { clockworkOf } from "../../src/sla/clockwork.ts";

const FIVE_MINUTES = 300_000;
const HOUR_MS = 3_600_000;
const SEEDS = [1, 2, 3, 4, 5, 6, 7];

const planOf = (seed: number): PlannedFault[] =>
  planFaults(seededRandom(seed, "faults"), { lengthMs: FIVE_MINUTES, kinds: ALL_FAULT_KINDS });

describe("a plan of five minutes", () => {
  test.each(SEEDS)("has every kind of fault and sixty kills (seed %i)", (seed) => {
    const plan = planOf(seed);
    expect(new Set(plan.map(({ kind }) => kind)).size).toBe(ALL_FAULT_KINDS.length);
    expect(plan.filter(({ kind }) => isKill(kind)).length).toBeGreaterThanOrEqual(60);
  });

  test("is the same for the same seed, and another for another", () => {
    expect(planOf(7)).toEqual(planOf(7));
    expect(planOf(7)).not.toEqual(planOf(8));
  });

  test.each(SEEDS)("strikes no place twice at a time, and is over in time (seed %i)", (seed) => {
    const freeAt = new Map<string, number>();
    for (const { place, at, lengthMs } of planOf(seed)) {
      expect(at).toBeGreaterThanOrEqual(freeAt.get(place) ?? 0);
      expect(at + lengthMs).toBeLessThan(FIVE_MINUTES);
      freeAt.set(place, at + lengthMs);
    }
  });
});

test("each event of an invented life is applied, and the last one, or time, ends it as told", () => {
  const machines = registerMachines(TESTED_DEFINITIONS);
  const clocks = clockworkOf(TESTED_POLICIES.first);
  const random = seededRandom(7, "lives");
  const limits = {
    parkedForMs: 0,
    unknownItemForMs: 0,
    parkedMax: 0,
    journalMax: 100,
    timersPerDecision: 100,
  };
  const from = Date.parse("2026-03-02T09:00:00Z");
  for (let number = 1; number <= 200; number += 1) {
    const life = newLife(random, { itemId: `item-${number}`, from, stepMs: 1_000 });
    let actor: Actor | undefined;
    for (const event of life.events) {
      const read = readEvent(event, from);
      if (read.result !== "event") throw new Error(read.problem.message);
      const setting = { machines, limits, clocks, now: Date.parse(read.event.time) };
      const { decision, verdict } = decideEvent(setting, actor, read.event);
      expect(verdict, `${event.type} of ${life.itemId}`).toMatchObject({ outcome: "applied" });
      actor = decision.actor;
    }
    // Timers end some of them, one after the other.
    for (const later of [HOUR_MS, 2 * HOUR_MS]) {
      if (actor === undefined) continue;
      actor = decideDue({ machines, limits, clocks, now: from + later }, actor).actor;
    }
    if (!isLiving(actor)) throw new Error(`${life.itemId} was never born`);
    const machine = machines.byId(actor.machine, actor.version);
    expect(machine?.status(actor.snapshot.value)).toBe(life.endsAs);
  }
});

test("a silence counts for the fault in which it began, or that was just over", () => {
  const heardAt = [0, 10, 50, 10_000, 10_700, 10_900, 30_000];
  const faults = [
    { kind: "kill-api", from: 5, to: 20 },
    { kind: "kill-api", from: 9_990, to: 9_995 },
    { kind: "redis-cut", from: 10_650, to: 10_800 },
  ];
  expect(silencesOf(faults, heardAt)).toEqual({
    "kill-api": { faults: 2, medianMs: 9_950, maxMs: 19_100 },
    "redis-cut": { faults: 1, medianMs: 19_100, maxMs: 19_100 },
  });
});
