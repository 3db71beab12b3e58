/** What items live through, as their source reports it. */
import { orderEvent } from "../support/order-item-events.ts";
import type { EventType } from "../../machines/order-item/events.ts";
import { ACKNOWLEDGED, SNOOZED } from "../../src/core/clock-event.ts";
import type { CloudEvent, JsonObject } from "../../src/core/event.ts";
import type { Random } from "./random.ts";
import { EPOCH_MS } from "./world.ts";

/** How long ago an item's first event happened when a run begins, ms. */
export const TOLD_AFTER_MS = 60_000;

type HoldEventType = typeof ACKNOWLEDGED | typeof SNOOZED;
type LampEventType = "lamp.born" | "lamp.pressed" | "lamp.removed";

interface Life {
  readonly types: readonly (EventType | LampEventType)[];
  /** What people do meanwhile about the clock of the first status. */
  readonly holds?: readonly HoldEventType[];
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
  { types: ["order.received"], holds: [ACKNOWLEDGED], endsAs: "pending" },
  { types: [...BEGINNING], holds: [SNOOZED, ACKNOWLEDGED], endsAs: "accepted" },
  { types: [...BEGINNING, "wait.started"], endsAs: "accepted" },
  {
    types: [...BEGINNING, "wait.started", "appointment.scheduled", "appointment.rescheduled"],
    endsAs: "scheduled",
  },
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

/** From the beginning of a run, ms. */
const HELD_FOR_MS = 8_000;

export function planItem(random: Random, index: number): ItemPlan {
  const itemId = `item-${index}`;
  const machine = random.chance(LAMPS) ? "lamp" : "order-item";
  const life = random.pick(machine === "lamp" ? LAMP_LIVES : ORDER_LIVES);
  const isNumbered = !random.chance(UNNUMBERED);
  const facts = life.types.map((type, place) => ({
    ...eventOf(type, { itemId, place }),
    ...(isNumbered && { sequence: String(place + 1), sequencetype: "Integer" as const }),
  }));
  const holds = (life.holds ?? []).map((type, index) => holdOf(type, { itemId, index }));
  return {
    itemId,
    machine,
    events: [...facts, ...holds],
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
  const event = orderEvent(type, { ...overrides, data: dataOf(type, place) });
  const { providerNotes } = event.data;
  if (typeof providerNotes !== "string") return event;
  // A second visit to a status says something of its own, or nobody could tell the two apart.
  return { ...event, data: { ...event.data, providerNotes: `${providerNotes} (${place})` } };
}

/** Not of the CRM, whose numbers are without holes. */
function holdOf(
  type: HoldEventType,
  { itemId, index }: { readonly itemId: string; readonly index: number },
): CloudEvent {
  const until = new Date(EPOCH_MS + HELD_FOR_MS).toISOString();
  const reason = "They have promised an answer.";
  return {
    specversion: "1.0",
    type,
    id: `${itemId}.hold-${index + 1}`,
    source: "ops/sim",
    subject: itemId,
    time: timeOf(index),
    data: { clock: "respond", until, by: "ops@example.com", role: "lead", reason },
  };
}

/** So near that the clocks of a date ring within the run. */
function dataOf(type: EventType, place: number): JsonObject {
  if (type !== "appointment.scheduled" && type !== "appointment.rescheduled") return {};
  const scheduledFor = new Date(EPOCH_MS + 2_000 * place).toISOString();
  return { scheduledFor, providerNotes: "The date is agreed." };
}

function isLampType(type: string): type is LampEventType {
  return type.startsWith("lamp.");
}

function timeOf(place: number): string {
  return new Date(EPOCH_MS - TOLD_AFTER_MS + place * 1_000).toISOString();
}
