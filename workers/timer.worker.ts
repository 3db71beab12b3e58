/** The timer sweep: a BullMQ job scheduler ticks, and one process at a time lets time act. */
import type { Queue, Worker } from "bullmq";
import type { Applier } from "../src/engine/apply-events.ts";
import type { Engine } from "../src/engine/engine.ts";
import { watchPushes } from "../src/engine/overdue-pushes.ts";
import { recomputeClocks } from "../src/engine/recompute-clocks.ts";
import { sweepTimers } from "../src/engine/sweep-timers.ts";
import { TIMERS } from "../src/queue/queues.ts";
import type { WorkerSetting } from "./worker-setting.ts";
import { openWorker } from "./worker-setting.ts";

interface Parts {
  readonly engine: Engine;
  readonly applier: Applier;
}

export function startTimerWorker(
  setting: WorkerSetting,
  parts: Parts,
  signal: AbortSignal,
): Worker {
  const process = timerProcessor(parts, signal);
  return openWorker(setting, TIMERS, { concurrency: 1, process });
}

/** Resolves with the number of items on which time has acted. */
export function timerProcessor(
  { engine, applier }: Parts,
  signal: AbortSignal,
): () => Promise<number> {
  return async () => {
    try {
      return await sweepTimers(engine, applier, signal);
    } finally {
      // Timers come first, and one item that has no turn must not hold up the other items' clocks.
      try {
        await recomputeClocks(engine, applier, signal);
      } finally {
        await watchPushes(engine, applier, signal);
      }
    }
  };
}

/** Replaces the schedule of every earlier start: there is one, whatever the number of processes. */
export async function schedule(queue: Queue, everyMs: number): Promise<void> {
  const opts = { removeOnComplete: true, removeOnFail: true };
  await queue.upsertJobScheduler("sweep", { every: everyMs }, { name: "sweep", opts });
}
