/**
 * Operators heard every notice that the journals tell delivered: at least once, and again only where a
 * fault explains it. Whoever delivers a notice may end before it is written down, and a store that forgot
 * its last moments tells anew what had been told.
 */
import { groupBy } from "../core/group-by.ts";
import type { NoticeRecord } from "./history.ts";
import type { Evidence, ItemCase } from "./item-case.ts";
import type { Violation } from "./verdict.ts";

interface HeardNotices {
  readonly violations: readonly Violation[];
  /** Heard once more than needed, and a fault explains why. */
  readonly repeated: number;
}

export function checkNotices(evidence: Evidence, subject: ItemCase): HeardNotices {
  const { heardOf } = evidence;
  if (heardOf === undefined) return { violations: [], repeated: 0 };
  const { itemId } = subject.item;
  const heard = heardOf.get(itemId) ?? [];
  const { unexplained, repeated } = repeatsAmong(evidence, heard);
  const violations: Violation[] = [
    ...unheard(subject, heard).map(
      (message) => ({ rule: "notice-not-told", itemId, message }) as const,
    ),
    ...unknown(evidence, subject, heard).map(
      (message) => ({ rule: "unexplained-notice", itemId, message }) as const,
    ),
    ...unexplained.map((message) => ({ rule: "unexplained-notice", itemId, message }) as const),
  ];
  return { violations, repeated };
}

/** By what it says, where it says so: after a loss the same may come under another effect's id. */
function contentOf({ key, effect }: NoticeRecord): string {
  return key ?? effect;
}

function unheard({ deliveries, machine, effects }: ItemCase, heard: readonly NoticeRecord[]) {
  const known = new Set(heard.map(({ effect, name }) => `${effect} ${name}`));
  return deliveries
    .filter(({ outcome, effect, name }) => {
      const isForOperators =
        effects.has(effect) && machine?.effects[name]?.channel !== "marketplace";
      return isForOperators && outcome === "delivered" && !known.has(`${effect} ${name}`);
    })
    .map(({ effect, name }) => `notice ${effect} (${name}) is told delivered, and nobody heard it`);
}

function unknown(
  { faults, history }: Evidence,
  { effects }: ItemCase,
  heard: readonly NoticeRecord[],
): string[] {
  return heard
    .filter(({ effect, name, at }) => {
      const decided = effects.get(effect);
      const isKnown = decided?.name === name && at >= decided.at - history.clockSkewMs;
      return !isKnown && !faults.mayForgetRequest(at);
    })
    .map(
      ({ effect, at }) => `notice ${effect} was heard at ${at}, and no journal tells of it by then`,
    );
}

function repeatsAmong(
  { faults }: Evidence,
  heard: readonly NoticeRecord[],
): { readonly unexplained: readonly string[]; readonly repeated: number } {
  const unexplained: string[] = [];
  let repeated = 0;
  for (const [content, times] of groupBy(heard, contentOf)) {
    for (const [index, { itemId, at }] of times.entries()) {
      const before = times[index - 1];
      if (before === undefined) continue;
      const repeat = { itemId, first: before.at, second: at, wasPlain: true };
      if (faults.explainsRepeat(repeat) || faults.mayForgetRequest(before.at)) repeated += 1;
      else {
        unexplained.push(
          `notice ${content} was heard at ${before.at} and again at ${at}, and no fault explains it`,
        );
      }
    }
  }
  return { unexplained, repeated };
}
