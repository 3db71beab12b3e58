/**
 * What an order's items come to, taken together. Derived, and kept nowhere: the items alone are true,
 * and an order has items elsewhere that are not ours. Pure.
 */
import { ITEM_STATUSES } from "../offergrid/status-update.ts";

export type OrderState =
  | {
      /** At least one item is open; the least advanced one gives the stage. */
      readonly state: "in_progress";
      readonly stage: string;
    }
  /** No item is open. "partial": they ended in different ways. */
  | { readonly state: "completed" | "rejected" | "cancelled" | "failed" | "partial" };

/** How far an item is whose status it is. */
export interface ItemStanding {
  readonly status: string;
  /** It takes no event any more. */
  readonly isFinal: boolean;
}

type Ending = "completed" | "rejected" | "cancelled" | "failed";

/** A failed item may be taken up again; until it is, it has failed. */
const ENDINGS: Readonly<Record<string, Ending>> = {
  completed: "completed",
  active: "completed",
  rejected: "rejected",
  cancelled: "cancelled",
  failed: "failed",
};

/** `undefined` for an order without items. A status that the marketplace does not know is open until it is final. */
export function orderStateOf(items: readonly ItemStanding[]): OrderState | undefined {
  const open = items.filter(({ status, isFinal }) => !isFinal && ENDINGS[status] === undefined);
  const [least] = open.toSorted((one, other) => progressOf(one) - progressOf(other));
  if (least !== undefined) return { state: "in_progress", stage: least.status };
  const endings = new Set(items.map(({ status }) => ENDINGS[status]));
  const [only] = endings;
  if (endings.size === 0) return undefined;
  if (endings.size === 1) return { state: only ?? "partial" };
  // Different ways of not being fulfilled are one: nothing of the order came about.
  return { state: endings.has("completed") || endings.has(undefined) ? "partial" : "failed" };
}

function progressOf({ status }: ItemStanding): number {
  const index = ITEM_STATUSES.findIndex((known) => known === status);
  return index === -1 ? ITEM_STATUSES.length : index;
}
