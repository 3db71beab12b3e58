/**
 * A Redis that has started anew, or took over from another, may have forgotten what it had acknowledged:
 * with AOF "everysec" up to a second, after a failover what the replica had not yet got. Nobody can tell
 * whether it did. What was sent upstream in that time was sent all the same, so for a while each push
 * begins with a look at the marketplace.
 *
 * Always true: no lane is claimed on a new server before its shard is cautious, for the claim itself looks
 * which server it runs on (lua/claim-lanes.lua).
 */
import type { Store } from "./store.ts";
import { allShards, serverKey } from "./keys.ts";

/** As long as an early event waits by default: one that waits for what was forgotten goes on without it
 * then, and its push may have been sent before. */
export const CAUTION_MS = 15 * 60_000;

/** For the first start of a deployment, which has nothing that could be forgotten. */
export async function recordServer({ redis, layout }: Store): Promise<void> {
  // Redis' own name for one run of one server process.
  const server = /^run_id:(\w+)/m.exec(await redis.info("server"))?.[1] ?? "";
  await Promise.all(allShards(layout).map((shard) => redis.set(serverKey(layout, shard), server)));
}
