/**
 * The four figures that resellers judge a provider by, and a few that explain them; each with the number
 * of items behind it. Exact: sums are kept as they are and merge, and a percentile is a value that occurred
 * (nearest rank), for which every duration is kept.
 *
 * An item counts in the window in which the event happened that makes it count; what it is then, it is at
 * the window's end. So it counts once in each figure, and the windows of a year add up, but for an item
 * that failed in one window and was completed in a later one.
 */
import { type Spread, spreadOf } from "./duration-spread.ts";
import type { ItemFacts, SetAside, StatusStep } from "./fulfilment-facts.ts";

/** From (inclusive) to (exclusive), ms since the epoch; may be infinite. */
export interface TimeWindow {
  readonly since: number;
  readonly until: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What resellers expect, from the marketplace's documentation of best practices. */
export const TARGETS = {
  acceptanceRateAbove: 0.85,
  completionRateAbove: 0.95,
  /** The median answer: two to four hours. */
  respondGoalMs: 4 * HOUR_MS,
  /** Nine in ten answers, and as good as all. */
  respondLimitMs: DAY_MS,
  scheduleLimitMs: 5 * DAY_MS,
  /** Within hours … */
  pushGoalMs: 4 * HOUR_MS,
  /** … and not days. */
  pushLimitMs: DAY_MS,
} as const;

export interface DaySpread {
  readonly n: number;
  readonly meanDays: number | null;
  readonly p50Days: number | null;
  readonly p90Days: number | null;
}

/** `null` when nothing was measured. */
interface Judged {
  readonly isOnTarget: boolean | null;
}

export interface FulfilmentFigures {
  /** Orders that were created. */
  readonly received: number;
  /** accepted / (accepted + rejected). */
  readonly acceptance: Judged & {
    readonly rate: number | null;
    readonly accepted: number;
    readonly rejected: number;
    /** Created in the window, and not decided when it ended. */
    readonly undecided: number;
    /** Cancelled before a decision. */
    readonly withdrawn: number;
  };
  readonly timeToAccept: Judged & Spread;
  /** To the acceptance or the rejection. */
  readonly timeToRespond: Judged & Spread & { readonly overLimit: number };
  /** completed / (completed + failed + cancelled). */
  readonly completion: Judged & {
    readonly rate: number | null;
    /** completed / (completed + failed): what the provider alone can answer for. */
    readonly rateWithoutCancelled: number | null;
    readonly completed: number;
    readonly failed: number;
    readonly cancelled: number;
    /** Accepted in the window, and without an outcome when it ended. */
    readonly open: number;
  };
  /** From the acceptance to `completed` or `active`, whichever came first. */
  readonly fulfilmentTime: DaySpread & {
    /** Which of the two ended it: of all completed items, timed or not. */
    readonly basis: { readonly completed: number; readonly active: number };
  };
  readonly timeToSchedule: Judged & Spread;
  /** From the fact to the marketplace's confirmation. */
  readonly pushLag: Judged & Spread & { readonly overLimit: number };
  /** Events that were not applied when they came. */
  readonly events: Readonly<Record<SetAside["kind"], number>>;
}

type DurationKind = "accept" | "respond" | "schedule" | "fulfil" | "push";

export class FulfilmentSum {
  readonly #counts = {
    received: 0,
    accepted: 0,
    rejected: 0,
    undecided: 0,
    withdrawn: 0,
    endedCompleted: 0,
    endedActive: 0,
    failed: 0,
    cancelled: 0,
    open: 0,
  };
  readonly #events: Record<SetAside["kind"], number> = { stale: 0, parked: 0, rejected: 0 };
  /** ms. */
  readonly #durations: Record<DurationKind, number[]> = {
    accept: [],
    respond: [],
    schedule: [],
    fulfil: [],
    push: [],
  };

  /** What the item has done in the window. */
  add(facts: ItemFacts, window: TimeWindow): void {
    if (isWithin(facts.createdAt, window)) this.#counts.received += 1;
    this.#addDecision(facts, window);
    this.#addUndecided(facts, window);
    this.#addOutcome(facts.steps, window);
    for (const { deliveredAt, lagMs } of facts.pushLags) {
      if (isWithin(deliveredAt, window)) this.#durations.push.push(lagMs);
    }
    for (const { kind, at } of facts.setAside) {
      if (isWithin(at, window)) this.#events[kind] += 1;
    }
  }

  merge(other: FulfilmentSum): void {
    addTo(this.#counts, other.#counts);
    addTo(this.#events, other.#events);
    for (const kind of Object.keys(this.#durations) as DurationKind[]) {
      for (const ms of other.#durations[kind]) this.#durations[kind].push(ms);
    }
  }

  #addDecision({ createdAt, isCreationUnknown, steps }: ItemFacts, window: TimeWindow): void {
    const decision = decisionIn(steps);
    if (decision === undefined || !isWithin(decision.at, window)) return;
    const isAccepted = decision.status === "accepted";
    this.#counts[isAccepted ? "accepted" : "rejected"] += 1;
    if (isCreationUnknown || decision.isImplied) return;
    const tookMs = decision.at - createdAt;
    this.#durations.respond.push(tookMs);
    if (isAccepted) this.#durations.accept.push(tookMs);
  }

  #addUndecided({ createdAt, steps }: ItemFacts, window: TimeWindow): void {
    const end = decisionIn(steps) ?? firstOf(steps, "cancelled");
    if (end === undefined || end.at >= window.until) {
      if (isWithin(createdAt, window)) this.#counts.undecided += 1;
    } else if (end.status === "cancelled" && isWithin(end.at, window)) {
      this.#counts.withdrawn += 1;
    }
  }

  #addOutcome(steps: readonly StatusStep[], window: TimeWindow): void {
    const acceptance = firstOf(steps, "accepted");
    if (acceptance === undefined || acceptance.at >= window.until) return;
    const timed = (kind: "fulfil" | "schedule", end: StatusStep): void => {
      if (acceptance.isImplied || end.isImplied) return;
      this.#durations[kind].push(end.at - acceptance.at);
    };
    const appointment = firstOf(steps, "scheduled");
    if (appointment !== undefined && isWithin(appointment.at, window)) {
      timed("schedule", appointment);
    }
    const outcome = outcomeBefore(window.until, steps);
    if (outcome === undefined) {
      if (isWithin(acceptance.at, window)) this.#counts.open += 1;
      return;
    }
    if (!isWithin(outcome.at, window)) return;
    if (outcome.status === "failed" || outcome.status === "cancelled") {
      this.#counts[outcome.status] += 1;
      return;
    }
    this.#counts[outcome.status === "completed" ? "endedCompleted" : "endedActive"] += 1;
    timed("fulfil", outcome);
  }

  figures(): FulfilmentFigures {
    const { received, accepted, rejected, undecided, withdrawn } = this.#counts;
    const { endedCompleted, endedActive, failed, cancelled, open } = this.#counts;
    const { accept, respond, schedule, fulfil, push } = this.#durations;
    const completed = endedCompleted + endedActive;
    const acceptance = share(accepted, accepted + rejected);
    const completion = share(completed, completed + failed + cancelled);
    return {
      received,
      acceptance: {
        rate: acceptance,
        accepted,
        rejected,
        undecided,
        withdrawn,
        isOnTarget: isAbove(acceptance, TARGETS.acceptanceRateAbove),
      },
      timeToAccept: judgedAnswers(accept),
      timeToRespond: {
        ...judgedAnswers(respond),
        overLimit: countAbove(respond, TARGETS.respondLimitMs),
      },
      completion: {
        rate: completion,
        rateWithoutCancelled: share(completed, completed + failed),
        completed,
        failed,
        cancelled,
        open,
        isOnTarget: isAbove(completion, TARGETS.completionRateAbove),
      },
      fulfilmentTime: {
        ...inDays(spreadOf(fulfil)),
        basis: { completed: endedCompleted, active: endedActive },
      },
      timeToSchedule: judged(spreadOf(schedule), "p90Ms", TARGETS.scheduleLimitMs),
      pushLag: {
        ...judged(spreadOf(push), "p95Ms", TARGETS.pushGoalMs),
        overLimit: countAbove(push, TARGETS.pushLimitMs),
      },
      events: { ...this.#events },
    };
  }
}

/** The last word on an accepted item before `until`: the first success, else the failure or cancellation
 * that it has come to. `undefined` while it is open, a failed item that was taken up again among them. */
function outcomeBefore(until: number, steps: readonly StatusStep[]): StatusStep | undefined {
  const past = steps.filter(({ at }) => at < until);
  const success = past.find(({ status }) => status === "completed" || status === "active");
  const last = success ?? past.at(-1);
  const isOutcome =
    success !== undefined || last?.status === "failed" || last?.status === "cancelled";
  return isOutcome ? last : undefined;
}

function decisionIn(steps: readonly StatusStep[]): StatusStep | undefined {
  return steps.find(({ status }) => status === "accepted" || status === "rejected");
}

function firstOf(
  steps: readonly StatusStep[],
  wanted: StatusStep["status"],
): StatusStep | undefined {
  return steps.find(({ status }) => status === wanted);
}

function isWithin(at: number, { since, until }: TimeWindow): boolean {
  return at >= since && at < until;
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function isAbove(rate: number | null, target: number): boolean | null {
  return rate === null ? null : rate > target;
}

function countAbove(durations: readonly number[], limitMs: number): number {
  return durations.filter((ms) => ms > limitMs).length;
}

function judgedAnswers(durations: readonly number[]): Judged & Spread {
  const spread = spreadOf(durations);
  const { p50Ms, p90Ms } = spread;
  const { respondGoalMs, respondLimitMs } = TARGETS;
  const isOnTarget =
    p50Ms === null || p90Ms === null ? null : p50Ms <= respondGoalMs && p90Ms <= respondLimitMs;
  return { ...spread, isOnTarget };
}

function judged(spread: Spread, figure: "p90Ms" | "p95Ms", mostMs: number): Judged & Spread {
  const value = spread[figure];
  return { ...spread, isOnTarget: value === null ? null : value <= mostMs };
}

function inDays({ n, meanMs, p50Ms, p90Ms }: Spread): DaySpread {
  const days = (ms: number | null): number | null => (ms === null ? null : ms / DAY_MS);
  return { n, meanDays: days(meanMs), p50Days: days(p50Ms), p90Days: days(p90Ms) };
}

function addTo<Key extends string>(
  own: Record<Key, number>,
  other: Readonly<Record<Key, number>>,
): void {
  for (const key of Object.keys(own) as Key[]) own[key] += other[key];
}
