/**
 * A valid event of every type that an order item takes. Ids count up and times are a second apart,
 * so a test reads the same on every run.
 */
import type { EventType } from "../../machines/order-item/events.ts";
import type { MachineEvent } from "../../src/core/definition.ts";
import type { JsonObject, JsonValue } from "../../src/core/event.ts";

/** Far ahead, so that a test on the real clock never meets an appointment that is overdue. */
export const APPOINTMENT = "2031-03-10T13:00:00-07:00";

const START_MS = Date.parse("2026-03-02T09:00:00Z");

const CUSTOMER = {
  customerInfo: { fullName: "Ada Winter", email: "ada@example.com", phone: "+1-555-010-0100" },
  serviceAddress: {
    street: "1 Main Street",
    city: "Springfield",
    state: "CA",
    zipCode: "94000",
    country: "US",
  },
} as const;

const VALID_DATA: Readonly<Record<EventType, Readonly<Record<string, JsonValue>>>> = {
  "order.received": {
    orderId: "order-1",
    offerId: "offer-1",
    offerName: "Fiber 500",
    offerCategory: "internet",
    requiresInstallation: true,
    ...CUSTOMER,
  },
  "order.submitted": { providerNotes: "Received. You will hear from us within 24 hours." },
  "order.accepted": {
    providerNotes: "Order accepted. We will call the customer within 24 hours.",
    metadata: { workOrderId: "WO-1" },
  },
  "order.rejected": {
    providerNotes: "No fiber at this address. Cable internet is available instead.",
    reasonCode: "area",
    alternatives: ["Cable 200"],
  },
  "appointment.scheduled": {
    providerNotes: "Installation set for the afternoon of March 10.",
    scheduledFor: APPOINTMENT,
    metadata: { appointmentWindow: "1-5 PM", technicianName: "Mike Johnson" },
  },
  "appointment.rescheduled": {
    providerNotes: "Moved by a day at the customer's wish.",
    scheduledFor: "2031-03-11T09:00:00-07:00",
    metadata: { appointmentWindow: "9 AM-noon" },
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
  "order.cancelled": {
    providerNotes: "The customer moved away. No fees charged.",
    reasonCode: "commercial",
  },
  "order.noted": { providerNotes: "Permit requested, answer expected tomorrow." },
  "status.observed": { status: "accepted" },
  "wait.started": { on: "customer", reason: "Asked for the apartment number." },
  "wait.ended": {},
  "cancellation.denied": { providerNotes: "The line is already built.", by: "ops@example.com" },
  "order.diverged": { side: "marketplace", status: "failed" },
  "order.converged": {},
};

export interface OrderEvent {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: EventType;
  /** Order item id. */
  readonly subject: string;
  readonly time: string;
  readonly data: { [key: string]: JsonValue };
}

export interface OrderEventOverrides {
  readonly id?: string;
  readonly source?: string;
  readonly subject?: string;
  readonly time?: string;
  /** Laid over the valid data; `undefined` takes a field away. */
  readonly data?: JsonObject;
}

let count = 0;

/** A CloudEvent as a producer would enqueue it. */
export function orderEvent(type: EventType, overrides: OrderEventOverrides = {}): OrderEvent {
  count += 1;
  return {
    specversion: "1.0",
    id: overrides.id ?? `event-${count}`,
    source: overrides.source ?? "crm/test",
    type,
    subject: overrides.subject ?? "item-1",
    time: overrides.time ?? new Date(START_MS + (count - 1) * 1000).toISOString(),
    data: laidOver(VALID_DATA[type], overrides.data ?? {}),
  };
}

/** The same event as the machine sees it, decided at the very time it happened unless `at` differs. */
export function machineEvent(
  type: EventType,
  overrides: OrderEventOverrides & { readonly at?: number; readonly derived?: true } = {},
): MachineEvent & { readonly type: EventType } {
  const { id, source, time, data } = orderEvent(type, overrides);
  return {
    type,
    id,
    source,
    time,
    at: overrides.at ?? Date.parse(time),
    data,
    ...(overrides.derived === true ? { derived: true } : {}),
  };
}

function laidOver(data: JsonObject, over: JsonObject): { [key: string]: JsonValue } {
  const merged: { [key: string]: JsonValue } = {};
  for (const [key, value] of Object.entries({ ...data, ...over })) {
    if (value !== undefined) merged[key] = value;
  }
  return merged;
}

const LIFE: readonly EventType[] = [
  "order.received",
  "order.accepted",
  "appointment.scheduled",
  "work.started",
  "work.completed",
  "service.activated",
];

/** What the marketplace hears of a standard life, in order. */
export const LIFE_PUSHED = ["accepted", "scheduled", "in_progress", "completed", "active"];

/** Numbered: a stalled job comes back last, and only a number tells that something is missing. */
export function lifeOf(subject: string) {
  return LIFE.map((type, index) => {
    const place = { sequence: String(index + 1), sequencetype: "Integer" } as const;
    return { ...orderEvent(type, { subject }), ...place };
  });
}
