/**
 * One run of one contestant, from an empty Redis to a checked result.
 *
 * The clock runs from the first enqueue to the last PATCH; without PATCH, to the moment when the
 * queue is drained, which is when the last state is in Redis. Starting the worker, bringing the items
 * to `pending` and the whole lives of some items before them are not timed: a worker runs for weeks,
 * and in its first seconds V8 still interprets it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { cpuSecondsOf } from "./child-process.ts";
import type { Contestant, Effects } from "./contestant.ts";
import { patchFaults } from "./correctness.ts";
import type { RedisProcess } from "./redis-process.ts";
import type { Stub } from "./stub.ts";
import { itemIds, STEPS } from "./workload.ts";

export type Outcome =
  | {
      readonly outcome: "right";
      readonly eventsPerSecond: number;
      /** CPU seconds of the worker and Redis for 10,000 events; `undefined` outside Linux. */
      readonly cpuSecondsPer10k: number | undefined;
      /** What a run leaves in Redis, the queue's own keys included, for each finished item. */
      readonly bytesPerItem: number;
    }
  | { readonly outcome: "wrong"; readonly faults: readonly string[] };

export interface Setup {
  readonly redis: RedisProcess;
  readonly stub: Stub;
  readonly effects: Effects;
  readonly itemCount: number;
  /** Items that live before the clock starts. */
  readonly warmUpCount: number;
}

/** Without PATCH this is also the clock's resolution: half a percent of the shortest run. */
const POLL_INTERVAL_MS = 10;

/** A run in which nothing has moved for so long will not end; its faults are then reported. */
const STANDSTILL_MS = 15_000;

export async function measure(contestant: Contestant, setup: Setup): Promise<Outcome> {
  const { redis, stub, itemCount, warmUpCount } = setup;
  await redis.flush();
  await stub.reset();
  const run = await checkedRun(contestant, setup);
  if (run.outcome === "wrong") return run;
  const bytesWithData = await redis.usedBytes();
  // What a flush frees is the data. A figure from before the run would also charge the scripts and
  // buffers that stay in Redis to whichever contestant runs first.
  await redis.flush();
  return {
    ...run,
    bytesPerItem: (bytesWithData - (await redis.usedBytes())) / (itemCount + warmUpCount),
  };
}

type Run =
  | Omit<Extract<Outcome, { outcome: "right" }>, "bytesPerItem">
  | Extract<Outcome, { outcome: "wrong" }>;

async function checkedRun(contestant: Contestant, setup: Setup): Promise<Run> {
  const { redis, stub, effects } = setup;
  const all = itemIds(setup.warmUpCount + setup.itemCount);
  const items = all.slice(setup.warmUpCount);
  await contestant.start({ redisUrl: redis.url, stubUrl: stub.url, effects });
  try {
    await contestant.begin(all);
    await settled(contestant, stub, 0);
    await contestant.enqueueAll(all.slice(0, setup.warmUpCount));
    await settled(contestant, stub, patchesOf(effects, setup.warmUpCount));
    const timed = await timedPart(contestant, items, setup);
    await contestant.stopWorker();
    // Only now is it sure that nothing follows: a doubled PATCH may come after the last one.
    const report = await stub.report();
    const faults = [...(await contestant.verify(all)), ...patchFaults(report, all, effects)];
    if (faults.length > 0) return { outcome: "wrong", faults };
    const eventCount = items.length * STEPS.length;
    const endedAtMs = effects === "with-patch" ? report.lastPatchAtMs : timed.drainedAtMs;
    return {
      outcome: "right",
      eventsPerSecond: (eventCount * 1000) / (endedAtMs - timed.startedAtMs),
      cpuSecondsPer10k:
        timed.cpuSeconds === undefined ? undefined : (timed.cpuSeconds * 10_000) / eventCount,
    };
  } finally {
    await contestant.stopWorker();
    await contestant.close();
  }
}

interface Timed {
  readonly startedAtMs: number;
  readonly drainedAtMs: number;
  readonly cpuSeconds: number | undefined;
}

async function timedPart(
  contestant: Contestant,
  items: readonly string[],
  { redis, stub, effects, warmUpCount }: Setup,
): Promise<Timed> {
  const cpuNow = (): number | undefined => {
    const worker = cpuSecondsOf(contestant.workerPid());
    const server = cpuSecondsOf(redis.pid);
    return worker === undefined || server === undefined ? undefined : worker + server;
  };
  const cpuBefore = cpuNow();
  const startedAtMs = Date.now();
  await contestant.enqueueAll(items);
  await settled(contestant, stub, patchesOf(effects, warmUpCount + items.length));
  const drainedAtMs = Date.now();
  const cpuAfter = cpuNow();
  const cpuSeconds =
    cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore;
  return { startedAtMs, drainedAtMs, cpuSeconds };
}

function patchesOf(effects: Effects, itemCount: number): number {
  return effects === "with-patch" ? itemCount * STEPS.length : 0;
}

/** Waits until the queue is drained and `patches` PATCHes have come, or nothing moves any more. */
async function settled(contestant: Contestant, stub: Stub, patches: number): Promise<void> {
  let seen = "";
  let movedAtMs = Date.now();
  while (Date.now() - movedAtMs < STANDSTILL_MS) {
    const openEvents = await contestant.openEvents();
    const came = patches > 0 ? (await stub.count()).patches : 0;
    if (openEvents === 0 && came >= patches) return;
    const now = `${openEvents} ${came}`;
    if (now !== seen) movedAtMs = Date.now();
    seen = now;
    await delay(POLL_INTERVAL_MS);
  }
}
