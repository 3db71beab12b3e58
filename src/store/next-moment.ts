/**
 * When time next has something to do. Production looks every second, whatever there is; whoever turns the
 * clock himself asks here and goes from moment to moment.
 */
import { accountOfChannel } from "../core/channel-name.ts";
import { allShards, limiterKey, shardPrefix } from "./keys.ts";
import { limiterState } from "./limiter.ts";
import { channelsOf, type LaneAddress } from "./outbox-store.ts";
import type { Store } from "./store.ts";

export type Moment =
  /** An item's timer falls due, or its parked event has waited too long. */
  | { readonly kind: "items"; readonly at: number }
  /** A lane may be tried again. */
  | { readonly kind: "lanes"; readonly at: number; readonly channel: string };

/** A lane that could leave and got no permit is looked at again after this, ms: as often as the recovery
 * sweep looks by default. */
const REFUSED_AGAIN_MS = 1_000;

/**
 * The earliest moment, of equal ones the items'; `undefined` when time alone changes nothing. An item's may
 * lie in the past. Asked when every channel that was woken has been drained: what could leave by `now` was
 * refused, so its next try lies ahead. Of a held account nothing leaves, however long one waits.
 */
export async function nextMoment(store: Store, now: number): Promise<Moment | undefined> {
  const perShard = await Promise.all(
    allShards(store.layout).map(async (shard) => {
      const channels = await channelsOf(store, shard);
      const moments = [
        itemsOf(store, shard),
        ...channels.map((channel) => lanesOf(store, { shard, channel }, now)),
      ];
      return Promise.all(moments);
    }),
  );
  const moments = perShard.flat().filter((moment) => moment !== undefined);
  return moments.toSorted(compareMoments)[0];
}

async function itemsOf(store: Store, shard: number): Promise<Moment | undefined> {
  const at = await lowestScore(store, `${shardPrefix(store.layout, shard)}due`);
  return at === undefined ? undefined : { kind: "items", at };
}

async function lanesOf(
  store: Store,
  { shard, channel }: LaneAddress,
  now: number,
): Promise<Moment | undefined> {
  const prefix = shardPrefix(store.layout, shard);
  const [ready, later] = await Promise.all([
    store.redis.zcard(`${prefix}ready:${channel}`),
    lowestScore(store, `${prefix}later:${channel}`),
  ]);
  const wanted = ready > 0 ? now : later;
  if (wanted === undefined) return undefined;
  const at = wanted > now ? wanted : now + REFUSED_AGAIN_MS;
  const account = accountOfChannel(channel);
  if (account === undefined) return { kind: "lanes", at, channel };
  const state = await limiterState(store.redis, limiterKey(store.layout, account), null);
  if (state.heldReason !== undefined) return undefined;
  return { kind: "lanes", at: Math.max(wanted, state.pausedUntilMs ?? at), channel };
}

async function lowestScore({ redis }: Store, key: string): Promise<number | undefined> {
  const [, score] = await redis.zrangebyscore(key, "-inf", "+inf", "WITHSCORES", "LIMIT", 0, 1);
  return score === undefined ? undefined : Number(score);
}

function compareMoments(left: Moment, right: Moment): number {
  return left.at - right.at || rankOf(left) - rankOf(right);
}

function rankOf({ kind }: Moment): number {
  return kind === "items" ? 0 : 1;
}
