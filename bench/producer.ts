/**
 * The CRM's side: a plain BullMQ queue, one event in each job. Every contestant is fed by this code,
 * so the cost of enqueueing is the same for all.
 */
import { Queue } from "bullmq";
import type { CloudEventInput } from "../src/core/event.ts";

/** Jobs in one `addBulk`: larger ones gain nothing and keep Redis busy for tens of milliseconds. */
const JOBS_PER_BULK = 500;

export class Producer {
  readonly #queue: Queue<CloudEventInput>;

  constructor(queueName: string, redisUrl: string) {
    this.#queue = new Queue(queueName, {
      connection: { url: redisUrl },
      defaultJobOptions: { removeOnComplete: true },
    });
  }

  async enqueue(events: Iterable<CloudEventInput>): Promise<void> {
    let jobs: { name: string; data: CloudEventInput }[] = [];
    for (const data of events) {
      jobs.push({ name: data.type, data });
      if (jobs.length < JOBS_PER_BULK) continue;
      await this.#queue.addBulk(jobs);
      jobs = [];
    }
    if (jobs.length > 0) await this.#queue.addBulk(jobs);
  }

  /** Jobs that wait, run or will be tried again. */
  async openJobs(): Promise<number> {
    return this.#queue.getJobCountByTypes("wait", "active", "delayed", "prioritized");
  }

  async failedJobs(): Promise<number> {
    return this.#queue.getFailedCount();
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}
