/** Every acknowledged event has one outcome, the right one, and no other event has any. */
import { groupBy } from "../core/group-by.ts";
import { identityOf, attemptOf, factOf, nameOf } from "./event-identity.ts";
import type { SentEvent } from "./history.ts";
import type { Evidence, ItemCase, Told } from "./item-case.ts";
import { hasOutcome, isForgivable } from "./item-case.ts";
import { isSameJson } from "./same-json.ts";
import type { Rule, Violation } from "./verdict.ts";

/** Of the events sent to one item, known to the store or not. */
export function checkArrival(
  evidence: Evidence,
  sent: readonly SentEvent[],
  told: ReadonlyMap<string, readonly Told[]>,
): { readonly violations: readonly Violation[]; readonly lostWithinContract: number } {
  const violations: Violation[] = [];
  const forgotten = new Set<string>();
  for (const each of sent) {
    const { acknowledgedAt, event } = each;
    if (acknowledgedAt === undefined || hasOutcome(evidence, told, each)) continue;
    if (isForgivable(evidence, each)) {
      forgotten.add(identityOf(event));
      continue;
    }
    const message = `${nameOf(event)} (${event.type}) was acknowledged at ${acknowledgedAt}, and neither the journal nor a dead letter knows it`;
    violations.push({ rule: "lost", itemId: event.subject, message });
  }
  return { violations, lostWithinContract: forgotten.size };
}

export function checkEvents(evidence: Evidence, subject: ItemCase): Violation[] {
  const { itemId } = subject.item;
  const say = (rule: Rule, message: string): Violation => ({ rule, itemId, message });
  const sentFacts = groupBy(subject.sent, ({ event }) => factOf(event));
  return [
    ...[...subject.told].flatMap(([fact, entries]) => [
      ...decidedTwice(entries).map((message) => say("applied-twice", message)),
      ...entries.flatMap((entry) => {
        const fault = inventionIn(evidence, subject, { entry, sent: sentFacts.get(fact) ?? [] });
        return fault === undefined ? [] : [say("invented", fault)];
      }),
    ]),
    ...subject.sent.flatMap((each) => {
      const fault = wrongOutcome(subject, each);
      return fault === undefined ? [] : [say("wrong-outcome", fault)];
    }),
  ];
}

/** Each attempt is decided upon once, and once more when it was parked first. What one attempt has
 * applied, no other applies again; under a used id something else may come as a redrive. */
function decidedTwice(entries: readonly Told[]): string[] {
  const faults: string[] = [];
  const last = new Map<string, string>();
  const applied: Told[] = [];
  for (const entry of entries) {
    const { event, revision } = entry;
    const identity = identityOf(event);
    const outcome = outcomeOf(entry);
    const before = last.get(identity);
    last.set(identity, outcome);
    const name = nameOf(event);
    if (outcome === "applied" && applied.some((earlier) => isSameFact(earlier, entry))) {
      faults.push(`${name} was applied before, and again by decision ${revision}`);
    } else if (isLaterEnding(entry) && before !== "parked") {
      const was = before ?? "never there";
      faults.push(`${name} left the parked ones by decision ${revision}, and was ${was}`);
    } else if (!isLaterEnding(entry) && before !== undefined) {
      faults.push(`${name} was decided upon again by decision ${revision}, and was ${before}`);
    }
    if (outcome === "applied") applied.push(entry);
  }
  return faults;
}

function isSameFact({ event: one }: Told, { event: other }: Told): boolean {
  if (identityOf(one) === identityOf(other)) return true;
  return one.type === other.type && isSameJson(one.data, other.data);
}

/** The second decision about an event that was parked. */
function isLaterEnding(entry: Told): boolean {
  return entry.kind === "expired" || entry.retried === true;
}

function outcomeOf(entry: Told): string {
  return entry.kind === "expired" ? "expired" : entry.outcome;
}

function inventionIn(
  evidence: Evidence,
  { item, effects }: ItemCase,
  { entry, sent }: { readonly entry: Told; readonly sent: readonly SentEvent[] },
): string | undefined {
  const { event, revision } = entry;
  const where = `decision ${revision} tells of ${nameOf(event)}`;
  if (event.subject !== item.itemId) return `${where}, which is about item ${event.subject}`;
  // A redrive comes from the engine: its content is that of the attempt before it.
  const candidates = sent.filter((each) => attemptOf(each.event) <= attemptOf(event));
  if (candidates.length === 0) {
    if (isFromEngine(event, evidence.faults.hasLostStore ? undefined : effects)) return undefined;
    return `${where}, which nobody sent`;
  }
  const isWhatWasSent = candidates.some(({ event: original }) => {
    if (original.type !== event.type || !isSamePlace(original, event)) return false;
    return isSameData(evidence, original, event.data);
  });
  return isWhatWasSent ? undefined : `${where} with other content than was sent`;
}

const FROM_ENGINE = "cancelled-upstream:";

/** A cancellation that the engine found at the marketplace while it delivered an effect. After a loss of
 * the store the effect may be unknown. */
function isFromEngine(
  { source, id, type }: Told["event"],
  effects: ReadonlyMap<string, unknown> | undefined,
): boolean {
  if (type !== "order.cancelled" || !source.startsWith("offergrid/")) return false;
  if (!id.startsWith(FROM_ENGINE)) return false;
  return effects === undefined || effects.has(id.slice(FROM_ENGINE.length));
}

function isSamePlace(original: SentEvent["event"], event: Told["event"]): boolean {
  const isSameTime = original.time === undefined || original.time === event.time;
  return (
    isSameTime &&
    text(original.sequence) === text(event.sequence) &&
    original.sequencetype === event.sequencetype &&
    original.account === event.account
  );
}

/** A sequence may be sent as a number, and is kept as text. */
function text(sequence: string | number | undefined): string | undefined {
  return sequence === undefined ? undefined : String(sequence);
}

/** As it was sent, or as the type's own schema reads it. */
function isSameData(
  { machines }: Evidence,
  { type, data }: SentEvent["event"],
  kept: unknown,
): boolean {
  const original: unknown = data ?? {};
  if (isSameJson(original, kept)) return true;
  return machines.all.some((machine) => {
    const parsed = machine.events[type]?.safeParse(original);
    return parsed?.success === true && isSameJson(parsed.data, kept);
  });
}

/** What became of an event that had to be applied. One without any outcome is lost, or was never there. */
function wrongOutcome(
  { told, isIncomplete }: ItemCase,
  { event, mustBe }: SentEvent,
): string | undefined {
  if (mustBe === undefined || isIncomplete) return undefined;
  const last = told.get(factOf(event))?.at(-1);
  if (last === undefined) return undefined;
  const outcome = outcomeOf(last);
  if (outcome === mustBe) return undefined;
  const why = last.problem === undefined ? "" : ` (${last.problem.code})`;
  return `${nameOf(event)} (${event.type}) had to be ${mustBe}, and was ${outcome}${why} by decision ${last.revision}`;
}
