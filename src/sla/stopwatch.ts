/**
 * The arithmetic of one open clock. Used time is open time for a duration and the wall's time for a
 * fixed date; both are `accruedMs` until `since` and grow from there while the clock is not paused.
 * A fixed date has as its target the time from its start to its due time, so that one ladder and one
 * mark serve both kinds.
 *
 * A pause accrues what was used and asks the calendar only for the time after it: the closed hours
 * within a pause are not open time, and so they are not taken off a second time.
 */
import { addOpen, openBetween } from "./calendar.ts";
import type { OpenClock } from "../core/clock-ledger.ts";
import type { ClockRule } from "./policy.ts";

/** Calendars measure ten years; a clock that nobody has stopped for so long need not know more. */
const MEASURED_MAX_MS = 3650 * 24 * 60 * 60 * 1000;

export function isPaused(clock: OpenClock): boolean {
  return clock.phase.is === "paused";
}

/** Time used at an instant that is not before `since`; for an earlier one, that of `since`. */
export function usedAt(clock: OpenClock, rule: ClockRule, at: number): number {
  if (isPaused(clock) || at <= clock.since) return clock.accruedMs;
  if (rule.kind === "fixed-date") return clock.accruedMs + at - clock.since;
  const end = Math.min(at, clock.since + MEASURED_MAX_MS);
  return clock.accruedMs + openBetween(rule.opened, clock.since, end);
}

/** The instant at which a running clock has used so much; `since` when it had before. */
export function instantOf(clock: OpenClock, rule: ClockRule, usedMs: number): number {
  const leftMs = usedMs - clock.accruedMs;
  if (leftMs <= 0) return clock.since;
  if (rule.kind === "fixed-date") return clock.since + leftMs;
  return addOpen(rule.opened, clock.since, leftMs);
}

/** The due time, were the clock to run from `since` on. Once it is used up, it no longer moves. */
export function dueAfter(clock: OpenClock, rule: ClockRule): number {
  if (rule.kind === "fixed-date") return clock.dueAt;
  if (clock.targetMs <= clock.accruedMs && clock.breach !== "none") return clock.dueAt;
  return instantOf(clock, rule, clock.targetMs);
}
