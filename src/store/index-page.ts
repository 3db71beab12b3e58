/**
 * Pages over sorted sets that every shard keeps one of, in one order: by score, then by bytes.
 *
 * A page's end is a place, not a count, so pages stay in step while members move: one whose score grows
 * comes again at its new place, and none that stays where it is is left out.
 */
import { allShards, shardPrefix } from "./keys.ts";
import type { Store } from "./store.ts";

export interface PageQuery {
  /** `next` of the page before. */
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface Entry {
  readonly member: string;
  /** Its score, ms. */
  readonly at: number;
}

export interface IndexEntry extends Entry {
  readonly shard: number;
}

export interface IndexPage {
  readonly entries: readonly IndexEntry[];
  /** Give it back to get the next page; absent on the last one. */
  readonly next?: string;
}

export interface IndexQuery extends PageQuery {
  /** The highest score, ms; absent for all. */
  readonly until?: number | undefined;
}

/** Entries of all named sets together, each name without its shard's prefix: `status:accepted`. */
export async function pageOf(
  { redis, layout }: Store,
  names: readonly string[],
  { cursor, limit, until }: IndexQuery,
): Promise<IndexPage> {
  const after = readCursor(cursor);
  const parts = await Promise.all(
    allShards(layout).flatMap((shard) =>
      names.map(async (name) => {
        const key = `${shardPrefix(layout, shard)}${name}`;
        const entries = await entriesAfter(redis, key, { after, limit, until });
        return entries.map((entry): IndexEntry => ({ ...entry, shard }));
      }),
    ),
  );
  const entries = parts.flat().toSorted(compareEntries).slice(0, limit);
  const last = entries.at(-1);
  const isFull = last !== undefined && entries.length === limit;
  return { entries, ...(isFull && { next: cursorBehind(last) }) };
}

/** The cursor of a page that ends with the entry. */
export function cursorBehind({ at, member }: Entry): string {
  return `${at}|${member}`;
}

/** Whether the text can have been a cursor. */
export function isCursor(text: string): boolean {
  return /^\d+\|/.test(text);
}

function readCursor(cursor: string | undefined): Entry {
  if (cursor === undefined) return { at: 0, member: "" };
  const bar = cursor.indexOf("|");
  return { at: Number(cursor.slice(0, bar)), member: cursor.slice(bar + 1) };
}

/** Entries of one millisecond that are stepped over at first; more cost another read. */
const TIES_MIN = 100;

interface Part {
  readonly after: Entry;
  readonly limit: number;
  readonly until: number | undefined;
}

/**
 * A cursor stands within a millisecond, whose entries are read again and left out: all of them, for
 * thousands of appointments may have been missed at the same moment.
 */
async function entriesAfter(
  redis: Pick<Store["redis"], "zrangebyscore">,
  key: string,
  { after, limit, until = Infinity }: Part,
): Promise<readonly Entry[]> {
  const max = until === Infinity ? "+inf" : until;
  const ties = after.member === "" ? 0 : TIES_MIN;
  for (let wanted = limit + ties; ; wanted *= 2) {
    const flat = await redis.zrangebyscore(key, after.at, max, "WITHSCORES", "LIMIT", 0, wanted);
    const read = pairs(flat);
    const entries = read.filter((entry) => compareEntries(after, entry) < 0);
    if (entries.length >= limit || read.length < wanted) return entries.slice(0, limit);
  }
}

function pairs(flat: readonly string[]): Entry[] {
  return flat.flatMap((member, index) =>
    index % 2 === 0 ? [{ member, at: Number(flat[index + 1]) }] : [],
  );
}

/** In Redis' own order: by score, then by bytes. The pages of all shards must agree on it. */
function compareEntries(left: Entry, right: Entry): number {
  return left.at - right.at || Buffer.compare(Buffer.from(left.member), Buffer.from(right.member));
}
