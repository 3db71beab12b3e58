/** The item ended where it had to, nothing of it waits, and the store finds it where it is. */
import { dueAt } from "../core/actor.ts";
import { nameOf } from "./event-identity.ts";
import type { Evidence, ItemCase } from "./item-case.ts";
import type { Rule, Violation } from "./verdict.ts";

export function checkStore({ history }: Evidence, subject: ItemCase): Violation[] {
  const { itemId } = subject.item;
  const say = (rule: Rule, message: string): Violation => ({ rule, itemId, message });
  return [
    ...endingFaults(subject).map((message) => say("wrong-outcome", message)),
    ...waitingFaults(subject).map((message) => say("stuck", message)),
    ...[...listingFaults(subject), ...dueFaults(subject, history)].map((message) =>
      say("index-differs", message),
    ),
  ];
}

function endingFaults({ item, status, isIncomplete }: ItemCase): string[] {
  const { mustEndAs } = item;
  if (mustEndAs === undefined || mustEndAs === status || isIncomplete) return [];
  return [`it had to end as ${mustEndAs}, and is ${status ?? "not known"}`];
}

function waitingFaults({ actor, isIncomplete }: ItemCase): string[] {
  if (isIncomplete || actor === undefined) return [];
  return actor.parked.map(
    ({ event, reason, until }) =>
      `${nameOf(event)} (${event.type}) is still parked (${reason}) until ${until}`,
  );
}

function listingFaults({ item, status }: ItemCase): string[] {
  const listed = item.listedUnder.toSorted().join(", ");
  if (listed === (status ?? "")) return [];
  return [`it is ${status ?? "not known"}, and listed under ${listed || "no status"}`];
}

/** An item that could not be moved when it was due is looked at again this much later. */
const DUE_AGAIN_MS = 60_000;

function dueFaults(
  { item, actor }: ItemCase,
  { endedAt, clockSkewMs }: Evidence["history"],
): string[] {
  const due = actor && dueAt(actor);
  const { indexedDueAt } = item;
  if (indexedDueAt === due) return [];
  if (due !== undefined && indexedDueAt !== undefined) {
    const lookedAt = indexedDueAt - DUE_AGAIN_MS;
    if (lookedAt >= due && lookedAt <= endedAt + clockSkewMs) return [];
  }
  return [`time changes it ${at(due)}, and the store lets it act ${at(indexedDueAt)}`];
}

function at(moment: number | undefined): string {
  return moment === undefined ? "never" : `at ${moment}`;
}
