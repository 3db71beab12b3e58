/** The recovery sweep: gives back what dead workers held and repeats wake-up calls that were lost. */
import type { Worker } from "bullmq";
import type { Engine } from "../src/engine/engine.ts";
import { recover } from "../src/engine/recover.ts";
import { RECOVERY } from "../src/queue/queues.ts";
import type { WorkerSetting } from "./worker-setting.ts";
import { openWorker } from "./worker-setting.ts";

export function startRecoveryWorker(setting: WorkerSetting, engine: Engine): Worker {
  return openWorker(setting, RECOVERY, {
    concurrency: 1,
    process: async () => {
      const recovered = await recover(engine);
      if (recovered > 0) setting.log.warn({ recovered }, "lanes taken back from a dead worker");
      return recovered;
    },
  });
}
