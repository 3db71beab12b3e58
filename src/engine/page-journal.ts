/**
 * A journal in pages. An entry's place never changes, for journals only grow; so pages stay in step
 * while the item goes on.
 */
import type { JournalEntry } from "../core/journal.ts";
import { loadActors } from "../store/actor-store.ts";
import { journalLength, readJournal } from "../store/item-store.ts";
import type { ReadingSide } from "./describe-item.ts";

export interface JournalQuery {
  /** Which end the pages begin at. */
  readonly first: "oldest" | "newest";
  /** The place that the page before ended with. */
  readonly after?: number | undefined;
  readonly limit: number;
}

export interface JournalPage {
  readonly itemId: string;
  /** Entries that the journal has now. */
  readonly length: number;
  readonly entries: readonly { readonly place: number; readonly entry: JournalEntry }[];
  /** Give it back as `after` to get the next page; absent on the last one. */
  readonly next?: number;
}

/** `undefined` when nothing is known of the item. Places are counted from 0, the birth. */
export async function pageJournal(
  { store }: Pick<ReadingSide, "store">,
  itemId: string,
  { first, after, limit }: JournalQuery,
): Promise<JournalPage | undefined> {
  const length = await journalLength(store, itemId);
  if (length === 0) {
    const [text] = await loadActors(store, [itemId]);
    return text === undefined ? undefined : { itemId, length, entries: [] };
  }
  const { from, to } = rangeOf({ first, after, limit }, length);
  if (to < from) return { itemId, length, entries: [] };
  const read = await readJournal(store, itemId, { from, to });
  const placed = read.map((entry, index) => ({ place: from + index, entry }));
  const entries = first === "oldest" ? placed : placed.toReversed();
  const last = entries.at(-1)?.place;
  const isMore = first === "oldest" ? to < length - 1 : from > 0;
  return { itemId, length, entries, ...(isMore && last !== undefined && { next: last }) };
}

/** Places, both included; none when `to` is in front of `from`. */
export function rangeOf(
  { first, after, limit }: JournalQuery,
  length: number,
): { readonly from: number; readonly to: number } {
  if (first === "oldest") {
    const from = (after ?? -1) + 1;
    return { from, to: Math.min(length, from + limit) - 1 };
  }
  const end = Math.min(length, after ?? length);
  return { from: Math.max(0, end - limit), to: end - 1 };
}
