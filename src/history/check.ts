/**
 * Judges a history: every promise of verdict.ts, from the evidence alone. Nothing of the engine is asked;
 * of the core only what an actor is and how a journal is replayed.
 *
 * Always true: the time taken grows with the history, and no history makes the checker throw. A history
 * is evidence, and what cannot be read of it is a violation.
 */
import type { Machines } from "../core/machine.ts";
import { checkClocks, countRungs } from "./check-clocks.ts";
import { checkDeadLetters } from "./check-dead-letters.ts";
import { checkArrival, checkEvents } from "./check-events.ts";
import { checkJournal } from "./check-journal.ts";
import { checkMarketplace, checkStrangers } from "./check-marketplace.ts";
import { checkNotices } from "./check-notices.ts";
import { checkOrder } from "./check-order.ts";
import { checkOutbox } from "./check-outbox.ts";
import { checkStore } from "./check-store.ts";
import { checkTimers } from "./check-timers.ts";
import type { History, ItemRecord } from "./history.ts";
import type { Evidence } from "./item-case.ts";
import { caseOf, countEvents, evidenceOf } from "./item-case.ts";
import type { Verdict, Violation } from "./verdict.ts";

type Finding = Pick<
  Verdict,
  | "applied"
  | "timersFired"
  | "clocksRung"
  | "explainedDuplicates"
  | "repeatedNotices"
  | "lostWithinContract"
  | "violations"
>;

const NOTHING: Finding = {
  applied: 0,
  timersFired: 0,
  clocksRung: 0,
  explainedDuplicates: 0,
  repeatedNotices: 0,
  lostWithinContract: 0,
  violations: [],
};

export function checkHistory(history: History, machines: Machines): Verdict {
  try {
    return judge(history, machines);
  } catch (error) {
    const message = `the history cannot be read: ${saidBy(error)}`;
    const violations = [{ rule: "journal-broken", message }] as const;
    return { events: 0, items: 0, pushes: 0, ...NOTHING, violations };
  }
}

function judge(history: History, machines: Machines): Verdict {
  const evidence = evidenceOf(history, machines);
  const known = new Set(history.items.map(({ itemId }) => itemId));
  const findings = [
    ...history.items.map((item) => checkItem(evidence, item)),
    ...[...evidence.sentTo].map(([itemId, sent]) =>
      known.has(itemId) ? NOTHING : { ...NOTHING, ...checkArrival(evidence, sent, new Map()) },
    ),
  ];
  return {
    events: countEvents(history.sent),
    items: history.items.length,
    pushes: history.requests.filter(({ applied }) => applied).length,
    ...sumOf(findings),
    violations: [
      ...findings.flatMap(({ violations }) => violations),
      ...checkStrangers(evidence, known),
      ...checkDeadLetters(evidence),
      ...checkJobs(history),
    ],
  };
}

function checkItem(evidence: Evidence, item: ItemRecord): Finding {
  try {
    const subject = caseOf(evidence, item);
    const arrival = checkArrival(evidence, subject.sent, subject.told);
    const market = checkMarketplace(evidence, subject);
    const notices = checkNotices(evidence, subject);
    const { decisions } = subject;
    return {
      applied: decisions.filter((each) => each.kind === "event" && each.outcome === "applied")
        .length,
      timersFired: decisions.filter((each) => each.kind === "timer" && each.outcome === "applied")
        .length,
      clocksRung: countRungs(decisions),
      explainedDuplicates: market.explainedDuplicates,
      repeatedNotices: notices.repeated,
      lostWithinContract: arrival.lostWithinContract,
      violations: [
        ...arrival.violations,
        ...checkEvents(evidence, subject),
        ...checkOrder(subject),
        ...checkJournal(evidence, subject),
        ...checkOutbox(evidence, subject),
        ...market.violations,
        ...checkTimers(evidence, subject),
        ...checkClocks(evidence, subject),
        ...notices.violations,
        ...checkStore(evidence, subject),
      ],
    };
  } catch (error) {
    const message = `what is known of it cannot be read: ${saidBy(error)}`;
    return { ...NOTHING, violations: [{ rule: "journal-broken", itemId: item.itemId, message }] };
  }
}

function saidBy(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function sumOf(findings: readonly Finding[]): Omit<Finding, "violations"> {
  const { violations: _listed, ...sum } = NOTHING;
  return findings.reduce<Omit<Finding, "violations">>(
    (total, each) => ({
      applied: total.applied + each.applied,
      timersFired: total.timersFired + each.timersFired,
      clocksRung: total.clocksRung + each.clocksRung,
      explainedDuplicates: total.explainedDuplicates + each.explainedDuplicates,
      repeatedNotices: total.repeatedNotices + each.repeatedNotices,
      lostWithinContract: total.lostWithinContract + each.lostWithinContract,
    }),
    sum,
  );
}

function checkJobs({ jobsLeft }: History): Violation[] {
  return jobsLeft === 0
    ? []
    : [{ rule: "stuck", message: `${jobsLeft} jobs of the front door were not finished` }];
}
