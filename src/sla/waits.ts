/**
 * Waiting for somebody, and what it does to the clocks: those that pause for it accrue and stand
 * still, for as long as their maximum allows. A fixed date is never paused.
 *
 * A pause counts from the time at which the wait began, however late it was told. When a clock had
 * been found breached by then and was not, the breach is undone and the clock has a new epoch.
 */
import type { Wait } from "../core/clockwork.ts";
import { type Draft, emit, type RuledClock, ruledClocks } from "./draft.ts";
import type { ClockRule, DurationClock } from "./policy.ts";
import { dueAfter, usedAt } from "./stopwatch.ts";

/** The item waits for somebody else than before, or for nobody; nothing when it does not. */
export function noteWait(draft: Draft, wait: Wait | undefined, at: number): void {
  if (wait?.on === draft.ledger.wait?.on) return;
  for (const ruled of ruledClocks(draft)) {
    if (!pausesFor(ruled.rule, wait?.on)) resume(draft, ruled, at);
  }
  const reason = wait?.reason !== undefined && { reason: wait.reason };
  emit(draft, { kind: "wait", at, on: wait?.on ?? null, ...reason });
}

/** Pauses and resumes what the present wait and the rules say. A paused clock keeps its maximum. */
export function syncPauses(draft: Draft, at: number): void {
  const on = draft.ledger.wait?.on;
  for (const ruled of ruledClocks(draft)) {
    if (!pausesFor(ruled.rule, on)) resume(draft, ruled, at);
    else if (ruled.clock.phase.is === "running") pause(draft, ruled, { on, at });
    else limitAnew(draft, ruled);
  }
}

function pausesFor(rule: ClockRule, on: string | undefined): rule is ClockRule<DurationClock> {
  if (rule.kind !== "duration" || on === undefined) return false;
  return (rule.pausesWhile ?? []).some((pause) => pause === `waiting.${on}`);
}

function pause(
  draft: Draft,
  { name, clock, rule }: RuledClock,
  { on, at: told }: { readonly on: string | undefined; readonly at: number },
): void {
  if (on === undefined) return;
  const at = Math.max(told, clock.since);
  const accruedMs = usedAt(clock, rule, at);
  const endsAt = at + maxPauseMs(rule);
  emit(draft, { kind: "paused", clock: name, at, on, accruedMs, endsAt });
  if (clock.breach === "none" || accruedMs >= clock.targetMs) return;
  const paused = { ...clock, since: at, accruedMs };
  const epoch = clock.epoch + 1;
  const dueAt = dueAfter(paused, rule);
  const moved = { why: "backdated", dueAt, targetMs: clock.targetMs, breach: "none" } as const;
  emit(draft, { kind: "moved", clock: name, at, ...moved, epoch, markMs: accruedMs });
}

/** An end that was told after the maximum, but lies before it, takes the place of the maximum. */
function resume(draft: Draft, { name, clock, rule }: RuledClock, told: number): void {
  const { phase, since } = clock;
  if (phase.is === "running" || (phase.is === "overstayed" && told >= since)) return;
  const begun = phase.is === "paused" ? since : (draft.ledger.wait?.since ?? since);
  const at = Math.max(told, begun, clock.startedAt);
  const dueAt = dueAfter({ ...clock, since: at }, rule);
  emit(draft, { kind: "resumed", clock: name, at, dueAt, by: "event" });
}

function limitAnew(draft: Draft, { name, clock, rule }: RuledClock): void {
  if (clock.phase.is !== "paused") return;
  const { since: at, accruedMs } = clock;
  const endsAt = at + maxPauseMs(rule);
  if (endsAt === clock.phase.endsAt) return;
  emit(draft, { kind: "paused", clock: name, at, on: clock.phase.on, accruedMs, endsAt });
}

function maxPauseMs(rule: ClockRule): number {
  return (rule.kind === "duration" ? rule.maxPauseMs : undefined) ?? 0;
}
