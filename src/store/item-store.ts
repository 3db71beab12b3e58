/** Reading side: journals, lists of items, dead letters. Paged by cursors; never a scan of all keys. */
import type { JournalEntry } from "../core/journal.ts";
import type { Store } from "./store.ts";
import { allShards, itemPrefix, shardPrefix } from "./keys.ts";

export async function readJournal(
  store: Store,
  itemId: string,
  { from = 0, to = -1 }: { readonly from?: number; readonly to?: number } = {},
): Promise<JournalEntry[]> {
  const key = `${itemPrefix(store.layout, itemId)}j:${itemId}`;
  const texts = await store.redis.lrange(key, from, to);
  return texts.map((text) => JSON.parse(text) as JournalEntry);
}

export async function itemsOfOrder(store: Store, order: string): Promise<string[]> {
  const perShard = await Promise.all(
    allShards(store.layout).map((shard) =>
      store.redis.smembers(`${shardPrefix(store.layout, shard)}order:${order}`),
    ),
  );
  return perShard.flat().toSorted();
}

export interface ListedItem {
  readonly itemId: string;
  /** Its last decision, ms. */
  readonly decidedAt: number;
}

export interface Page {
  readonly items: readonly ListedItem[];
  /** Give it back to get the next page; absent on the last one. */
  readonly next?: string;
}

/** Items of one status, the longest untouched first: these are the ones that somebody forgot. */
export async function itemsByStatus(
  store: Store,
  status: string,
  { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
): Promise<Page> {
  const { decidedAt, itemId } = readCursor(cursor);
  const perShard = await Promise.all(
    allShards(store.layout).map((shard) =>
      // Items of the cursor's own millisecond are read again and left out below, all of them.
      store.redis.zrangebyscore(
        `${shardPrefix(store.layout, shard)}status:${status}`,
        decidedAt,
        "+inf",
        "WITHSCORES",
        "LIMIT",
        0,
        limit + TIES_MAX,
      ),
    ),
  );
  const items = perShard
    .flatMap(pairs)
    .filter((item) => item.decidedAt > decidedAt || item.itemId > itemId)
    .toSorted(compareListed)
    .slice(0, limit);
  const last = items.at(-1);
  const isFull = last !== undefined && items.length === limit;
  return { items, ...(isFull && { next: `${last.decidedAt}|${last.itemId}` }) };
}

/** Items of one shard decided in one millisecond that a page can step over. */
const TIES_MAX = 500;

export async function countByStatus(
  store: Store,
  statuses: readonly string[],
): Promise<Record<string, number>> {
  const counts = await Promise.all(
    statuses.map(async (status) => {
      const perShard = await Promise.all(
        allShards(store.layout).map((shard) =>
          store.redis.zcard(`${shardPrefix(store.layout, shard)}status:${status}`),
        ),
      );
      return [status, perShard.reduce((sum, count) => sum + count, 0)] as const;
    }),
  );
  return Object.fromEntries(counts);
}

function readCursor(cursor: string | undefined): ListedItem {
  if (cursor === undefined) return { decidedAt: 0, itemId: "" };
  const bar = cursor.indexOf("|");
  return { decidedAt: Number(cursor.slice(0, bar)), itemId: cursor.slice(bar + 1) };
}

function pairs(flat: readonly string[]): ListedItem[] {
  return flat.flatMap((itemId, index) =>
    index % 2 === 0 ? [{ itemId, decidedAt: Number(flat[index + 1]) }] : [],
  );
}

function compareListed(left: ListedItem, right: ListedItem): number {
  return left.decidedAt - right.decidedAt || (left.itemId < right.itemId ? -1 : 1);
}

/** Items of a shard whose actor time alone will change by `now`, the longest due first. */
export async function dueItems(
  store: Store,
  shard: number,
  { now, limit }: { readonly now: number; readonly limit: number },
): Promise<string[]> {
  const key = `${shardPrefix(store.layout, shard)}due`;
  return store.redis.zrangebyscore(key, "-inf", now, "LIMIT", 0, limit);
}
