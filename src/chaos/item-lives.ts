/**
 * Invented lives of order items, and of some lamps: what a CRM would tell of them, from the order to the end. Every step is
 * legal where it stands, so each event must be applied whatever happens on its way; the numbers say in
 * which order.
 */
import { ACKNOWLEDGED, isClockEvent, SNOOZED } from "../core/clock-event.ts";
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
  { share: 16, steps: [...STARTED, "work.completed", "service.activated"], endsAs: "active" },
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
  // A lamp goes out by itself, whenever its button was pressed.
  { share: 4, steps: ["lamp.born"], endsAs: "dark" },
  { share: 4, steps: ["lamp.born", "lamp.pressed", "lamp.pressed"], endsAs: "dark" },
  // What nobody goes on with has its clocks ring to the end.
  { share: 4, steps: ["order.received"], endsAs: "pending" },
  { share: 4, steps: [...ACCEPTED, "wait.started"], endsAs: "accepted" },
  { share: 4, steps: [...ACCEPTED, "appointment.scheduled"], endsAs: "scheduled" },
];

/** Laid into a life: after which step, how likely, and what. */
const ADDITIONS: readonly {
  readonly after: string;
  readonly probability: number;
  readonly steps: readonly string[];
}[] = [
  { after: "order.received", probability: 0.3, steps: ["order.submitted"] },
  { after: "order.received", probability: 0.15, steps: [ACKNOWLEDGED] },
  { after: "order.received", probability: 0.1, steps: [SNOOZED] },
  { after: "order.accepted", probability: 0.2, steps: ["wait.started", "wait.ended"] },
  { after: "appointment.scheduled", probability: 0.3, steps: ["appointment.rescheduled"] },
  { after: "work.started", probability: 0.1, steps: ["wait.started", "wait.ended"] },
];

const DAY_MS = 86_400_000;

/** Of appointments, so many are near enough for their clocks to ring. */
const NEAR = 0.5;
const NEAR_MS = [1_000, 10_000] as const;

/** From its beginning, a life's first clock is silenced for so long at most, ms. */
const HELD_MS = 5_000;

export interface LifeSetting {
  readonly itemId: string;
  /** When it begins, ms. */
  readonly from: number;
  /** Between one event and the next, ms. */
  readonly stepMs: number;
}

export function newLife(random: SeededRandom, setting: LifeSetting): ItemLife {
  const story = storyFor(random.between(1, 100));
  const steps = story.steps.flatMap((step, index) => {
    const additions = additionsAfter(step, random);
    const isLast = index === story.steps.length - 1;
    // A life ends as its story does; to silence a clock changes nothing of that.
    return [step, ...additions.filter((each) => !isLast || isClockEvent(each))];
  });
  const events = steps.map((type, index) => {
    const at = setting.from + index * setting.stepMs;
    const { itemId } = setting;
    if (isClockEvent(type)) return holdOf(type, { itemId, at, place: index + 1 });
    const number = steps.slice(0, index + 1).filter((each) => !isClockEvent(each)).length;
    const dateMs = random.chance(NEAR) ? random.between(...NEAR_MS) : (30 + number) * DAY_MS;
    const isRemote = story.isRemote === true;
    const data = dataOf(type, { itemId, number, isRemote, scheduledFor: at + dateMs });
    return eventOf(type, { itemId, at, number, data });
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

interface Told {
  readonly itemId: string;
  /** When it happened, ms. */
  readonly at: number;
  readonly number: number;
  readonly data: JsonObject;
}

function eventOf(type: string, { itemId, at, number, data }: Told): CloudEvent {
  return {
    specversion: "1.0",
    id: `${itemId}-${number}`,
    source: "crm/chaos",
    type,
    subject: itemId,
    time: new Date(at).toISOString(),
    sequence: String(number),
    sequencetype: "Integer",
    data,
  };
}

/** Not of the CRM: people do it, and whether the clock is still open is left to the moment. */
function holdOf(
  type: string,
  { itemId, at, place }: { readonly itemId: string; readonly at: number; readonly place: number },
): CloudEvent {
  const until = new Date(at + HELD_MS).toISOString();
  const reason = "They have promised an answer.";
  return {
    specversion: "1.0",
    id: `${itemId}-hold-${place}`,
    source: "ops/chaos",
    type,
    subject: itemId,
    time: new Date(at).toISOString(),
    data: { clock: "respond", until, by: "ops@example.com", role: "lead", reason },
  };
}

interface Content {
  readonly itemId: string;
  readonly number: number;
  readonly isRemote: boolean;
  /** Of an appointment, ms. */
  readonly scheduledFor: number;
}

function dataOf(type: string, { itemId, number, isRemote, scheduledFor }: Content): JsonObject {
  const providerNotes = `Step ${number} of ${itemId}.`;
  switch (type) {
    case "order.received":
      return { orderId: `order-of-${itemId}`, requiresInstallation: !isRemote };
    case "appointment.scheduled":
    case "appointment.rescheduled": {
      const date = new Date(scheduledFor).toISOString();
      const metadata = { appointmentWindow: "1-5 PM" };
      return { providerNotes, scheduledFor: date, metadata };
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
