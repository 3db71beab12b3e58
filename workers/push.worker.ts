/** Delivers committed effects. A job says where; the outbox says what. */
import { randomUUID } from "node:crypto";
import type { Worker } from "bullmq";
import type { Applier } from "../src/engine/apply-events.ts";
import { type Notice, openChannels } from "../src/engine/channel.ts";
import type { Drains } from "../src/engine/drain.ts";
import type { Engine } from "../src/engine/engine.ts";
import type { PushAccount } from "../src/engine/push-ending.ts";
import { PUSHES } from "../src/queue/queues.ts";
import type { Wake } from "../src/queue/wake.ts";
import type { WorkerSetting } from "./worker-setting.ts";
import { openWorker } from "./worker-setting.ts";

/** Drains side by side in one process; each has its own channel. */
const DRAINS_MAX = 256;

export interface PushWorkerOptions {
  readonly accounts: readonly PushAccount[];
  /** Pushes of one account under way in this process. */
  readonly concurrency: number;
  readonly tell: (notice: Notice) => void;
  readonly drains: Drains;
  readonly signal: AbortSignal;
}

export function startPushWorker(
  setting: WorkerSetting,
  parts: { readonly engine: Engine; readonly applier: Applier },
  options: PushWorkerOptions,
): Worker {
  const serve = openChannels({ ...parts, accounts: options.accounts, tell: options.tell });
  const unserved = new Set<string>();

  return openWorker(setting, PUSHES, {
    concurrency: DRAINS_MAX,
    process: async (job) => {
      const { channel } = job.data as Wake;
      const served = serve(channel);
      if (served === undefined) {
        if (!unserved.has(channel)) {
          setting.log.error(
            { channel },
            "no account configured for this channel; its effects wait",
          );
        }
        unserved.add(channel);
        return 0;
      }
      return options.drains.run(parts.engine, {
        ...served,
        channel,
        owner: randomUUID(),
        leaseMs: setting.leaseMs,
        concurrency: options.concurrency,
        log: setting.log,
        signal: options.signal,
      });
    },
  });
}
