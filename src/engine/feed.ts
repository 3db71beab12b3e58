/**
 * What happens to all items, as it happens: every journal entry of every item, told in short. At least
 * once: an entry is known by its item and its place in the journal, and may be told again after a cursor
 * was given back. An item's entries come in order; those of different items in hardly any.
 */
import type { JournalEntry } from "../core/journal.ts";
import { feedEnd, type FeedMark, readFeedRecords } from "../store/feed-store.ts";
import { itemsOfOrder, readJournal } from "../store/item-store.ts";
import type { Store } from "../store/store.ts";

/** Records that are read of one shard at a time; one holds the items of one batch of commits. */
const RECORDS_MAX = 50;

/** How far somebody has read: a mark for each shard. */
export type FeedCursor = readonly FeedMark[];

/** One journal entry. What it holds besides is in the journal, at `place`. */
export interface FeedEvent {
  readonly itemId: string;
  /** In the item's journal, from 0. */
  readonly place: number;
  readonly kind: JournalEntry["kind"];
  /** ms. */
  readonly at: number;
  /** Of a decision: its number among the item's decisions. */
  readonly revision?: number;
  /** The status after a decision that changed something; of a delivery, the one that it carried. */
  readonly status?: string;
  readonly outcome?: string;
  /** The event's type, the timer's id, the name of the effect or the happening. */
  readonly about?: string;
  readonly code?: string;
}

export interface ToldEvent {
  readonly shard: number;
  /** Of the record, in the shard's feed. */
  readonly recordPlace: number;
  readonly event: FeedEvent;
}

export interface FeedBatch {
  readonly told: readonly ToldEvent[];
  /** Behind everything in it. */
  readonly cursor: FeedCursor;
  readonly isMore: boolean;
  /** Something is not told and will not be: the cursor was too old, or Redis has forgotten its end. */
  readonly isGap: boolean;
}

/** In front of everything that is committed from now on. */
export async function feedNow(store: Store): Promise<FeedCursor> {
  return Promise.all(allShardsOf(store).map((shard) => feedEnd(store, shard)));
}

/** What is behind the cursor, up to some hundred entries of each shard. */
export async function readFeed(store: Store, cursor: FeedCursor): Promise<FeedBatch> {
  const shards = await Promise.all(cursor.map((after, shard) => readShard(store, shard, after)));
  return {
    told: shards.flatMap(({ told }) => told),
    cursor: shards.map(({ mark }) => mark),
    isMore: shards.some(({ isMore }) => isMore),
    isGap: shards.some(({ isLost }) => isLost),
  };
}

async function readShard(store: Store, shard: number, after: FeedMark) {
  const read = await readFeedRecords(store, shard, { after, limit: RECORDS_MAX });
  const { mark } = read;
  if (read.outcome === "lost") return { told: [], mark, isMore: false, isLost: true };
  const grown = read.records.flatMap(({ place, grown }) =>
    grown.map((each) => ({ place, ...each })),
  );
  const told = await Promise.all(
    grown.map(async ({ place: recordPlace, itemId, from, to }) => {
      const entries = await readJournal(store, itemId, { from, to });
      return entries.map((entry, index): ToldEvent => {
        const event = inShort(itemId, from + index, entry);
        return { shard, recordPlace, event };
      });
    }),
  );
  const isMore = read.records.length === RECORDS_MAX;
  return { told: told.flat(), mark, isMore, isLost: false };
}

function allShardsOf({ layout }: Store): number[] {
  return Array.from({ length: layout.shards }, (_, shard) => shard);
}

/** Of one item, or of the items of one order; everything when neither is given. */
export interface FeedFilter {
  readonly item?: string | undefined;
  readonly order?: string | undefined;
}

export async function eventsOf(
  store: Store,
  { item, order }: FeedFilter,
  told: readonly ToldEvent[],
): Promise<readonly FeedEvent[]> {
  if (told.length === 0) return [];
  // Asked for each batch: an item joins its order in the same write that tells of it.
  const ofOrder = order === undefined ? undefined : new Set(await itemsOfOrder(store, order));
  return told
    .map(({ event }) => event)
    .filter(({ itemId }) => (item ?? itemId) === itemId && ofOrder?.has(itemId) !== false);
}

export function isBehind({ shard, recordPlace }: ToldEvent, cursor: FeedCursor): boolean {
  return recordPlace >= (cursor[shard]?.place ?? 0);
}

/** The further one of each shard. */
export function furthest(one: FeedCursor, other: FeedCursor): FeedCursor {
  return one.map((mark, shard) => {
    const rival = other[shard];
    return rival !== undefined && rival.place > mark.place ? rival : mark;
  });
}

/** As text: for each shard the place in base 36 and the check. */
export function cursorText(cursor: FeedCursor): string {
  return cursor.map(({ place, check }) => `${place.toString(36)}-${check}`).join(".");
}

/** `undefined` when the text is no cursor of a feed with so many shards. */
export function readCursor(text: string, shards: number): FeedCursor | undefined {
  const marks = text.split(".").map((part) => /^([0-9a-z]{1,10})-([0-9a-f]{6})?$/.exec(part));
  if (marks.length !== shards || marks.includes(null)) return undefined;
  return marks.map((mark) => ({ place: parseInt(mark?.[1] ?? "", 36), check: mark?.[2] ?? "" }));
}

function inShort(itemId: string, place: number, entry: JournalEntry): FeedEvent {
  const { kind, at } = entry;
  const common = { itemId, place, kind, at };
  switch (entry.kind) {
    case "event":
      return withChange({ ...common, outcome: entry.outcome, about: entry.event.type }, entry);
    case "timer":
      return withChange({ ...common, outcome: entry.outcome, about: entry.timer }, entry);
    case "expired":
      return withChange({ ...common, about: entry.event.type }, entry);
    case "clocks": {
      const { happening } = entry;
      return withChange({ ...common, ...(happening !== undefined && { about: happening }) }, entry);
    }
    case "delivery": {
      const { outcome, name, status, code } = entry;
      const said = { ...(status !== undefined && { status }), ...(code !== undefined && { code }) };
      return { ...common, outcome, about: name, ...said };
    }
  }
}

function withChange(
  event: FeedEvent,
  entry: {
    readonly revision: number;
    readonly change?: { readonly status: string };
    readonly problem?: { readonly code: string };
  },
): FeedEvent {
  const { revision, change, problem } = entry;
  return {
    ...event,
    revision,
    ...(change !== undefined && { status: change.status }),
    ...(problem !== undefined && { code: problem.code }),
  };
}
