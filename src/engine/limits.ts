/** The limits that decisions are made with: the configured ones, and one that nobody has reason to change. */
import type { Limits } from "../core/decision.ts";

/** Timers of one item fired in one decision; more come with the next sweep. */
const TIMERS_PER_DECISION = 100;

export function limitsOf(configured: Omit<Limits, "timersPerDecision">): Limits {
  const { parkedForMs, unknownItemForMs, parkedMax, journalMax } = configured;
  return {
    parkedForMs,
    unknownItemForMs,
    parkedMax,
    journalMax,
    timersPerDecision: TIMERS_PER_DECISION,
  };
}
