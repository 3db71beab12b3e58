/** Reading side: journals, lists of items, dead letters. Paged by cursors; never a scan of all keys. */
import type { JournalEntry } from "../core/journal.ts";
import type { Store } from "./store.ts";
import { type PageQuery, pageOf } from "./index-page.ts";
import { allShards, itemPrefix, shardPrefix } from "./keys.ts";
import { openEntry } from "./sealed-texts.ts";

export async function readJournal(
  store: Store,
  itemId: string,
  { from = 0, to = -1 }: { readonly from?: number; readonly to?: number } = {},
): Promise<JournalEntry[]> {
  const key = `${itemPrefix(store.layout, itemId)}j:${itemId}`;
  const texts = await store.redis.lrange(key, from, to);
  return texts.map((text) => openEntry(store, itemId, text));
}

/** Entries that the item's journal has. */
export async function journalLength({ redis, layout }: Store, itemId: string): Promise<number> {
  return redis.llen(`${itemPrefix(layout, itemId)}j:${itemId}`);
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
export async function itemsByStatus(store: Store, status: string, query: PageQuery): Promise<Page> {
  const { entries, ...rest } = await pageOf(store, [`status:${status}`], query);
  return { items: entries.map(({ member, at }) => ({ itemId: member, decidedAt: at })), ...rest };
}

export interface AttentionPage {
  /** `since`: when a promise was broken, or was seen to be in jeopardy, ms. */
  readonly items: readonly { readonly itemId: string; readonly since: number }[];
  readonly next?: string;
}

/** Items that need a person because of their clocks, the longest first. */
export async function itemsInNeed(store: Store, query: PageQuery): Promise<AttentionPage> {
  const { entries, ...rest } = await pageOf(store, ["attention"], query);
  return { items: entries.map(({ member, at }) => ({ itemId: member, since: at })), ...rest };
}

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

/** Items of a shard whose actor time alone will change by `now`, the longest due first. */
export async function dueItems(
  store: Store,
  shard: number,
  { now, limit }: { readonly now: number; readonly limit: number },
): Promise<string[]> {
  const key = `${shardPrefix(store.layout, shard)}due`;
  return store.redis.zrangebyscore(key, "-inf", now, "LIMIT", 0, limit);
}
