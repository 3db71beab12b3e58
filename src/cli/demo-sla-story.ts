/**
 * A week of three orders at a provider in New York, from the Friday before Memorial Day: one that goes
 * wrong, one that goes well, one that nobody answers. What is told and when, and nothing of what follows.
 */
import type { EventType } from "../../machines/order-item/events.ts";
import { ACKNOWLEDGED, SNOOZED } from "../core/clock-event.ts";
import type { JsonObject } from "../core/event.ts";
import type { Policy } from "../sla/policy.ts";
import { FASTER_POLICY } from "./demo-sla-policy.ts";

export const ZONE = "America/New_York";

export const ITEMS = ["fiber-1", "tv-2", "phone-3"] as const;
export type Item = (typeof ITEMS)[number];

export interface Told {
  readonly kind: "event";
  readonly at: string;
  readonly item: Item;
  readonly type: EventType | typeof ACKNOWLEDGED | typeof SNOOZED;
  /** What a person says of it. */
  readonly says: string;
  readonly data: JsonObject;
  /** When it happened, if it is told late. */
  readonly happenedAt?: string;
}

export interface PolicyChange {
  readonly kind: "policy";
  readonly at: string;
  readonly says: string;
  readonly policy: Policy;
}

export type Step = Told | PolicyChange;

/** "22 16:00", in New York, of May 2026, in ISO 8601: four hours behind UTC all the time. */
export function momentOf(dayAndTime: string): string {
  return `2026-05-${dayAndTime.replace(" ", "T")}:00-04:00`;
}

export const BEGIN = "22 13:00";
export const END = "29 18:00";

const ADDRESS = { city: "Albany", state: "NY", zipCode: "12207", country: "US" };

function order(offer: string, category: string, fullName: string): JsonObject {
  return {
    orderId: `order-${category}`,
    offerId: `offer-${category}`,
    offerName: offer,
    offerCategory: category,
    customerInfo: { fullName, email: "customer@example.com", phone: "+1-518-555-0100" },
    serviceAddress: { street: "1 Lark Street", ...ADDRESS },
  };
}

function accepted(workOrderId: string): JsonObject {
  const providerNotes = "Order accepted. We will call the customer within one working day.";
  return { providerNotes, metadata: { workOrderId } };
}

function completed(orderRef: string): JsonObject {
  const providerNotes = "Installed and tested. Activation follows today.";
  return { providerNotes, metadata: { orderRef, completedDate: "2026-05-29" } };
}

function visit(at: string, appointmentWindow: string, providerNotes: string): JsonObject {
  const scheduledFor = momentOf(at);
  const metadata = { appointmentWindow, technicianName: "Mike Johnson" };
  return { providerNotes, scheduledFor, zone: ZONE, metadata };
}

/** Somebody silences a clock. */
function silence(clock: string, until: string, who: Pick<JsonObject, "by" | "role" | "reason">) {
  return { clock, until: momentOf(until), ...who };
}

/** In the order of their moments. */
export const STEPS: readonly Step[] = [
  {
    kind: "event",
    at: "22 13:30",
    item: "tv-2",
    type: "order.received",
    says: "Paul orders TV; an answer is due within 4 open hours",
    data: order("TV 100", "tv", "Paul Weber"),
  },
  {
    kind: "event",
    at: "22 15:00",
    item: "tv-2",
    type: "order.accepted",
    says: "the provider accepts Paul's order",
    data: accepted("WO-2"),
  },
  {
    kind: "event",
    at: "22 16:00",
    item: "fiber-1",
    type: "order.received",
    says: "Anna orders internet on a Friday afternoon",
    data: order("Fiber 500", "internet", "Anna Reyes"),
  },
  {
    kind: "event",
    at: "23 09:40",
    item: "tv-2",
    type: "appointment.scheduled",
    says: "Paul is called, and wants Wednesday, 10 AM",
    data: visit("27 10:00", "10 AM-noon", "Installation on Wednesday between 10 AM and noon."),
  },
  {
    kind: "event",
    at: "23 10:20",
    item: "fiber-1",
    type: "order.accepted",
    says: "the provider accepts Anna's order, 40 minutes before the answer is due",
    data: accepted("WO-1"),
  },
  {
    kind: "event",
    at: "26 09:10",
    item: "phone-3",
    type: "order.received",
    says: "Otto orders a phone line, with a number that nobody can find",
    data: order("Phone Line", "phone", "Otto Braun"),
  },
  {
    kind: "event",
    at: "26 11:30",
    happenedAt: "26 09:30",
    item: "fiber-1",
    type: "wait.started",
    says: "the CRM says that Anna has to ask her landlord, since half past nine",
    data: { on: "customer", reason: "Where may we drill?" },
  },
  {
    kind: "event",
    at: "26 13:20",
    item: "phone-3",
    type: SNOOZED,
    says: "Ben wants quiet until 5 PM, and is no lead",
    data: silence("respond", "26 17:00", {
      by: "Ben",
      role: "owner",
      reason: "I look into it.",
    }),
  },
  {
    kind: "event",
    at: "26 14:00",
    item: "fiber-1",
    type: "wait.ended",
    says: "the landlord agrees, after 3 h 30 min of open time",
    data: {},
  },
  {
    kind: "event",
    at: "26 15:00",
    item: "fiber-1",
    type: "appointment.scheduled",
    says: "Anna takes Thursday, 1 PM",
    data: visit("28 13:00", "1-5 PM", "Installation on Thursday between 1 and 5 PM."),
  },
  {
    kind: "event",
    at: "26 15:30",
    item: "tv-2",
    type: "appointment.rescheduled",
    says: "Paul has to work on Wednesday, and takes Friday before work",
    data: visit("29 08:15", "8-10 AM", "Moved to Friday between 8 and 10 AM; Paul asked for it."),
  },
  {
    kind: "event",
    at: "26 17:00",
    item: "phone-3",
    type: ACKNOWLEDGED,
    says: "Lena, the lead, takes care of it until noon",
    data: silence("respond", "27 12:00", {
      by: "Lena",
      role: "lead",
      reason: "The old carrier looks for the number until tomorrow noon.",
    }),
  },
  {
    kind: "event",
    at: "27 11:30",
    item: "phone-3",
    type: "order.rejected",
    says: "the number is not Otto's: the order is rejected",
    data: {
      providerNotes: "The number belongs to somebody else. A line with a new number is available.",
      reasonCode: "number",
      alternatives: ["Phone Line with a new number"],
    },
  },
  {
    kind: "policy",
    at: "27 12:10",
    says: 'policy "spring-2" is in force: internet within 3 working days instead of 5',
    policy: FASTER_POLICY,
  },
  {
    kind: "event",
    at: "28 15:20",
    item: "fiber-1",
    type: ACKNOWLEDGED,
    says: "Maya finds the technician, and takes care of it until 9 AM",
    data: silence("arrival", "29 09:00", {
      by: "Maya",
      role: "owner",
      reason: "The van broke down. I call Anna for a new date.",
    }),
  },
  {
    kind: "event",
    at: "28 17:30",
    item: "fiber-1",
    type: "appointment.rescheduled",
    says: "Anna gets a new date: Friday, 1 PM",
    data: visit("29 13:00", "1-3 PM", "The van broke down. The new date is Friday, 1 to 3 PM."),
  },
  {
    kind: "event",
    at: "29 08:20",
    item: "tv-2",
    type: "work.started",
    says: "the technician is at Paul's",
    data: { providerNotes: "The technician is on site." },
  },
  {
    kind: "event",
    at: "29 09:40",
    item: "tv-2",
    type: "work.completed",
    says: "Paul has TV",
    data: completed("P-2"),
  },
  {
    kind: "event",
    at: "29 13:10",
    item: "fiber-1",
    type: "work.started",
    says: "the technician is at Anna's",
    data: { providerNotes: "The technician is on site." },
  },
  {
    kind: "event",
    at: "29 15:30",
    item: "fiber-1",
    type: "work.completed",
    says: "Anna has internet",
    data: completed("A-1"),
  },
];
