/**
 * What came of the stories, read from the journals, the dead letters and the marketplace's log alone.
 * Pure: nothing here knows what was sent, only what is recorded and what was expected.
 */
import type { DecisionEntry, DeliveryEntry, JournalEntry } from "../core/journal.ts";
import { PUSH_EFFECT } from "../engine/push.ts";
import type { PushLogEntry } from "../offergrid/sandbox/push-log.ts";
import { pushReport } from "../offergrid/sandbox/push-report.ts";
import { type DeadLetter, itemOfLetter } from "../store/dead-letter-store.ts";
import type { Mark, Story } from "./demo-story.ts";

export interface Evidence {
  readonly journals: ReadonlyMap<string, readonly JournalEntry[]>;
  readonly letters: readonly DeadLetter[];
  /** Every PATCH that reached the marketplace, oldest first. */
  readonly log: readonly PushLogEntry[];
  /** Items whose journal, replayed, does not give the stored actor. */
  readonly unreplayed: ReadonlySet<string>;
}

export interface Result {
  readonly story: Story;
  readonly path: readonly Mark[];
  /** Statuses that the marketplace applied, in order. */
  readonly saw: readonly string[];
  /** What is not as expected, one sentence each; empty when all is. */
  readonly faults: readonly string[];
}

export interface Totals {
  readonly items: number;
  readonly asExpected: number;
  /** PATCHes that the marketplace applied. */
  readonly pushes: number;
  /** Committed pushes that it never applied, but for those that a later one stands for. */
  readonly lost: number;
  /** Applied although the same idempotency key had been applied before. */
  readonly duplicates: number;
  /** Items whose pushes were applied in another order than they were committed in. */
  readonly outOfOrder: number;
}

export function resultOf(story: Story, evidence: Evidence): Result {
  const { itemId } = story;
  const journal = evidence.journals.get(itemId) ?? [];
  const applied = appliedTo(itemId, evidence.log);
  const path = pathOf(itemId, journal, evidence.letters);
  const saw = applied.map(({ status }) => String(status));
  const undelivered = openEffects(journal);
  const faults = [
    path.join() === story.path.join()
      ? []
      : `expected ${inWords(story.path)}, got ${inWords(path)}`,
    sawFault(story, applied) ?? [],
    undelivered.length === 0 ? [] : `not delivered: ${undelivered.join(", ")}`,
    evidence.unreplayed.has(itemId) ? "its journal does not give its stored state" : [],
  ].flat();
  return { story, path, saw, faults };
}

export function totalsOf(results: readonly Result[], { journals, log }: Evidence): Totals {
  const { applied, duplicates } = pushReport(log);
  const lanes = [...journals].map(([itemId, journal]) => ({
    committed: owedPushes(journal),
    applied: appliedTo(itemId, log).map(({ idempotencyKey }) => idempotencyKey),
  }));
  const lost = lanes.flatMap((lane) => lane.committed.filter((id) => !lane.applied.includes(id)));
  return {
    items: results.length,
    asExpected: results.filter(({ faults }) => faults.length === 0).length,
    pushes: applied,
    lost: lost.length,
    duplicates,
    outOfOrder: lanes.filter((lane) => !isInOrder(lane)).length,
  };
}

/** Ids of effects whose delivery has not come to an end, however it ended. */
export function openEffects(journal: readonly JournalEntry[]): string[] {
  const ended = new Set(
    deliveries(journal).flatMap(({ outcome, effect }) => (outcome === "failed" ? [] : [effect])),
  );
  return committedEffects(journal).flatMap(({ id }) => (ended.has(id) ? [] : [id]));
}

/** Ids of committed pushes, without those that the engine itself says need no PATCH of their own. */
function owedPushes(journal: readonly JournalEntry[]): string[] {
  const excused = new Set(
    deliveries(journal).flatMap(({ outcome, effect }) =>
      outcome === "merged" || outcome === "superseded" ? [effect] : [],
    ),
  );
  return committedEffects(journal).flatMap(({ id, name }) =>
    name === PUSH_EFFECT && !excused.has(id) ? [id] : [],
  );
}

/** A push that was lost, or repeated at once, is counted elsewhere and is not out of order too. */
function isInOrder(lane: {
  readonly committed: readonly string[];
  readonly applied: readonly (string | undefined)[];
}): boolean {
  const arrived = lane.committed.filter((id) => lane.applied.includes(id));
  const taken = lane.applied.filter((id, index) => id !== lane.applied[index - 1]);
  return arrived.join() === taken.join();
}

function committedEffects(journal: readonly JournalEntry[]) {
  return journal.flatMap((entry) => ("change" in entry ? (entry.change?.effects ?? []) : []));
}

function deliveries(journal: readonly JournalEntry[]): DeliveryEntry[] {
  return journal.filter((entry) => entry.kind === "delivery");
}

function appliedTo(itemId: string, log: readonly PushLogEntry[]): PushLogEntry[] {
  return log.filter((entry) => entry.applied && entry.itemId === itemId);
}

function pathOf(
  itemId: string,
  journal: readonly JournalEntry[],
  letters: readonly DeadLetter[],
): Mark[] {
  const decisions = journal.filter((entry) => entry.kind !== "delivery");
  const buried = letters.filter((letter) => subjectOf(letter) === itemId);
  return [
    ...decisions.flatMap((entry, index) => marksOf(entry, decisions.slice(index + 1))),
    ...buried.map(({ problem }) => problem.code),
  ];
}

/** A parked event that was tried again has its mark where it was applied. */
function marksOf(entry: DecisionEntry, later: readonly DecisionEntry[]): Mark[] {
  if (entry.kind === "expired" || entry.kind === "clocks") return [];
  if ("change" in entry && entry.change !== undefined) return [entry.change.status as Mark];
  const isTriedAgain =
    entry.kind === "event" &&
    entry.outcome === "parked" &&
    later.some((next) => "event" in next && next.event.id === entry.event.id);
  return isTriedAgain || entry.problem === undefined ? [] : [entry.problem.code];
}

function subjectOf(letter: DeadLetter): unknown {
  if (letter.kind !== "unreadable") return itemOfLetter(letter);
  const { data } = letter;
  return typeof data === "object" && data !== null && "subject" in data ? data.subject : undefined;
}

function sawFault({ saw }: Story, applied: readonly PushLogEntry[]): string | undefined {
  const statuses = applied.map(({ status }) => String(status));
  const expected = saw.map(({ status }) => status);
  if (statuses.join() !== expected.join()) {
    return `the marketplace should have seen ${inWords(expected)}, and saw ${inWords(statuses)}`;
  }
  const wrong = saw.findIndex((update, index) => !holds(applied[index]?.body, update));
  if (wrong === -1) return undefined;
  return `PATCH ${wrong + 1} should hold ${JSON.stringify(saw[wrong])}, and is ${JSON.stringify(applied[wrong]?.body)}`;
}

/** Whether `actual` has every field of `expected`, at every depth; it may have more. */
function holds(actual: unknown, expected: unknown): boolean {
  if (typeof expected !== "object" || expected === null || Array.isArray(expected)) {
    return JSON.stringify(actual) === JSON.stringify(expected);
  }
  if (typeof actual !== "object" || actual === null) return false;
  const fields = new Map<string, unknown>(Object.entries(actual));
  return Object.entries(expected).every(([key, value]) => holds(fields.get(key), value));
}

function inWords(marks: readonly string[]): string {
  return marks.length === 0 ? "nothing" : marks.join(", ");
}
