/** What items live through, as their source reports it. */
import { orderEvent } from "../support/order-item-events.ts";
import type { EventType } from "../../machines/order-item/events.ts";
import type { CloudEvent } from "../../src/core/event.ts";
import type { Random } from "./random.ts";
import { EPOCH_MS } from "./world.ts";

type LampEventType = "lamp.born" | "lamp.pressed" | "lamp.removed";

interface Life {
  readonly types: readonly (EventType | LampEventType)[];
  /** Absent where a timer decides it as well. */
  readonly endsAs?: string;
}

const BEGINNING = ["order.received", "order.accepted"] as const;
const VISIT = ["work.started", "work.completed"] as const;

const ORDER_LIVES: readonly [Life, ...Life[]] = [
  {
    types: [...BEGINNING, "appointment.scheduled", ...VISIT, "service.activated"],
    endsAs: "active",
  },
  {
    types: [...BEGINNING, "wait.started", "wait.ended", "appointment.scheduled", "work.started"],
    endsAs: "in_progress",
  },
  {
    types: ["order.received", "order.submitted", "order.accepted", "appointment.scheduled"],
    endsAs: "scheduled",
  },
  {
    types: [...BEGINNING, "appointment.scheduled", "appointment.rescheduled", "order.cancelled"],
    endsAs: "cancelled",
  },
  {
    types: [
      ...BEGINNING,
      "appointment.scheduled",
      "work.started",
      "work.failed",
      "appointment.rescheduled",
      ...VISIT,
    ],
    endsAs: "completed",
  },
  { types: ["order.received", "order.rejected"], endsAs: "rejected" },
  { types: [...BEGINNING, "order.cancelled"], endsAs: "cancelled" },
  {
    types: [...BEGINNING, "appointment.scheduled", "work.started", "work.failed"],
    endsAs: "failed",
  },
  { types: ["order.received"], endsAs: "pending" },
];

const LAMP_LIVES: readonly [Life, ...Life[]] = [
  { types: ["lamp.born"], endsAs: "dark" },
  { types: ["lamp.born", "lamp.pressed", "lamp.pressed"], endsAs: "dark" },
  { types: ["lamp.born", "lamp.pressed", "lamp.removed"], endsAs: "gone" },
];

export interface ItemPlan {
  readonly itemId: string;
  readonly machine: "order-item" | "lamp";
  /** In the order of the facts. */
  readonly events: readonly CloudEvent[];
  /** Numbered without holes, so that every event must be applied in the end. */
  readonly isNumbered: boolean;
  readonly endsAs?: string;
}

/** Without a number, order can only be told by time, and what comes late is stale. */
const UNNUMBERED = 0.15;
const LAMPS = 0.2;

export function planItem(random: Random, index: number): ItemPlan {
  const itemId = `item-${index}`;
  const machine = random.chance(LAMPS) ? "lamp" : "order-item";
  const life = random.pick(machine === "lamp" ? LAMP_LIVES : ORDER_LIVES);
  const isNumbered = !random.chance(UNNUMBERED);
  const events = life.types.map((type, place) => ({
    ...eventOf(type, { itemId, place }),
    ...(isNumbered && { sequence: String(place + 1), sequencetype: "Integer" as const }),
  }));
  return {
    itemId,
    machine,
    events,
    isNumbered,
    ...(life.endsAs !== undefined && { endsAs: life.endsAs }),
  };
}

/** What the marketplace tells when the reseller has cancelled. */
export function cancellationOf(itemId: string): CloudEvent {
  const { data, ...event } = orderEvent("order.cancelled", {
    id: `${itemId}.cancelled-by-reseller`,
    source: "offergrid/webhook",
    subject: itemId,
    time: timeOf(0),
    data: { origin: "marketplace", cancelledBy: "reseller" },
  });
  return { ...event, data };
}

function eventOf(
  type: EventType | LampEventType,
  { itemId, place }: { readonly itemId: string; readonly place: number },
): CloudEvent {
  const overrides = {
    id: `${itemId}.${place + 1}`,
    source: "crm/sim",
    subject: itemId,
    time: timeOf(place),
  };
  if (isLampType(type)) return { specversion: "1.0", type, ...overrides, data: {} };
  const event = orderEvent(type, overrides);
  const { providerNotes } = event.data;
  if (typeof providerNotes !== "string") return event;
  // A second visit to a status says something of its own, or nobody could tell the two apart.
  return { ...event, data: { ...event.data, providerNotes: `${providerNotes} (${place})` } };
}

function isLampType(type: string): type is LampEventType {
  return type.startsWith("lamp.");
}

function timeOf(place: number): string {
  return new Date(EPOCH_MS - 60_000 + place * 1_000).toISOString();
}
