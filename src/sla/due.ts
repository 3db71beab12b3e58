/**
 * What time alone brings about: the end of a pause at its maximum, breaches, rungs, a changed level
 * of jeopardy. A wake-up is only a hint: the clocks are asked again, and when it came too early, or
 * the clock was stopped, paused or moved in between, nothing is due and there are no facts. When it
 * comes late, what fell due is found at once.
 *
 * Of the rungs of one clock and lane that are past together only the latest rings and the others are
 * listed as skipped, with one exception: a breach that nobody was told rings as a breach and not as
 * one of its repeats. A rung that is held back (snoozed, acknowledged, quiet hours) is past when its
 * hold ends. Customers hear nothing of a due time that is past. A paused clock rings only what it
 * had reached before the pause.
 *
 * Afterwards `nextAt` lies after `now`, always.
 */
import { nextOpening } from "./calendar.ts";
import { type Draft, emit, type RuledClock, ruledClocks } from "./draft.ts";
import type { Lane, Notice } from "../core/clock-fact.ts";
import { jeopardyCrossing, noteLevel } from "./jeopardy.ts";
import { type PlacedRung, placedRungs } from "./ladder.ts";
import type { ItemRules } from "./policy.ts";
import { dueAfter, instantOf, isPaused, usedAt } from "./stopwatch.ts";

const LANES: readonly Lane[] = ["operator", "customer"];

/** Everything that is due at `now`, and when to look again. */
export function collect(draft: Draft, now: number): void {
  passTime(draft, now);
  for (const ruled of ruledClocks(draft)) {
    for (const lane of LANES) ring(draft, ruled, { lane, now });
  }
  noteLevel(draft, now);
  arm(draft, now);
}

/** The same, unless nothing has happened since the last look and nothing is due yet. */
export function collectIfDue(draft: Draft, now: number): void {
  const { nextAt = Infinity } = draft.ledger;
  if (draft.facts.length > 0 || nextAt <= now) collect(draft, now);
}

/** Pauses that reached their maximum and due times that passed, up to an instant. Rings nothing. */
export function passTime(draft: Draft, until: number): void {
  for (const { name, clock, rule } of ruledClocks(draft)) {
    if (clock.phase.is !== "paused" || clock.phase.endsAt > until) continue;
    const at = clock.phase.endsAt;
    const dueAt = dueAfter({ ...clock, since: at }, rule);
    emit(draft, {
      kind: "resumed",
      clock: name,
      at,
      dueAt,
      by: "limit",
      ...limitNotice(draft, at),
    });
  }
  for (const ruled of ruledClocks(draft)) {
    const { name, clock, rule } = ruled;
    // A paused clock may have used up a target that was made shorter meanwhile.
    const isHalted = isPaused(clock) && clock.accruedMs < clock.targetMs;
    if (isHalted || clock.breach !== "none" || clock.dueAt > until) continue;
    if (rule.kind === "fixed-date" && rule.atDue === "end") endReminders(draft, ruled);
    else
      emit(draft, {
        kind: "breached",
        clock: name,
        at: clock.dueAt,
        ...delayNote(draft, ruled, until),
      });
  }
}

/** The rung that comes next on a lane, and when; none before a pause has ended. */
export function nextRung(
  { clock, rule }: RuledClock,
  rules: ItemRules,
  lane: Lane,
): { readonly rung: PlacedRung; readonly ringsAt: number } | undefined {
  const [rung] = pendingRungs({ clock, rule }, lane);
  if (rung === undefined) return undefined;
  const ringsAt = ringsAtOf({ clock, rule }, rung, rules);
  return ringsAt === Infinity ? undefined : { rung, ringsAt };
}

/** One wait may pause several clocks, and its maximum is told once. */
function limitNotice({ ledger, facts }: Draft, at: number): { readonly notice?: Notice } {
  const key = `wait:${ledger.wait?.since ?? at}:${at}`;
  const isTold = facts.some(
    (fact) => fact.kind === "resumed" && fact.notice !== undefined && fact.notice.key === key,
  );
  return isTold ? {} : { notice: { key, to: ["owner", "lead"] } };
}

function endReminders(draft: Draft, { name, clock, rule }: RuledClock): void {
  const { dueAt: at } = clock;
  const missed = LANES.flatMap((lane) =>
    pendingRungs({ clock, rule }, lane).filter(
      (rung) => ringsAtOf({ clock, rule }, rung, draft.rules) < at,
    ),
  );
  const skipped = missed.map((rung) => rung.name);
  emit(draft, {
    kind: "stopped",
    clock: name,
    at,
    outcome: "met",
    usedMs: usedAt(clock, rule, at),
    dueAt: at,
    ...(skipped.length > 0 && { skipped }),
  });
}

function delayNote(
  { rules, ledger }: Draft,
  { name, clock }: RuledClock,
  now: number,
): { readonly notice?: Notice; readonly notedAt?: number } {
  const { delayNotes } = rules;
  if (delayNotes === undefined || !delayNotes.clocks.includes(name)) return {};
  if ((ledger.delayNotedAt ?? -Infinity) + delayNotes.everyMs > now) return {};
  const notice = { key: `${name}:${clock.epoch}:delay-note`, to: ["marketplace"] } as const;
  return { notice, notedAt: now };
}

function ring(
  draft: Draft,
  ruled: RuledClock,
  { lane, now }: { readonly lane: Lane; readonly now: number },
): void {
  const { name, clock, rule } = ruled;
  if (lane === "customer" && clock.dueAt <= now) return;
  const pending = pendingRungs(ruled, lane);
  const firstAhead = pending.findIndex((rung) => ringsAtOf(ruled, rung, draft.rules) > now);
  const past = firstAhead < 0 ? pending : pending.slice(0, firstAhead);
  const last = past.at(-1);
  if (last === undefined) return;
  const told = past.find((rung) => rung.kind === "breach") ?? last;
  const skipped = past.filter((rung) => rung !== told).map((rung) => rung.name);
  emit(draft, {
    kind: "rang",
    clock: name,
    rung: told.name,
    epoch: clock.epoch,
    at: instantOf(clock, rule, told.thresholdMs),
    lane,
    markMs: last.thresholdMs,
    ...(skipped.length > 0 && { skipped }),
    notice: {
      key: `${name}:${clock.epoch}:${told.name}`,
      to: told.to,
    },
  });
}

function pendingRungs(
  { clock, rule }: Pick<RuledClock, "clock" | "rule">,
  lane: Lane,
): readonly PlacedRung[] {
  const markMs = lane === "customer" ? clock.customerMarkMs : clock.markMs;
  const rungs = placedRungs(rule.rungs, clock.targetMs, lane);
  // Nearly always the first is ahead, or none is left.
  const [first] = rungs;
  if (first === undefined || first.thresholdMs > markMs) return rungs;
  return rungs.filter(({ thresholdMs }) => thresholdMs > markMs);
}

/** No earlier for a later rung of the same lane: holds only ever delay to a common instant. */
function ringsAtOf(
  { clock, rule }: Pick<RuledClock, "clock" | "rule">,
  rung: PlacedRung,
  { customerHours }: ItemRules,
): number {
  if (isPaused(clock) && rung.thresholdMs > clock.accruedMs) return Infinity;
  const at = instantOf(clock, rule, rung.thresholdMs);
  if (rung.lane === "customer") {
    const opening = nextOpening(customerHours, at);
    return opening < clock.dueAt ? opening : Infinity;
  }
  const ackUntil = rung.kind === "repeat" ? (clock.ackUntil ?? at) : at;
  return Math.max(at, clock.snoozedUntil ?? at, ackUntil);
}

function arm(draft: Draft, now: number): void {
  const moments = ruledClocks(draft).flatMap((ruled) => momentsOf(ruled, draft.rules));
  const crossing = jeopardyCrossing(draft);
  // A moment that is not ahead was dealt with: it can only be a rung that is not told any more.
  const ahead = [...moments, ...(crossing === undefined ? [] : [crossing])].filter(
    (at) => at > now,
  );
  const nextAt = ahead.length === 0 ? null : Math.min(...ahead);
  if ((draft.ledger.nextAt ?? null) !== nextAt) emit(draft, { kind: "armed", nextAt });
}

function momentsOf(ruled: RuledClock, rules: ItemRules): readonly number[] {
  const { clock } = ruled;
  const rings = LANES.map((lane) => nextRung(ruled, rules, lane)?.ringsAt);
  const due = clock.breach === "none" ? clock.dueAt : undefined;
  const change = clock.phase.is === "paused" ? clock.phase.endsAt : due;
  return [...rings, change].filter((at) => at !== undefined);
}
