/**
 * The events that only operators send. They come in through the queue as any other event does, so they
 * are answered once, are journalled, and take part in the item's one history; the machine does not see
 * them. Clocks take some, and what waits in the item the other.
 */
import { z } from "zod";
import type { LivingActor, ParkedEvent } from "./actor.ts";
import { compareSequences } from "./arrival.ts";
import { isClockEvent } from "./clock-event.ts";
import type { Verdict } from "./decision.ts";
import type { Draft, ToldEvent } from "./draft.ts";
import type { Problem } from "./errors.ts";
import type { Machine } from "./machine.ts";
import { dataProblem } from "./problems.ts";
import { UNDECIDED } from "./serviceability.ts";

/** Ends the wait of a parked event: it is a dead letter then, which can be redriven. */
export const PARKED_RELEASED = "orderwright.parked.released";

export const releaseDataSchema = z.strictObject({
  /** Of the parked event. */
  source: z.string().min(1).max(256),
  id: z.string().min(1).max(256),
  by: z.string().min(1).max(512),
  reason: z.string().min(1).max(1000),
});

export function isOperatorEvent(type: string): boolean {
  return isClockEvent(type) || type === PARKED_RELEASED || type === UNDECIDED;
}

/** The parked event leaves the item with the decision that its release is. */
export function decideRelease(draft: Draft, machine: Machine, told: ToldEvent): Verdict {
  const { event, retried } = told;
  const again = retried && { retried };
  const read = releaseDataSchema.safeParse(event.data);
  if (!read.success) return draft.reject(event, dataProblem(event, read.error), again);
  const { by, reason } = read.data;
  const actor = draft.actor as LivingActor;
  const parked = parkedOf(actor, read.data);
  if (parked === undefined) return draft.reject(event, notParked(actor, read.data), again);
  const before = waitsBefore(actor, parked);
  if (before !== undefined) return draft.reject(event, notFirst(parked, before), again);
  const verdict = draft.note(machine, told);
  const { type, id, source } = parked.event;
  draft.expire(parked, {
    code: "PARKED_ENDED",
    message: `${type} (event ${id} of ${source}) waited for its turn, and ${by} has ended its wait: ${reason}`,
  });
  return verdict;
}

/** Of several attempts of one event the latest. */
export function parkedOf(
  { parked }: Pick<LivingActor, "parked">,
  { source, id }: { readonly source: string; readonly id: string },
): ParkedEvent | undefined {
  return parked.findLast(({ event }) => event.source === source && event.id === id);
}

/** A number that is given up makes the lower ones stale: whoever waits with one comes first. */
function waitsBefore(
  { parked }: Pick<LivingActor, "parked">,
  { event: { source, sequence, sequencetype } }: ParkedEvent,
): ParkedEvent | undefined {
  if (sequencetype !== "Integer" || sequence === undefined) return undefined;
  return parked
    .filter(({ event }) => event.source === source && event.sequence !== undefined)
    .find(({ event }) => compareSequences(event.sequence ?? "", sequence) < 0);
}

function notParked({ id: item, parked }: LivingActor, { source, id }: ParkedName): Problem {
  const waiting = parked.map(({ event }) => `${event.id} of ${event.source}`);
  const known = waiting.length === 0 ? "None waits" : `These wait: ${waiting.join(", ")}`;
  const message = `Event ${id} of ${source} does not wait in item ${item}. ${known}.`;
  return { code: "ACTION_NOT_POSSIBLE", message };
}

interface ParkedName {
  readonly source: string;
  readonly id: string;
}

function notFirst({ event }: ParkedEvent, { event: before }: ParkedEvent): Problem {
  return {
    code: "ACTION_NOT_POSSIBLE",
    message: `Event ${before.id} of ${before.source} waits with a lower number than event ${event.id}, and would be stale after it. Release ${before.id} first.`,
  };
}
