/** A ledger under way: every fact is applied as soon as it is found, and the next one sees it. */
import type { Fact } from "../core/clock-fact.ts";
import { applyFacts, type Ledger, type OpenClock } from "../core/clock-ledger.ts";
import type { ClockRule, ItemRules } from "./policy.ts";

export interface Draft {
  readonly rules: ItemRules;
  readonly facts: Fact[];
  ledger: Ledger;
  /** What `ruledClocks` found last, and of which clocks. */
  ruled?: { readonly clocks: Ledger["clocks"]; readonly list: readonly RuledClock[] };
}

export interface RuledClock {
  readonly name: string;
  readonly clock: OpenClock;
  readonly rule: ClockRule;
}

export function draftOf(ledger: Ledger, rules: ItemRules): Draft {
  return { rules, facts: [], ledger };
}

export function emit(draft: Draft, fact: Fact): void {
  draft.facts.push(fact);
  draft.ledger = applyFacts(draft.ledger, [fact]);
}

/** The open clocks in the policy's order; one that the policy no longer knows is not among them. */
export function ruledClocks(draft: Draft): readonly RuledClock[] {
  const { clocks } = draft.ledger;
  // Asked many times in a decision, most of which change no clock.
  if (draft.ruled?.clocks === clocks) return draft.ruled.list;
  const list: RuledClock[] = [];
  for (const [name, rule] of draft.rules.inOrder) {
    const clock = clocks[name];
    if (clock !== undefined) list.push({ name, clock, rule });
  }
  draft.ruled = { clocks, list };
  return list;
}
