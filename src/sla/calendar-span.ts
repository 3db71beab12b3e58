/**
 * The open time of one span: four weeks of UTC, number n beginning at n × SPAN_MS.
 *
 * Spans are cut by UTC and not by local weeks, so an instant's span is a division, and the zone is
 * asked only when a span is built. Its stretches are disjoint, in order, never empty and clipped to
 * the span; `before` holds the open time of the span before each, so any instant or any amount of
 * open time is found by one binary search, and a whole span is skipped by its total. All of these
 * are differences of instants: skipping is exact.
 */
import type { IANAZone } from "luxon";
import { type ClockStretch, clockStretches, closingEdge, openingEdge } from "./calendar-zone.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const DAYS_PER_SPAN = 28;
export const SPAN_MS = DAYS_PER_SPAN * DAY_MS;
/**
 * Offsets are less than 16 hours, so a local day lies within two UTC days around its name. The
 * clock has to be known for two days more, or an edge out there would be cut off too early.
 */
const MARGIN_DAYS = 2;

/** Opening hours of one local day: milliseconds of wall time since its midnight, end exclusive. */
export type DayWindow = readonly [startMs: number, endMs: number];

/** Which windows a local day has: its own by "2026-12-24", else by "12-24", else its weekday's. */
export interface DayPlan {
  readonly zone: IANAZone;
  /** Monday first. */
  readonly weekly: readonly (readonly DayWindow[])[];
  readonly days: ReadonlyMap<string, readonly DayWindow[]>;
}

export interface OpenSpan {
  readonly opens: Float64Array;
  readonly closes: Float64Array;
  readonly before: Float64Array;
  readonly openMs: number;
}

export function openSpan(plan: DayPlan, index: number): OpenSpan {
  const stretches = joined(clipped(windowsAround(plan, index), index));
  const before = new Float64Array(stretches.length);
  let openMs = 0;
  for (const [at, [opens, closes]] of stretches.entries()) {
    before[at] = openMs;
    openMs += closes - opens;
  }
  return {
    opens: Float64Array.from(stretches, ([opens]) => opens),
    closes: Float64Array.from(stretches, ([, closes]) => closes),
    before,
    openMs,
  };
}

/** Open time of the span before the instant. */
export function openMsBefore(span: OpenSpan, at: number): number {
  const found = lastNotAbove(span.opens, at);
  if (found < 0) return 0;
  const { opens, closes, before } = span;
  return valueAt(before, found) + Math.min(at, valueAt(closes, found)) - valueAt(opens, found);
}

/** The first instant with `openMs` of the span's open time before it; 0 < openMs ≤ the total. */
export function instantAfter(span: OpenSpan, openMs: number): number {
  // Strictly less before it: open time that ends with a stretch ends at its closing.
  const found = lastNotAbove(span.before, openMs - 1);
  return valueAt(span.opens, found) + openMs - valueAt(span.before, found);
}

/** When the stretch that holds the instant closes; undefined when the instant is in none. */
export function closingOf(span: OpenSpan, at: number): number | undefined {
  const closes = span.closes[lastNotAbove(span.opens, at)];
  return closes !== undefined && at < closes ? closes : undefined;
}

/** When the first stretch after the instant opens; undefined when the span has no more. */
export function openingAfter(span: OpenSpan, at: number): number | undefined {
  return span.opens[lastNotAbove(span.opens, at) + 1];
}

type Stretch = readonly [opens: number, closes: number];

function windowsAround(plan: DayPlan, index: number): Stretch[] {
  const firstDay = index * DAYS_PER_SPAN - MARGIN_DAYS;
  const lastDay = (index + 1) * DAYS_PER_SPAN + MARGIN_DAYS;
  const clock = clockStretches(
    plan.zone,
    (firstDay - MARGIN_DAYS) * DAY_MS,
    (lastDay + MARGIN_DAYS) * DAY_MS,
  );
  const stretches: Stretch[] = [];
  for (let day = firstDay; day <= lastDay; day += 1)
    stretches.push(...dayStretches(plan, clock, day));
  return stretches;
}

function dayStretches(plan: DayPlan, clock: readonly ClockStretch[], day: number): Stretch[] {
  const midnight = day * DAY_MS;
  return windowsOf(plan, day).map(([startMs, endMs]) => [
    openingEdge(clock, midnight + startMs),
    closingEdge(clock, midnight + endMs),
  ]);
}

/** `day` counts from 1970-01-01, a Thursday. */
function windowsOf({ weekly, days }: DayPlan, day: number): readonly DayWindow[] {
  const weekday = (((day + 3) % 7) + 7) % 7;
  const date = new Date(day * DAY_MS).toISOString().slice(0, -"T00:00:00.000Z".length);
  return days.get(date) ?? days.get(date.slice(-"12-24".length)) ?? weekly[weekday] ?? [];
}

/** A window whose wall times a gap swallowed is empty, and falls out here. */
function clipped(stretches: readonly Stretch[], index: number): Stretch[] {
  const from = index * SPAN_MS;
  return stretches
    .map(([opens, closes]): Stretch => [Math.max(opens, from), Math.min(closes, from + SPAN_MS)])
    .filter(([opens, closes]) => opens < closes)
    .toSorted(([a], [b]) => a - b);
}

/** Windows that meet at midnight are one; windows that a fold made overlap count no instant twice. */
function joined(stretches: readonly Stretch[]): Stretch[] {
  const result: Stretch[] = [];
  for (const [opens, closes] of stretches) {
    const last = result.at(-1);
    if (last === undefined || last[1] < opens) result.push([opens, closes]);
    else result[result.length - 1] = [last[0], Math.max(last[1], closes)];
  }
  return result;
}

/** Index of the last value that is not above the limit, of values in ascending order; -1 for none. */
function lastNotAbove(values: Float64Array, limit: number): number {
  let [low, high] = [-1, values.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (valueAt(values, middle) <= limit) low = middle;
    else high = middle;
  }
  return low;
}

/** An index that a search found is inside; the compiler cannot know it. */
function valueAt(values: Float64Array, index: number): number {
  return values[index] ?? Number.NaN;
}
