/**
 * Everything that a history tells of one item, put together once, so that each promise is judged from
 * what concerns it and the whole stays linear in the history.
 */
import type { Actor } from "../core/actor.ts";
import { decodeActor, encodeActor, isLiving } from "../core/actor.ts";
import { groupBy } from "../core/group-by.ts";
import type { DecisionEntry, DeliveryEntry, EventEntry, ExpiredEntry } from "../core/journal.ts";
import type { Machine, Machines } from "../core/machine.ts";
import { replayAll } from "../core/replay.ts";
import { attemptOf, factOf, identityOf } from "./event-identity.ts";
import type { FaultEffects } from "./fault-effects.ts";
import { effectsOfFaults } from "./fault-effects.ts";
import type {
  DeadLetterRecord,
  History,
  ItemRecord,
  MarketRequest,
  NoticeRecord,
  SentEvent,
} from "./history.ts";

/** What is asked across items. */
export interface Evidence {
  readonly history: History;
  readonly machines: Machines;
  readonly faults: FaultEffects;
  readonly sentTo: ReadonlyMap<string, readonly SentEvent[]>;
  readonly requestsOf: ReadonlyMap<string, readonly MarketRequest[]>;
  /** What operators heard, by item; absent when nobody listened. */
  readonly heardOf: ReadonlyMap<string, readonly NoticeRecord[]> | undefined;
  /** Letters about events, by fact. */
  readonly eventLetters: ReadonlyMap<string, readonly DeadLetterRecord[]>;
  /** Effects about which there is a letter. */
  readonly effectLetters: ReadonlySet<string>;
}

/** A decision about an event. */
export type Told = EventEntry | ExpiredEntry;

export interface KnownEffect {
  readonly id: string;
  readonly name: string;
  /** Its place among the item's effects, in the order of the decisions. */
  readonly place: number;
  /** When it was decided, ms. */
  readonly at: number;
}

export interface ItemCase {
  readonly item: ItemRecord;
  readonly sent: readonly SentEvent[];
  readonly decisions: readonly DecisionEntry[];
  readonly deliveries: readonly DeliveryEntry[];
  /** Decisions about events, by fact, in the order of the journal. */
  readonly told: ReadonlyMap<string, readonly Told[]>;
  /** In the order of the decisions. */
  readonly effects: ReadonlyMap<string, KnownEffect>;
  readonly requests: readonly MarketRequest[];
  readonly replayed: Replayed;
  /** As replayed; when the journal does not replay, as stored. */
  readonly actor: Actor | undefined;
  readonly machine: Machine | undefined;
  readonly status: string | undefined;
  /** Something sent to it never arrived, and that breaks no promise: what waits for it waits rightly. */
  readonly isIncomplete: boolean;
}

export type Replayed =
  | { readonly result: "replayed"; readonly actorText: string | undefined }
  | { readonly result: "failed"; readonly message: string };

export function evidenceOf(history: History, machines: Machines): Evidence {
  const { sent, requests, deadLetters, faults, notices, clockSkewMs } = history;
  const withEvent = deadLetters.filter((letter) => letter.event !== undefined);
  return {
    history,
    machines,
    faults: effectsOfFaults(faults, clockSkewMs),
    sentTo: groupBy(sent, ({ event }) => event.subject),
    requestsOf: groupBy(requests, ({ itemId }) => itemId),
    heardOf: notices && groupBy(notices, ({ itemId }) => itemId),
    eventLetters: groupBy(withEvent, ({ event }) => (event === undefined ? "" : factOf(event))),
    effectLetters: new Set(deadLetters.flatMap(({ effect }) => effect ?? [])),
  };
}

export function caseOf(evidence: Evidence, item: ItemRecord): ItemCase {
  const { machines } = evidence;
  const decisions: DecisionEntry[] = [];
  const deliveries: DeliveryEntry[] = [];
  for (const entry of item.journal) {
    if (entry.kind === "delivery") deliveries.push(entry);
    else decisions.push(entry);
  }
  const told = groupBy(decisions.filter(isTold), ({ event }) => factOf(event));
  const sent = evidence.sentTo.get(item.itemId) ?? [];
  const { replayed, actor } = replayedOf(machines, item);
  const machine = actor && machines.byId(actor.machine, actor.version);
  return {
    item,
    sent,
    decisions,
    deliveries,
    told,
    effects: effectsOf(decisions),
    requests: evidence.requestsOf.get(item.itemId) ?? [],
    replayed,
    actor,
    machine,
    status: isLiving(actor) ? machine?.status(actor.snapshot.value) : undefined,
    isIncomplete: sent.some(
      (each) => isForgivable(evidence, each) && !hasOutcome(evidence, told, each),
    ),
  };
}

/** Whether an attempt of the fact, this one or a later, was decided upon or is a dead letter. */
export function hasOutcome(
  { eventLetters }: Pick<Evidence, "eventLetters">,
  told: ReadonlyMap<string, readonly Told[]>,
  { event }: SentEvent,
): boolean {
  const fact = factOf(event);
  const isLater = (other: { readonly redrive?: number | undefined }): boolean =>
    attemptOf(other) >= attemptOf(event);
  if (told.get(fact)?.some((entry) => isLater(entry.event)) === true) return true;
  const letters = eventLetters.get(fact) ?? [];
  return letters.some(
    ({ itemId, event: dead }) =>
      dead !== undefined && isLater(dead) && (itemId ?? event.subject) === event.subject,
  );
}

/** Nobody promised to keep it: it was never acknowledged, or the store was let forget that it was. An
 * event that was acknowledged again after the loss is promised again. */
export function isForgivable({ faults }: Evidence, sent: SentEvent): boolean {
  const promisedAt = sent.lastAcknowledgedAt ?? sent.acknowledgedAt;
  return promisedAt === undefined || faults.mayForgetEvent(promisedAt);
}

/** Distinct events, however often each was listed. */
export function countEvents(sent: readonly SentEvent[]): number {
  return new Set(sent.map(({ event }) => `${event.subject}\u0000${identityOf(event)}`)).size;
}

function isTold(entry: DecisionEntry): entry is Told {
  return entry.kind === "event" || entry.kind === "expired";
}

function effectsOf(decisions: readonly DecisionEntry[]): Map<string, KnownEffect> {
  const effects = new Map<string, KnownEffect>();
  for (const entry of decisions) {
    if (!("change" in entry)) continue;
    for (const { id, name } of entry.change?.effects ?? []) {
      if (!effects.has(id)) effects.set(id, { id, name, place: effects.size, at: entry.at });
    }
  }
  return effects;
}

function replayedOf(
  machines: Machines,
  { itemId, journal, actorText }: ItemRecord,
): { readonly replayed: Replayed; readonly actor: Actor | undefined } {
  try {
    const actor = replayAll(machines, itemId, journal);
    return { replayed: { result: "replayed", actorText: actor && encodeActor(actor) }, actor };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { replayed: { result: "failed", message }, actor: storedActor(itemId, actorText) };
  }
}

function storedActor(itemId: string, actorText: string | undefined): Actor | undefined {
  try {
    return actorText === undefined ? undefined : decodeActor(itemId, actorText);
  } catch {
    // Told as a difference between the replayed and the stored actor.
    return undefined;
  }
}
