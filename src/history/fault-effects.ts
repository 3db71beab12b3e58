/**
 * What the faults of a run excuse. Nothing is excused because faults happened: each excuse needs a fault
 * of a kind that can cause it, at the time, and where it names an item, at that item.
 *
 *   kill-, stop-, redis-, clock-   an effect is sent again, whatever was answered before
 *   market-slow, market-malformed  the same: the answer came too late, or could not be read
 *   market-                        an effect is sent again after an answer other than 2xx, or none
 *   market-refusal                 dead letters about effects and accounts
 *   bad-input                      dead letters about what cannot be read
 *   any with storeLostSince        what the store forgot; see below
 *
 * A store that lost its last moments (an appendfsync of a second, a failover) is older than the world:
 * events acknowledged then are gone, effects sent then are unknown to the journal, and revisions and
 * effect ids come anew for other decisions.
 */
import { groupBy } from "../core/group-by.ts";
import type { FaultRecord } from "./history.ts";
import type { MeetsWindow } from "./time-windows.ts";
import { meetsOneOf } from "./time-windows.ts";

export interface FaultEffects {
  /** Whether a fault explains that this item's effect was sent at `first` and again at `second`. */
  readonly explainsRepeat: (repeat: Repeat) => boolean;
  /** Whether the store may have forgotten an event acknowledged at this time. */
  readonly mayForgetEvent: (acknowledgedAt: number) => boolean;
  /** Whether the store may have forgotten the decision behind a request received at this time. */
  readonly mayForgetRequest: (receivedAt: number) => boolean;
  readonly hasLostStore: boolean;
  readonly hasBadInput: boolean;
  /** Whether the marketplace was made to refuse this item; without an item, any. */
  readonly hasRefusal: (itemId: string | undefined) => boolean;
}

export interface Repeat {
  readonly itemId: string;
  readonly first: number;
  readonly second: number;
  /** The first was answered with a 2xx. */
  readonly wasPlain: boolean;
}

/** What a fault broke heals by leases that end, back-offs and restarts; a minute bounds them all. */
const EXPLAIN_MS = 60_000;

/** Sent this long before the store's last memory, an effect's settlement may be forgotten with its
 * decision: the sync is once a second, and the moment of the loss is measured from outside. */
const LOST_BEFORE_MS = 2_000;

/** A request that was under way when the store came back arrives within the client's patience. */
const LOST_AFTER_MS = 30_000;

/** Those after which nobody knows what was answered. */
const ANSWER_LOST = /^(?:kill|stop|redis|clock)-|^market-(?:slow|malformed)/;
const MARKET_FAULT = /^market-/;
const REFUSAL = "market-refusal";
const BAD_INPUT = "bad-input";

export function effectsOfFaults(faults: readonly FaultRecord[], clockSkewMs: number): FaultEffects {
  const losses = faults.flatMap(({ storeLostSince, to }) =>
    storeLostSince === undefined
      ? []
      : [{ from: storeLostSince - clockSkewMs, to: to + clockSkewMs }],
  );
  const forgotten = meetsOneOf(losses);
  const sentThen = meetsOneOf(
    losses.map(({ from, to }) => ({ from: from - LOST_BEFORE_MS, to: to + LOST_AFTER_MS })),
  );
  const anyTime = faultsByItem(faults.filter(({ kind }) => ANSWER_LOST.test(kind)));
  const unclear = faultsByItem(faults.filter(({ kind }) => MARKET_FAULT.test(kind)));
  const refusals = faults.filter(({ kind }) => kind === REFUSAL);
  const refused = new Set(refusals.map(({ itemId }) => itemId));
  return {
    explainsRepeat: (repeat) => anyTime(repeat) || (!repeat.wasPlain && unclear(repeat)),
    mayForgetEvent: (at) => forgotten(at, at),
    mayForgetRequest: (at) => sentThen(at, at),
    hasLostStore: losses.length > 0,
    hasBadInput: faults.some(({ kind }) => kind === BAD_INPUT),
    hasRefusal: (itemId) =>
      refused.has(undefined) || (itemId === undefined ? refused.size > 0 : refused.has(itemId)),
  };
}

/** Faults that name no item strike all of them. */
function faultsByItem(faults: readonly FaultRecord[]): (repeat: Repeat) => boolean {
  const windows = new Map<string | undefined, MeetsWindow>();
  for (const [itemId, each] of groupBy(faults, (fault) => fault.itemId)) {
    windows.set(itemId, meetsOneOf(each));
  }
  return ({ itemId, first, second }) =>
    [undefined, itemId].some((key) => windows.get(key)?.(first - EXPLAIN_MS, second) === true);
}
