/**
 * Another policy, or a changed calendar: open clocks are measured anew, closed ones keep what they
 * were.
 *
 * What a clock had used before its last pause stays as it was counted, because the old calendar is
 * gone; from there on the new one counts. Rungs that rang stay rung by the used time at which they
 * did. Due times and rungs that the new policy puts into the past are found by the next look, which
 * is part of the same decision.
 */
import { type Draft, draftOf, emit, type RuledClock, ruledClocks } from "./draft.ts";
import { collect } from "./due.ts";
import type { Fact } from "../core/clock-fact.ts";
import type { Ledger } from "../core/clock-ledger.ts";
import type { ItemRules } from "./policy.ts";
import { dueAfter, usedAt } from "./stopwatch.ts";
import { syncPauses } from "./waits.ts";

/**
 * Measures the open clocks by these rules, whatever version they have: after a change of the policy,
 * or of the item's zone or category.
 */
export function recompute(ledger: Ledger, rules: ItemRules, now: number): readonly Fact[] {
  const draft = draftOf(ledger, rules);
  remeasure(draft, now);
  collect(draft, now);
  return draft.facts;
}

/** The same when clocks are open that have not seen this version yet. */
export function adoptPolicy(draft: Draft, now: number): void {
  const hasClocks = Object.keys(draft.ledger.clocks).length > 0;
  if (hasClocks && draft.ledger.policy !== draft.rules.version) remeasure(draft, now);
}

function remeasure(draft: Draft, now: number): void {
  const { version } = draft.rules;
  if (draft.ledger.policy !== version) emit(draft, { kind: "policy", at: now, version });
  dropUnknown(draft, now);
  for (const ruled of ruledClocks(draft)) move(draft, ruled, now);
  syncPauses(draft, now);
}

function dropUnknown(draft: Draft, at: number): void {
  const { clocks } = draft.ledger;
  for (const [clock, { accruedMs: usedMs, dueAt }] of Object.entries(clocks)) {
    if (Object.hasOwn(draft.rules.clocks, clock)) continue;
    emit(draft, { kind: "stopped", clock, at, outcome: "dropped", usedMs, dueAt });
  }
}

function move(draft: Draft, { name, clock, rule }: RuledClock, now: number): void {
  const { dueAt, targetMs } = newDue(draft, { name, clock, rule });
  if (dueAt === clock.dueAt && targetMs === clock.targetMs) return;
  const usedMs = usedAt(clock, rule, now);
  const breach = usedMs < targetMs ? "none" : clock.breach;
  // The rung of a breach that is yet to come, or yet to be told, stays ahead; no other is told twice.
  const markMs =
    breach === "told"
      ? Math.max(clock.markMs, targetMs)
      : Math.min(clock.markMs, usedMs, targetMs - 1);
  const moved = { why: "recomputed", dueAt, targetMs, epoch: clock.epoch + 1 } as const;
  emit(draft, { kind: "moved", clock: name, at: now, ...moved, markMs, breach });
}

function newDue(
  { ledger }: Draft,
  { clock, rule }: RuledClock,
): { readonly dueAt: number; readonly targetMs: number } {
  if (rule.kind === "duration") {
    const { targetMs } = rule;
    return { dueAt: dueAfter({ ...clock, targetMs }, rule), targetMs };
  }
  const { appointmentAt = clock.dueAt - rule.offsetMs } = ledger;
  const dueAt = appointmentAt + rule.offsetMs;
  return { dueAt, targetMs: dueAt - clock.startedAt };
}
