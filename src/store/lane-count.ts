/** How many lanes of a channel wait to be claimed. */
import { shardPrefix } from "./keys.ts";
import type { LaneAddress } from "./outbox-store.ts";
import type { Store } from "./store.ts";

/** Scores of routine lanes begin here; see lua/lane-score.lua. */
const ROUTINE_SCORE = 10_000_000_000_000;

/** Lanes by class. */
export interface Waiting {
  readonly urgent: number;
  readonly routine: number;
}

/** Lanes that could be claimed now. An upper bound: another process may be faster. */
export async function countReady(
  store: Store,
  { shard, channel }: LaneAddress,
  now: number,
): Promise<Waiting> {
  const prefix = shardPrefix(store.layout, shard);
  const [urgent, ready, waited] = await Promise.all([
    store.redis.zcount(`${prefix}ready:${channel}`, "-inf", `(${ROUTINE_SCORE}`),
    store.redis.zcard(`${prefix}ready:${channel}`),
    store.redis.zcount(`${prefix}later:${channel}`, "-inf", now),
  ]);
  return { urgent, routine: ready - urgent + waited };
}
