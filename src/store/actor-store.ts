/** Actors: read, and the one atomic write of a decision. */
import type { Store } from "./store.ts";
import { itemPrefix, shardPrefix } from "./keys.ts";
import { commitScript } from "./scripts.ts";
import { sealed } from "./seal.ts";
import { letterPlace, openActor, sealActor, sealEffect, sealEntries } from "./sealed-texts.ts";

/** What the commit writes of one actor. Texts are encoded by the caller, and sealed here. */
export interface Commit {
  readonly itemId: string;
  /** How the stored text begins that the decision was taken on, long enough to tell it from any other text
   * of the item. "" when there was none. */
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
  /** `sealed` is the actor as it is stored, where that is not `actorText` itself. */
  | { readonly result: "committed"; readonly sealed?: string }
  /** Somebody else committed first. `text` is the actor as it is stored now. */
  | { readonly result: "stale"; readonly text: string | undefined }
  /** An event was answered before. `answers` stand in the order of the marks; `undefined` is new. */
  | {
      readonly result: "duplicate";
      readonly text: string | undefined;
      readonly answers: readonly (string | undefined)[];
    };

/** @throws EngineError STORE_KEY_MISSING, STORE_CORRUPT */
export async function loadActors(
  store: Store,
  itemIds: readonly string[],
): Promise<(string | undefined)[]> {
  const texts = await loadStoredActors(store, itemIds);
  return texts.map((text, index) => text && openActor(store, itemIds[index] ?? "", text));
}

/** As they are stored: what a commit is compared with. */
export async function loadStoredActors(
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
  const texts = commits.map(
    ({ itemId, actorText }) => actorText && sealActor(store, itemId, actorText),
  );
  for (const [index, commit] of commits.entries()) {
    pushArguments(args, store, { commit, text: texts[index] });
  }
  const replies = await commitScript.run(store.redis, shardPrefix(store.layout, shard), args);
  return (replies as string[][]).map((reply, index) => {
    const text = texts[index];
    const isSealed = store.seal !== undefined && text !== undefined;
    const result = readResult(reply);
    return result.result === "committed" && isSealed ? { ...result, sealed: text } : result;
  });
}

function pushArguments(
  args: (string | number)[],
  store: Store,
  { commit, text }: { readonly commit: Commit; readonly text: string | undefined },
): void {
  const { itemId, effects, deadLetters } = commit;
  const entries = sealEntries(store, itemId, commit.entries);
  args.push(
    itemId,
    commit.opening,
    text ?? "",
    commit.dueAt ?? "",
    commit.oldStatus ?? "",
    commit.newStatus ?? "",
    commit.decidedAt,
    commit.order ?? "",
    commit.attention ?? "",
  );
  args.push(commit.marks.length, ...commit.marks.flat());
  args.push(commit.answers.length, ...commit.answers.flat());
  args.push(entries.length, ...entries);
  args.push(effects.length);
  for (const [channel, text] of effects) args.push(channel, sealEffect(store, itemId, text));
  args.push(deadLetters.length);
  for (const [id, text] of deadLetters) args.push(id, sealed(store, letterPlace(id), text));
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
