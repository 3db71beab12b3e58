/** Many runs, summed up. */
import { runAndJudge } from "./judgement.ts";
import type { Plant } from "./plants.ts";
import { drawPlan } from "./plan.ts";

export interface Failure {
  readonly seed: number;
  readonly rules: readonly string[];
  readonly message: string;
}

export interface Tally {
  readonly runs: number;
  readonly steps: number;
  readonly events: number;
  readonly pushes: number;
  readonly timersFired: number;
  readonly clocksRung: number;
  readonly explainedDuplicates: number;
  readonly repeatedNotices: number;
  readonly lostWithinContract: number;
  readonly crashes: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly failures: readonly Failure[];
}

const EMPTY_TALLY: Tally = {
  runs: 0,
  steps: 0,
  events: 0,
  pushes: 0,
  timersFired: 0,
  clocksRung: 0,
  explainedDuplicates: 0,
  repeatedNotices: 0,
  lostWithinContract: 0,
  crashes: 0,
  faults: {},
  failures: [],
};

/** Failures after which it is no use to go on. */
export const FAILURES_MAX = 20;

export interface Share {
  readonly seed: number;
  readonly runs: number;
  /** Every how many seeds: the others are other workers'. */
  readonly step: number;
}

export async function tallyOf(share: Share, plant: Plant | undefined): Promise<Tally> {
  let tally = EMPTY_TALLY;
  for (let index = 0; index < share.runs; index += share.step) {
    tally = sumOf([tally, await tallyOne(share.seed + index, plant)]);
    if (tally.failures.length >= FAILURES_MAX) break;
  }
  return tally;
}

async function tallyOne(seed: number, plant: Plant | undefined): Promise<Tally> {
  const { result, verdict, wrong } = await runAndJudge(drawPlan(seed), { plant });
  const kinds = result.history.faults.map(({ kind }) => kind);
  const [first] = wrong;
  const rules = [...new Set(wrong.map(({ rule }) => rule))];
  return {
    runs: 1,
    steps: result.steps,
    events: verdict.events,
    pushes: verdict.pushes,
    timersFired: verdict.timersFired,
    clocksRung: verdict.clocksRung,
    explainedDuplicates: verdict.explainedDuplicates,
    repeatedNotices: verdict.repeatedNotices,
    lostWithinContract: verdict.lostWithinContract,
    crashes: kinds.filter((kind) => kind === "kill-worker").length,
    faults: Object.fromEntries(kinds.map((kind) => [kind, kinds.filter((k) => k === kind).length])),
    failures: first === undefined ? [] : [{ seed, rules, message: first.message }],
  };
}

export function sumOf(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (sum, each): Tally => ({
      runs: sum.runs + each.runs,
      steps: sum.steps + each.steps,
      events: sum.events + each.events,
      pushes: sum.pushes + each.pushes,
      timersFired: sum.timersFired + each.timersFired,
      clocksRung: sum.clocksRung + each.clocksRung,
      explainedDuplicates: sum.explainedDuplicates + each.explainedDuplicates,
      repeatedNotices: sum.repeatedNotices + each.repeatedNotices,
      lostWithinContract: sum.lostWithinContract + each.lostWithinContract,
      crashes: sum.crashes + each.crashes,
      faults: sumOfCounts(sum.faults, each.faults),
      failures: [...sum.failures, ...each.failures],
    }),
    EMPTY_TALLY,
  );
}

function sumOfCounts(
  left: Readonly<Record<string, number>>,
  right: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum = { ...left };
  for (const [name, count] of Object.entries(right)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}
