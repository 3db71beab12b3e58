/** A run and what is wrong with it. */
import { checkHistory } from "../../src/history/check.ts";
import type { Verdict } from "../../src/history/verdict.ts";
import type { RunPlan } from "./plan.ts";
import { MACHINES } from "./setting.ts";
import { type RunOptions, type RunResult, simulate } from "./simulation.ts";

/** One way in which a run went wrong; `rule` is the history's, or "crashed" for what it cannot tell. */
export interface Fault {
  readonly rule: string;
  readonly message: string;
}

export interface Judged {
  readonly result: RunResult;
  readonly verdict: Verdict;
  readonly wrong: readonly Fault[];
}

export async function runAndJudge(plan: RunPlan, options: RunOptions = {}): Promise<Judged> {
  const result = await simulate(plan, options);
  const verdict = checkHistory(result.history, MACHINES);
  const wrong = [
    ...result.problems.map((message) => ({ rule: "crashed", message })),
    ...verdict.violations.map(({ rule, message }) => ({ rule, message })),
  ];
  return { result, verdict, wrong };
}
