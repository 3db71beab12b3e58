/** The timer sweep: a BullMQ job scheduler ticks, and one process at a time lets time act. */
import type { Queue, Worker } from "bullmq";
import type { Applier } from "../src/engine/apply-events.ts";
import type { Engine } from "../src/engine/engine.ts";
import { sweepTimers } from "../src/engine/sweep-timers.ts";
import { TIMERS } from "../src/queue/queues.ts";
import type { WorkerSetting } from "./worker-setting.ts";
import { openWorker } from "./worker-setting.ts";

export function startTimerWorker(
  setting: WorkerSetting,
  { engine, applier }: { readonly engine: Engine; readonly applier: Applier },
  signal: AbortSignal,
): Worker {
  return openWorker(setting, TIMERS, {
    concurrency: 1,
    process: () => sweepTimers(engine, applier, signal),
  });
}

/** Replaces the schedule of every earlier start: there is one, whatever the number of processes. */
export async function schedule(queue: Queue, everyMs: number): Promise<void> {
  const opts = { removeOnComplete: true, removeOnFail: true };
  await queue.upsertJobScheduler("sweep", { every: everyMs }, { name: "sweep", opts });
}
