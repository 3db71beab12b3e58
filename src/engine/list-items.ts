/** Many items at a glance: the read model behind lists. One page costs a few reads per item. */
import { decodeActor, isLiving } from "../core/actor.ts";
import { loadActors } from "../store/actor-store.ts";
import {
  countByStatus,
  itemsByStatus,
  itemsOfOrder,
  type ListedItem,
  readJournal,
} from "../store/item-store.ts";
import { readLanes } from "../store/outbox-store.ts";
import { statusesOf } from "./active-states.ts";
import { type ReadingSide, statusSince } from "./describe-item.ts";

/** Newest entries among which the beginning of the present status is looked for. */
const JOURNAL_READ_MAX = 50;

export interface ItemsQuery {
  readonly status?: string;
  readonly order?: string;
  readonly limit: number;
  /** `next` of the page before; with `status` alone. */
  readonly cursor?: string;
}

export interface ItemRow {
  readonly itemId: string;
  readonly status: string;
  /** When the status was entered, ms. */
  readonly since: number;
  readonly account: string;
  readonly order?: string;
  /** Effects that were decided and not delivered yet. */
  readonly pending: number;
  /** A person must decide before anything more of the item is delivered. */
  readonly isBlocked: boolean;
}

export interface ItemList {
  /** Items by status; absent when the query names a status or an order. */
  readonly counts?: Readonly<Record<string, number>>;
  /** The longest untouched first; an order's items by id. */
  readonly items: readonly ItemRow[];
  readonly next?: string;
}

/** Every status of every machine, in the machines' own order. */
export function knownStatuses({ machines }: Pick<ReadingSide, "machines">): readonly string[] {
  return [...new Set(machines.all.flatMap(statusesOf))];
}

export async function listItems(reading: ReadingSide, query: ItemsQuery): Promise<ItemList> {
  const { status, order, limit } = query;
  if (order !== undefined) {
    const rows = await rowsOf(reading, await itemsOfOrder(reading.store, order));
    const wanted = rows.filter((row) => status === undefined || row.status === status);
    return { items: wanted.slice(0, limit) };
  }
  if (status !== undefined) {
    const page = await itemsByStatus(reading.store, status, { cursor: query.cursor, limit });
    const items = await rowsOf(reading, idsOf(page.items));
    return { items, ...(page.next !== undefined && { next: page.next }) };
  }
  const statuses = knownStatuses(reading);
  const [counts, pages] = await Promise.all([
    countByStatus(reading.store, statuses),
    Promise.all(statuses.map((each) => itemsByStatus(reading.store, each, { limit }))),
  ]);
  const listed = pages
    .flatMap(({ items }) => items)
    .toSorted((left, right) => left.decidedAt - right.decidedAt)
    .slice(0, limit);
  return { counts, items: await rowsOf(reading, idsOf(listed)) };
}

function idsOf(items: readonly ListedItem[]): string[] {
  return items.map(({ itemId }) => itemId);
}

/** Of those items that this deployment has the machine of. */
export async function rowsOf(reading: ReadingSide, itemIds: readonly string[]): Promise<ItemRow[]> {
  const texts = await loadActors(reading.store, itemIds);
  const rows = await Promise.all(
    itemIds.map((itemId, index) => rowOf(reading, itemId, texts[index])),
  );
  return rows.filter((row) => row !== undefined);
}

async function rowOf(
  { store, machines }: ReadingSide,
  itemId: string,
  text: string | undefined,
): Promise<ItemRow | undefined> {
  if (text === undefined) return undefined;
  const actor = decodeActor(itemId, text);
  const machine = machines.byId(actor.machine, actor.version);
  if (machine === undefined || !isLiving(actor)) return undefined;
  const [journal, lanes] = await Promise.all([
    readJournal(store, itemId, { from: -JOURNAL_READ_MAX }),
    readLanes(store, itemId),
  ]);
  return {
    itemId,
    status: machine.status(actor.snapshot.value),
    since: statusSince(journal) ?? 0,
    ...machine.attributes(actor.snapshot.context),
    pending: lanes.reduce((sum, { pending }) => sum + pending.length, 0),
    isBlocked: lanes.some(({ state }) => state === "blocked"),
  };
}
