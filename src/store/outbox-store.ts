/**
 * The outbox: committed effects, in order per item and channel (a lane), delivered by one owner at a
 * time. A lane is ready, leased, waiting for a later attempt, or blocked until a person decides.
 *
 *   commit ──▶ ready ──claim──▶ leased ──settle "done"──▶ (gone, or ready when more is waiting)
 *                ▲                │ ├──settle "again"──▶ later ──time──▶ ready
 *                └──lease ended───┘ └──settle "block"──▶ blocked ──operator──▶ ready
 */
import type { OutboxEffect } from "../core/decision.ts";
import type { EngineError } from "../core/errors.ts";
import type { Store } from "./store.ts";
import { type Attempt, decodeAttempt, encodeAttempt, noteOf } from "./attempt.ts";
import { itemPrefix, shardPrefix } from "./keys.ts";
import { CAUTION_MS } from "./new-server.ts";
import {
  claimLanesScript,
  hastenLaneScript,
  recoverLanesScript,
  renewLeasesScript,
  settleLanesScript,
  unblockLaneScript,
} from "./scripts.ts";
import { isKeyMissing, sealed, unsealed } from "./seal.ts";
import { blockedPlace, letterPlace, openEffect, sealEntries } from "./sealed-texts.ts";

/** Effects of one lane read at a claim: enough to merge, bounded for memory. */
const LANE_READ_MAX = 32;

/** A lane whose key is missing is looked at again after this, ms. */
const SEALED_OFF_AGAIN_MS = 10_000;

export interface Lane {
  readonly itemId: string;
  readonly shard: number;
  readonly owner: string;
  readonly attempt: Attempt;
  /** Oldest first; never empty. */
  readonly effects: readonly OutboxEffect[];
}

export interface LaneAddress {
  readonly shard: number;
  readonly channel: string;
}

export type Settlement = {
  readonly itemId: string;
  readonly owner: string;
  /** Journal entries as text. */
  readonly entries: readonly string[];
} & (
  | {
      readonly verb: "done";
      readonly dropped: number;
      /** What the delivery of the effects that are left must know; nothing when absent. */
      readonly attempt?: Attempt;
    }
  | {
      readonly verb: "again";
      readonly dropped: number;
      readonly notBefore: number;
      readonly attempt: Attempt;
    }
  | {
      readonly verb: "block";
      readonly problem: string;
      readonly deadLetter: readonly [id: string, text: string];
      /** Kept for whoever opens the lane again: whether it must be looked up first. */
      readonly attempt?: Attempt;
    }
);

export async function claimLanes(
  store: Store,
  { shard, channel }: LaneAddress,
  claim: {
    readonly now: number;
    readonly leaseUntil: number;
    readonly owner: string;
    readonly want: number;
  },
): Promise<Lane[]> {
  const { now, leaseUntil, owner, want } = claim;
  const args = [channel, now, leaseUntil, owner, want, LANE_READ_MAX, CAUTION_MS];
  const key = shardPrefix(store.layout, shard);
  const replies = (await claimLanesScript.run(store.redis, key, args)) as string[][];
  const lanes: Lane[] = [];
  const sealedOff: Lane[] = [];
  const reasons: EngineError[] = [];
  for (const [itemId = "", before = "", ...texts] of replies) {
    const lane = { itemId, shard, owner, attempt: decodeAttempt(before) };
    try {
      lanes.push({ ...lane, effects: texts.map((text) => openEffect(store, itemId, text)) });
    } catch (error) {
      if (!isKeyMissing(error)) throw error;
      reasons.push(error);
      sealedOff.push({ ...lane, effects: [] });
    }
  }
  if (sealedOff.length > 0) await giveBack(store, { shard, channel }, { now, lanes: sealedOff });
  // Said when nothing else is to be done: whoever is ready must not wait for a key that is missing.
  const [reason] = reasons;
  if (reason !== undefined && lanes.length === 0) throw reason;
  return lanes;
}

/** As they were, for a while: a missing key is no failed attempt. */
async function giveBack(
  store: Store,
  address: LaneAddress,
  { now, lanes }: { readonly now: number; readonly lanes: readonly Lane[] },
): Promise<void> {
  const settlements = lanes.map(({ itemId, owner, attempt }): Settlement => {
    const notBefore = now + SEALED_OFF_AGAIN_MS;
    return { itemId, owner, attempt, verb: "again", dropped: 0, notBefore, entries: [] };
  });
  await settleLanes(store, address, { now, settlements });
}

/** One boolean per settlement: false when the lease had gone to another owner. */
export async function settleLanes(
  store: Store,
  { shard, channel }: LaneAddress,
  { now, settlements }: { readonly now: number; readonly settlements: readonly Settlement[] },
): Promise<boolean[]> {
  const args: (string | number)[] = [channel, now, settlements.length];
  for (const settlement of settlements) pushArguments(args, { store, channel, settlement });
  const replies = await settleLanesScript.run(store.redis, shardPrefix(store.layout, shard), args);
  return (replies as number[]).map((reply) => reply === 1);
}

interface Settling {
  readonly store: Store;
  readonly channel: string;
  readonly settlement: Settlement;
}

function pushArguments(args: (string | number)[], { store, channel, settlement }: Settling): void {
  const { itemId, owner, verb } = settlement;
  const entries = sealEntries(store, itemId, settlement.entries);
  args.push(itemId, owner, verb);
  switch (settlement.verb) {
    case "done":
      args.push(settlement.dropped, noteOf(settlement.attempt), "", "", "");
      break;
    case "again":
      args.push(
        settlement.dropped,
        encodeAttempt(settlement.attempt),
        settlement.notBefore,
        "",
        "",
      );
      break;
    case "block":
      args.push(0, ...blockArguments({ store, channel, settlement }, settlement));
      break;
  }
  args.push(entries.length, ...entries);
}

function blockArguments(
  { store, channel }: Settling,
  { itemId, problem, attempt, deadLetter: [id, text] }: Extract<Settlement, { verb: "block" }>,
): string[] {
  return [
    sealed(store, blockedPlace(itemId, channel), problem),
    noteOf(attempt),
    id,
    sealed(store, letterPlace(id), text),
  ];
}

/** One boolean per lane: false when its lease had ended, or gone to another owner. */
export async function renewLeases(
  store: Store,
  { shard, channel }: LaneAddress,
  { leaseUntil, lanes }: { readonly leaseUntil: number; readonly lanes: readonly Lane[] },
): Promise<boolean[]> {
  const held = lanes.flatMap(({ itemId, owner }) => [itemId, owner]);
  const args = [channel, leaseUntil, ...held];
  const prefix = shardPrefix(store.layout, shard);
  const replies = (await renewLeasesScript.run(store.redis, prefix, args)) as number[];
  return replies.map((reply) => reply === 1);
}

/** False when the lease has ended, or the lane is another owner's by now. The clock is asked once the answer
 * is here: a process may be paused while it waits. */
export async function holdsLane(
  store: Store,
  channel: string,
  {
    itemId,
    owner,
    now,
  }: { readonly itemId: string; readonly owner: string; readonly now: () => number },
): Promise<boolean> {
  const prefix = itemPrefix(store.layout, itemId);
  const [attempt, leaseUntil] = await Promise.all([
    store.redis.hget(`${prefix}attempt:${channel}`, itemId),
    store.redis.zscore(`${prefix}leased:${channel}`, itemId),
  ]);
  return attempt?.endsWith(` ${owner}`) === true && Number(leaseUntil ?? 0) > now();
}

/** Gives back the lanes of dead owners. `hasWork` says whether the channel needs a push job. */
export async function recoverLanes(
  store: Store,
  { shard, channel }: LaneAddress,
  now: number,
): Promise<{ readonly recovered: number; readonly hasWork: boolean }> {
  const prefix = shardPrefix(store.layout, shard);
  const reply = (await recoverLanesScript.run(store.redis, prefix, [channel, now])) as number[];
  return { recovered: reply[0] ?? 0, hasWork: reply[1] === 1 };
}

/** Channels of a shard that ever had an effect. */
export async function channelsOf(store: Store, shard: number): Promise<string[]> {
  return store.redis.smembers(`${shardPrefix(store.layout, shard)}channels`);
}

/** An operator's decision about a blocked lane. `entries` are journal entries as text, one for each
 * effect left out. False when the lane is not blocked: somebody else has decided. */
export async function unblockLane(
  store: Store,
  lane: { readonly itemId: string; readonly channel: string },
  decision: { readonly deadLetterId: string; readonly entries: readonly string[] },
): Promise<boolean> {
  const { deadLetterId } = decision;
  const entries = sealEntries(store, lane.itemId, decision.entries);
  const args = [lane.channel, lane.itemId, deadLetterId, entries.length, ...entries];
  const prefix = itemPrefix(store.layout, lane.itemId);
  return (await unblockLaneScript.run(store.redis, prefix, args)) === 1;
}

/**
 * An operator's decision about a lane that waits for a later attempt: it is delivered now, or so many of
 * its first effects are left out, one for each of `entries`. False when it no longer waits with `first`.
 */
export async function hastenLane(
  store: Store,
  lane: { readonly itemId: string; readonly channel: string },
  decision: { readonly first: string; readonly entries: readonly string[] },
): Promise<boolean> {
  const { first } = decision;
  const entries = sealEntries(store, lane.itemId, decision.entries);
  const args = [lane.channel, lane.itemId, first, entries.length, ...entries];
  const prefix = itemPrefix(store.layout, lane.itemId);
  return (await hastenLaneScript.run(store.redis, prefix, args)) === 1;
}

/** What one item still has to deliver on a channel, and why it waits. */
export interface LaneState {
  readonly channel: string;
  readonly pending: readonly OutboxEffect[];
  readonly state: "ready" | "leased" | "later" | "blocked";
  /** Lease end or next attempt, ms. */
  readonly until?: number;
  /** The blocking problem as JSON. */
  readonly problem?: string;
}

/** `effectsMax`: how many effects of each lane are read, the oldest first. */
export async function readLanes(
  store: Store,
  itemId: string,
  effectsMax = LANE_READ_MAX,
): Promise<LaneState[]> {
  const prefix = itemPrefix(store.layout, itemId);
  const { redis } = store;
  const channels = await redis.smembers(`${prefix}channels`);
  const lanes = await Promise.all(
    channels.map(async (channel): Promise<LaneState | undefined> => {
      const [texts, leased, later, problem] = await Promise.all([
        redis.lrange(`${prefix}out:${channel}:${itemId}`, 0, effectsMax - 1),
        redis.zscore(`${prefix}leased:${channel}`, itemId),
        redis.zscore(`${prefix}later:${channel}`, itemId),
        redis.hget(`${prefix}blocked:${channel}`, itemId),
      ]);
      if (texts.length === 0) return undefined;
      const pending = texts.map((text) => openEffect(store, itemId, text));
      if (problem !== null) {
        const text = unsealed(store, blockedPlace(itemId, channel), problem);
        return { channel, pending, state: "blocked", problem: text };
      }
      if (leased !== null) return { channel, pending, state: "leased", until: Number(leased) };
      if (later !== null) return { channel, pending, state: "later", until: Number(later) };
      return { channel, pending, state: "ready" };
    }),
  );
  return lanes.filter((lane) => lane !== undefined);
}
