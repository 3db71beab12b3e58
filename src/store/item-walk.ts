/**
 * All items of a status and shard in pages, for walks that take long and go on in another process.
 * An item is listed by its last decision, and a decision only moves it ahead; so a walk up to some
 * moment sees every item, but those that were decided behind that moment meanwhile.
 */
import type { ListedItem } from "./item-store.ts";
import { shardPrefix } from "./keys.ts";
import type { Store } from "./store.ts";

export interface StatusList {
  readonly status: string;
  readonly shard: number;
}

export interface WalkStep {
  /** The item before; an empty id stands in front of all items of its millisecond. */
  readonly after: ListedItem;
  /** The last moment of the walk, ms. */
  readonly until: number;
  readonly limit: number;
}

/** Items of one millisecond that are stepped over at first; more cost another read. */
const TIES_MIN = 100;

/** Up to `limit` items behind `after`, the longest untouched first; none only at the walk's end. */
export async function itemsAfter(
  { redis, layout }: Store,
  { status, shard }: StatusList,
  { after, until, limit }: WalkStep,
): Promise<readonly ListedItem[]> {
  const key = `${shardPrefix(layout, shard)}status:${status}`;
  for (let wanted = limit + TIES_MIN; ; wanted *= 2) {
    const [from, to] = [after.decidedAt, until];
    const flat = await redis.zrangebyscore(key, from, to, "WITHSCORES", "LIMIT", 0, wanted);
    const read = pairs(flat);
    const items = read.filter((item) => isBehind(item, after));
    if (items.length > 0 || read.length < wanted) return items.slice(0, limit);
  }
}

/** In Redis' own order: by score, then by bytes. */
function isBehind(item: ListedItem, after: ListedItem): boolean {
  if (item.decidedAt !== after.decidedAt) return item.decidedAt > after.decidedAt;
  return Buffer.compare(Buffer.from(item.itemId), Buffer.from(after.itemId)) > 0;
}

function pairs(flat: readonly string[]): ListedItem[] {
  return flat.flatMap((itemId, index) =>
    index % 2 === 0 ? [{ itemId, decidedAt: Number(flat[index + 1]) }] : [],
  );
}
