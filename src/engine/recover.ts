/** Finds what nobody works on: lanes of dead owners, and lanes whose wake-up call was lost. */
import { allShards } from "../store/keys.ts";
import { channelsOf, recoverLanes } from "../store/outbox-store.ts";
import type { Engine } from "./engine.ts";

/** Resolves with the number of lanes taken back from dead owners. */
export async function recover(engine: Engine): Promise<number> {
  const { store, now, wake } = engine;
  const perShard = await Promise.all(
    allShards(store.layout).map(async (shard) => {
      const channels = await channelsOf(store, shard);
      const counts = await Promise.all(
        channels.map(async (channel) => {
          const address = { shard, channel };
          const { recovered, hasWork } = await recoverLanes(store, address, now());
          if (hasWork) wake(address);
          return recovered;
        }),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    }),
  );
  return perShard.reduce((sum, count) => sum + count, 0);
}
