/**
 * The front door's worker: a job of `crm-events` is complete only when each of its events has an outcome
 * in the store. It never fails a job: BullMQ would keep it among the failed ones, where nobody looks.
 *
 * A Redis that comes back without its last second brings the job back, and forgets the outcome. So a job
 * is not completed over a connection that broke since it was begun: it is put back, and answered from
 * memory if nothing was forgotten. Its completion is sent once; unanswered, the job comes back too.
 */
import { DelayedError, type Job, type Worker } from "bullmq";
import type { Applier } from "../src/engine/apply-events.ts";
import type { Engine } from "../src/engine/engine.ts";
import type { JobAnswer } from "../src/engine/handle-job.ts";
import { handleJob, handleSuspect } from "../src/engine/handle-job.ts";
import { CRM_EVENTS } from "../src/queue/queues.ts";
import type { WorkerSetting } from "./worker-setting.ts";
import { openWorker } from "./worker-setting.ts";

/** A job that cannot be worked on now (the store is away) is tried again after this, ms. */
const AGAIN_MS = 1_000;

/**
 * A worker that dies is seldom killed by a job: machines fail, deployments end processes. All that it had in
 * hand is taken over at once, and only what was in hand at a second death is suspect: one at a time, a
 * worker's jobs took 20 s and held every place of the worker that took them over (measured under load).
 */
const STALLS_TRUSTED = 1;

interface ProcessorOptions {
  /** Runs that ended with the worker's death after which a job is a dead letter. */
  readonly crashLimit: number;
  /** How often the store's connection has broken. */
  readonly breaks: () => number;
}

export interface EventWorkerOptions extends ProcessorOptions {
  readonly concurrency: number;
}

interface Parts {
  readonly engine: Engine;
  readonly applier: Applier;
}

/** What the processor needs of a job. */
export type EventJob = Pick<Job, "id" | "data" | "timestamp" | "stalledCounter" | "moveToDelayed">;

export function startEventWorker(
  setting: WorkerSetting,
  parts: Parts,
  { concurrency, ...options }: EventWorkerOptions,
): Worker {
  const process = eventProcessor(setting, parts, options);
  return openWorker(setting, CRM_EVENTS, { concurrency, process, sending: "once" });
}

/** Rejects with BullMQ's DelayedError when it has put the job back. */
export function eventProcessor(
  { log }: Pick<WorkerSetting, "log">,
  { engine, applier }: Parts,
  { crashLimit, breaks }: ProcessorOptions,
): (job: EventJob, token: string | undefined) => Promise<JobAnswer[]> {
  const suspects = new Turnstile();

  const work = async (job: EventJob): Promise<JobAnswer[]> => {
    const seen = { id: String(job.id), data: job.data as unknown, enqueuedAt: job.timestamp };
    if (job.stalledCounter <= STALLS_TRUSTED) return handleJob(engine, applier, seen);
    // Workers died while it was under way, with others beside it. They are run one at a time, and
    // counted while they run, so that the one that kills is told from those that stood beside it.
    return suspects.pass(() => handleSuspect(engine, applier, { ...seen, crashLimit }));
  };

  return async (job, token) => {
    const breaksBefore = breaks();
    try {
      const answers = await work(job);
      if (breaks() === breaksBefore) return answers;
      log.debug({ jobId: job.id }, "job put back: the connection broke meanwhile");
    } catch (error) {
      log.warn({ err: error, jobId: job.id }, "job put back");
    }
    await job.moveToDelayed(Date.now() + AGAIN_MS, token);
    // BullMQ's way of hearing that the job is neither complete nor failed.
    throw new DelayedError();
  };
}

/** Lets one through at a time. */
class Turnstile {
  #last: Promise<unknown> = Promise.resolve();

  async pass<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(run, run);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
