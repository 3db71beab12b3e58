/**
 * What becomes of an authentic webhook: its events go into the queue with one add, and what makes no sense
 * becomes a dead letter.
 *
 * Always true: "taken" means that Redis has all of it; in every other case it may have some of it, and the
 * same delivery may come again, because an event is known by its identity and a letter by what it holds.
 */
import { createHash } from "node:crypto";
import type { Problem } from "../core/errors.ts";
import { readEvent } from "../core/read-event.ts";
import {
  addressed,
  type IntakeEvent,
  type Malformed,
  type OrderWideEvent,
  type Translation,
} from "../intake/adapter.ts";
import { checkEvent, type EventSchemas, type NewJob, newJob, packJobs } from "../queue/producer.ts";
import { bury, type DeadLetter } from "../store/dead-letter-store.ts";
import { itemsOfOrder } from "../store/item-store.ts";
import type { Store } from "../store/store.ts";
import { letterIdOf } from "./event-identity.ts";

/** Characters kept of what is no event. */
const DATA_MAX = 2_000;

export interface DeliverySetting {
  readonly store: Store;
  /** To be awaited before the store is used. */
  readonly ready: () => Promise<void>;
  readonly schemas: EventSchemas;
  readonly enqueue: (jobs: readonly NewJob[]) => Promise<"enqueued" | "unavailable">;
}

export interface AuthenticDelivery {
  /** The name under which its sender calls us. */
  readonly webhook: string;
  readonly translation: Translation;
  readonly nowMs: number;
}

export type DeliveryEnd =
  | {
      readonly outcome: "taken";
      /** That are in the queue now; one for each item of an order that is meant as a whole. */
      readonly events: number;
      readonly deadLetters: number;
      readonly ignored: number;
    }
  | { readonly outcome: "unavailable" };

/** Rejects when the store cannot be reached. */
export async function takeDelivery(
  setting: DeliverySetting,
  delivery: AuthenticDelivery,
): Promise<DeliveryEnd> {
  const { translation } = delivery;
  const ignored = translation.outcome === "malformed" ? 0 : translation.ignored.length;
  const { events, letters } = await sortedOut(setting, delivery);
  const jobs = packJobs(events).map((each) => newJob(each.length === 1 ? each[0] : each));
  const [enqueued] = await Promise.all([
    jobs.length === 0 ? "enqueued" : setting.enqueue(jobs),
    buryAll(setting, letters),
  ]);
  if (enqueued === "unavailable") return { outcome: "unavailable" };
  return { outcome: "taken", events: events.length, deadLetters: letters.length, ignored };
}

interface SortedOut {
  readonly events: readonly IntakeEvent[];
  readonly letters: readonly DeadLetter[];
}

async function sortedOut(
  setting: DeliverySetting,
  delivery: AuthenticDelivery,
): Promise<SortedOut> {
  const { translation } = delivery;
  switch (translation.outcome) {
    case "ignored":
      return { events: [], letters: [] };
    case "malformed":
      return { events: [], letters: [letterOf(delivery, translation)] };
    case "events": {
      const orders = await Promise.all(
        translation.orderWide.map((order) => ofItems(setting, delivery, order)),
      );
      const events: IntakeEvent[] = [];
      const letters = translation.malformed.map((each) => letterOf(delivery, each));
      letters.push(...orders.flatMap((order) => order.letters));
      for (const event of [...translation.events, ...orders.flatMap((order) => order.events)]) {
        const letter = refusalOf(setting, delivery, event);
        if (letter === undefined) events.push(event);
        else letters.push(letter);
      }
      return { events, letters };
    }
  }
}

/** An item that comes in later is not among them; the listing of the marketplace says where it stands. */
async function ofItems(
  { store, ready }: DeliverySetting,
  delivery: AuthenticDelivery,
  order: OrderWideEvent,
): Promise<SortedOut> {
  await ready();
  const itemIds = await itemsOfOrder(store, order.orderId);
  if (itemIds.length > 0 || order.exceptItem !== undefined) {
    return { events: addressed(order, itemIds), letters: [] };
  }
  const { type, id, source } = order.event;
  const message = `${type} (event ${id} of ${source}) is of order ${order.orderId}, of which no item is known here. Send it again when its items are here, or see with \`orderwright reconcile\` where they stand at the marketplace.`;
  const data = { orderId: order.orderId, ...order.event };
  return {
    events: [],
    letters: [letterOf(delivery, { problem: { code: "ORDER_UNKNOWN", message }, data })],
  };
}

/** The letter of an event that no machine would take. */
function refusalOf(
  { schemas }: DeliverySetting,
  delivery: AuthenticDelivery,
  sent: IntakeEvent,
): DeadLetter | undefined {
  const { nowMs } = delivery;
  const checked = checkEvent(schemas, sent, nowMs);
  if (checked.result === "event") return undefined;
  const { problem } = checked;
  const read = readEvent(sent, nowMs);
  // No retry may turn what an outsider has sent into a word of an operator.
  if (read.result === "unreadable" || problem.code === "EVENT_TYPE_RESERVED") {
    return letterOf(delivery, { problem, data: sent });
  }
  const { event } = read;
  return { kind: "event", id: letterIdOf(event), at: nowMs, problem, event };
}

function letterOf({ webhook, nowMs }: AuthenticDelivery, { problem, data }: Malformed): DeadLetter {
  return {
    kind: "unreadable",
    id: `webhook:${webhook}:${digestOf(problem, data)}`,
    at: nowMs,
    problem,
    data: beginningOf(data),
  };
}

/**
 * Enough to recognise it. The ellipsis keeps it from being retried, however short it is: past the check of
 * its signature only its sender may send it, once more.
 */
function beginningOf(data: unknown): string {
  const text = typeof data === "string" ? data : (JSON.stringify(data) ?? "nothing");
  return `${text.slice(0, DATA_MAX)}…`;
}

/** Of what is wrong with what: the same however often it is sent, and whatever else was sent with it. */
function digestOf({ code }: Problem, data: unknown): string {
  const text = JSON.stringify([code, data]);
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}

async function buryAll(
  { store, ready }: DeliverySetting,
  letters: readonly DeadLetter[],
): Promise<void> {
  if (letters.length === 0) return;
  await ready();
  await Promise.all(letters.map((letter) => bury(store, letter)));
}
