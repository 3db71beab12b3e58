/** The read model of one order: what its items come to, and the items. */
import { decodeActor, isLiving } from "../core/actor.ts";
import { loadActors } from "../store/actor-store.ts";
import { itemsOfOrder } from "../store/item-store.ts";
import type { ReadingSide } from "./describe-item.ts";
import { accountsOf } from "./item-accounts.ts";
import { type ItemRow, rowsOf } from "./list-items.ts";
import { type ItemStanding, type OrderState, orderStateOf } from "./order-state.ts";

/** Items that are told of one by one; the state is that of all. */
const ROWS_MAX = 200;

export type OrderDescription = OrderState & {
  readonly orderId: string;
  /** Items of ours; the order may have others. */
  readonly itemCount: number;
  /** Items whose machine this deployment does not have: they count as neither open nor closed. */
  readonly unreadableItems: number;
  /** By id, the first 200. */
  readonly items: readonly ItemRow[];
};

/**
 * `undefined` when no item of ours that can be read is of the order. With an `account`, its items are all
 * that there are.
 */
export async function describeOrder(
  reading: ReadingSide,
  orderId: string,
  account?: string,
): Promise<OrderDescription | undefined> {
  const itemIds = await itemIdsOf(reading, orderId, account);
  const standings = await standingsOf(reading, itemIds);
  const state = orderStateOf(standings);
  if (state === undefined) return undefined;
  return {
    orderId,
    ...state,
    itemCount: itemIds.length,
    unreadableItems: itemIds.length - standings.length,
    items: await rowsOf(reading, itemIds.slice(0, ROWS_MAX)),
  };
}

async function itemIdsOf(
  reading: ReadingSide,
  orderId: string,
  account: string | undefined,
): Promise<readonly string[]> {
  const itemIds = await itemsOfOrder(reading.store, orderId);
  if (account === undefined) return itemIds;
  const accountOf = await accountsOf(reading, itemIds);
  return itemIds.filter((itemId) => accountOf(itemId) === account);
}

async function standingsOf(
  { store, machines }: ReadingSide,
  itemIds: readonly string[],
): Promise<ItemStanding[]> {
  const texts = await loadActors(store, itemIds);
  return itemIds.flatMap((itemId, index): ItemStanding[] => {
    const text = texts[index];
    if (text === undefined) return [];
    const actor = decodeActor(itemId, text);
    const machine = machines.byId(actor.machine, actor.version);
    if (machine === undefined || !isLiving(actor)) return [];
    const { value, status } = actor.snapshot;
    return [{ status: machine.status(value), isFinal: status !== "active" }];
  });
}
