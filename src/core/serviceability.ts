/**
 * The question whether an item can be served, as far as decisions know of it. It is an effect of the
 * item's birth, committed with it where the account has somebody to ask; the answer comes back as an
 * event like any other, and an answer that decides nothing asks a person.
 *
 * Always true: what a birth asked is in its journal entry, so a replay asks no configuration; a person is
 * asked at most once for one question.
 */
import { z } from "zod";
import type { LivingActor } from "./actor.ts";
import type { ActionEffect } from "./advance.ts";
import type { ArrivedEvent } from "./arrival.ts";
import { NOTIFY_EFFECT, type NotifyParams } from "./clock-notice.ts";
import type { Verdict } from "./decision.ts";
import type { Draft, ToldEvent } from "./draft.ts";
import type { EventEntry } from "./journal.ts";
import type { Machine } from "./machine.ts";
import { dataProblem } from "./problems.ts";

/** Machines may not declare an effect of this name. Whoever delivers it looks at the item as it is then. */
export const CHECK_EFFECT = "checkServiceability";

/** Nobody could say: a person has to. Sent by the engine alone. */
export const UNDECIDED = "orderwright.serviceability.undecided";

const WHY = {
  unknown: "the check says that it does not know",
  unanswered: "the check gave no answer",
  malformed: "the answer of the check cannot be read",
  refused: "the item did not take the answer of the check",
} as const;

export type Why = keyof typeof WHY;

const undecidedSchema = z.strictObject({
  why: z.enum(Object.keys(WHY) as [Why, ...Why[]]),
});

/** What is asked about an item while it waits for a yes or a no; `undefined` when it does not. */
export function questionOf(machine: Machine, { snapshot: { value, context } }: LivingActor) {
  return machine.serviceability?.({ value, context });
}

export const CHECK: ActionEffect = { name: CHECK_EFFECT, params: {} };

/** Whether the decision that wrote the entry asked. */
export function wasAsked({ change }: Pick<EventEntry, "change">): boolean {
  return change?.effects?.some(({ name }) => name === CHECK_EFFECT) === true;
}

export function decideUndecided(draft: Draft, machine: Machine, told: ToldEvent): Verdict {
  const { event, retried } = told;
  const again = retried && { retried };
  const read = undecidedSchema.safeParse(event.data);
  if (!read.success) return draft.reject(event, dataProblem(event, read.error), again);
  const actor = draft.actor as LivingActor;
  if (questionOf(machine, actor) !== undefined) return draft.note(machine, told);
  const status = machine.status(actor.snapshot.value);
  const message = `Item ${actor.id} is "${status}": it was decided before anybody was asked.`;
  return draft.stale(event, { code: "EVENT_STALE", message }, again);
}

/** The notice that a noted event is worth: none for all but one type. */
export function undecidedNotices(
  machine: Machine,
  { id, snapshot: { value, context } }: LivingActor,
  event: ArrivedEvent,
): readonly ActionEffect[] {
  if (event.type !== UNDECIDED) return [];
  const { data, success } = undecidedSchema.safeParse(event.data);
  if (!success) return [];
  const { account, order } = machine.attributes(context);
  const status = machine.status(value);
  const params: NotifyParams = {
    key: event.id,
    kind: "undecided",
    to: ["owner"],
    text: `Item ${id} is "${status}", and ${WHY[data.why]}: accept or reject it.`,
    account,
    ...(order !== undefined && { order }),
    status,
    at: event.time,
  };
  return [{ name: NOTIFY_EFFECT, params }];
}
