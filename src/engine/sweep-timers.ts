/** Lets time act: every item whose timer is due, or whose parked event has waited too long. */
import { allShards } from "../store/keys.ts";
import { dueItems } from "../store/item-store.ts";
import type { Applier } from "./apply-events.ts";
import type { Engine } from "./engine.ts";

/** Items handled before the next look, the longest due first: catching up keeps due order. */
const SWEEP_MAX = 500;

/** Resolves with the number of items that were handled. */
export async function sweepTimers(
  engine: Engine,
  applier: Applier,
  signal: AbortSignal,
): Promise<number> {
  const perShard = await Promise.all(
    allShards(engine.store.layout).map(async (shard) => {
      let swept = 0;
      for (let more = true; more && !signal.aborted;) {
        const due = await dueItems(engine.store, shard, { now: engine.now(), limit: SWEEP_MAX });
        await handleAll(applier, due);
        swept += due.length;
        more = due.length === SWEEP_MAX;
      }
      return swept;
    }),
  );
  return perShard.reduce((sum, count) => sum + count, 0);
}

/** One item that cannot be handled must not keep the others waiting. */
async function handleAll(applier: Applier, itemIds: readonly string[]): Promise<void> {
  const handled = await Promise.allSettled(itemIds.map((itemId) => applier.applyDue(itemId)));
  const reasons = handled.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
  if (reasons.length > 0) throw new AggregateError(reasons, `${reasons.length} items have no turn`);
}
