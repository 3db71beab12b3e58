/** How the clocks of an item ended, by its journal. Pure. */
import type { Fact } from "../core/clock-fact.ts";
import type { JournalEntry } from "../core/journal.ts";
import { POLICY } from "./demo-sla-policy.ts";
import type { Item } from "./demo-sla-story.ts";

export interface Verdict {
  readonly item: Item;
  readonly clock: string;
  readonly kind: "duration" | "fixed-date";
  readonly outcome: "met" | "missed" | "dropped";
  /** Of a duration these are open time. */
  readonly targetMs: number;
  readonly usedMs: number;
  readonly dueAt: number;
  readonly endedAt: number;
}

function factsIn(journal: readonly JournalEntry[]): readonly Fact[] {
  return journal.flatMap((entry) => ("clocks" in entry ? (entry.clocks ?? []) : []));
}

/** In the order of the policy's clocks, each with its ends in their order. */
export function verdictsOf(item: Item, journal: readonly JournalEntry[]): readonly Verdict[] {
  const facts = factsIn(journal);
  return Object.entries(POLICY.clocks).flatMap(([clock, { kind }]) => {
    const verdicts: Verdict[] = [];
    let targetMs = 0;
    for (const fact of facts) {
      if (!("clock" in fact) || fact.clock !== clock) continue;
      // A target that is the wall's time to the due time is not written down.
      if (fact.kind === "started") targetMs = fact.targetMs ?? fact.dueAt - fact.at;
      if (fact.kind === "moved") targetMs = fact.targetMs;
      if (fact.kind !== "stopped") continue;
      const { outcome, usedMs, dueAt, at: endedAt } = fact;
      verdicts.push({ item, clock, kind, outcome, targetMs, usedMs, dueAt, endedAt });
    }
    return verdicts;
  });
}
