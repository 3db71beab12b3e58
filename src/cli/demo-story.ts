/**
 * A story: what is told about one order item through the front door, and what must come of it. The
 * chapters (demo-workflows, demo-pairs, demo-refusals, demo-arrivals) write stories; demo.ts sends
 * their jobs and compares. Stories are values: the same start gives the same stories.
 */
import type { Pair } from "../../machines/order-item/pairs.ts";
import type { Status } from "../../machines/order-item/statuses.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { CloudEventInput, JsonObject } from "../core/event.ts";
import type { StatusUpdate } from "../offergrid/status-update.ts";

/** One mark of an item's path: a status it entered, or the code that an event ended with. */
export type Mark = Status | ErrorCode;

export interface StoryJob {
  /** Jobs of one wave are enqueued together; the next wave follows when they are all worked off. */
  readonly wave: number;
  readonly name: string;
  readonly data: unknown;
}

export interface Story {
  readonly itemId: string;
  /** What it shows, in a few words. */
  readonly shows: string;
  readonly jobs: readonly StoryJob[];
  /** Expected statuses and codes, in order. */
  readonly path: readonly Mark[];
  /** Expected PATCHes, in order. Each must hold at least these fields. */
  readonly saw: readonly StatusUpdate[];
}

/** When the demonstration takes place. All of its dates are counted from here. */
export interface Calendar {
  /** Time of every item's first event, ms since the epoch. */
  readonly startMs: number;
  /** A Tuesday, at least a week ahead. */
  readonly appointment: Day;
  /** The Wednesday after it. */
  readonly nextDay: Day;
}

export interface Day {
  /** 2031-03-11 */
  readonly date: string;
  /** Mar 11 */
  readonly text: string;
  /** 1 PM in UTC, written as the lifecycle page does: 2031-03-11T13:00:00Z */
  readonly onePm: string;
}

/** Something that happened to an item. */
export interface Fact {
  readonly type: string;
  readonly data?: JsonObject;
  /** Default: a new one. */
  readonly id?: string;
  /** Account that the sender speaks for. */
  readonly account?: string;
}

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
const LEAD_DAYS = 7;
const TUESDAY = 2;

/** An hour ago, so that every event lies in the past and every appointment ahead of it. */
const BEFORE_NOW_MS = 3_600_000;

export function calendarAt(nowMs: number): Calendar {
  const earliest = nowMs + LEAD_DAYS * DAY_MS;
  const daysToTuesday = (TUESDAY - new Date(earliest).getUTCDay() + 7) % 7;
  const tuesdayMs = earliest + daysToTuesday * DAY_MS;
  return {
    startMs: nowMs - BEFORE_NOW_MS,
    appointment: dayOf(tuesdayMs),
    nextDay: dayOf(tuesdayMs + DAY_MS),
  };
}

function dayOf(timeMs: number): Day {
  const date = new Date(timeMs).toISOString().slice(0, 10);
  const format = new Intl.DateTimeFormat("en-US", {
    month: "short",
    day: "numeric",
    timeZone: "UTC",
  });
  return { date, text: format.format(timeMs), onePm: `${date}T13:00:00Z` };
}

/** The facts as events of one item, a second apart, with ids that count up. */
export function eventsOf(
  itemId: string,
  facts: readonly Fact[],
  { startMs }: Calendar,
): CloudEventInput[] {
  return facts.map(({ type, data, id, account }, index) => ({
    specversion: "1.0",
    id: id ?? `${itemId}.${index + 1}`,
    source: "crm/demo",
    type,
    subject: itemId,
    time: new Date(startMs + index * SECOND_MS).toISOString(),
    ...(account !== undefined && { account }),
    data: (data ?? {}) as NonNullable<CloudEventInput["data"]>,
  }));
}

/** Each event in a job and a wave of its own: it arrives when those before it are through. */
export function inTurn(events: readonly CloudEventInput[]): StoryJob[] {
  return events.map((event, wave) => ({ wave, name: event.type, data: event }));
}

/** All jobs at once: whatever order they are worked in, the story must end alike. */
export function atOnce(events: readonly CloudEventInput[]): StoryJob[] {
  return events.map((event) => ({ wave: 0, name: event.type, data: event }));
}

/** The reseller's order, complete enough to be accepted. */
export function received(data: JsonObject = {}): Fact {
  const order = { orderId: "demo-order", offerName: "Internet 1000 Mbps" };
  return { type: "order.received", data: { ...order, ...CUSTOMER, ...data } };
}

const CUSTOMER: JsonObject = {
  customerInfo: { fullName: "Ada Winter", email: "ada@example.com", phone: "+1-555-010-0100" },
  serviceAddress: {
    street: "1 Main Street",
    city: "Springfield",
    state: "CA",
    zipCode: "94000",
    country: "US",
  },
};

/** A valid report of each kind, short of what the reseller reports at the birth. */
export function report(type: Pair["event"], { appointment, nextDay }: Calendar): Fact {
  const data: Readonly<Record<Pair["event"], JsonObject>> = {
    "order.submitted": { providerNotes: "Received. You will hear from us within 24 hours." },
    "order.accepted": {
      providerNotes: "Order accepted. We will call the customer within 24 hours.",
      metadata: { workOrderId: "WO-1" },
    },
    "order.rejected": {
      providerNotes: "No fiber at this address. Cable internet is available instead.",
      reasonCode: "area",
    },
    "appointment.scheduled": {
      providerNotes: `Installation set for Tuesday, ${appointment.text}, 1-5 PM.`,
      scheduledFor: appointment.onePm,
      metadata: { appointmentWindow: "1-5 PM", technicianName: "Mike Johnson" },
    },
    "appointment.rescheduled": {
      providerNotes: `Moved to Wednesday, ${nextDay.text}, 1-5 PM, at the customer's wish.`,
      scheduledFor: nextDay.onePm,
      metadata: { appointmentWindow: "1-5 PM" },
    },
    "work.started": { providerNotes: "Technician on site." },
    "work.completed": {
      providerNotes: "Installed and tested. Activation follows.",
      metadata: { orderRef: "REF-1" },
    },
    "work.failed": {
      providerNotes: "The conduit is blocked. We will propose a new date tomorrow.",
      reasonCode: "technical",
    },
    "service.activated": {
      providerNotes: "The service is live. Customer account 12345.",
      metadata: { accountNumber: "12345" },
    },
    // Approved, because a cancellation past the point of no return is otherwise only a request.
    "order.cancelled": {
      providerNotes: "The customer moved away. No fees charged.",
      reasonCode: "commercial",
      approvedBy: "operations",
    },
  };
  return { type, data: data[type] };
}

/** The PATCH that a report of a status must cause. */
export function updateOf(status: Status, { data = {} }: Fact): StatusUpdate {
  const { providerNotes, scheduledFor, metadata } = data;
  return {
    status,
    ...(providerNotes !== undefined && { providerNotes }),
    ...(scheduledFor !== undefined && { scheduledFor }),
    ...(metadata !== undefined && { metadata }),
  } as StatusUpdate;
}
