/**
 * `orderwright/client`: how a Node.js producer tells Orderwright what happened, over HTTP or straight
 * into the queue that any BullMQ client may use. What it brings is types, checks, ids, bulk and repeats.
 *
 *   const client = openClient({ url: "https://orders.example.com", apiKey: process.env.API_KEY });
 *   await client.send({ type: "work.started", subject: "item-1", source: "crm/acme", data: {} });
 *   await client.close();
 *
 * Always true: nothing is sent unless all events of the call passed their checks. A call that resolved
 * is as safe as Redis is durable. A call that rejected may be repeated with the same ids: an event is
 * applied once. Over HTTP, neither bullmq nor ioredis is loaded.
 */
import { type HttpRoadOptions, openHttpRoad } from "./client/http-road.ts";
import {
  type CheckOptions,
  openCheck,
  type OrderItemEvent,
  type SentEvent,
} from "./client/order-item-event.ts";
import type { QueueRoadOptions } from "./client/queue-road.ts";
import type { Road, SendResult } from "./client/road.ts";
import { EngineError, ERROR_CODES, type ErrorCode } from "./core/errors.ts";

export type { OrderItemEvent, SentEvent } from "./client/order-item-event.ts";
export { SendError } from "./client/road.ts";
export type { Refusal, SendResult } from "./client/road.ts";
export { EngineError } from "./core/errors.ts";
export type { ErrorCode } from "./core/errors.ts";

export type ClientOptions = CheckOptions & (HttpRoadOptions | QueueRoadOptions);

export interface Client {
  /**
   * Resolves with the event as it was sent when the queue has it.
   * @throws EngineError with the code of what is wrong with the event, REASON_MISSING for one;
   * SendError INTAKE_UNAVAILABLE or SEND_REFUSED when nobody took it
   */
  readonly send: (event: OrderItemEvent) => Promise<SentEvent>;
  /**
   * Up to 100 events per job or request, which is what makes bulk fast. Events of one item keep their
   * order. Resolves with one result per event, in the order given.
   * @throws EngineError for the first faulty event; then none was sent. SendError as `send`; then
   * `results` says which events have no answer
   */
  readonly sendAll: (events: readonly OrderItemEvent[]) => Promise<readonly SendResult[]>;
  readonly close: () => Promise<void>;
}

/** @throws EngineError CONFIG_INVALID for a `url` that is none */
export function openClient(options: ClientOptions): Client {
  const check = openCheck(options);
  const road = "url" in options ? openHttpRoad(options) : queueRoad(options);

  return {
    send: async (event) => {
      const [result] = await road.send([check(event)]);
      if (result?.outcome === "accepted") return result.event;
      if (result?.outcome !== "refused") throw new TypeError("a road that answered no event");
      const { code, message } = result.problem;
      throw new EngineError(isOurCode(code) ? code : "SEND_REFUSED", message);
    },
    sendAll: async (events) => road.send(events.map(check)),
    close: () => road.close(),
  };
}

/** Opened at once, and loaded only for those who have a Redis. */
function queueRoad(options: QueueRoadOptions): Road {
  const opening = import("./client/queue-road.ts").then(({ openQueueRoad }) =>
    openQueueRoad(options),
  );
  // Whoever sends is told.
  opening.catch(() => undefined);
  return {
    send: async (events) => (await opening).send(events),
    close: async () => (await opening).close(),
  };
}

function isOurCode(code: string): code is ErrorCode {
  return (ERROR_CODES as readonly string[]).includes(code);
}
