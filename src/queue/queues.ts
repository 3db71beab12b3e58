/** The BullMQ queues: their names, their connections, and what their jobs hold. */
import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { connect } from "../store/connection.ts";

/** The front door. Any BullMQ client may add jobs: data is one event or an array of up to 100. */
export const CRM_EVENTS = "crm-events";

/** "Channel c has effects to deliver." Losing such a job costs a second, never an effect. */
export const PUSHES = "orderwright-pushes";

/** "Time has passed": timers and events parked too long. */
export const TIMERS = "orderwright-timers";

/** "Somebody may have died": leases that ended, lanes that nobody was woken for. */
export const RECOVERY = "orderwright-recovery";

/** "Ask the marketplace": new orders, and whatever it shows otherwise than we do. */
export const POLLS = "orderwright-polls";

export interface QueueLink {
  readonly redisUrl: string;
  /** BullMQ's key prefix; `bull` unless configured. */
  readonly prefix: string;
}

/**
 * BullMQ's own connection: without auto-pipelining, which halves its rate (measured). "once": what was not
 * answered when the connection breaks is not sent again, and rejects.
 */
export function openConnection(
  { redisUrl }: Pick<QueueLink, "redisUrl">,
  sending: "until-answered" | "once" = "until-answered",
): Redis {
  const redis = connect(redisUrl);
  if (sending === "once") rejectUnanswered(redis);
  return redis;
}

/** ioredis' own option for this forgets the commands without settling their promises. */
function rejectUnanswered(redis: Redis): void {
  let isReady = false;
  redis.on("ready", () => (isReady = true));
  redis.on("close", () => {
    // What is under way before is ioredis' own way to get ready.
    if (!isReady) return;
    isReady = false;
    for (let sent = redis.commandQueue.shift(); sent; sent = redis.commandQueue.shift()) {
      sent.command.reject(new Error("The connection broke before Redis had answered."));
    }
  });
}

export interface OpenQueue {
  readonly queue: Queue;
  readonly close: () => Promise<void>;
}

export function openQueue(name: string, link: QueueLink): OpenQueue {
  const connection = openConnection(link);
  const queue = new Queue(name, { connection, prefix: link.prefix });
  queue.on("error", () => undefined);
  return {
    queue,
    close: async () => {
      await queue.close();
      connection.disconnect();
    },
  };
}
