/** Waits until the deployment has done everything that it has to do. */
import { setTimeout as delay } from "node:timers/promises";
import type { Queue } from "bullmq";
import { dueItems } from "../store/item-store.ts";
import { allShards, shardPrefix } from "../store/keys.ts";
import { channelsOf } from "../store/outbox-store.ts";
import { isRecomputed } from "./policy-change.ts";
import type { ConnectedStore } from "../store/store.ts";

/** What still waits; every number 0 when the deployment is at rest. */
export interface Unsettled {
  readonly jobs: number;
  readonly lanes: number;
  /** Items on which time has to act. */
  readonly due: number;
  /** 1 while open clocks are measured by another SLA policy. */
  readonly recomputations: number;
}

export interface Settling {
  readonly outcome: "settled" | "late";
  readonly tookMs: number;
  readonly left: Unsettled;
}

const LOOK_EVERY_MS = 200;
/** One look may fall between the end of one piece of work and the beginning of the next. */
const QUIET_LOOKS = 3;

export async function awaitSettled(
  store: ConnectedStore,
  crmEvents: Queue,
  patienceMs: number,
): Promise<Settling> {
  const begunAt = performance.now();
  for (let quiet = 0; ;) {
    const left = await lookAt(store, crmEvents);
    quiet = sum(Object.values(left)) === 0 ? quiet + 1 : 0;
    const tookMs = Math.round(performance.now() - begunAt);
    if (quiet >= QUIET_LOOKS) return { outcome: "settled", tookMs, left };
    if (tookMs > patienceMs) return { outcome: "late", tookMs, left };
    await delay(LOOK_EVERY_MS);
  }
}

async function lookAt(store: ConnectedStore, crmEvents: Queue): Promise<Unsettled> {
  const counts = await crmEvents.getJobCounts("wait", "active", "delayed", "prioritized", "failed");
  const shards = allShards(store.layout);
  const lanes = await Promise.all(shards.map((shard) => lanesOf(store, shard)));
  const now = Date.now();
  const due = await Promise.all(shards.map((shard) => dueItems(store, shard, { now, limit: 100 })));
  return {
    jobs: sum(Object.values(counts)),
    lanes: sum(lanes),
    due: due.flat().length,
    recomputations: (await isRecomputed(store)) ? 0 : 1,
  };
}

/** Blocked lanes wait for a person: they are dead letters, and judged as such. */
async function lanesOf(store: ConnectedStore, shard: number): Promise<number> {
  const prefix = shardPrefix(store.layout, shard);
  const channels = await channelsOf(store, shard);
  const counts = channels.flatMap((channel) =>
    ["ready", "leased", "later"].map((state) => store.redis.zcard(`${prefix}${state}:${channel}`)),
  );
  return sum(await Promise.all(counts));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
