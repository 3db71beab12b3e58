/**
 * Jeopardy: whether the committed date will be kept, judged before it is missed.
 *
 * The committed date is the due time of one clock. What remains is the rest of the present stage and
 * all stages after it, by the policy's budgets; the predicted completion is so much open time from
 * now. Both are compared in used time of the committed clock, so that pauses and closed hours need
 * no care of their own: what is left over is target − used − remaining. A stage on schedule does
 * not change it; one that has outlived its budget, or its appointment, eats it up.
 *
 * While the committed clock is paused its due time is not known, and the level stays. Only changes
 * of the level are facts; a level that was passed through unseen is not told.
 */
import { addOpen } from "./calendar.ts";
import { type Draft, emit } from "./draft.ts";
import type { OpenClock } from "../core/clock-ledger.ts";
import type { Level } from "../core/clock-fact.ts";
import type { ClockRule, JeopardyPolicy } from "./policy.ts";
import { instantOf, isPaused, usedAt } from "./stopwatch.ts";

interface Outlook {
  readonly policy: JeopardyPolicy;
  readonly clock: OpenClock;
  readonly rule: ClockRule;
  /** Used time at which the present stage should end. */
  readonly stageEndMs: number;
  /** Of the stages after it. */
  readonly laterMs: number;
  /** The appointment at which the present stage ends. */
  readonly appointmentAt: number | undefined;
}

export interface Prediction {
  readonly level: Level;
  readonly predictedAt: number;
  readonly committedAt: number;
}

/** Notes which stage the item is in, once it has a status; for every change of status. */
export function noteStage(draft: Draft, status: string, at: number): void {
  const { ledger, rules } = draft;
  const committedBy = rules.jeopardy?.committedBy ?? "";
  const [clock, rule] = [ledger.clocks[committedBy], rules.clocks[committedBy]];
  const stage = rules.jeopardy?.stages.find(({ statuses }) => statuses.includes(status));
  const name = stage?.statuses[0];
  if (clock === undefined || rule === undefined || name === undefined) {
    if (ledger.stage !== undefined) emit(draft, { kind: "stage", at, stage: null, sinceMs: 0 });
    return;
  }
  if (ledger.stage?.name === name) return;
  emit(draft, { kind: "stage", at, stage: name, sinceMs: usedAt(clock, rule, at) });
}

/** Notes the level when it is another one. */
export function noteLevel(draft: Draft, now: number): void {
  const outlook = outlookOf(draft);
  if (outlook === undefined || isPaused(outlook.clock)) return;
  const { level, predictedAt, committedAt } = predict(outlook, now);
  const was = draft.ledger.jeopardy?.level ?? "green";
  if (level === was) return;
  const changes = (draft.ledger.jeopardy?.changes ?? 0) + 1;
  const notice = { key: `jeopardy:${changes}`, to: outlook.policy.to[level] };
  emit(draft, { kind: "jeopardy", at: now, level, was, predictedAt, committedAt, notice });
}

/** When the level will be worse if nothing happens; undefined when it cannot be. */
export function jeopardyCrossing(draft: Draft): number | undefined {
  const outlook = outlookOf(draft);
  const level = draft.ledger.jeopardy?.level ?? "green";
  if (outlook === undefined || isPaused(outlook.clock) || level === "red") return undefined;
  const { policy, clock, rule, laterMs } = outlook;
  const leftMs = level === "green" ? policy.yellowMs : policy.redMs;
  return instantOf(clock, rule, clock.targetMs - leftMs - laterMs);
}

/** For people; undefined without a committed date, and while its clock is paused. */
export function predictionOf(draft: Draft, now: number): Prediction | undefined {
  const outlook = outlookOf(draft);
  return outlook === undefined || isPaused(outlook.clock) ? undefined : predict(outlook, now);
}

function predict(outlook: Outlook, now: number): Prediction {
  const { policy, clock, rule, stageEndMs, laterMs, appointmentAt } = outlook;
  const usedMs = usedAt(clock, rule, now);
  const spareMs = clock.targetMs - Math.max(usedMs, stageEndMs) - laterMs;
  const level = spareMs <= policy.redMs ? "red" : spareMs <= policy.yellowMs ? "yellow" : "green";
  const from = Math.max(now, appointmentAt ?? now);
  const stageMs = appointmentAt === undefined ? Math.max(0, stageEndMs - usedMs) : 0;
  return {
    level,
    predictedAt: addOpen(rule.opened, from, stageMs + laterMs),
    committedAt: clock.dueAt,
  };
}

function outlookOf({ ledger, rules }: Draft): Outlook | undefined {
  const policy = rules.jeopardy;
  if (policy === undefined || ledger.stage === undefined) return undefined;
  const { name, sinceMs } = ledger.stage;
  const [clock, rule] = [ledger.clocks[policy.committedBy], rules.clocks[policy.committedBy]];
  const index = policy.stages.findIndex(({ statuses }) => statuses[0] === name);
  const stage = policy.stages[index];
  if (clock === undefined || rule === undefined || stage === undefined) return undefined;
  const laterMs = policy.stages.slice(index + 1).reduce((sum, { needsMs }) => sum + needsMs, 0);
  const appointmentAt = stage.until === "appointment" ? ledger.appointmentAt : undefined;
  const stageEndMs =
    appointmentAt === undefined ? sinceMs + stage.needsMs : usedUntil(clock, rule, appointmentAt);
  return { policy, clock, rule, stageEndMs, laterMs, appointmentAt };
}

/** What lies beyond the due time is too late however it is counted, and may be years away. */
function usedUntil(clock: OpenClock, rule: ClockRule, at: number): number {
  return usedAt(clock, rule, Math.min(at, clock.dueAt)) + Math.max(0, at - clock.dueAt);
}
