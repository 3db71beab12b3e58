/**
 * All texts of a deployment that may be sealed: how many stand under which key, and written anew under the
 * first one.
 *
 * Always true: a text is replaced only if nothing at its Redis key has changed since it was read, so what
 * is committed meanwhile stays as it was committed. A text that does not open is left as it is. Whoever
 * is stopped halfway leaves some texts under the new key and some under old ones, which is how a walk
 * finds them anyhow: it goes on by being started again.
 */
import type { ChainableCommander, Redis } from "ioredis";
import { EngineError } from "../core/errors.ts";
import type { Layout } from "./keys.ts";
import { keyIdOf, sealed, type SealingSide, unsealed } from "./seal.ts";
import {
  blockedPlace,
  effectKeyId,
  encodeEffect,
  letterPlace,
  openActor,
  openEffect,
  sealActor,
  sealEffect,
  sealEntries,
} from "./sealed-texts.ts";
import type { ConnectedStore } from "./store.ts";

/** Texts that are read, and replaced, together. */
const PAGE = 200;

/** Redis keys looked at in one step of a scan. */
const SCAN_STEP = 1_000;

/** Times that one page is tried while others change it. */
const TRIES_MAX = 20;

/** Key ids, "" for plain texts, and how many stand under each. */
export type SealCounts = ReadonlyMap<string, number>;

export interface Resealed {
  readonly rewritten: number;
  /** Under the first key already. */
  readonly upToDate: number;
  /** Changed by others each time they were looked at; the next walk has them. */
  readonly busy: number;
  /** Did not open, and were left as they are: how many, by key id and error code. */
  readonly unopened: ReadonlyMap<string, number>;
}

export async function countSeals(store: ConnectedStore): Promise<SealCounts> {
  const counts = new Map<string, number>();
  for await (const { key, kind } of keysWithTexts(store)) {
    for (let at = "0", more = true; more; more = at !== "0") {
      const page = await readPage(store.redis, { key, kind }, at);
      for (const { text } of page.texts) add(counts, kind.keyId(text) ?? "");
      at = page.next;
    }
  }
  return counts;
}

/** @throws EngineError CONFIG_INVALID when the store has no seal */
export async function reseal(store: ConnectedStore): Promise<Resealed> {
  if (store.seal === undefined) {
    const message =
      "Texts are rewritten under the first of ORDERWRIGHT_ENCRYPTION_KEYS, which is not set. Set it.";
    throw new EngineError("CONFIG_INVALID", message);
  }
  const sum = { rewritten: 0, upToDate: 0, busy: 0, unopened: new Map<string, number>() };
  for await (const found of keysWithTexts(store)) {
    for (let at = "0", more = true; more; more = at !== "0") {
      at = await resealPage(store, { ...found, at }, sum);
    }
  }
  return sum;
}

type Sum = { -readonly [Name in keyof Resealed]: Resealed[Name] } & {
  readonly unopened: Map<string, number>;
};

interface Change {
  readonly field: string;
  readonly text: string;
}

async function resealPage(
  store: ConnectedStore,
  found: FoundKey & { readonly at: string },
  sum: Sum,
): Promise<string> {
  const { redis } = store;
  for (let tries = 1; ; tries += 1) {
    await redis.watch(found.key);
    const page = await readPage(redis, found, found.at);
    const { changes, unopened } = changesOf(store, found, page.texts);
    const isDone = changes.length === 0 || (await write(redis, found, changes));
    if (changes.length === 0) await redis.unwatch();
    if (!isDone && tries < TRIES_MAX) continue;
    for (const reason of unopened) add(sum.unopened, reason);
    sum.upToDate += page.texts.length - changes.length - unopened.length;
    if (isDone) sum.rewritten += changes.length;
    else sum.busy += changes.length;
    return page.next;
  }
}

function changesOf(
  store: ConnectedStore,
  { kind }: FoundKey,
  texts: readonly Change[],
): { readonly changes: readonly Change[]; readonly unopened: readonly string[] } {
  const changes: Change[] = [];
  const unopened: string[] = [];
  for (const { field, text } of texts) {
    const keyId = kind.keyId(text);
    if (keyId === store.seal?.keyId) continue;
    try {
      changes.push({ field, text: kind.anew(store, text, field) });
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      unopened.push(`${keyId ?? ""} ${error.code}`);
    }
  }
  return { changes, unopened };
}

/** False when anything at the key has changed since it is watched. */
async function write(
  redis: Redis,
  { key, kind }: FoundKey,
  changes: readonly Change[],
): Promise<boolean> {
  const writes: ChainableCommander = redis.multi();
  for (const { field, text } of changes) {
    if (kind.type === "string") writes.set(key, text);
    else if (kind.type === "list") writes.lset(key, Number(field), text);
    else writes.hset(key, field, text);
  }
  return (await writes.exec()) !== null;
}

interface TextPage {
  readonly texts: readonly Change[];
  /** "0": there are no more. */
  readonly next: string;
}

async function readPage(redis: Redis, { key, kind }: FoundKey, at: string): Promise<TextPage> {
  switch (kind.type) {
    case "string": {
      const text = await redis.get(key);
      return { texts: text === null ? [] : [{ field: "", text }], next: "0" };
    }
    case "list": {
      const from = Number(at);
      const read = await redis.lrange(key, from, from + PAGE - 1);
      const texts = read.map((text, index) => ({ field: String(from + index), text }));
      return { texts, next: read.length < PAGE ? "0" : String(from + PAGE) };
    }
    case "hash": {
      const [next, flat] = await redis.hscan(key, at, "COUNT", PAGE);
      const texts = flat.flatMap((field, index) =>
        index % 2 === 0 ? [{ field, text: flat[index + 1] ?? "" }] : [],
      );
      return { texts, next };
    }
  }
}

interface TextKind {
  readonly type: "string" | "list" | "hash";
  /** `undefined` for a plain text. */
  readonly keyId: (text: string) => string | undefined;
  /** @throws EngineError STORE_KEY_MISSING, STORE_CORRUPT */
  readonly anew: (side: SealingSide, text: string, field: string) => string;
}

interface FoundKey {
  readonly key: string;
  readonly kind: TextKind;
}

async function* keysWithTexts({ redis, layout }: ConnectedStore): AsyncGenerator<FoundKey> {
  let cursor = "0";
  do {
    const [next, keys] = await redis.scan(
      cursor,
      "MATCH",
      `${layout.prefix}:{s*}:*`,
      "COUNT",
      SCAN_STEP,
    );
    for (const key of keys) {
      const kind = kindOf(layout, key);
      if (kind !== undefined) yield { key, kind };
    }
    cursor = next;
  } while (cursor !== "0");
}

/** By the names of keys.ts; `undefined` where no text of an item is. */
function kindOf({ prefix }: Layout, key: string): TextKind | undefined {
  const [, name = "", rest = ""] =
    /^\{s\d+\}:([^:]+):?([^]*)$/.exec(key.slice(prefix.length + 1)) ?? [];
  switch (name) {
    case "a":
      return actorKind(rest);
    case "j":
      return journalKind(rest);
    case "out":
      // No channel has a colon.
      return effectKind(rest.slice(rest.indexOf(":") + 1));
    case "blocked":
      return blockedKind(rest);
    case "deadletters":
      return letterKind;
    default:
      return undefined;
  }
}

function actorKind(itemId: string): TextKind {
  return {
    type: "string",
    keyId: (text) => keyIdOf(text.slice(text.indexOf(" ") + 1)),
    anew: (side, text) => sealActor(side, itemId, openActor(side, itemId, text)),
  };
}

function journalKind(itemId: string): TextKind {
  const anew = (side: SealingSide, text: string): string =>
    sealEntries(side, itemId, [unsealed(side, ["journal", itemId], text)])[0] ?? text;
  return { type: "list", keyId: keyIdOf, anew };
}

function effectKind(itemId: string): TextKind {
  return {
    type: "list",
    keyId: effectKeyId,
    anew: (side, text) => sealEffect(side, itemId, encodeEffect(openEffect(side, itemId, text))),
  };
}

function blockedKind(channel: string): TextKind {
  return {
    type: "hash",
    keyId: keyIdOf,
    anew: (side, text, itemId) => {
      const place = blockedPlace(itemId, channel);
      return sealed(side, place, unsealed(side, place, text));
    },
  };
}

const letterKind: TextKind = {
  type: "hash",
  keyId: keyIdOf,
  anew: (side, text, id) => sealed(side, letterPlace(id), unsealed(side, letterPlace(id), text)),
};

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
