/**
 * The CRM's side: a plain BullMQ queue. Every contestant is fed by this code; one that takes several
 * events in a job gets them so.
 */
import { Queue } from "bullmq";
import type { CloudEventInput } from "../src/core/event.ts";

/** Events in one `addBulk`: larger ones gain nothing and keep Redis busy for tens of milliseconds. */
const EVENTS_PER_BULK = 500;

export class Producer {
  readonly #queue: Queue<CloudEventInput | CloudEventInput[]>;
  readonly #eventsPerJob: number;

  constructor(queueName: string, redisUrl: string, eventsPerJob = 1) {
    this.#eventsPerJob = eventsPerJob;
    this.#queue = new Queue(queueName, {
      connection: { url: redisUrl },
      defaultJobOptions: { removeOnComplete: true },
    });
  }

  async enqueue(events: Iterable<CloudEventInput>): Promise<void> {
    let bulk: CloudEventInput[] = [];
    for (const event of events) {
      bulk.push(event);
      if (bulk.length < EVENTS_PER_BULK) continue;
      await this.#add(bulk);
      bulk = [];
    }
    if (bulk.length > 0) await this.#add(bulk);
  }

  async #add(events: readonly CloudEventInput[]): Promise<void> {
    const size = this.#eventsPerJob;
    const jobs = [];
    for (let from = 0; from < events.length; from += size) {
      const [first, ...others] = events.slice(from, from + size);
      if (first === undefined) break;
      jobs.push({ name: first.type, data: size === 1 ? first : [first, ...others] });
    }
    await this.#queue.addBulk(jobs);
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
