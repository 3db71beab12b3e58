/**
 * What a run is made of, as data, drawn from its seed before it begins: who takes part, what is sent, what
 * goes wrong and when. A run is shrunk by taking parts of its plan away; the interleaving is drawn
 * anew, from the same seed.
 */
import { cancellationOf, type ItemPlan, planItem } from "./lives.ts";
import { type Random, randomOf } from "./random.ts";
import { SKEW_MAX_MS } from "./setting.ts";

/** All times are ms from the beginning of the run. */
export interface RunPlan {
  readonly seed: number;
  readonly processes: number;
  readonly items: readonly ItemPlan[];
  readonly sends: readonly SendPlan[];
  readonly faults: readonly PlannedFault[];
  readonly marketplace: MarketplacePlan;
}

export interface SendPlan {
  readonly at: number;
  /** Places of events in their items. */
  readonly events: readonly { readonly itemId: string; readonly place: number }[];
}

export interface MarketplacePlan {
  readonly view: "documented" | "extended";
  readonly policy: "every" | "latest";
  readonly limitPerMinute: number | null;
  /** It moves new items on by itself after this. */
  readonly autoSubmitMs: number | null;
}

/** Instead of at a time: right after some process has done this for the n-th time. It strikes that one. */
export interface Trigger {
  readonly what: string;
  readonly nth: number;
}

export type FaultPlan = { readonly at: number; readonly on?: Trigger } & (
  | {
      readonly kind: "kill-worker" | "stop-worker";
      readonly process: number;
      readonly forMs: number;
    }
  | { readonly kind: "clock-skew"; readonly process: number; readonly byMs: number }
  | { readonly kind: "redis-cut"; readonly process: number }
  | { readonly kind: "redis-slow" | "redis-full" | "redis-restart"; readonly forMs: number }
  | { readonly kind: "redis-loss"; readonly forMs: number; readonly lostMs: number }
  | MarketFault
  | {
      readonly kind: "market-cancel";
      readonly itemId: string;
      /** How long after the cancellation its event is sent; null: never. */
      readonly toldAfterMs: number | null;
    }
  | { readonly kind: "producer-cut" | "policy-change" }
);

export interface MarketFault {
  readonly kind: MarketFaultKind;
  readonly forMs: number;
  readonly chance: number;
}

/** What may become of a request. */
const MARKET_FAULTS = [
  "market-429",
  "market-500-before",
  "market-500-after",
  "market-lost-before",
  "market-lost-after",
  "market-silent",
  "market-late",
  "market-unreachable",
  "market-slow",
] as const;

export type MarketFaultKind = (typeof MARKET_FAULTS)[number];

function isOfMarket(kind: FaultPlan["kind"]): kind is MarketFaultKind {
  return MARKET_FAULTS.some((each) => each === kind);
}

export function isMarketFault(fault: FaultPlan): fault is FaultPlan & MarketFault {
  return isOfMarket(fault.kind);
}

/** By its place in the plan as it was drawn, whatever was taken away since. */
export interface PlannedFault {
  readonly number: number;
  readonly fault: FaultPlan;
}

export function drawPlan(seed: number): RunPlan {
  const random = randomOf(seed);
  const items = Array.from({ length: random.int(1, 3) }, (_, index) => planItem(random, index));
  const processes = random.int(2, 3);
  const lengthMs = random.pick([300, 3_000, 15_000]);
  const sends = items.flatMap((item) => planSends(random, item, lengthMs));
  const marketplace: MarketplacePlan = {
    view: items.some(isToldTwice) ? "extended" : random.pick(["extended", "documented"]),
    policy: random.pick(["every", "every", "latest"]),
    limitPerMinute: random.pick([null, null, 600, 20]),
    autoSubmitMs: random.pick([null, null, 50, 3_000]),
  };
  const count = random.pick([0, 1, 2, 2, 3, 3, 4, 5]);
  const context = { processes, items, lengthMs: lengthMs + 5_000 };
  const drawn = Array.from({ length: count }, () => drawFault(random, context));
  const faults = [...drawn, ...drawPolicyChanges(random, context)];
  return {
    seed,
    processes,
    items,
    sends,
    faults: compatible(faults).map((fault, number) => ({ number, fault })),
    marketplace,
  };
}

/** Whether a status is pushed more than once. Where the marketplace shows the status alone, nobody can tell
 * which of the pushes has arrived, and the product rather tells it twice. */
function isToldTwice({ events }: ItemPlan): boolean {
  return events.some(({ type }) => type === "appointment.rescheduled");
}

/** The event that tells of a cancellation by the reseller. */
export const cancellationEvent = cancellationOf;

/** Each event at least once; in jobs of one or several; some twice, late or in another order. */
function planSends(random: Random, { itemId, events }: ItemPlan, lengthMs: number): SendPlan[] {
  const sends: SendPlan[] = [];
  const style = random.pick(["in-order", "burst", "shuffled", "shuffled"]);
  for (let place = 0; place < events.length;) {
    const size = random.chance(0.6) ? 1 : random.int(2, 3);
    const places = events.map((_, each) => each).slice(place, place + size);
    const inJob = random.chance(0.2) ? random.shuffle(places) : places;
    const share = style === "in-order" ? (lengthMs * place) / events.length : 0;
    const at = style === "shuffled" ? random.int(0, lengthMs) : share + random.int(0, 20);
    const job = inJob.map((each) => ({ itemId, place: each }));
    sends.push({ at, events: job });
    if (random.chance(0.15)) sends.push({ at: at + random.int(0, lengthMs), events: job });
    place += size;
  }
  return sends;
}

interface FaultContext {
  readonly processes: number;
  readonly items: readonly ItemPlan[];
  readonly lengthMs: number;
}

/** Share of the runs in which the SLA policy is changed while items live. */
const POLICY_CHANGED = 0.4;

/** From the end of the faults, ms: the first policy's near clocks have said everything by then. */
const QUIET_BY_MS = 15_000;

/** No fault, but it comes in the middle of them, and each of its steps may meet one. */
function drawPolicyChanges(random: Random, { lengthMs }: FaultContext): FaultPlan[] {
  const change = (): FaultPlan => ({
    kind: "policy-change",
    // Amid the faults, or when no clock is near and nothing else would look at the items.
    at: random.chance(0.5) ? random.int(0, lengthMs) : lengthMs + QUIET_BY_MS,
  });
  if (!random.chance(POLICY_CHANGED)) return [];
  return random.chance(0.3) ? [change(), change()] : [change()];
}

type DrawnKind = Exclude<FaultPlan["kind"], "policy-change">;

/** As often as each deserves: kills and pauses are what real deployments live with. */
const KINDS: readonly [DrawnKind, ...DrawnKind[]] = [
  "kill-worker",
  "kill-worker",
  "kill-worker",
  "kill-worker",
  "stop-worker",
  "stop-worker",
  "stop-worker",
  "clock-skew",
  "redis-cut",
  "redis-cut",
  "redis-cut",
  "redis-slow",
  "redis-full",
  "redis-restart",
  "redis-restart",
  "redis-loss",
  "redis-loss",
  "market-429",
  "market-500-before",
  "market-500-after",
  "market-lost-before",
  "market-lost-after",
  "market-lost-after",
  "market-silent",
  "market-late",
  "market-unreachable",
  "market-slow",
  "market-cancel",
  "market-cancel",
  "producer-cut",
];

function drawFault(random: Random, { processes, items, lengthMs }: FaultContext): FaultPlan {
  const kind = random.pick(KINDS);
  // Most goes on at the beginning.
  const at = random.int(0, random.pick([400, lengthMs]));
  const process = random.int(0, processes - 1);
  if (isOfMarket(kind)) {
    return { kind, at, forMs: random.pick([200, 3_000, 10_000]), chance: random.pick([0.3, 1]) };
  }
  const trigger = drawTrigger(random);
  switch (kind) {
    case "kill-worker":
      return { kind, at, process, forMs: random.pick([10, 500, 5_000]), ...trigger };
    case "stop-worker":
      return { kind, at, process, forMs: random.int(50, 30_000), ...trigger };
    case "clock-skew":
      return { kind, at: 0, process, byMs: random.int(-SKEW_MAX_MS, SKEW_MAX_MS) };
    case "redis-cut":
      return { kind, at, process, ...trigger };
    case "redis-slow":
    case "redis-full":
    case "redis-restart":
      return { kind, at, forMs: random.pick([100, 2_000, 8_000]) };
    case "redis-loss":
      return { kind, at, forMs: random.pick([100, 2_000]), lostMs: random.int(50, 1_000) };
    case "market-cancel": {
      const itemId = random.pick(items.map((item) => item.itemId) as [string, ...string[]]);
      const toldAfterMs = random.pick([null, 10, 1_000, 5_000]);
      return { kind, at, itemId, toldAfterMs };
    }
    case "producer-cut":
      return { kind, at };
  }
}

/** Share of those faults that wait for a certain moment: between two steps of the protocol. */
const TRIGGERED = 0.6;

const MOMENTS: readonly [string, ...string[]] = [
  "commit",
  "commit",
  "commit",
  "claimLanes",
  "settleLanes",
  "settleLanes",
  "PATCH",
  "PATCH",
  "GET",
  "take",
  "finish",
  "hget",
  "zrangebyscore",
  "recoverLanes",
];

function drawTrigger(random: Random): { readonly on?: Trigger } {
  if (!random.chance(TRIGGERED)) return {};
  return { on: { what: random.pick(MOMENTS), nth: random.int(1, 12) } };
}

/** HTTP cannot be fenced: a request that a stopped process sent may arrive after those of whoever took its
 * work over. So nothing is late in a run that stops processes. */
function compatible(faults: readonly FaultPlan[]): FaultPlan[] {
  const mayLoseLease = faults.some(({ kind }) => kind === "stop-worker");
  return faults.filter(({ kind }) => !mayLoseLease || kind !== "market-late");
}
