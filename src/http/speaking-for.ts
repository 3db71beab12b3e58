/**
 * Events by a key that is bound to an account: each speaks for that account, said or not, and for no other.
 *
 * Always true: such an event carries the account, so the engine refuses it wherever the item turns out to be
 * another's, in the same decision that would have applied it. What can be known before is refused before:
 * what the event says itself, and whose the items are that have begun already. That spares another
 * account's journal the refusals of this one; nothing else depends on it.
 */
import type { ArrivedEvent } from "../core/arrival.ts";
import type { Problem } from "../core/errors.ts";
import type { Machines } from "../core/machine.ts";
import { type CheckedEvent, checkEvent, type EventSchemas } from "../queue/producer.ts";

export interface Checking {
  readonly schemas: EventSchemas;
  /** Event types that begin an item. */
  readonly births: ReadonlySet<string>;
  readonly now: number;
}

export function birthsOf({ all }: Pick<Machines, "all">): ReadonlySet<string> {
  return new Set(all.map(({ birth }) => birth));
}

/** Checks the event as one that speaks for the account. */
export function checkSpokenFor(checking: Checking, account: string, value: unknown): CheckedEvent {
  const { schemas, births, now } = checking;
  const checked = checkEvent(schemas, stamped(value, account), now);
  if (checked.result === "refused") return checked;
  const { event } = checked;
  if (event.account !== account) return refused(event, account);
  if (!births.has(event.type)) return checked;
  const { account: given } = event.data;
  return given === undefined || given === account ? checked : refused(event, account);
}

export function foreignItem({ id, source, subject }: ArrivedEvent): Problem {
  return {
    code: "EVENT_SUBJECT_FOREIGN",
    message: `Event ${id} of ${source} is about item ${subject}, which belongs to another account than the API key. Check the item id.`,
  };
}

function stamped(value: unknown, account: string): unknown {
  const isEvent = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isEvent || ("account" in value && value.account !== undefined)) return value;
  return { ...value, account };
}

function refused({ id, source }: ArrivedEvent, account: string): CheckedEvent {
  const message = `Event ${id} of ${source} speaks for another account than "${account}", which its API key is bound to. Leave the account out, or use that account's key.`;
  return { result: "refused", problem: { code: "EVENT_SUBJECT_FOREIGN", message } };
}
