/**
 * What turns a webhook of another system into our events. Pure: bytes, headers and the time in, events
 * or a reason out; nothing is sent, stored or thrown here.
 *
 * Always true: the signature is judged over the bytes as they came, before anything is read of them;
 * every event given back has passed the border (`readEvent`), and only its type and data are still to
 * be checked against the machines; one faulty or unmapped element of a batch costs none of the others.
 */
import type { Problem } from "../core/errors.ts";
import { type CloudEvent, EVENT_BATCH_MAX } from "../core/event.ts";
import { readEvent, type ReadEvent } from "../core/read-event.ts";

/** One HTTP request. */
export interface Delivery {
  /** "POST". */
  readonly method: string;
  /** Names in lower case, as Node gives them. */
  readonly headers: Headers;
  readonly rawBody: Uint8Array;
  /** Of the connection itself, not of a header that anybody can write: "127.0.0.1". */
  readonly remoteAddress: string;
  readonly nowMs: number;
}

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** As a job carries it: without `time` when the sender gave none. */
export type IntakeEvent = Omit<CloudEvent, "time" | "redrive"> & { readonly time?: string };

/** An event of all items of an order; `addressed` makes one for each. */
export interface OrderWideEvent {
  readonly orderId: string;
  /** Has an event of its own already. */
  readonly exceptItem?: string;
  readonly event: Omit<IntakeEvent, "subject">;
}

/** What was taken note of and asks for nothing. */
export interface Ignored {
  /** "loop": our own writing came back. "unmapped": nobody wants to hear of it. "empty": nothing in it. */
  readonly reason: "loop" | "unmapped" | "empty";
  readonly detail: string;
}

/** Authentic, and no event: a dead letter. */
export interface Malformed {
  readonly problem: Problem;
  /** The element, or the whole body, however long; as text what cannot be read or is nested too deep. */
  readonly data: unknown;
}

export type Translation =
  | {
      readonly outcome: "events";
      /** In the order of the body. Up to 100, each of any item. */
      readonly events: readonly IntakeEvent[];
      readonly orderWide: readonly OrderWideEvent[];
      readonly malformed: readonly Malformed[];
      readonly ignored: readonly Ignored[];
    }
  /** The whole body. Answer 2xx all the same: a 4xx is answered with retries of the same bytes. */
  | ({ readonly outcome: "malformed" } & Malformed)
  | { readonly outcome: "ignored"; readonly ignored: readonly Ignored[] };

/** Answer 401. The reason is for the log: whoever forged it learns nothing. */
export interface Unauthentic {
  readonly outcome: "unauthentic";
  readonly reason: AuthenticityFault;
}

export type AuthenticityFault =
  | "signature-missing"
  | "signature-malformed"
  | "signature-mismatch"
  | "signature-outdated"
  | "timestamp-malformed"
  | "timestamp-out-of-tolerance"
  | "token-missing"
  | "token-mismatch"
  | "not-loopback"
  | "forwarded";

export type Intake = Unauthentic | Translation;

/** One configured source of webhooks. */
export interface Adapter {
  /** Undefined for the sender that it claims to be. */
  readonly authenticate: (delivery: Delivery) => AuthenticityFault | undefined;
  /** Only for what is authentic, or for a try-out. */
  readonly translate: (delivery: Delivery) => Translation;
}

export function readDelivery(adapter: Adapter, delivery: Delivery): Intake {
  const reason = adapter.authenticate(delivery);
  return reason === undefined ? adapter.translate(delivery) : { outcome: "unauthentic", reason };
}

/** What an element of a body became. */
export type Part =
  | { readonly kind: "candidate"; readonly value: unknown }
  | { readonly kind: "order-wide"; readonly order: OrderWideEvent }
  | ({ readonly kind: "malformed" } & Malformed)
  | ({ readonly kind: "ignored" } & Ignored);

const ANY_ITEM = "any item of the order";

/** Puts the parts of one delivery through the border, and sorts them. */
export function sorted(parts: readonly Part[], nowMs: number): Translation {
  const events: IntakeEvent[] = [];
  const orderWide: OrderWideEvent[] = [];
  const malformed: Malformed[] = [];
  const ignored: Ignored[] = [];
  for (const part of parts) {
    switch (part.kind) {
      case "candidate": {
        const read = readEvent(part.value, nowMs);
        if (read.result === "event") events.push(asSent(read));
        else malformed.push({ problem: read.problem, data: read.data });
        break;
      }
      case "order-wide": {
        // Its items are looked up later; all the rest of it can be judged now.
        const { orderId, event } = part.order;
        const read = readEvent({ ...event, subject: ANY_ITEM }, nowMs);
        if (read.result === "event") orderWide.push(part.order);
        else malformed.push({ problem: read.problem, data: { orderId, ...event } });
        break;
      }
      case "malformed":
        malformed.push({ problem: part.problem, data: part.data });
        break;
      case "ignored":
        ignored.push({ reason: part.reason, detail: part.detail });
    }
  }
  if (events.length + orderWide.length + malformed.length === 0) {
    return { outcome: "ignored", ignored };
  }
  return { outcome: "events", events, orderWide, malformed, ignored };
}

/** The elements of a batch, or why it is none that can be taken. */
export function batchFault(elements: readonly unknown[]): Malformed | undefined {
  if (elements.length <= EVENT_BATCH_MAX) return undefined;
  const message = `A delivery holds up to ${EVENT_BATCH_MAX} events, and this one holds ${elements.length}. Make the sender's batches smaller.`;
  return { problem: { code: "EVENT_BATCH_TOO_LARGE", message }, data: elements };
}

/** One event for each of the order's items; what is finished is left alone by the machine itself. */
export function addressed(order: OrderWideEvent, itemIds: readonly string[]): IntakeEvent[] {
  return itemIds
    .filter((itemId) => itemId !== order.exceptItem)
    .map((subject) => ({ ...order.event, subject }));
}

/** The only value of a header that must not be there twice. */
export function headerOf(headers: Headers, name: string): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  return typeof value === "string" ? value : undefined;
}

function asSent({ event }: Extract<ReadEvent, { result: "event" }>): IntakeEvent {
  // Another attempt at an event is an operator's to ask for, and would pass by what knows duplicates.
  const { isUndated, time, redrive: _redrive, ...others } = event;
  return isUndated === true ? others : { ...others, time };
}
