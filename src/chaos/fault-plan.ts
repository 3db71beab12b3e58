/**
 * Which faults strike when: made before the run from its seed, so that a run can be repeated. Faults come
 * every few seconds and may overlap, but never two that need the same thing: one Redis cannot be frozen
 * and killed at once. Now and then nothing happens for a while, so that what broke can heal.
 */
import type { SeededRandom } from "./seeded-random.ts";

/** The processes under test. */
export const PROCESS_NAMES = [
  "event-worker-1",
  "event-worker-2",
  "push-worker-1",
  "push-worker-2",
  "api-1",
  "api-2",
] as const;

export type ProcessName = (typeof PROCESS_NAMES)[number];

/** What a fault is done to. Two faults of one place do not overlap. */
export type FaultPlace = ProcessName | "redis" | "marketplace";

interface KindEntry {
  /** One of them is chosen each time. */
  readonly places: readonly FaultPlace[];
  /** How often it comes for each time that the whole deck is played. */
  readonly cards: number;
  /** From its beginning to its end, ms; of a kill: how long nothing runs in its place. */
  readonly lengthMs: readonly [min: number, max: number];
  /** A process ends at once, without a chance to tidy up. */
  readonly isKill?: true;
}

const EVENT_WORKERS = ["event-worker-1", "event-worker-2"] as const;
const PUSH_WORKERS = ["push-worker-1", "push-worker-2"] as const;
const WORKERS = [...EVENT_WORKERS, ...PUSH_WORKERS] as const;
const APIS = ["api-1", "api-2"] as const;
const REDIS = ["redis"] as const;
const MARKETPLACE = ["marketplace"] as const;

export const FAULT_KINDS = {
  "kill-event-worker": { places: EVENT_WORKERS, cards: 6, lengthMs: [100, 1_500], isKill: true },
  "kill-push-worker": { places: PUSH_WORKERS, cards: 6, lengthMs: [100, 1_500], isKill: true },
  "kill-api": { places: APIS, cards: 4, lengthMs: [100, 1_500], isKill: true },
  "kill-redis": { places: REDIS, cards: 2, lengthMs: [100, 1_500], isKill: true },
  "redis-forgets": { places: REDIS, cards: 1, lengthMs: [100, 1_500], isKill: true },
  "redis-failover": { places: REDIS, cards: 2, lengthMs: [500, 1_000], isKill: true },
  "stop-worker": { places: WORKERS, cards: 2, lengthMs: [2_500, 5_000] },
  "term-worker": { places: WORKERS, cards: 2, lengthMs: [100, 500] },
  "clock-skew": { places: WORKERS, cards: 2, lengthMs: [6_000, 12_000], isKill: true },
  "redis-cut": { places: REDIS, cards: 1, lengthMs: [100, 2_000] },
  "redis-slow": { places: REDIS, cards: 1, lengthMs: [1_500, 3_000] },
  "redis-reply-lost": { places: REDIS, cards: 3, lengthMs: [1_000, 2_000] },
  "redis-full": { places: REDIS, cards: 1, lengthMs: [500, 2_000] },
  "redis-frozen": { places: REDIS, cards: 1, lengthMs: [500, 3_500] },
  "market-429": { places: MARKETPLACE, cards: 1, lengthMs: [1_500, 3_000] },
  "market-500-before": { places: MARKETPLACE, cards: 1, lengthMs: [1_500, 3_000] },
  "market-500-after": { places: MARKETPLACE, cards: 1, lengthMs: [1_500, 3_000] },
  "market-slow": { places: MARKETPLACE, cards: 1, lengthMs: [1_500, 3_000] },
  "market-reset": { places: MARKETPLACE, cards: 1, lengthMs: [1_500, 3_000] },
} as const satisfies Record<string, KindEntry>;

export type FaultKind = keyof typeof FAULT_KINDS;

export const ALL_FAULT_KINDS = Object.keys(FAULT_KINDS).filter(isFaultKind);

export function isFaultKind(text: string): text is FaultKind {
  return Object.hasOwn(FAULT_KINDS, text);
}

export function isKill(kind: FaultKind): boolean {
  return "isKill" in FAULT_KINDS[kind];
}

export interface PlannedFault {
  readonly kind: FaultKind;
  readonly place: FaultPlace;
  /** After the beginning of the run, ms. */
  readonly at: number;
  readonly lengthMs: number;
  /** In [0, 1): which way a clock goes wrong, how much is delayed, and the like. */
  readonly draw: number;
}

/** What a table says of the fault's kind. */
export function known<Entry>(
  table: Readonly<Partial<Record<FaultKind, Entry>>>,
  { kind, place }: PlannedFault,
): Entry {
  const entry = table[kind];
  if (entry === undefined) throw new RangeError(`${kind} is not done to ${place}.`);
  return entry;
}

export interface PlanSetting {
  /** Of the whole run, ms. */
  readonly lengthMs: number;
  readonly kinds: readonly FaultKind[];
}

/** The first fault meets a run in full swing. */
const FIRST_AT_MS = 2_000;
/** From one fault to the next, ms. */
const BETWEEN_MS = [900, 2_700] as const;
/** What one fault leaves at a place must have healed before the next one strikes there, ms. */
const PLACE_HEALS_MS = 2_000;
/** After so many faults there is a pause of so many ms. */
const PAUSE_AFTER = 20;
const PAUSE_MS = 4_000;
/** The last fault ends while the producers are still at work. */
const QUIET_END_MS = 1_000;

/** In the order in which they begin. */
export function planFaults(random: SeededRandom, setting: PlanSetting): PlannedFault[] {
  const table = new Map<FaultPlace, number>();
  const planned: PlannedFault[] = [];
  let deck: FaultKind[] = [];
  for (let clock = FIRST_AT_MS; clock < setting.lengthMs; clock += random.between(...BETWEEN_MS)) {
    if (deck.length === 0) deck = random.shuffled(fullDeck(setting.kinds));
    const fault = drawFault(deck, { random, clock, freeAt: table });
    if (fault === undefined) continue;
    const { at, lengthMs } = fault;
    if (at + lengthMs + QUIET_END_MS > setting.lengthMs) continue;
    planned.push(fault);
    table.set(fault.place, at + lengthMs + PLACE_HEALS_MS);
    if (planned.length % PAUSE_AFTER === 0) clock += PAUSE_MS;
  }
  return planned;
}

function fullDeck(kinds: readonly FaultKind[]): FaultKind[] {
  return kinds.flatMap((kind) => Array<FaultKind>(FAULT_KINDS[kind].cards).fill(kind));
}

interface Drawing {
  readonly random: SeededRandom;
  readonly clock: number;
  readonly freeAt: ReadonlyMap<FaultPlace, number>;
}

/** Takes the first card that can be played; undefined when each of them has to wait for its place. */
function drawFault(
  deck: FaultKind[],
  { random, clock, freeAt }: Drawing,
): PlannedFault | undefined {
  for (const [index, kind] of deck.entries()) {
    const { places, lengthMs }: KindEntry = FAULT_KINDS[kind];
    const free = places.filter((place) => (freeAt.get(place) ?? 0) <= clock);
    if (free.length === 0) continue;
    deck.splice(index, 1);
    const place = random.pick(free);
    const length = random.between(...lengthMs);
    return { kind, place, at: clock, lengthMs: length, draw: random.next() };
  }
  return undefined;
}
