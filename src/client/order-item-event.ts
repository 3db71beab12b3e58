/** The events that a client sends: their types, what is filled in, and the check before anything leaves. */
import { randomUUID } from "node:crypto";
import type { z } from "zod";
import { type EventType, eventSchemas } from "../../machines/order-item/events.ts";
import { optionsSchema } from "../../machines/order-item/options.ts";
import type { ArrivedEvent } from "../core/arrival.ts";
import { EngineError } from "../core/errors.ts";
import { checkEvent } from "../queue/producer.ts";

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

/** With the id and the time that it was sent with: what is sent again is the same event. */
export type SentEvent = ArrivedEvent;

export interface CheckOptions {
  /** Serialised size of one event's metadata; as the installation sets it, 8 KiB by default. */
  readonly metadataMaxBytes?: number;
}

/**
 * What an event is before it leaves.
 * @throws EngineError (from the returned function) with the code of what is wrong with the event
 */
export function openCheck({ metadataMaxBytes }: CheckOptions): (event: object) => SentEvent {
  const schemas = eventSchemas(metadataMaxBytes ?? optionsSchema.parse({}).metadataMaxBytes);
  return (event) => {
    const now = Date.now();
    const checked = checkEvent(schemas, completed(event, now), now);
    if (checked.result === "event") return checked.event;
    throw new EngineError(checked.problem.code, checked.problem.message);
  };
}

/** As JSON will carry it: a field that is `undefined` is absent, a Date is text. */
function completed(event: object, now: number): unknown {
  const time = new Date(now).toISOString();
  const written = JSON.parse(JSON.stringify(event)) as object;
  return { specversion: "1.0", id: randomUUID(), time, ...written };
}
