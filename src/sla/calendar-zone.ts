/**
 * A zone's clock as stretches of constant offset, and the two ways of reading an edge off it.
 *
 * An opening edge is the first instant at which the clock shows that time or later, a closing edge
 * the instant at which it last leaves the time before. On ordinary days both are simply that time.
 * In a gap (the clock jumps ahead) both are the jump; inside a fold (the clock jumps back and an
 * hour comes twice) an opening is the earlier occurrence and a closing the later. A closing edge
 * on which the repeated hour begins is its first occurrence: nothing before it comes twice, so
 * Saturday's 24:00 takes no hour of Sunday where midnight itself comes twice.
 *
 * A wall time is written as the milliseconds that UTC would have at it.
 */
import type { IANAZone } from "luxon";

const MINUTE_MS = 60_000;
/**
 * How often the clock is looked at. The shortest time between two changes in the tz database (2025c)
 * is 3.99 days (Freetown, 1939), and 6.96 days since 1970: looking every three days misses none.
 */
const STEP_MS = 3 * 24 * 60 * MINUTE_MS;
/** The tz database has whole seconds. */
const SECOND_MS = 1000;

/** From (inclusive) to (exclusive) the wall time is the instant plus `offsetMs`. */
export interface ClockStretch {
  readonly from: number;
  readonly to: number;
  readonly offsetMs: number;
}

/** The stretches of [from, to], both whole seconds, in order and without holes. */
export function clockStretches(zone: IANAZone, from: number, to: number): readonly ClockStretch[] {
  const stretches: ClockStretch[] = [];
  let begin = from;
  let offsetMs = offsetAt(zone, from);
  for (let seen = from; seen < to; seen += STEP_MS) {
    const next = Math.min(seen + STEP_MS, to);
    const nextOffsetMs = offsetAt(zone, next);
    if (nextOffsetMs === offsetMs) continue;
    const jump = jumpBetween(zone, seen, next);
    stretches.push({ from: begin, to: jump, offsetMs });
    begin = jump;
    offsetMs = nextOffsetMs;
  }
  stretches.push({ from: begin, to, offsetMs });
  return stretches;
}

/** The first instant of the stretches at which the clock shows `wall` or later. */
export function openingEdge(stretches: readonly ClockStretch[], wall: number): number {
  for (const { from, to, offsetMs } of stretches) {
    if (to + offsetMs > wall) return Math.max(from, wall - offsetMs);
  }
  return Infinity;
}

/** The instant of the stretches after which the clock never again shows a time before `wall`. */
export function closingEdge(stretches: readonly ClockStretch[], wall: number): number {
  const last = stretches.findLast(({ from, offsetMs }) => from + offsetMs < wall);
  return last === undefined ? -Infinity : Math.min(last.to, wall - last.offsetMs);
}

/** Before standard time, offsets had seconds: a fraction of luxon's minutes. */
function offsetAt(zone: IANAZone, at: number): number {
  return Math.round(zone.offset(at) * MINUTE_MS);
}

/** The first instant after `before` that has the offset of `after`. */
function jumpBetween(zone: IANAZone, before: number, after: number): number {
  const offsetMs = offsetAt(zone, before);
  let [low, high] = [before, after];
  while (high - low > SECOND_MS) {
    const middle = low + Math.floor((high - low) / 2 / SECOND_MS) * SECOND_MS;
    if (offsetAt(zone, middle) === offsetMs) low = middle;
    else high = middle;
  }
  return high;
}
