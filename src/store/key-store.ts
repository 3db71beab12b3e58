/**
 * API keys, one hash of a deployment:
 *
 *   <id>            JSON: what the key may do, and the digest of its text; never changes
 *   <id>:revoked    when it was revoked, ms
 *   <id>:replaced   JSON: which key took its place, and until when both are good
 *   <id>:used       when it was last used, ms, give or take a minute
 *
 * Always true: a change is one command on a field of its own, so a use that is noted late, a rotation and
 * a revocation never undo each other. No key is ever removed: an installation that once had one never
 * takes itself for one without. The text of a key is not here.
 */
import type { Redis } from "ioredis";
import { EngineError } from "../core/errors.ts";
import { type Grant, type KeyFault, type Scope, SCOPES } from "../core/grant.ts";
import { digestOf, newKey } from "./key-text.ts";
import { apiKeysKey, type Layout } from "./keys.ts";

export interface KeySide {
  readonly redis: Pick<Redis, "hget" | "hgetall" | "hlen" | "hmget" | "hset" | "hsetnx">;
  readonly layout: Layout;
}

/** What a key may do, for how long. Times in ms since the epoch. */
export interface KeyTerms {
  /** For people: whose it is. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly account?: string;
  readonly perMinute: number | null;
  readonly createdAt: number;
  /** Absent: it is good until it is revoked. */
  readonly expiresAt?: number;
}

export interface StoredKey extends KeyTerms {
  readonly id: string;
  readonly digest: string;
  readonly revokedAt?: number;
  readonly replaced?: Replacement;
  readonly lastUsedAt?: number;
}

export interface Replacement {
  /** Id of the key that took its place. */
  readonly by: string;
  /** Until when both are good, ms. */
  readonly until: number;
}

export interface MadeKey {
  readonly id: string;
  /** The only time that anybody sees it. */
  readonly text: string;
}

export async function makeKey({ redis, layout }: KeySide, terms: KeyTerms): Promise<MadeKey> {
  const { id, text } = newKey();
  await redis.hset(apiKeysKey(layout), { [id]: recordOf(text, terms) });
  return { id, text };
}

export type Rotated =
  | ({ readonly outcome: "rotated" } & MadeKey)
  /** Somebody revoked the old key meanwhile, so the new one was revoked as well. */
  | { readonly outcome: "revoked" };

/** The new key and the end of the old one are written together. `until`: to when both are good, ms. */
export async function rotateKey(
  side: KeySide,
  old: StoredKey,
  { terms, until }: { readonly terms: KeyTerms; readonly until: number },
): Promise<Rotated> {
  const { id, text } = newKey();
  const replaced: Replacement = { by: id, until };
  await side.redis.hset(apiKeysKey(side.layout), {
    [id]: recordOf(text, terms),
    [`${old.id}:replaced`]: JSON.stringify(replaced),
  });
  const isRevoked = await side.redis.hget(apiKeysKey(side.layout), `${old.id}:revoked`);
  if (isRevoked === null) return { outcome: "rotated", id, text };
  await revokeKey(side, id, terms.createdAt);
  return { outcome: "revoked" };
}

/** The first time counts. */
export async function revokeKey(
  { redis, layout }: KeySide,
  id: string,
  at: number,
): Promise<"revoked" | "was-revoked"> {
  const isFirst = await redis.hsetnx(apiKeysKey(layout), `${id}:revoked`, String(at));
  return isFirst === 1 ? "revoked" : "was-revoked";
}

export async function noteUse({ redis, layout }: KeySide, id: string, at: number): Promise<void> {
  await redis.hset(apiKeysKey(layout), { [`${id}:used`]: String(at) });
}

/** Whether a key was ever made, also one that is not good any more. */
export async function hasKeys({
  redis,
  layout,
}: Pick<KeySide, "redis" | "layout">): Promise<boolean> {
  return (await redis.hlen(apiKeysKey(layout))) > 0;
}

export async function findKey(
  { redis, layout }: KeySide,
  id: string,
): Promise<StoredKey | undefined> {
  const [record, ...others] = await redis.hmget(
    apiKeysKey(layout),
    id,
    `${id}:revoked`,
    `${id}:replaced`,
    `${id}:used`,
  );
  return record ? storedKey(id, record, others) : undefined;
}

/** In the order in which they were made. */
export async function listKeys({ redis, layout }: KeySide): Promise<StoredKey[]> {
  const fields = await redis.hgetall(apiKeysKey(layout));
  return Object.entries(fields)
    .filter(([name]) => !name.includes(":"))
    .map(([id, record]) => {
      const others = ["revoked", "replaced", "used"].map((each) => fields[`${id}:${each}`] ?? null);
      return storedKey(id, record, others);
    })
    .toSorted((left, right) => left.createdAt - right.createdAt);
}

/** Why the key is not good at that moment, or "good". Pure. */
export function standingOf(key: StoredKey, now: number): "good" | KeyFault {
  if (key.revokedAt !== undefined) return "revoked";
  if (key.expiresAt !== undefined && now >= key.expiresAt) return "expired";
  return key.replaced !== undefined && now >= key.replaced.until ? "replaced" : "good";
}

export function grantOf({ id: keyId, name, scopes, account, perMinute }: StoredKey): Grant {
  return { keyId, name, scopes, perMinute, ...(account !== undefined && { account }) };
}

function recordOf(text: string, terms: KeyTerms): string {
  return JSON.stringify({ ...terms, digest: digestOf(text) });
}

/** @throws EngineError STORE_CORRUPT, for a key that is read wrongly could give more than it should */
function storedKey(id: string, record: string, others: readonly (string | null)[]): StoredKey {
  const [revoked, replaced, used] = others;
  return {
    ...readRecord(id, record),
    id,
    ...(revoked && { revokedAt: Number(revoked) }),
    ...(replaced && { replaced: JSON.parse(replaced) as Replacement }),
    ...(used && { lastUsedAt: Number(used) }),
  };
}

type Recorded = KeyTerms & { readonly digest: string };

function readRecord(id: string, record: string): Recorded {
  const value = parsed(record);
  const { name, digest, scopes, createdAt } = value;
  const isWhole =
    typeof name === "string" &&
    typeof digest === "string" &&
    Number.isSafeInteger(createdAt) &&
    Array.isArray(scopes) &&
    scopes.every((scope) => SCOPES.includes(scope));
  if (isWhole) return value as Recorded;
  throw new EngineError(
    "STORE_CORRUPT",
    `The record of API key ${id} cannot be read, so the key opens nothing. Revoke it and make another.`,
  );
}

function parsed(record: string): Partial<Recorded> {
  try {
    const value: unknown = JSON.parse(record);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
