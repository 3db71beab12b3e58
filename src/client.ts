/**
 * `orderwright/client`: how a Node.js producer tells Orderwright what happened. It only adds jobs to
 * the queue that any BullMQ client may use; what it brings is types, checks and bulk.
 *
 *   const client = openClient({ redisUrl: "redis://127.0.0.1:6379" });
 *   await client.send({ type: "work.started", subject: "item-1", source: "crm/acme", data: {} });
 *   await client.close();
 *
 * Always true: nothing is sent unless all events of the call passed their checks. A call that resolved
 * is as safe as Redis is durable. A call that rejected may be repeated with the same ids: an event is
 * applied once.
 */
import { randomUUID } from "node:crypto";
import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import type { z } from "zod";
import { type EventType, eventSchemas } from "../machines/order-item/events.ts";
import { optionsSchema } from "../machines/order-item/options.ts";
import type { ArrivedEvent } from "./core/arrival.ts";
import { EngineError } from "./core/errors.ts";
import { CRM_EVENTS } from "./queue/queues.ts";
import { connect } from "./store/connection.ts";
import { addJobs, checkEvent, newJob, packJobs } from "./queue/producer.ts";

export { EngineError } from "./core/errors.ts";
export type { ErrorCode } from "./core/errors.ts";

type DataOf<Type extends EventType> = z.input<ReturnType<typeof eventSchemas>[Type]>;

/** A fact about an order item. `data` is checked by the type's own schema. */
export type OrderItemEvent = {
  [Type in EventType]: {
    readonly type: Type;
    /** Order item id: 1 to 128 characters, no `{`, `}` or control characters. */
    readonly subject: string;
    /** Who tells it, "crm/acme". Order and identity of events are kept per source. */
    readonly source: string;
    readonly data: DataOf<Type>;
    /** The same for every sending of one fact. Default: a new UUID, so a repeat is another event. */
    readonly id?: string;
    /** When it happened, ISO 8601 with an offset. Default: now. */
    readonly time?: string;
    /** Place in the source's own order for this item: a number, or text that sorts. */
    readonly sequence?: string | number;
    /** "Integer" promises 1, 2, 3 … without holes: a missing number is waited for. */
    readonly sequencetype?: "Integer";
    /** Provider account the sender speaks for; an item of another account refuses the event. */
    readonly account?: string;
  };
}[EventType];

export type SentEvent = ArrivedEvent;

export type ClientOptions = {
  /** BullMQ's key prefix. Default `bull`. */
  readonly prefix?: string;
  /** Default `crm-events`. */
  readonly queue?: string;
  /** Serialised size of one event's metadata; as the installation sets it, 8 KiB by default. */
  readonly metadataMaxBytes?: number;
} & (
  | { readonly redisUrl: string }
  /** Yours: the client uses it and does not close it. */
  | { readonly connection: Redis }
);

export interface Client {
  /**
   * Resolves with the event as it was sent when Redis has it.
   * @throws EngineError with the code of what is wrong with the event, REASON_MISSING for one
   */
  readonly send: (event: OrderItemEvent) => Promise<SentEvent>;
  /**
   * Up to 100 events per job, which is what makes bulk fast. Events of one item keep their order.
   * @throws EngineError for the first faulty event; then none was sent
   */
  readonly sendAll: (events: readonly OrderItemEvent[]) => Promise<readonly SentEvent[]>;
  readonly close: () => Promise<void>;
}

/** A producer hears of a lost Redis after so many tries to connect, instead of waiting for its return. */
const PRODUCER_TRIES = 20;

export function openClient(options: ClientOptions): Client {
  const { prefix = "bull", queue: name = CRM_EVENTS } = options;
  const schemas = eventSchemas(
    options.metadataMaxBytes ?? optionsSchema.parse({}).metadataMaxBytes,
  );
  const isOurs = "redisUrl" in options;
  const connection = isOurs
    ? connect(options.redisUrl, { maxRetriesPerRequest: PRODUCER_TRIES })
    : options.connection;
  const queue = new Queue(name, { connection, prefix });
  queue.on("error", () => undefined);

  const check = (event: OrderItemEvent): SentEvent => {
    const now = Date.now();
    const checked = checkEvent(schemas, completed(event, now), now);
    if (checked.result === "event") return checked.event;
    throw new EngineError(checked.problem.code, checked.problem.message);
  };

  const sendAll = async (events: readonly OrderItemEvent[]): Promise<readonly SentEvent[]> => {
    const sent = events.map(check);
    const jobs = packJobs(sent).map((job) => newJob(job.length === 1 ? job[0] : job));
    await addJobs(queue, jobs);
    return sent;
  };

  return {
    send: async (event) => {
      const sent = check(event);
      await addJobs(queue, [newJob(sent)]);
      return sent;
    },
    sendAll,
    close: async () => {
      await queue.close();
      if (isOurs) connection.disconnect();
    },
  };
}

/** As JSON will carry it: a field that is `undefined` is absent, a Date is text. */
function completed(event: OrderItemEvent, now: number): unknown {
  const time = new Date(now).toISOString();
  const written = JSON.parse(JSON.stringify(event)) as object;
  return { specversion: "1.0", id: randomUUID(), time, ...written };
}
