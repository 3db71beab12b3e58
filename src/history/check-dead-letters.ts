/** A dead letter asks a person for help, so each must have a reason beyond faults that heal. */
import { factOf, nameOf } from "./event-identity.ts";
import type { DeadLetterRecord } from "./history.ts";
import type { Evidence } from "./item-case.ts";
import type { Violation } from "./verdict.ts";

/** What a store that forgot its last moments leaves for a person: the marketplace is further than the
 * journal, or waits for what is gone. */
const AFTER_LOSS: readonly string[] = ["PUSH_DIVERGENT", "PARKED_EXPIRED", "EVENT_NOT_ALLOWED"];

export function checkDeadLetters(evidence: Evidence): Violation[] {
  const { history } = evidence;
  const open = history.sent.filter(({ mustBe }) => mustBe === undefined);
  const mayBeDead = new Set(open.map(({ event }) => factOf(event)));
  return history.deadLetters.flatMap((letter): Violation[] => {
    if (isDeserved(evidence, letter, mayBeDead)) return [];
    const { id, itemId, code, event, effect } = letter;
    const about = event === undefined ? (effect ?? letter.kind) : nameOf(event);
    const message = `dead letter ${id} (${code}) about ${about}`;
    return [{ rule: "needless-dead-letter", message, ...(itemId !== undefined && { itemId }) }];
  });
}

function isDeserved(
  { faults }: Evidence,
  { kind, code, event, itemId }: DeadLetterRecord,
  mayBeDead: ReadonlySet<string>,
): boolean {
  if (faults.hasLostStore && AFTER_LOSS.includes(code)) return true;
  switch (kind) {
    case "event":
      // Of several outcomes that are right one may be this; an event that nobody sent has none.
      return event !== undefined && mayBeDead.has(factOf(event));
    case "effect":
    case "account":
      return faults.hasRefusal(itemId);
    case "unreadable":
      return faults.hasBadInput;
    default:
      return false;
  }
}
