/** A ledger under way: every fact is applied as soon as it is found, and the next one sees it. */
import type { Fact } from "../core/clock-fact.ts";
import { applyFacts, type Ledger, type OpenClock } from "../core/clock-ledger.ts";
import type { ClockRule, ItemRules } from "./policy.ts";

export interface Draft {
  readonly rules: ItemRules;
  readonly facts: Fact[];
  ledger: Ledger;
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
export function ruledClocks({ ledger, rules }: Draft): readonly RuledClock[] {
  return Object.entries(rules.clocks).flatMap(([name, rule]) => {
    const clock = ledger.clocks[name];
    return clock === undefined ? [] : [{ name, clock, rule }];
  });
}
