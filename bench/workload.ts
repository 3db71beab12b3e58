/**
 * The workload that every contestant is measured by: N order items go
 * pending → accepted → scheduled → in_progress → completed → active, five events each, interleaved:
 * all accepts, then all schedules, and so on. All contestants get the same bytes.
 */
import type { CloudEventInput } from "../src/core/event.ts";

export interface Step {
  readonly type: string;
  /** Status that the step ends in, and that its PATCH reports. */
  readonly status: string;
  readonly data: NonNullable<CloudEventInput["data"]>;
}

const DAY_MS = 86_400_000;

/** Some days ahead at 13:00 UTC: in the future whenever the bench runs, and within the promised date, for
 * a benchmark of orders in danger would be one of notices. */
const scheduledFor = `${new Date(Date.now() + 5 * DAY_MS).toISOString().slice(0, 10)}T13:00:00Z`;

export const STEPS: readonly Step[] = [
  {
    type: "order.accepted",
    status: "accepted",
    data: {
      providerNotes: "Order accepted. We call the customer within 24 hours to set a date.",
      metadata: { workOrderId: "WO-48151623" },
    },
  },
  {
    type: "appointment.scheduled",
    status: "scheduled",
    data: {
      providerNotes: "Installation is booked. The technician calls 30 minutes before arrival.",
      scheduledFor,
      metadata: {
        appointmentWindow: "1-5 PM",
        technicianName: "Mike Johnson",
        confirmationNumber: "CONF-108",
      },
    },
  },
  {
    type: "work.started",
    status: "in_progress",
    data: {
      providerNotes: "The technician is on site and has begun with the installation.",
      metadata: { technicianId: "TECH-42" },
    },
  },
  {
    type: "work.completed",
    status: "completed",
    data: {
      providerNotes: "Installation finished and tested. Activation of the service follows.",
      metadata: { accountNumber: "ACC-987654", completedDate: scheduledFor },
    },
  },
  {
    type: "service.activated",
    status: "active",
    data: {
      providerNotes: "The service is live. The customer has the welcome letter by e-mail.",
      metadata: { accountNumber: "ACC-987654", activationDate: scheduledFor },
    },
  },
];

/** What `order.received` carries: the item as the marketplace shows it. */
const received = {
  orderId: "order-7f3d",
  offerId: "offer-fiber-500",
  offerName: "Fiber 500",
  createdAt: new Date().toISOString(),
  customerInfo: { fullName: "Ada Byron", email: "ada@example.com", phone: "+15550100" },
  serviceAddress: {
    street: "1 Main St",
    city: "Springfield",
    state: "IL",
    zipCode: "62701",
    country: "US",
  },
};

export function itemIds(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `item-${String(index + 1).padStart(6, "0")}`);
}

/** The events that bring every item to `pending`, before the clock starts. */
export function* birthEvents(items: readonly string[]): Generator<CloudEventInput> {
  for (const item of items)
    yield eventOf(item, { type: "order.received", sequence: 0, data: received });
}

/** The measured events, five for each item, in the order in which they are enqueued. */
export function* measuredEvents(items: readonly string[]): Generator<CloudEventInput> {
  for (const [index, { type, data }] of STEPS.entries()) {
    for (const item of items) yield eventOf(item, { type, sequence: index + 1, data });
  }
}

function eventOf(
  item: string,
  part: { readonly type: string; readonly sequence: number; readonly data: Step["data"] },
): CloudEventInput {
  return {
    specversion: "1.0",
    id: `${item}-${part.sequence}`,
    source: "crm/bench",
    type: part.type,
    subject: item,
    time: new Date().toISOString(),
    sequence: String(part.sequence),
    sequencetype: "Integer",
    data: part.data,
  };
}
