/** An item's clocks as people read them. */
import { draftOf, ruledClocks, type RuledClock } from "./draft.ts";
import { nextRung } from "./due.ts";
import type { Breach, Lane, Role } from "../core/clock-fact.ts";
import { type Prediction, predictionOf } from "./jeopardy.ts";
import type { Ledger } from "../core/clock-ledger.ts";
import type { ItemRules } from "./policy.ts";
import { usedAt } from "./stopwatch.ts";

export interface ClockView {
  readonly clock: string;
  readonly kind: "duration" | "fixed-date";
  readonly startedAt: number;
  /** Open time for a duration, the wall's for a fixed date. */
  readonly elapsedMs: number;
  /** Negative once it is overdue. */
  readonly remainingMs: number;
  /** Of the target, rounded down; 100 when a fixed date was past from the start. */
  readonly percentage: number;
  /** A paused clock has no due time. `limit` is when its pause ends by itself. */
  readonly state:
    | { readonly is: "running"; readonly dueAt: number }
    | {
        readonly is: "paused";
        readonly since: number;
        readonly on: string;
        readonly limit: number;
      };
  readonly breach: Breach;
  readonly epoch: number;
  /** The next to ring on either lane. */
  readonly next?: {
    readonly rung: string;
    readonly at: number;
    readonly to: readonly (Role | "customer")[];
  };
  readonly ackUntil?: number;
  readonly snoozedUntil?: number;
}

export interface ClocksView {
  readonly clocks: readonly ClockView[];
  readonly wait?: { readonly on: string; readonly since: number };
  readonly jeopardy?: Prediction;
}

const LANES: readonly Lane[] = ["operator", "customer"];

export function describeClocks(ledger: Ledger, rules: ItemRules, now: number): ClocksView {
  const draft = draftOf(ledger, rules);
  const jeopardy = predictionOf(draft, now);
  return {
    clocks: ruledClocks(draft).map((ruled) => viewOf(ruled, rules, now)),
    ...(ledger.wait !== undefined && { wait: ledger.wait }),
    ...(jeopardy !== undefined && { jeopardy }),
  };
}

function viewOf(ruled: RuledClock, rules: ItemRules, now: number): ClockView {
  const { name, clock, rule } = ruled;
  const { startedAt, breach, epoch, ackUntil, snoozedUntil, phase, since, dueAt, targetMs } = clock;
  const elapsedMs = usedAt(clock, rule, now);
  const next = soonestRung(ruled, rules);
  return {
    clock: name,
    kind: rule.kind,
    startedAt,
    elapsedMs,
    remainingMs: targetMs - elapsedMs,
    percentage: targetMs > 0 ? Math.floor((elapsedMs * 100) / targetMs) : 100,
    state:
      phase.is === "paused"
        ? { is: "paused", since, on: phase.on, limit: phase.endsAt }
        : { is: "running", dueAt },
    breach,
    epoch,
    ...(next !== undefined && { next }),
    ...(ackUntil !== undefined && { ackUntil }),
    ...(snoozedUntil !== undefined && { snoozedUntil }),
  };
}

function soonestRung(ruled: RuledClock, rules: ItemRules): ClockView["next"] {
  const [soonest] = LANES.flatMap((lane) => nextRung(ruled, rules, lane) ?? []).toSorted(
    (one, other) => one.ringsAt - other.ringsAt,
  );
  if (soonest === undefined) return undefined;
  return { rung: soonest.rung.name, at: soonest.ringsAt, to: soonest.rung.to };
}
