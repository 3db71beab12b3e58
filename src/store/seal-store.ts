/**
 * A store with the seal of its deployment. The deployment remembers of every key what tells it from
 * another of the same id, so a key that was mistyped is found at the start, and not by what it fails to
 * open.
 */
import { EngineError } from "../core/errors.ts";
import { sealsKey } from "./keys.ts";
import { fingerprintOf, openSeal, type SealKey, sealKeysOf } from "./seal.ts";
import type { ConnectedStore } from "./store.ts";

/**
 * `keys` as they are configured; without any the store stays as it is. A reader leaves Redis as it is.
 * @throws EngineError CONFIG_INVALID when a key is not the one that was known under its id
 */
export async function withSeal(
  store: ConnectedStore,
  keys: readonly string[] | undefined,
  role: "writer" | "reader" = "writer",
): Promise<ConnectedStore> {
  if (keys === undefined) return store;
  const sealKeys = sealKeysOf(keys);
  for (const key of sealKeys) await assertKnown(store, key, role);
  return { ...store, seal: openSeal(sealKeys) };
}

async function assertKnown(
  { redis, layout }: ConnectedStore,
  key: SealKey,
  role: "writer" | "reader",
): Promise<void> {
  const ours = fingerprintOf(key);
  const name = sealsKey(layout);
  if (role === "writer" && (await redis.hsetnx(name, key.id, ours)) === 1) return;
  const known = (await redis.hget(name, key.id)) ?? ours;
  if (known === ours) return;
  throw new EngineError(
    "CONFIG_INVALID",
    `Key "${key.id}" of ORDERWRIGHT_ENCRYPTION_KEYS is another one than this installation has known under that id. Put the right one there; a new key gets a new id.`,
  );
}
