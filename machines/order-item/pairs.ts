/**
 * Every legal step from one status to another, numbered as in the documentation of the lifecycle.
 * The machine's guards, the search for an observed status and the tests all read this one table.
 * Class S is stated by the marketplace, I implied by it, E our extension.
 */
import type { Status } from "./statuses.ts";

type PairClass = "S" | "I" | "E";

type PairEvent =
  | "order.submitted"
  | "order.accepted"
  | "order.rejected"
  | "appointment.scheduled"
  | "appointment.rescheduled"
  | "work.started"
  | "work.completed"
  | "work.failed"
  | "service.activated"
  | "order.cancelled";

type PairCondition =
  /** Reported by anyone but a derived step, it needs an offer without installation. */
  | "no-installation"
  /** Only the reseller or the marketplace may withdraw an order before its acceptance. */
  | "withdrawn";

export interface Pair {
  readonly number: number;
  readonly from: Status;
  readonly to: Status;
  readonly event: PairEvent;
  readonly class: PairClass;
  readonly condition?: PairCondition;
  /** Off unless this option is set. */
  readonly flag?: "failFromAccepted" | "rescheduleFromWork";
}

export interface PairFlags {
  readonly failFromAccepted?: boolean;
  readonly rescheduleFromWork?: boolean;
  readonly completionStyle?: "two-step" | "direct-active" | "either";
}

type Row = readonly [number, Status, Status, PairEvent, PairClass, Partial<Pair>?];

const ROWS: readonly Row[] = [
  [1, "pending", "submitted_to_provider", "order.submitted", "S"],
  [2, "pending", "accepted", "order.accepted", "S"],
  [3, "pending", "rejected", "order.rejected", "S"],
  [4, "submitted_to_provider", "accepted", "order.accepted", "S"],
  [5, "submitted_to_provider", "rejected", "order.rejected", "I"],
  [6, "accepted", "scheduled", "appointment.scheduled", "S"],
  [7, "accepted", "active", "service.activated", "S", { condition: "no-installation" }],
  [8, "accepted", "cancelled", "order.cancelled", "S"],
  [9, "scheduled", "in_progress", "work.started", "S"],
  [10, "in_progress", "completed", "work.completed", "S"],
  [11, "in_progress", "active", "service.activated", "S"],
  [12, "completed", "active", "service.activated", "S"],
  [13, "in_progress", "failed", "work.failed", "S"],
  [14, "scheduled", "cancelled", "order.cancelled", "I"],
  [15, "in_progress", "cancelled", "order.cancelled", "I"],
  [16, "pending", "cancelled", "order.cancelled", "E", { condition: "withdrawn" }],
  [16, "submitted_to_provider", "cancelled", "order.cancelled", "E", { condition: "withdrawn" }],
  [17, "scheduled", "scheduled", "appointment.rescheduled", "E"],
  // Without this condition a start that overtakes its appointment would skip it; so it waits.
  [18, "accepted", "in_progress", "work.started", "E", { condition: "no-installation" }],
  [19, "scheduled", "failed", "work.failed", "E"],
  [20, "accepted", "failed", "work.failed", "E", { flag: "failFromAccepted" }],
  [21, "failed", "scheduled", "appointment.rescheduled", "E"],
  [22, "failed", "cancelled", "order.cancelled", "E"],
  [23, "in_progress", "scheduled", "appointment.rescheduled", "E", { flag: "rescheduleFromWork" }],
];

export const PAIRS: readonly Pair[] = ROWS.map(([number, from, to, event, cls, rest]) => ({
  number,
  from,
  to,
  event,
  class: cls,
  ...rest,
}));

/**
 * The pairs a profile takes: 15 when strict, 22 when extended, 24 with both flags. A completion
 * style other than "either" takes one away. Conditions of a pair are left to the caller.
 */
export function legalPairs(profile: "strict" | "extended", flags: PairFlags = {}): readonly Pair[] {
  return PAIRS.filter((pair) => isLegalPair(pair, profile, flags));
}

export function isLegalPair(pair: Pair, profile: "strict" | "extended", flags: PairFlags): boolean {
  if (pair.class === "E" && profile === "strict") return false;
  if (pair.flag !== undefined && flags[pair.flag] !== true) return false;
  if (pair.number === 10) return flags.completionStyle !== "direct-active";
  if (pair.number === 11) return flags.completionStyle !== "two-step";
  return true;
}
