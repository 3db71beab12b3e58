/** Dead letters: events and effects that need a person. Written by commit and settle; read and ended here. */
import type { ArrivedEvent } from "../core/arrival.ts";
import type { OutboxEffect } from "../core/decision.ts";
import type { Problem } from "../core/errors.ts";
import type { Store } from "./store.ts";
import { type PageQuery, pageOf } from "./index-page.ts";
import { allShards, shardOf, shardPrefix } from "./keys.ts";
import { buryScript, endLetterScript } from "./scripts.ts";
import { sealed, unsealed } from "./seal.ts";
import { letterPlace } from "./sealed-texts.ts";

export type DeadLetter = {
  /** Made of the event's identity, of the effect's id or of the job's: burying twice keeps one. */
  readonly id: string;
  readonly at: number;
  readonly problem: Problem;
} & (
  | { readonly kind: "event"; readonly event: ArrivedEvent }
  | {
      readonly kind: "effect";
      readonly itemId: string;
      readonly channel: string;
      readonly effect: OutboxEffect;
    }
  /** A timer on which the machine fails; it tries again by itself. */
  | { readonly kind: "timer"; readonly itemId: string; readonly timer: string }
  /** An account whose API key the marketplace refuses: its pushes wait until it is released. */
  | { readonly kind: "account"; readonly account: string }
  /** What could not even be read as an event, as it came. */
  | { readonly kind: "unreadable"; readonly data: unknown }
);

/** The item that a letter is about, when it names one. */
export function itemOfLetter(letter: DeadLetter): string | undefined {
  switch (letter.kind) {
    case "event":
      return letter.event.subject;
    case "effect":
    case "timer":
      return letter.itemId;
    case "account":
    case "unreadable":
      return undefined;
  }
}

/** A letter lives with its item; one without an item, by its own id. */
function homeOf(letter: DeadLetter): string {
  return itemOfLetter(letter) ?? letter.id;
}

/** For letters that no commit carries: unreadable jobs and jobs that kill their worker. */
export async function bury(store: Store, letter: DeadLetter): Promise<void> {
  const prefix = shardPrefix(store.layout, shardOf(store.layout, homeOf(letter)));
  const text = sealed(store, letterPlace(letter.id), JSON.stringify(letter));
  await buryScript.run(store.redis, prefix, [letter.id, letter.at, text]);
}

/** Newest first. */
export async function listDeadLetters(store: Store, limit: number): Promise<DeadLetter[]> {
  const perShard = await Promise.all(
    allShards(store.layout).map(async (shard) => {
      const prefix = shardPrefix(store.layout, shard);
      const ids = await store.redis.zrevrange(`${prefix}dead`, 0, limit - 1);
      if (ids.length === 0) return [];
      const texts = await store.redis.hmget(`${prefix}deadletters`, ...ids);
      return lettersOf(store, ids, texts);
    }),
  );
  return perShard
    .flat()
    .toSorted((left, right) => right.at - left.at)
    .slice(0, limit);
}

export interface DeadLetterPage {
  readonly letters: readonly DeadLetter[];
  /** Give it back to get the next page; absent on the last one. */
  readonly next?: string;
}

/** Oldest first, so that a letter that ends meanwhile moves none of the others. */
export async function pageDeadLetters(store: Store, query: PageQuery): Promise<DeadLetterPage> {
  const { entries, ...rest } = await pageOf(store, ["dead"], query);
  const texts = await Promise.all(
    entries.map(({ member, shard }) =>
      store.redis.hget(`${shardPrefix(store.layout, shard)}deadletters`, member),
    ),
  );
  const ids = entries.map(({ member }) => member);
  return { letters: lettersOf(store, ids, texts), ...rest };
}

/** A letter that has ended meanwhile is left out. */
function lettersOf(
  store: Store,
  ids: readonly string[],
  texts: readonly (string | null)[],
): DeadLetter[] {
  return ids.flatMap((id, index) => {
    const text = texts[index] ?? null;
    return text === null ? [] : [openLetter(store, id, text)];
  });
}

function openLetter(store: Store, id: string, text: string): DeadLetter {
  return JSON.parse(unsealed(store, letterPlace(id), text)) as DeadLetter;
}

export async function findDeadLetter(store: Store, id: string): Promise<DeadLetter | undefined> {
  const texts = await Promise.all(
    allShards(store.layout).map((shard) =>
      store.redis.hget(`${shardPrefix(store.layout, shard)}deadletters`, id),
    ),
  );
  const text = texts.find((found) => found !== null);
  return text === undefined ? undefined : openLetter(store, id, text);
}

export async function endDeadLetter(store: Store, letter: DeadLetter): Promise<void> {
  const prefix = shardPrefix(store.layout, shardOf(store.layout, homeOf(letter)));
  await endLetterScript.run(store.redis, prefix, [letter.id]);
}
