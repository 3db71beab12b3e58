/**
 * A Redis that has started anew, or took over from another, may have forgotten what it had acknowledged:
 * with AOF "everysec" up to a second, after a failover what the replica had not yet got. Nobody can tell
 * whether it did. What was sent upstream in that time was sent all the same, so for a while each push
 * begins with a look at the marketplace.
 *
 * Always true: no lane is claimed on a new server before its shards are marked. A new server knows no
 * scripts, so whoever claims first hears NOSCRIPT, and marks before the script is loaded.
 */
import type { Store } from "./store.ts";
import { allShards, cautionKey, serverKey } from "./keys.ts";
import type { ScriptHost } from "./scripts.ts";

/** Long enough for jobs that came back from oblivion to be worked on, and for producers to repeat what
 * they sent last. */
const CAUTION_MS = 2 * 60_000;

/** For the first start of a deployment: it has nothing that could be forgotten. */
export async function recordServer({ redis, layout }: Store): Promise<void> {
  await redis.setnx(serverKey(layout), await serverOf({ redis }));
}

/** Runs scripts, and marks before it loads one. */
export function markingHost(store: Store, now: number): ScriptHost {
  const { redis } = store;
  return {
    evalsha: (...call) => redis.evalsha(...call),
    eval: async (...call) => {
      await markNewServer(store, now);
      return redis.eval(...call);
    },
  };
}

/** Harmless to repeat: a crash in between leaves the script unloaded, and the next one marks again. */
async function markNewServer({ redis, layout }: Store, now: number): Promise<void> {
  const [known, present] = await Promise.all([redis.get(serverKey(layout)), serverOf({ redis })]);
  if (known === present) return;
  const until = now + CAUTION_MS;
  await Promise.all(allShards(layout).map((shard) => redis.set(cautionKey(layout, shard), until)));
  await redis.set(serverKey(layout), present);
}

/** Redis' own name for one run of one server process. */
async function serverOf({ redis }: Pick<Store, "redis">): Promise<string> {
  const info = await redis.info("server");
  return /^run_id:(\S+)/m.exec(info)?.[1] ?? "";
}
