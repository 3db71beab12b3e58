/**
 * What happens to all items, as it happens: every journal entry of every item, told in short. At least
 * once: an entry is known by its item and its place in the journal, and may be told again after a cursor
 * was given back. An item's entries come in order; those of different items nearly so.
 */
import type { JournalEntry } from "../core/journal.ts";
import {
  compareFeedIds,
  feedEnd,
  type FeedId,
  isFeedCut,
  readFeedRecords,
} from "../store/feed-store.ts";
import { itemsOfOrder, readJournal } from "../store/item-store.ts";
import type { Store } from "../store/store.ts";

/** Records that are read of one shard at a time; one holds the items of one batch of commits. */
const RECORDS_MAX = 50;

/** How far somebody has read: a place for each shard. */
export type FeedCursor = readonly FeedId[];

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

/** Where in the feed an event was told. */
export interface FeedPlace {
  readonly shard: number;
  readonly id: FeedId;
}

export type ToldEvent = FeedPlace & { readonly event: FeedEvent };

export interface FeedBatch {
  /** In the order of the feed's own clock. */
  readonly told: readonly ToldEvent[];
  /** Behind everything in it. */
  readonly cursor: FeedCursor;
  readonly isMore: boolean;
}

/** In front of everything that is committed from now on. */
export async function feedNow(store: Store): Promise<FeedCursor> {
  const end = await feedEnd(store);
  return Array.from({ length: store.layout.shards }, () => end);
}

/** What is behind the cursor, up to some hundred entries of each shard. */
export async function readFeed(store: Store, cursor: FeedCursor): Promise<FeedBatch> {
  const shards = await Promise.all(
    cursor.map(async (after, shard) => {
      const records = await readFeedRecords(store, shard, { after, limit: RECORDS_MAX });
      const grown = records.flatMap(({ id, grown }) => grown.map((each) => ({ id, ...each })));
      const told = await Promise.all(
        grown.map(async ({ id, itemId, from, to }) => {
          const entries = await readJournal(store, itemId, { from, to });
          return entries.map((entry, index): ToldEvent => ({
            shard,
            id,
            event: inShort(itemId, from + index, entry),
          }));
        }),
      );
      const last = records.at(-1)?.id ?? after;
      return { told: told.flat(), last, isMore: records.length === RECORDS_MAX };
    }),
  );
  return {
    told: shards
      .flatMap(({ told }) => told)
      .toSorted((left, right) => compareFeedIds(left.id, right.id)),
    cursor: shards.map(({ last }) => last),
    isMore: shards.some(({ isMore }) => isMore),
  };
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

/** Whether something behind the cursor may be told no more, because it is too long ago. */
export async function isCursorTooOld(store: Store, cursor: FeedCursor): Promise<boolean> {
  const cut = await Promise.all(cursor.map((after, shard) => isFeedCut(store, shard, after)));
  return cut.includes(true);
}

export function isBehind({ shard, id }: FeedPlace, cursor: FeedCursor): boolean {
  const after = cursor[shard];
  return after === undefined || compareFeedIds(id, after) > 0;
}

/** The further one of each shard. */
export function furthest(one: FeedCursor, other: FeedCursor): FeedCursor {
  return one.map((id, shard) => {
    const rival = other[shard];
    return rival !== undefined && compareFeedIds(rival, id) > 0 ? rival : id;
  });
}

/** As text: the latest moment, then for each shard how long before it, in base 36. */
export function cursorText(cursor: FeedCursor): string {
  const latest = Math.max(...cursor.map(({ ms }) => ms));
  const places = cursor.map(({ ms, seq }) => {
    const before = (latest - ms).toString(36);
    return seq === 0 ? before : `${before}-${seq.toString(36)}`;
  });
  return [latest.toString(36), ...places].join(".");
}

/** `undefined` when the text is no cursor of a feed with so many shards. */
export function readCursor(text: string, shards: number): FeedCursor | undefined {
  if (!/^[0-9a-z]{1,10}(\.[0-9a-z]{1,10}(-[0-9a-z]{1,10})?)+$/.test(text)) return undefined;
  const [latest = "", ...places] = text.split(".");
  if (places.length !== shards) return undefined;
  return places.map((place) => {
    const [before = "0", seq = "0"] = place.split("-");
    return { ms: Math.max(0, parseInt(latest, 36) - parseInt(before, 36)), seq: parseInt(seq, 36) };
  });
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
