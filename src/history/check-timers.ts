/** A timer fires once per visit to its state, not before it is due, and is not forgotten. */
import type { TimerEntry } from "../core/journal.ts";
import type { Evidence, ItemCase } from "./item-case.ts";
import type { Rule, Violation } from "./verdict.ts";

/** How late a timer or clock may be when a run ends: a look every second, a restart, a busy machine. */
export const TIMER_SLACK_MS = 5_000;

export function checkTimers({ history }: Evidence, subject: ItemCase): Violation[] {
  const { item, actor } = subject;
  const { clockSkewMs, endedAt } = history;
  const say = (rule: Rule, message: string): Violation => ({ rule, itemId: item.itemId, message });
  const violations: Violation[] = [];
  const fired = new Set<string>();
  for (const entry of subject.decisions) {
    if (entry.kind !== "timer" || entry.outcome !== "applied") continue;
    if (entry.at < entry.dueAt - clockSkewMs) {
      violations.push(
        say("timer-early", `${nameOf(entry)} fired ${entry.dueAt - entry.at} ms early`),
      );
    }
    const visit = JSON.stringify([entry.timer, entry.token]);
    if (fired.has(visit)) violations.push(say("timer-doubled", `${nameOf(entry)} fired twice`));
    fired.add(visit);
  }
  const overdueBefore = endedAt - TIMER_SLACK_MS - clockSkewMs;
  for (const [timer, { dueAt }] of Object.entries(actor?.timers ?? {})) {
    if (dueAt >= overdueBefore) continue;
    const message = `timer ${timer} was due ${endedAt - dueAt} ms before the end, and has not fired`;
    violations.push(say("timer-forgotten", message));
  }
  return violations;
}

function nameOf({ timer, token, revision }: TimerEntry): string {
  return `timer ${timer} of visit ${token} (decision ${revision})`;
}
