/**
 * The feed of a shard: a list that tells which journals grew, written by the scripts that write to
 * journals, in the same write. A record names items and places in their journals; its own place, counted
 * from the first record ever, never changes. The newest ones alone are kept, so a reader that stayed away
 * too long has lost its place. So has one whose Redis has forgotten its last second: what stands in front
 * of the place is another record then, by which the reader knows.
 */
import { createHash } from "node:crypto";
import { shardPrefix } from "./keys.ts";
import { readFeedScript } from "./scripts.ts";
import type { Store } from "./store.ts";

/** How far somebody has read in one shard. */
export interface FeedMark {
  /** Records in front of it. */
  readonly place: number;
  /** Digest of the record right in front of it; "" when there is none. */
  readonly check: string;
}

export interface FeedRecord {
  readonly place: number;
  readonly grown: readonly GrownJournal[];
}

export interface GrownJournal {
  readonly itemId: string;
  /** Places of the new entries in the item's journal, from 0, both included. */
  readonly from: number;
  readonly to: number;
}

export type FeedReading =
  | {
      readonly outcome: "read";
      /** In order. */
      readonly records: readonly FeedRecord[];
      /** Behind them. */
      readonly mark: FeedMark;
    }
  /** What is behind the mark is not known any more. `mark` is the feed's end. */
  | { readonly outcome: "lost"; readonly mark: FeedMark };

/** Up to `limit` records behind `after`. */
export async function readFeedRecords(
  store: Store,
  shard: number,
  { after, limit }: { readonly after: FeedMark; readonly limit: number },
): Promise<FeedReading> {
  const [outcome, before, ...texts] = await runRead(store, shard, [after.place, limit]);
  if (outcome === "end") return { outcome: "lost", mark: markBehind(before, texts[0]) };
  if (digestOf(String(before)) !== after.check) {
    return { outcome: "lost", mark: await feedEnd(store, shard) };
  }
  const records = texts.map((text, index) => ({
    place: after.place + index,
    grown: grownIn(String(text)),
  }));
  const last = texts.at(-1);
  const mark = last === undefined ? after : markBehind(after.place + texts.length, last);
  return { outcome: "read", records, mark };
}

/** In front of everything that is committed from now on. */
export async function feedEnd(store: Store, shard: number): Promise<FeedMark> {
  const [, place, last] = await runRead(store, shard, [-1, 0]);
  return markBehind(place, last);
}

type Reply = readonly (string | number)[];

async function runRead(
  { redis, layout }: Store,
  shard: number,
  args: readonly number[],
): Promise<Reply> {
  return (await readFeedScript.run(redis, shardPrefix(layout, shard), args)) as Reply;
}

function markBehind(place: Reply[number] | undefined, last: Reply[number] | undefined): FeedMark {
  return { place: Number(place), check: digestOf(String(last ?? "")) };
}

/** Short: it tells a record from the one that took its place, and keeps no secret. */
function digestOf(record: string): string {
  return record === "" ? "" : createHash("sha1").update(record).digest("hex").slice(0, 6);
}

function grownIn(record: string): GrownJournal[] {
  const lines = record.split("\n");
  return lines.flatMap((itemId, index) => {
    if (index % 2 === 1) return [];
    const [length = 0, added = 0] = (lines[index + 1] ?? "").split(" ").map(Number);
    return [{ itemId, from: length - added, to: length - 1 }];
  });
}
