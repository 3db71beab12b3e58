/**
 * Invented lives of order items: what a CRM would tell of them, from the order to the end. Every step is
 * legal where it stands, so each event must be applied whatever happens on its way; the numbers say in
 * which order.
 */
import type { CloudEvent, JsonObject } from "../core/event.ts";
import type { SeededRandom } from "./seeded-random.ts";

export interface ItemLife {
  readonly itemId: string;
  /** In the order in which they happened. */
  readonly events: readonly CloudEvent[];
  /** The status in which they leave the item. */
  readonly endsAs: string;
}

interface Story {
  /** Of 100 lives, about so many. */
  readonly share: number;
  readonly steps: readonly string[];
  readonly endsAs: string;
  /** Nobody has to visit the customer. */
  readonly isRemote?: true;
}

const ACCEPTED = ["order.received", "order.accepted"];
const STARTED = [...ACCEPTED, "appointment.scheduled", "work.started"];
const RETURN_VISIT = ["work.failed", "appointment.rescheduled", "work.started"];

const STORIES: readonly Story[] = [
  { share: 36, steps: [...STARTED, "work.completed", "service.activated"], endsAs: "active" },
  { share: 10, steps: [...STARTED, "work.completed"], endsAs: "completed" },
  { share: 8, steps: [...STARTED, "service.activated"], endsAs: "active" },
  { share: 6, steps: [...ACCEPTED, "service.activated"], endsAs: "active", isRemote: true },
  {
    share: 14,
    steps: [...STARTED, ...RETURN_VISIT, "work.completed", "service.activated"],
    endsAs: "active",
  },
  { share: 5, steps: [...STARTED, "work.failed"], endsAs: "failed" },
  { share: 5, steps: [...STARTED, "work.failed", "order.cancelled"], endsAs: "cancelled" },
  { share: 5, steps: [...ACCEPTED, "order.cancelled"], endsAs: "cancelled" },
  {
    share: 5,
    steps: [...ACCEPTED, "appointment.scheduled", "order.cancelled"],
    endsAs: "cancelled",
  },
  { share: 6, steps: ["order.received", "order.rejected"], endsAs: "rejected" },
];

/** Laid into a life: after which step, how likely, and what. */
const ADDITIONS: readonly {
  readonly after: string;
  readonly probability: number;
  readonly steps: readonly string[];
}[] = [
  { after: "order.received", probability: 0.3, steps: ["order.submitted"] },
  { after: "order.accepted", probability: 0.2, steps: ["wait.started", "wait.ended"] },
  { after: "appointment.scheduled", probability: 0.3, steps: ["appointment.rescheduled"] },
  { after: "work.started", probability: 0.1, steps: ["wait.started", "wait.ended"] },
];

const DAY_MS = 86_400_000;

export interface LifeSetting {
  readonly itemId: string;
  /** When it begins, ms. */
  readonly from: number;
  /** Between one event and the next, ms. */
  readonly stepMs: number;
}

export function newLife(random: SeededRandom, setting: LifeSetting): ItemLife {
  const story = storyFor(random.between(1, 100));
  const steps = story.steps.flatMap((step) => [step, ...additionsAfter(step, random)]);
  const events = steps.map((type, index) => {
    const data = dataOf(type, { ...setting, number: index + 1, isRemote: story.isRemote === true });
    return eventOf(type, { ...setting, number: index + 1, data });
  });
  return { itemId: setting.itemId, events, endsAs: story.endsAs };
}

function storyFor(draw: number): Story {
  let sum = 0;
  const found = STORIES.find(({ share }) => (sum += share) >= draw);
  if (found === undefined) throw new RangeError(`The shares of the stories end before ${draw}.`);
  return found;
}

function additionsAfter(step: string, random: SeededRandom): readonly string[] {
  return ADDITIONS.filter(({ after }) => after === step).flatMap(({ probability, steps }) =>
    random.chance(probability) ? steps : [],
  );
}

function eventOf(
  type: string,
  {
    itemId,
    from,
    stepMs,
    number,
    data,
  }: LifeSetting & { readonly number: number; readonly data: JsonObject },
): CloudEvent {
  return {
    specversion: "1.0",
    id: `${itemId}-${number}`,
    source: "crm/chaos",
    type,
    subject: itemId,
    time: new Date(from + (number - 1) * stepMs).toISOString(),
    sequence: String(number),
    sequencetype: "Integer",
    data,
  };
}

interface Told extends LifeSetting {
  readonly number: number;
  readonly isRemote: boolean;
}

function dataOf(type: string, { itemId, from, number, isRemote }: Told): JsonObject {
  const providerNotes = `Step ${number} of ${itemId}.`;
  switch (type) {
    case "order.received":
      return { orderId: `order-of-${itemId}`, requiresInstallation: !isRemote };
    case "appointment.scheduled":
    case "appointment.rescheduled": {
      const scheduledFor = new Date(from + (30 + number) * DAY_MS).toISOString();
      return { providerNotes, scheduledFor, metadata: { appointmentWindow: "1-5 PM" } };
    }
    case "work.failed":
      return { providerNotes, reasonCode: "technical" };
    case "work.completed":
    case "service.activated":
      return { providerNotes, metadata: { orderRef: `ref-${itemId}` } };
    case "wait.started":
      return { on: "customer", reason: providerNotes };
    case "wait.ended":
      return {};
    default:
      return { providerNotes };
  }
}
