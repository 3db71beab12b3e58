/**
 * Which step from one item status to another the marketplace's lifecycle page allows. The live API
 * documents no check at all, so every check here is a switch.
 * Source: Offergrid docs, providers/order-workflow.
 */
import type { ItemStatus } from "../status-update.ts";

/** `seed`: the steps that the lifecycle page states or implies. `extended`: also the steps that the
 * other pages show, such as rescheduling a failed installation. */
export type TransitionChecks = "none" | "seed" | "extended";

type Steps = Readonly<Partial<Record<ItemStatus, readonly ItemStatus[]>>>;

const SEED_STEPS: Steps = {
  pending: ["submitted_to_provider", "accepted", "rejected"],
  submitted_to_provider: ["accepted", "rejected"],
  accepted: ["scheduled", "active", "cancelled"],
  scheduled: ["in_progress", "cancelled"],
  in_progress: ["completed", "active", "failed", "cancelled"],
  completed: ["active"],
};

const EXTENDED_STEPS: Steps = {
  accepted: ["in_progress"],
  scheduled: ["failed"],
  failed: ["scheduled", "cancelled"],
};

const BEFORE_ACCEPTANCE: readonly ItemStatus[] = ["pending", "submitted_to_provider"];
const IN_FULFILMENT: readonly ItemStatus[] = ["accepted", "scheduled", "in_progress"];

/** How far a status is along the lifecycle; statuses that exclude each other share a rank. */
const RANK: Readonly<Record<ItemStatus, number>> = {
  pending: 0,
  submitted_to_provider: 1,
  accepted: 2,
  rejected: 6,
  scheduled: 3,
  in_progress: 4,
  failed: 5,
  completed: 5,
  active: 6,
  cancelled: 6,
};

/** Whether a provider may move an item so. A step to the same status is judged elsewhere. */
export function isStepAllowed(from: ItemStatus, to: ItemStatus, checks: TransitionChecks): boolean {
  if (checks === "none") return true;
  if (SEED_STEPS[from]?.includes(to)) return true;
  return checks === "extended" && EXTENDED_STEPS[from]?.includes(to) === true;
}

/** Whether `to` lies behind `from`. A new appointment after a failed or a first visit does not. */
export function isStepBack(from: ItemStatus, to: ItemStatus): boolean {
  if (to === "scheduled" && (from === "failed" || from === "in_progress")) return false;
  return RANK[to] < RANK[from];
}

/** The status of a whole order: an order is only as far as its slowest item. */
export function slowestStatus(statuses: readonly ItemStatus[]): ItemStatus {
  return statuses.reduce<ItemStatus>(
    (slowest, status) => (RANK[status] < RANK[slowest] ? status : slowest),
    statuses[0] ?? "pending",
  );
}

/** Whether a provider has taken the item on, however it ended: this closes the narrow cancel window. */
export function wasAccepted(status: ItemStatus): boolean {
  return !BEFORE_ACCEPTANCE.includes(status) && status !== "rejected" && status !== "cancelled";
}

/** Whether a reseller can still cancel the item under the wide reading of the docs. */
export function isUnderway(status: ItemStatus): boolean {
  return BEFORE_ACCEPTANCE.includes(status) || IN_FULFILMENT.includes(status);
}
