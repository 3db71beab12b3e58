/** What all workers have in common: how they meet BullMQ. */
import { type Job, Worker } from "bullmq";
import type { Logger } from "../src/logger.ts";
import type { QueueLink } from "../src/queue/queues.ts";
import { openConnection } from "../src/queue/queues.ts";

export interface WorkerSetting {
  readonly link: QueueLink;
  readonly log: Logger;
  /** After this, ms, a job whose worker died is given to another. */
  readonly leaseMs: number;
}

/** After a lost connection, ms. */
const RETRY_MS = 500;

interface WorkerOptions {
  readonly concurrency: number;
  /** What becomes of BullMQ's own commands when the connection breaks. */
  readonly sending?: "until-answered" | "once";
  readonly process: (job: Job, token: string | undefined) => Promise<unknown>;
}

export function openWorker(
  { link, log, leaseMs }: WorkerSetting,
  queue: string,
  { concurrency, process, sending }: WorkerOptions,
): Worker {
  const connection = openConnection(link, sending);
  const worker = new Worker(queue, (job, token) => process(job, token), {
    connection,
    prefix: link.prefix,
    concurrency,
    lockDuration: leaseMs,
    stalledInterval: Math.max(1_000, Math.round(leaseMs / 3)),
    // BullMQ waits 15 s by default before it goes on after a lost connection.
    runRetryDelay: RETRY_MS,
    // BullMQ fails a job after one stall by default. We count the crashes ourselves and bury it.
    maxStalledCount: Number.MAX_SAFE_INTEGER,
    // The journal is the record. Plain producers do not say this themselves, and their jobs would stay.
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 1_000 },
  });
  worker.on("error", (error) => log.warn({ err: error, queue }, "queue connection failed"));
  worker.on("failed", (job, error) =>
    log.error({ err: error, queue, jobId: job?.id }, "job failed"),
  );
  worker.on("closed", () => connection.disconnect());
  return worker;
}
