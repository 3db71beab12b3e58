/**
 * The feed of a shard: a stream that tells which journals grew, written by the scripts that write to
 * journals, in the same write. A record names items and places in their journals, and is told in order;
 * the newest ones alone are kept, so a listener that stayed away too long has to look at the items anew.
 */
import { shardPrefix } from "./keys.ts";
import type { Store } from "./store.ts";

/** lua/feed.lua keeps this many of each shard, and up to a hundred more. */
const FEED_RECORDS = 10_000;

/** Of a record: a millisecond of Redis' clock and a number within it. Ids of a shard only grow. */
export interface FeedId {
  readonly ms: number;
  readonly seq: number;
}

export interface FeedRecord {
  readonly id: FeedId;
  readonly grown: readonly GrownJournal[];
}

export interface GrownJournal {
  readonly itemId: string;
  /** Places of the new entries in the item's journal, from 0, both included. */
  readonly from: number;
  readonly to: number;
}

export function compareFeedIds(left: FeedId, right: FeedId): number {
  return left.ms - right.ms || left.seq - right.seq;
}

/** Up to `limit` records behind `after`, in order. */
export async function readFeedRecords(
  { redis, layout }: Store,
  shard: number,
  { after, limit }: { readonly after: FeedId; readonly limit: number },
): Promise<readonly FeedRecord[]> {
  const key = feedKey(layout, shard);
  const records = await redis.xrange(key, `(${idText(after)}`, "+", "COUNT", limit);
  return records.map(([id, fields]) => ({ id: readId(id), grown: grownIn(fields) }));
}

/** Whether records behind `after` may have been dropped: the feed is full and begins later. */
export async function isFeedCut(
  { redis, layout }: Store,
  shard: number,
  after: FeedId,
): Promise<boolean> {
  const key = feedKey(layout, shard);
  const [length, [oldest]] = await Promise.all([
    redis.xlen(key),
    redis.xrange(key, "-", "+", "COUNT", 1),
  ]);
  return (
    length >= FEED_RECORDS && oldest !== undefined && compareFeedIds(readId(oldest[0]), after) > 0
  );
}

/** An id in front of everything that is committed from now on. */
export async function feedEnd({ redis }: Pick<Store, "redis">): Promise<FeedId> {
  const [seconds = 0, microseconds = 0] = (await redis.time()).map(Number);
  return { ms: seconds * 1_000 + Math.floor(microseconds / 1_000), seq: 0 };
}

function feedKey(layout: Store["layout"], shard: number): string {
  return `${shardPrefix(layout, shard)}feed`;
}

function idText({ ms, seq }: FeedId): string {
  return `${ms}-${seq}`;
}

function readId(text: string): FeedId {
  const [ms = 0, seq = 0] = text.split("-").map(Number);
  return { ms, seq };
}

function grownIn(fields: readonly string[]): GrownJournal[] {
  return fields.flatMap((itemId, index) => {
    if (index % 2 === 1) return [];
    const [length = 0, added = 0] = (fields[index + 1] ?? "").split(" ").map(Number);
    return [{ itemId, from: length - added, to: length - 1 }];
  });
}
