/** How often a job has taken its worker down with it. Kept only for jobs under suspicion. */
import type { Store } from "./store.ts";

function crashKey({ layout }: Store): string {
  return `${layout.prefix}:{crash}:begun`;
}

/** Before the job is run: the count, this run included. */
export async function countSuspectRun(store: Store, jobId: string): Promise<number> {
  return store.redis.hincrby(crashKey(store), jobId, 1);
}

export async function clearSuspect(store: Store, jobId: string): Promise<void> {
  await store.redis.hdel(crashKey(store), jobId);
}
