/** What a run came to, as one object for machines and as a table for people. Pure. */
import type { FaultRecord } from "../history/history.ts";
import { RULES, type Rule, type Verdict, type Violation } from "../history/verdict.ts";
import type { ChaosResult } from "./chaos-run.ts";
import { isFaultKind, isKill } from "./fault-plan.ts";
import type { Silence } from "./silences.ts";

export interface ChaosTotals {
  readonly seed: number;
  readonly events: number;
  readonly items: number;
  readonly applied: number;
  /** Status changes that the marketplace applied. */
  readonly pushes: number;
  /** What the marketplace was sent, repeats and refused requests included. */
  readonly requests: number;
  readonly timersFired: number;
  /** Rungs of SLA clocks that somebody was told of. */
  readonly clocksRung: number;
  readonly faults: Readonly<Record<string, number>>;
  /** Faults in which a process ended without a chance to tidy up. */
  readonly kills: number;
  readonly lost: number;
  readonly appliedTwice: number;
  readonly outOfOrder: number;
  readonly stuck: number;
  /** Timers and clocks. */
  readonly timersEarly: number;
  readonly timersForgotten: number;
  readonly timersDoubled: number;
  readonly duplicateStatusChanges: number;
  readonly unexplainedUpstreamDuplicates: number;
  /** Requests that came twice because of a fault: the marketplace has no idempotency keys. */
  readonly explainedDuplicates: number;
  /** Notices that operators heard twice because of a fault. */
  readonly repeatedNotices: number;
  /** Acknowledged in the moment that a Redis without an fsync per write may forget, and not sent again. */
  readonly lostWithinContract: number;
  /** From the end of the faults until nothing was left to do, s. */
  readonly drainSeconds: number;
  /** How long the marketplace heard nothing, by the fault that it was under. */
  readonly silences: Readonly<Record<string, Silence>>;
  readonly misbehaviour: readonly string[];
  readonly violations: readonly Violation[];
  /** The run's folder, when it was kept. */
  readonly directory?: string;
}

/** In the output; the history holds them all. */
const VIOLATIONS_SHOWN = 50;

export function totalsOf(seed: number, result: ChaosResult): ChaosTotals {
  const { verdict, faults, silences, settling, misbehaviour, directory } = result;
  const { events, items, applied, pushes, timersFired, clocksRung } = verdict;
  const { explainedDuplicates, repeatedNotices, lostWithinContract } = verdict;
  return {
    seed,
    events,
    items,
    applied,
    pushes,
    requests: result.requests,
    timersFired,
    clocksRung,
    faults: countFaults(faults),
    kills: faults.filter(({ kind }) => isFaultKind(kind) && isKill(kind)).length,
    lost: countOf(verdict, "lost"),
    appliedTwice: countOf(verdict, "applied-twice"),
    outOfOrder: countOf(verdict, "out-of-order", "effects-out-of-order"),
    stuck: countOf(verdict, "stuck"),
    timersEarly: countOf(verdict, "timer-early", "clock-early"),
    timersForgotten: countOf(verdict, "timer-forgotten", "clock-forgotten"),
    timersDoubled: countOf(verdict, "timer-doubled", "clock-doubled"),
    duplicateStatusChanges: countOf(verdict, "duplicate-status-change"),
    unexplainedUpstreamDuplicates: countOf(verdict, "unexplained-duplicate"),
    explainedDuplicates,
    repeatedNotices,
    lostWithinContract,
    drainSeconds: Math.round(settling.tookMs / 100) / 10,
    silences,
    misbehaviour,
    violations: verdict.violations.slice(0, VIOLATIONS_SHOWN),
    ...(directory !== undefined && { directory }),
  };
}

function countFaults(faults: readonly FaultRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of faults) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

function countOf({ violations }: Verdict, ...rules: readonly Rule[]): number {
  return violations.filter(({ rule }) => rules.includes(rule)).length;
}

/** One line per rule that was broken, with its first few cases. */
export function violationLines({ violations }: Pick<Verdict, "violations">): string[] {
  return RULES.flatMap((rule) => {
    const cases = violations.filter((each) => each.rule === rule);
    if (cases.length === 0) return [];
    const shown = cases.slice(0, CASES_SHOWN).map(({ itemId, message }) => {
      return `    ${itemId === undefined ? "" : `${itemId}: `}${message}`;
    });
    const more = cases.length > CASES_SHOWN ? [`    and ${cases.length - CASES_SHOWN} more`] : [];
    return [`  ${rule}: ${cases.length}`, ...shown, ...more];
  });
}

const CASES_SHOWN = 5;
