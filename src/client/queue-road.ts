/** The road over Redis: jobs for the queue that any BullMQ client may use. */
import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { addJobs, newJob, packJobs } from "../queue/producer.ts";
import { CRM_EVENTS } from "../queue/queues.ts";
import { connect } from "../store/connection.ts";
import { type Road, SendError, unanswered } from "./road.ts";

export type QueueRoadOptions = {
  /** BullMQ's key prefix. Default `bull`. */
  readonly prefix?: string;
  /** Default `crm-events`. */
  readonly queue?: string;
} & (
  | { readonly redisUrl: string }
  /** Yours: the client uses it and does not close it. */
  | { readonly connection: Redis }
);

/** A producer hears of a lost Redis after so many tries to connect, instead of waiting for its return. */
const PRODUCER_TRIES = 20;

const NO_ANSWER =
  "Redis did not answer, so the events may or may not be in the queue. Send the events of `results` again, with the ids that they have there.";

export function openQueueRoad(options: QueueRoadOptions): Road {
  const { prefix = "bull", queue: name = CRM_EVENTS } = options;
  const isOurs = "redisUrl" in options;
  const connection = isOurs
    ? connect(options.redisUrl, { maxRetriesPerRequest: PRODUCER_TRIES })
    : options.connection;
  const queue = new Queue(name, { connection, prefix });
  queue.on("error", () => undefined);
  return {
    send: async (events) => {
      const jobs = packJobs(events).map((job) => newJob(job.length === 1 ? job[0] : job));
      try {
        await addJobs(queue, jobs);
      } catch (cause) {
        const results = unanswered(events);
        throw new SendError("INTAKE_UNAVAILABLE", NO_ANSWER, { results, cause });
      }
      return events.map((event) => ({ outcome: "accepted", event }));
    },
    close: async () => {
      await queue.close();
      if (isOurs) connection.disconnect();
    },
  };
}
