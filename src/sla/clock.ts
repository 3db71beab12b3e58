/**
 * What happens to an item's clocks when something happens to the item.
 *
 * Everything counts from the time at which it happened and not from when it arrived: a clock may
 * start, pause or stop in the past, and what has fallen due since then is found and merged as after
 * any late wake-up (due.ts). A source that tells something late is catching up and has more to tell,
 * so what its event finds due rings a moment later, when the next event has not ended it. What time had brought about before the happening
 * (a breach, the end of a pause) is settled first, so that a clock that is stopped late has its
 * breach in the journal; its rungs are not told any more.
 *
 * In one happening clocks end before others start, and one that both starts and ends does not start.
 */
import { addOpen } from "./calendar.ts";
import { type Draft, draftOf, emit, type RuledClock, ruledClocks } from "./draft.ts";
import { collect, collectIfDue, passTime } from "./due.ts";
import type { Fact } from "../core/clock-fact.ts";
import { noteStage } from "./jeopardy.ts";
import type { Ledger } from "../core/clock-ledger.ts";
import type { Happening } from "../core/clockwork.ts";
import type { ClockRule, ItemRules, Trigger } from "./policy.ts";
import { adoptPolicy } from "./recompute.ts";
import { isPaused, usedAt } from "./stopwatch.ts";
import { noteWait, syncPauses } from "./waits.ts";

interface Change extends Happening {
  /** The appointment got a date, its first or another. */
  readonly isDated: boolean;
}

/** Nothing real is told so late; a source with a broken calendar must not start a clock in 1970. */
const BACKDATED_MAX_MS = 2 * 365 * 24 * 60 * 60 * 1000;

/** Told later than this, it is a story that is being caught up on. */
const LATE_MS = 60_000;

/** What comes in one go comes within this. */
const CATCHING_UP_MS = 10_000;

/** Past it, calendars have no dates; an order for the year 255,000 is somebody's typing error. */
const APPOINTMENT_MAX = 8e15;

/** The facts of a decision, with what they made fall due. None when no clock cares. */
export function whatFollows(
  ledger: Ledger,
  rules: ItemRules,
  happening: Happening,
): readonly Fact[] {
  const { now } = happening;
  const appointmentAfter = datable(happening.appointmentAfter);
  const at = Math.max(Math.min(happening.at, now), now - BACKDATED_MAX_MS);
  const isOther = appointmentAfter !== ledger.appointmentAt;
  const change = { ...happening, at, isDated: isOther && appointmentAfter !== undefined };
  const draft = draftOf(ledger, rules);
  adoptPolicy(draft, now);
  passTime(draft, at);
  endClocks(draft, change);
  if (isOther) noteAppointment(draft, appointmentAfter, at);
  startClocks(draft, change);
  noteWait(draft, change.waitAfter, at);
  syncPauses(draft, at);
  noteStage(draft, change.statusAfter, at);
  if (now - at < LATE_MS || !isNewsDue(draft, now)) collectIfDue(draft, now);
  else emit(draft, { kind: "armed", nextAt: now + CATCHING_UP_MS });
  return draft.facts;
}

function isNewsDue({ ledger, rules }: Draft, now: number): boolean {
  const trial = draftOf(ledger, rules);
  collect(trial, now);
  return trial.facts.some(({ kind }) => kind !== "armed");
}

/** What is due at `now`. None when the wake-up was early, or for nothing. */
export function whenDue(ledger: Ledger, rules: ItemRules, now: number): readonly Fact[] {
  const draft = draftOf(ledger, rules);
  adoptPolicy(draft, now);
  collectIfDue(draft, now);
  return draft.facts;
}

function datable(appointmentAt: number | undefined): number | undefined {
  return appointmentAt === undefined ? undefined : Math.min(appointmentAt, APPOINTMENT_MAX);
}

function endClocks(draft: Draft, change: Change): void {
  for (const ruled of ruledClocks(draft)) {
    if (isAny(ruled.rule.drops ?? [], change)) stop(draft, ruled, { at: change.at, isOwed: false });
    else if (isAny(ruled.rule.stops, change)) stop(draft, ruled, { at: change.at, isOwed: true });
  }
}

function stop(
  draft: Draft,
  { name, clock, rule }: RuledClock,
  { at, isOwed }: { readonly at: number; readonly isOwed: boolean },
): void {
  // A breach may have been seen before it was known that the clock had stopped in time.
  const isMissed = clock.breach !== "none" && (isPaused(clock) || at >= clock.dueAt);
  const usedMs = usedAt(clock, rule, at);
  const outcome = isMissed ? "missed" : isOwed ? "met" : "dropped";
  emit(draft, { kind: "stopped", clock: name, at, outcome, usedMs, dueAt: clock.dueAt });
}

/** Another date begins the clocks of the old one anew, reminders and all; no date ends them. */
function noteAppointment(draft: Draft, date: number | undefined, at: number): void {
  emit(draft, { kind: "appointment", at, date: date ?? null });
  for (const ruled of ruledClocks(draft)) {
    const { name, clock, rule } = ruled;
    if (rule.kind !== "fixed-date") continue;
    if (date === undefined) {
      stop(draft, ruled, { at, isOwed: false });
      continue;
    }
    const dueAt = date + rule.offsetMs;
    const markMs = Math.min(0, dueAt - at - 1);
    const moved = { why: "rescheduled", dueAt, targetMs: dueAt - at, breach: "none" } as const;
    emit(draft, { kind: "moved", clock: name, at, ...moved, epoch: clock.epoch + 1, markMs });
  }
}

function startClocks(draft: Draft, change: Change): void {
  const { at, now } = change;
  for (const [clock, rule] of draft.rules.inOrder) {
    const isOpen = Object.hasOwn(draft.ledger.clocks, clock);
    if (isOpen || !isBegun(rule, change)) continue;
    const dueAt = dueAtStart(draft, rule, at);
    if (dueAt === undefined) continue;
    const { version } = draft.rules;
    if (draft.ledger.policy !== version) emit(draft, { kind: "policy", at: now, version });
    const epoch = (draft.ledger.closed[clock] ?? -1) + 1;
    const target = rule.kind === "duration" &&
      rule.targetMs !== dueAt - at && { targetMs: rule.targetMs };
    const mark = dueAt <= at && { markMs: dueAt - at - 1 };
    emit(draft, { kind: "started", clock, at, epoch, dueAt, ...target, ...mark });
  }
}

function isBegun({ starts, stops, drops = [] }: ClockRule, change: Change): boolean {
  return isAny(starts, change) && !isAny(stops, change) && !isAny(drops, change);
}

function dueAtStart({ ledger }: Draft, rule: ClockRule, at: number): number | undefined {
  if (rule.kind === "fixed-date") {
    return ledger.appointmentAt === undefined ? undefined : ledger.appointmentAt + rule.offsetMs;
  }
  return addOpen(rule.opened, at, rule.targetMs);
}

function isAny(triggers: readonly Trigger[], change: Change): boolean {
  return triggers.some((trigger) => isTriggered(trigger, change));
}

function isTriggered(trigger: Trigger, change: Change): boolean {
  const { statusBefore = "", statusAfter, eventType, isDated } = change;
  if ("event" in trigger) return trigger.event === eventType;
  if ("appointment" in trigger) return isDated && (trigger.in?.includes(statusAfter) ?? true);
  if ("enters" in trigger) {
    return trigger.enters.includes(statusAfter) && !trigger.enters.includes(statusBefore);
  }
  return trigger.leaves.includes(statusBefore) && !trigger.leaves.includes(statusAfter);
}
