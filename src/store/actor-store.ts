/** Actors: read, and the one atomic write of a decision. */
import type { Store } from "./store.ts";
import { itemPrefix, shardPrefix } from "./keys.ts";
import { commitScript } from "./scripts.ts";

/** What the commit writes of one actor. Texts are encoded by the caller. */
export interface Commit {
  readonly itemId: string;
  /** How the text begins that the decision was taken on, long enough to tell it from any other text of the
   * item. "" when there was none. */
  readonly opening: string;
  /** Absent: nothing to remember of this item (its last waiting event became a dead letter). */
  readonly actorText?: string | undefined;
  readonly dueAt?: number | undefined;
  readonly oldStatus?: string | undefined;
  readonly newStatus?: string | undefined;
  readonly decidedAt: number;
  readonly order?: string | undefined;
  /** Since when a person should look at the item, ms; "none" when nobody need any more. Absent: as before. */
  readonly attention?: number | "none" | undefined;
  /** Event identity and answer, for events that are answered for the first time. */
  readonly marks: readonly (readonly [mark: string, answer: string])[];
  /** Answers that replace an earlier one: an event that was parked was applied now. They leave out the
   * first word of an answer, the digest of the event's content, which the script keeps. */
  readonly answers: readonly (readonly [mark: string, answer: string])[];
  readonly entries: readonly string[];
  readonly effects: readonly (readonly [channel: string, effect: string])[];
  readonly deadLetters: readonly (readonly [id: string, text: string])[];
  /** Channels whose effects, if any wait, are looked up upstream before they are sent. */
  readonly lookFirst: readonly string[];
}

export type CommitResult =
  | { readonly result: "committed" }
  /** Somebody else committed first. `text` is the actor as it is now. */
  | { readonly result: "stale"; readonly text: string | undefined }
  /** An event was answered before. `answers` stand in the order of the marks; `undefined` is new. */
  | {
      readonly result: "duplicate";
      readonly text: string | undefined;
      readonly answers: readonly (string | undefined)[];
    };

export async function loadActors(
  store: Store,
  itemIds: readonly string[],
): Promise<(string | undefined)[]> {
  const texts = await Promise.all(
    itemIds.map((id) => store.redis.get(`${itemPrefix(store.layout, id)}a:${id}`)),
  );
  return texts.map((text) => text ?? undefined);
}

/** All commits must be of items of this shard. Results stand in the order of the commits. */
export async function commitActors(
  store: Store,
  shard: number,
  { commits, dedupeForMs }: { readonly commits: readonly Commit[]; readonly dedupeForMs: number },
): Promise<CommitResult[]> {
  const args: (string | number)[] = [commits.length, dedupeForMs];
  for (const commit of commits) pushArguments(args, commit);
  const replies = await commitScript.run(store.redis, shardPrefix(store.layout, shard), args);
  return (replies as string[][]).map(readResult);
}

function pushArguments(args: (string | number)[], commit: Commit): void {
  args.push(
    commit.itemId,
    commit.opening,
    commit.actorText ?? "",
    commit.dueAt ?? "",
    commit.oldStatus ?? "",
    commit.newStatus ?? "",
    commit.decidedAt,
    commit.order ?? "",
    commit.attention ?? "",
  );
  args.push(commit.marks.length, ...commit.marks.flat());
  args.push(commit.answers.length, ...commit.answers.flat());
  args.push(commit.entries.length, ...commit.entries);
  args.push(commit.effects.length, ...commit.effects.flat());
  args.push(commit.deadLetters.length, ...commit.deadLetters.flat());
  args.push(commit.lookFirst.length, ...commit.lookFirst);
}

function readResult([result, text, ...answers]: string[]): CommitResult {
  const present = text || undefined;
  if (result === "committed") return { result };
  if (result === "stale") return { result, text: present };
  return {
    result: "duplicate",
    text: present,
    answers: answers.map((answer) => answer || undefined),
  };
}
