import type { Waiting } from "../store/lane-count.ts";

/**
 * Shares out permits among shards: first what is urgent anywhere, then the rest, in both rounds one to
 * each shard in turn, so that none waits for another's backlog. Pure; the shares stand in the order of
 * the shards and never exceed what waits in one.
 */
export function shareOut(permits: number, waiting: readonly Waiting[]): number[] {
  const shares = waiting.map(() => 0);
  let left = permits;
  for (const kind of ["urgent", "routine"] as const) {
    const open = waiting.map((each) => each[kind]);
    while (left > 0 && open.some((count) => count > 0)) {
      for (const [shard, count] of open.entries()) {
        if (left === 0 || count === 0) continue;
        open[shard] = count - 1;
        shares[shard] = (shares[shard] ?? 0) + 1;
        left -= 1;
      }
    }
  }
  return shares;
}
