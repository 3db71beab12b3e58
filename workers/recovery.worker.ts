/** The recovery sweep: gives back what dead workers held and repeats wake-up calls that were lost. */
import type { Queue, Worker } from "bullmq";
import type { Engine } from "../src/engine/engine.ts";
import { recover } from "../src/engine/recover.ts";
import { RECOVERY } from "../src/queue/queues.ts";
import type { WorkerSetting } from "./worker-setting.ts";
import { openWorker } from "./worker-setting.ts";

export function startRecoveryWorker(
  setting: WorkerSetting,
  engine: Engine,
  crmEvents: Queue,
): Worker {
  const process = recoveryProcessor(setting, engine, crmEvents);
  return openWorker(setting, RECOVERY, { concurrency: 1, process });
}

/** Resolves with the number of lanes taken back from dead owners. */
export function recoveryProcessor(
  { log }: Pick<WorkerSetting, "log">,
  engine: Engine,
  crmEvents: Pick<Queue, "getFailedCount" | "retryJobs">,
): () => Promise<number> {
  return async () => {
    const recovered = await recover(engine);
    // A job that could be neither completed nor put back (Redis was full) is BullMQ's idea of failed.
    if ((await crmEvents.getFailedCount()) > 0) await crmEvents.retryJobs({ state: "failed" });
    if (recovered > 0) log.warn({ recovered }, "lanes taken back from a dead worker");
    return recovered;
  };
}
