/** Delivers committed effects. A job says where; the outbox says what. */
import type { Job, Worker } from "bullmq";
import type { Applier } from "../src/engine/apply-events.ts";
import { openChannels } from "../src/engine/channel.ts";
import type { Drains } from "../src/engine/drain.ts";
import type { Engine } from "../src/engine/engine.ts";
import type { Notice, NoticesWebhook } from "../src/engine/notice.ts";
import type { PushAccount } from "../src/engine/push-ending.ts";
import type { ServiceabilityCheck } from "../src/engine/serviceability.ts";
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
  /** Absent: notices are told only. */
  readonly webhook?: NoticesWebhook | undefined;
  /** By account; absent, nobody is asked whether items can be served. */
  readonly checks?: ReadonlyMap<string, ServiceabilityCheck> | undefined;
  readonly drains: Drains;
  readonly signal: AbortSignal;
  /** A name that no other drain has, each time. */
  readonly newOwner: () => string;
}

interface Parts {
  readonly engine: Engine;
  readonly applier: Applier;
}

export function startPushWorker(
  setting: WorkerSetting,
  parts: Parts,
  options: PushWorkerOptions,
): Worker {
  const process = pushProcessor(setting, parts, options);
  return openWorker(setting, PUSHES, { concurrency: DRAINS_MAX, process });
}

/** Resolves with the number of lanes that it settled, once nothing of the channel can be delivered now. */
export function pushProcessor(
  { log, leaseMs }: Pick<WorkerSetting, "log" | "leaseMs">,
  parts: Parts,
  options: PushWorkerOptions,
): (job: Pick<Job, "data">) => Promise<number> {
  const { accounts, tell, webhook, checks } = options;
  const serve = openChannels({ ...parts, accounts, tell, webhook, checks });
  const unserved = new Set<string>();

  return async (job) => {
    const { channel } = job.data as Wake;
    const served = serve(channel);
    if (served === undefined) {
      if (!unserved.has(channel)) {
        log.error({ channel }, "no account configured for this channel; its effects wait");
      }
      unserved.add(channel);
      return 0;
    }
    return options.drains.run(parts.engine, {
      concurrency: options.concurrency,
      ...served,
      channel,
      owner: options.newOwner(),
      leaseMs,
      log,
      signal: options.signal,
    });
  };
}
