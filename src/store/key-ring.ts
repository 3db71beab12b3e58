/**
 * API keys as an HTTP server asks for them: every answer ends within a bounded time, whatever state Redis
 * is in, and a key that is shown often costs Redis one look in some seconds.
 *
 * Always true: a key that was revoked opens nothing later than `CACHED_FOR_MS` afterwards, in any process;
 * with a Redis that does not answer, nothing is opened that is not known from within that time. Texts are
 * kept nowhere, also not here.
 */
import type { Redis } from "ioredis";
import { EngineError } from "../core/errors.ts";
import type { Grant, KeyCheck } from "../core/grant.ts";
import { connect } from "./connection.ts";
import { findKey, grantOf, hasKeys, noteUse, standingOf, type StoredKey } from "./key-store.ts";
import { isOfDigest, readKeyText } from "./key-text.ts";
import { apiKeyLimiterKey, type Layout } from "./keys.ts";
import { takePermits } from "./limiter.ts";

/** So long a key goes on to be good in a process after it was revoked, at most. */
export const CACHED_FOR_MS = 5_000;

/** Keys in memory: more than an installation has. Whoever guesses fills them with what is not there. */
const CACHED_MAX = 1_000;

/** `lastUsedAt` is for people who look for keys that nobody needs. */
const USE_NOTED_EVERY_MS = 60_000;

export type Permit =
  | { readonly outcome: "granted" }
  | { readonly outcome: "wait"; readonly retryAfterMs: number };

export interface KeyRing {
  /** Whether any key was ever made. @throws EngineError REDIS_UNREACHABLE */
  readonly hasKeys: () => Promise<boolean>;
  /** @throws EngineError REDIS_UNREACHABLE, STORE_CORRUPT */
  readonly check: (text: string) => Promise<KeyCheck>;
  /** One request more of that key. @throws EngineError REDIS_UNREACHABLE */
  readonly permit: (grant: Grant) => Promise<Permit>;
  readonly close: () => void;
}

export interface KeyRingOptions {
  readonly redisUrl: string;
  readonly layout: Layout;
  /** Longest wait for any answer of Redis. */
  readonly timeoutMs: number;
  /** Ms since the epoch. */
  readonly now: () => number;
}

/** Does not wait for Redis: until it is there, every call rejects. */
export function openKeyRing({ redisUrl, layout, timeoutMs, now }: KeyRingOptions): KeyRing {
  const redis = connect(redisUrl, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    commandTimeout: timeoutMs,
  });
  const side = { redis, layout };
  const look = openCache((id: string) => findKey(side, id), now);
  let isDoorClosed = false;
  const lookAtDoor = openCache(() => hasKeys(side), now);
  const noteUseOf = openUseNotes(side, now);
  return {
    hasKeys: async () => {
      // No key is ever removed, so a yes is for ever.
      isDoorClosed ||= await reached(lookAtDoor("door"));
      return isDoorClosed;
    },
    check: async (text) => {
      const read = readKeyText(text);
      if (read.is !== "key") return { standing: read.is };
      const checked = judge(await reached(look(read.id)), text, now());
      if (checked.standing === "good") noteUseOf(read.id);
      return checked;
    },
    permit: ({ keyId, perMinute }) =>
      perMinute === null
        ? Promise.resolve({ outcome: "granted" })
        : reached(takePermit(redis, apiKeyLimiterKey(layout, keyId), perMinute)),
    close: () => redis.disconnect(),
  };
}

/** Whether that text is the key's, and how the key stands. Pure. */
export function judge(key: StoredKey | undefined, text: string, now: number): KeyCheck {
  // Whoever has only the id learns nothing about the key.
  if (key === undefined || !isOfDigest(text, key.digest)) return { standing: "unknown" };
  const standing = standingOf(key, now);
  return standing === "good" ? { standing, grant: grantOf(key) } : { standing };
}

async function takePermit(redis: Redis, key: string, perMinute: number): Promise<Permit> {
  const grant = await takePermits(redis, key, { limit: perMinute, want: 1, class: "urgent" });
  switch (grant.outcome) {
    case "granted":
      return { outcome: "granted" };
    case "wait":
      return { outcome: "wait", retryAfterMs: grant.retryAfterMs };
    case "held":
      // An account can be held and a key cannot: it is revoked.
      throw new EngineError("STORE_CORRUPT", `The limiter ${key} is held. Delete its Redis key.`);
  }
}

/** Answers are shared by all who ask meanwhile; failures are not kept. */
function openCache<Found>(
  find: (id: string) => Promise<Found>,
  now: () => number,
): (id: string) => Promise<Found> {
  const kept = new Map<string, { readonly askedAt: number; readonly found: Promise<Found> }>();
  return (id) => {
    const known = kept.get(id);
    if (known !== undefined && Math.abs(now() - known.askedAt) < CACHED_FOR_MS) return known.found;
    kept.delete(id);
    const [oldest] = kept.size >= CACHED_MAX ? kept.keys() : [];
    if (oldest !== undefined) kept.delete(oldest);
    const entry = { askedAt: now(), found: find(id) };
    kept.set(id, entry);
    entry.found.catch(() => {
      if (kept.get(id) === entry) kept.delete(id);
    });
    return entry.found;
  };
}

function openUseNotes(
  side: Parameters<typeof noteUse>[0],
  now: () => number,
): (id: string) => void {
  const notedAt = new Map<string, number>();
  return (id) => {
    const at = now();
    if (at - (notedAt.get(id) ?? 0) < USE_NOTED_EVERY_MS) return;
    notedAt.set(id, at);
    // Nobody is kept waiting or refused for it.
    noteUse(side, id, at).catch(() => notedAt.delete(id));
  };
}

async function reached<Result>(asked: Promise<Result>): Promise<Result> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError(
      "REDIS_UNREACHABLE",
      "Redis did not tell in time what the API key may do. Try again.",
      { cause: error },
    );
  }
}
