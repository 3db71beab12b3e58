/**
 * The ladder of a clock: its reminders, its breach and the repeats after it, each placed at the used
 * time at which it is due. A rung's name tells its place and nothing else, so it stays the same when
 * rungs are added around it: "50%", "+4h" in, "-30m" before the due time, "breach", "breach+4h" after it; with "customer:" in
 * front, what a customer is told.
 *
 * There are two lanes. What operators and what customers are told must not swallow one another when
 * rungs that fell due together are merged, and only customers have quiet hours.
 */
import type { Lane, Role } from "../core/clock-fact.ts";
import type { Ladder, Rung, RungPlace } from "./policy.ts";

export interface PlacedRung {
  readonly name: string;
  readonly kind: "reminder" | "breach" | "repeat";
  readonly lane: Lane;
  /** Used time of the clock. */
  readonly thresholdMs: number;
  readonly to: readonly (Role | "customer")[];
}

const UNITS = [
  ["h", 60 * 60 * 1000],
  ["m", 60 * 1000],
  ["s", 1000],
  ["ms", 1],
] as const;

/** Targets whose rungs are kept for a ladder. Durations have few; a fixed date's is its own. */
const KEPT_MAX = 64;

/** A ladder's rungs for one target, by lane. */
type PlacedLanes = Readonly<Record<Lane, readonly PlacedRung[]>>;

const KEPT = new WeakMap<Ladder, Map<number, PlacedLanes>>();

/**
 * Those of a lane, in the order in which they fall due. A reminder that would not come before the due time has no
 * place: the target was made shorter than the reminder supposes. Kept, for every decision asks.
 */
export function placedRungs(ladder: Ladder, targetMs: number, lane: Lane): readonly PlacedRung[] {
  const kept = KEPT.get(ladder) ?? new Map<number, PlacedLanes>();
  const known = kept.get(targetMs);
  if (known !== undefined) return known[lane];
  if (kept.size >= KEPT_MAX) kept.clear();
  const placed = placeRungs(ladder, targetMs);
  const lanes = {
    operator: placed.filter((rung) => rung.lane === "operator"),
    customer: placed.filter((rung) => rung.lane === "customer"),
  };
  KEPT.set(ladder, kept.set(targetMs, lanes));
  return lanes[lane];
}

function placeRungs(ladder: Ladder, targetMs: number): readonly PlacedRung[] {
  const { rungs, breach, repeat } = ladder;
  const reminders = rungs
    .map((rung) => reminderOf(rung, targetMs))
    .filter(({ thresholdMs }) => thresholdMs < targetMs)
    .toSorted((one, other) => one.thresholdMs - other.thresholdMs);
  const operator = { lane: "operator", thresholdMs: targetMs } as const;
  const breaches: PlacedRung[] =
    breach === undefined ? [] : [{ name: "breach", kind: "breach", ...operator, to: breach.to }];
  const repeats = Array.from({ length: repeat?.timesMax ?? 0 }, (_, index): PlacedRung => {
    const afterMs = (index + 1) * (repeat?.everyMs ?? 0);
    const place = { lane: "operator", thresholdMs: targetMs + afterMs } as const;
    return { name: `breach+${shortOf(afterMs)}`, kind: "repeat", ...place, to: repeat?.to ?? [] };
  });
  return [...reminders, ...breaches, ...repeats];
}

/** Unique within a ladder: what a customer is told has a name of its own. */
export function rungName(rung: Rung): string {
  return laneOf(rung) === "customer" ? `customer:${placeName(rung)}` : placeName(rung);
}

function laneOf({ to }: Rung): Lane {
  return to.some((audience) => audience === "customer") ? "customer" : "operator";
}

function placeName(place: RungPlace): string {
  if ("percent" in place) return `${place.percent}%`;
  return "afterMs" in place ? `+${shortOf(place.afterMs)}` : `-${shortOf(place.beforeMs)}`;
}

function reminderOf(rung: Rung, targetMs: number): PlacedRung {
  const place = { lane: laneOf(rung), thresholdMs: thresholdOf(rung, targetMs) };
  return { name: rungName(rung), kind: "reminder", ...place, to: rung.to };
}

/** Rounded up: a notice never comes before its time. */
function thresholdOf(place: RungPlace, targetMs: number): number {
  if ("percent" in place) return Math.ceil((targetMs * place.percent) / 100);
  return "afterMs" in place ? place.afterMs : targetMs - place.beforeMs;
}

function shortOf(ms: number): string {
  const [unit, size] = UNITS.find(([, unitMs]) => ms % unitMs === 0) ?? ["ms", 1];
  return `${ms / size}${unit}`;
}
