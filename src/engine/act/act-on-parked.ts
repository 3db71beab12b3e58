/**
 * An event that waits in its item is tried now, or given up.
 *
 * Its wait is ended by an operator's event, which makes it a dead letter in the item's own journal; to try
 * it is to redrive that letter at once. So a crash halfway leaves a letter, and the repeat of the request
 * goes on from there.
 */
import { letterIdOf } from "../event-identity.ts";
import type { Actor, LivingActor, ParkedEvent } from "../../core/actor.ts";
import { decideEvent } from "../../core/decide.ts";
import type { CloudEvent } from "../../core/event.ts";
import { parkedOf, PARKED_RELEASED } from "../../core/operator-event.ts";
import { readEvent } from "../../core/read-event.ts";
import { newJob } from "../../queue/producer.ts";
import { type DeadLetter, findDeadLetter } from "../../store/dead-letter-store.ts";
import { newAttempt, redrive } from "../redrive.ts";
import {
  bylineOf,
  type ItemAction,
  notPossible,
  type Outcome,
  type Plan,
  type Refused,
} from "./action.ts";
import { type Acting, findItem, mayAct, settingOf, storeNow, unknownItem } from "./acting.ts";
import { answerTo } from "./front-door.ts";
import {
  checkOperatorEvent,
  eventOf,
  OPERATOR_SCHEMAS,
  type OperatorEvent,
  resultOf,
  sendEvent,
} from "./send-event.ts";

type ReleaseAction = Extract<ItemAction, { readonly action: "release-parked" }>;

export async function planRelease(
  acting: Acting,
  { to, ...wanted }: ReleaseAction,
  about: OperatorEvent & { readonly letter: string | undefined },
): Promise<Plan | Refused> {
  const { item, operator } = about;
  const found = await findItem(acting, item);
  const account = found.is === "living" ? found.account : undefined;
  if (found.is === "unknown" || !mayAct(operator, account)) return unknownItem(item);
  if (found.is === "not-living") return notPossible(notAnnounced(item));
  const ended =
    about.letter === undefined ? undefined : await findDeadLetter(acting.store, about.letter);
  if (ended?.kind === "event") return planRest(acting, { item, letter: ended, to });
  const parked = chosenOf(found.actor, wanted);
  if ("why" in parked) return parked;
  const { source, id } = parked.event;
  const data = { source, id, by: bylineOf(operator), reason: operator.reason };
  const event = await eventOf(acting, about, { type: PARKED_RELEASED, data });
  const checked = checkOperatorEvent(OPERATOR_SCHEMAS, event);
  if (checked.is === "refused") return checked;
  const fault = await faultOf(acting, { actor: found.actor, parked, event, to });
  if (fault !== undefined) return notPossible(fault);
  return {
    is: "plan",
    item,
    detail: {
      parked: { source, id },
      letter: letterIdOf(parked.event),
      to,
      event: { id: event.id, source: event.source },
    },
    run: () => release(acting, { event, parked, to }),
  };
}

type EventLetter = Extract<DeadLetter, { readonly kind: "event" }>;

/** Its wait was ended before; what is left to do. */
function planRest(
  acting: Acting,
  {
    item,
    letter,
    to,
  }: { readonly item: string; readonly letter: EventLetter; readonly to: string },
): Plan {
  const { source, id } = letter.event;
  const done = { is: "done", result: { outcome: "dead-letter", event: { source, id } } } as const;
  return {
    is: "plan",
    item,
    detail: { letter: letter.id },
    run: async () => (to === "now" ? tryAgain(acting, letter, { source, id }) : done),
  };
}

function chosenOf(
  { id: item, parked }: LivingActor,
  { source, id }: { readonly source?: string; readonly id?: string },
): ParkedEvent | Refused {
  const fitting = parked.filter(
    ({ event }) =>
      (source === undefined || event.source === source) && (id === undefined || event.id === id),
  );
  const [first, ...others] = fitting;
  const waiting = parked.map(({ event }) => `${event.id} of ${event.source}`).join(", ");
  if (first === undefined) {
    return notPossible(
      parked.length === 0
        ? `No event waits in item ${item}.`
        : `That event does not wait in item ${item}. These do: ${waiting}.`,
    );
  }
  // Attempts of one event are one to a person: the latest is meant.
  const one = parkedOf({ parked }, first.event);
  const isOne = others.every(
    ({ event }) => event.source === first.event.source && event.id === first.event.id,
  );
  if (one !== undefined && isOne) return one;
  return notPossible(
    `Several events wait in item ${item}: ${waiting}. Name its source and its id.`,
  );
}

function notAnnounced(item: string): string {
  return `Nobody has announced item ${item}, so what waits for it cannot be tried or given up. Send the event that begins it, or let the wait end by itself.`;
}

interface Release {
  readonly event: CloudEvent;
  readonly parked: ParkedEvent;
  readonly to: ReleaseAction["to"];
}

/** Decided as the workers would, on what is stored now; nothing is written. */
async function faultOf(
  acting: Acting,
  { actor, parked, event, to }: Release & { readonly actor: LivingActor },
): Promise<string | undefined> {
  const now = await storeNow(acting);
  const setting = settingOf(acting, now);
  const decide = (before: Actor | undefined, sent: CloudEvent) => {
    const read = readEvent(sent, now);
    if (read.result === "unreadable") throw new TypeError(read.problem.message);
    return decideEvent(setting, before, read.event);
  };
  const released = decide(actor, event);
  if (released.verdict.outcome !== "applied") return released.verdict.problem?.message;
  if (to === "dead-letter") return undefined;
  const [letter] = released.decision.deadEvents;
  if (letter === undefined) throw new TypeError("a release without a dead letter");
  const { verdict } = decide(released.decision.actor, newAttempt(letter.event));
  if (verdict.outcome !== "parked") return undefined;
  return `Event ${parked.event.id} of ${parked.event.source} would only wait again. ${verdict.problem?.message ?? ""} Bring item ${actor.id} there first, or give the event up.`;
}

async function release(acting: Acting, { event, parked, to }: Release): Promise<Outcome> {
  const ended = await sendEvent(acting.frontDoor, event);
  if (ended.is === "pending" || ended.result.outcome !== "applied") return ended;
  const { source, id } = parked.event;
  if (to === "dead-letter") {
    return {
      is: "done",
      result: { ...ended.result, outcome: "dead-letter", event: { source, id } },
    };
  }
  const letter = await findDeadLetter(acting.store, letterIdOf(parked.event));
  // Whoever was faster has redriven it, or given it up.
  if (letter === undefined) return { is: "done", result: { outcome: "was-open" } };
  return tryAgain(acting, letter, { source, id });
}

async function tryAgain(
  acting: Acting,
  letter: DeadLetter,
  event: { readonly source: string; readonly id: string },
): Promise<Outcome> {
  const now = await storeNow(acting);
  let outcome: Outcome = { is: "pending", event };
  await redrive(
    {
      store: acting.store,
      now: () => now,
      enqueue: async (data) => {
        const answer = await answerTo(acting.frontDoor, newJob(data));
        if (answer !== "none") outcome = { is: "done", result: resultOf(answer, event) };
      },
    },
    letter,
  );
  return outcome;
}
