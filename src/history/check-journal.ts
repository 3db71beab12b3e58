/** The journal is one unbroken story, and it explains the stored actor byte for byte. */
import type { DeliveryEntry } from "../core/journal.ts";
import type { Evidence, ItemCase } from "./item-case.ts";
import type { Violation } from "./verdict.ts";

export function checkJournal(evidence: Evidence, subject: ItemCase): Violation[] {
  const { itemId } = subject.item;
  const broken = [...decisionFaults(subject, evidence), ...effectFaults(subject)];
  const differs = replayFault(subject);
  return [
    ...broken.map((message): Violation => ({ rule: "journal-broken", itemId, message })),
    ...(differs === undefined
      ? []
      : [{ rule: "replay-differs", itemId, message: differs } as const]),
  ];
}

/** Revisions count up without a hole. Decisions of one commit share a time; others follow it, as far as
 * the clocks of those who decided agree. A commit that was under way when the store forgot is sent again, and
 * takes its place after what was decided anew meanwhile, if that came to the same. */
function decisionFaults({ decisions }: ItemCase, { history, faults: excuses }: Evidence): string[] {
  const { clockSkewMs } = history;
  const faults: string[] = [];
  let [revision, latest] = [0, -Infinity];
  for (const entry of decisions) {
    if (entry.revision !== revision + 1) {
      faults.push(`decision ${entry.revision} follows decision ${revision}`);
    }
    if (entry.at < latest - clockSkewMs && !excuses.mayForgetEvent(entry.at)) {
      faults.push(
        `decision ${entry.revision} was taken at ${entry.at}, ${latest - entry.at} ms before an earlier one`,
      );
    }
    revision = entry.revision;
    latest = Math.max(latest, entry.at);
  }
  return faults;
}

/** Outcomes of a delivery after which the effect waits no more. */
const ENDINGS: readonly DeliveryEntry["outcome"][] = [
  "delivered",
  "merged",
  "superseded",
  "skipped",
];

export function isEnding({ outcome }: DeliveryEntry): boolean {
  return ENDINGS.includes(outcome);
}

/** An effect is decided once, delivered after that, and ends once. */
function effectFaults({ item }: ItemCase): string[] {
  const faults: string[] = [];
  const decided = new Set<string>();
  const ended = new Set<string>();
  for (const entry of item.journal) {
    if (entry.kind === "delivery") {
      if (!decided.has(entry.effect)) {
        faults.push(
          `effect ${entry.effect} was ${entry.outcome}, and no decision before that tells of it`,
        );
      }
      if (!isEnding(entry)) continue;
      if (ended.has(entry.effect))
        faults.push(`effect ${entry.effect} ended again as ${entry.outcome}`);
      ended.add(entry.effect);
    } else if ("change" in entry) {
      for (const { id } of entry.change?.effects ?? []) {
        if (decided.has(id))
          faults.push(`decision ${entry.revision} puts effect ${id} into the outbox again`);
        decided.add(id);
      }
    }
  }
  return faults;
}

function replayFault({ item, replayed }: ItemCase): string | undefined {
  if (replayed.result === "failed") return replayed.message;
  if (replayed.actorText === item.actorText) return undefined;
  return `the journal gives ${replayed.actorText ?? "no actor"}, and the store holds ${item.actorText ?? "none"}`;
}
