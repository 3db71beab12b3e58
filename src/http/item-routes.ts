/** Questions about items: many, one, its journal, its order. */
import { oneLine } from "../core/one-line.ts";
import { describeItem } from "../engine/describe-item.ts";
import { describeOrder } from "../engine/describe-order.ts";
import { type AttentionRow, listAttention } from "../engine/list-attention.ts";
import { fitsFilter, type ItemsFilter, pageItems } from "../engine/page-items.ts";
import { pageJournal } from "../engine/page-journal.ts";
import { mayUse } from "./access.ts";
import {
  attentionPage,
  itemDescription,
  itemsPage,
  journalPage,
  orderDescription,
  problemDetails,
} from "./answers.ts";
import { accountFor, isHidden } from "./bound-keys.ts";
import { itemParams, itemsQuery, journalQuery, orderParams, pageQuery } from "./parameters.ts";
import { codedProblem } from "./problem-details.ts";
import { found, invalid, readRoute, type ReadRoute, type Told } from "./route.ts";

/** Any page's place but for lists of items, whose cursors name the list too. */
const PLACE = /^\d+\|/;

const FOREIGN_CURSOR = "cursor: must be `next` of the page before, with the same other parameters";

const items = readRoute({
  path: "/v1/items",
  scope: "items:read",
  group: "Items",
  summary: "Items by filter, in pages",
  description:
    "All filters that are given must hold. The first of order, dead, attention (or jeopardy yellow or red), dueBefore and status that is given chooses the index that is walked; the others are held against each item, so a page may come short, even empty, and still have a `next`. By status, the longest untouched come first: an item that is decided while you page comes again at its new place, and none is left out. An item whose machine version this deployment does not have is left out; ask for it by id.",
  query: itemsQuery,
  answers: [{ status: 200, description: "A page of items.", schema: itemsPage }],
  answer: async (reading, { query, grant }) => {
    const { limit, cursor, attention, divergent, parked, dead, dueBefore, ...rest } = query;
    const asked = accountFor(grant, query.account);
    if (asked.outcome === "problem") return asked;
    const filter: ItemsFilter = {
      ...rest,
      account: asked.account,
      needsAttention: attention,
      isDivergent: divergent,
      hasParked: parked,
      hasDeadLetter: dead,
      ...(dueBefore !== undefined && { dueBefore: Date.parse(dueBefore) }),
    };
    if (attention === false || dead === false) {
      return { outcome: "problem", problem: invalid("attention, dead: must be true or left out") };
    }
    if (cursor !== undefined && !fitsFilter(cursor, filter)) {
      return { outcome: "problem", problem: invalid(FOREIGN_CURSOR) };
    }
    return found(await pageItems(reading, filter, { cursor, limit }));
  },
});

const item = readRoute({
  path: "/v1/items/{id}",
  scope: "items:read",
  group: "Items",
  summary: "Everything about one item",
  description:
    "Where it stands, what it takes next, its SLA clocks, what waits to be delivered, and what blocks it. The same as `orderwright show --json`, without the journal.",
  params: itemParams,
  answers: [
    { status: 200, description: "The item.", schema: itemDescription },
    { status: 404, description: "Nothing is known of the item.", schema: problemDetails },
  ],
  answer: async (reading, { params: { id }, grant }) => {
    if (await isHidden(reading, grant, id)) return unknownItem(id);
    await reading.refreshClocks();
    const described = await describeItem(reading, id, Date.now());
    if (described === undefined) return unknownItem(id);
    const { journal: _, ...description } = described;
    return found(description);
  },
});

const journal = readRoute({
  path: "/v1/items/{id}/journal",
  scope: "items:read",
  group: "Items",
  summary: "An item's journal, in pages",
  description:
    "Every decision about the item, and what the world answered to its effects. An entry's place never changes, so pages stay in step while the item goes on.",
  params: itemParams,
  query: journalQuery,
  answers: [
    { status: 200, description: "A page of entries.", schema: journalPage },
    { status: 404, description: "Nothing is known of the item.", schema: problemDetails },
  ],
  answer: async (reading, { params: { id }, query: { first, limit, cursor }, grant }) => {
    if (await isHidden(reading, grant, id)) return unknownItem(id);
    const page = await pageJournal(reading, id, { first, limit, after: cursor });
    return page === undefined ? unknownItem(id) : found(page);
  },
});

const order = readRoute({
  path: "/v1/orders/{id}",
  scope: "items:read",
  group: "Items",
  summary: "What an order's items come to",
  description:
    "Derived from our items alone. While one is open the order is `in_progress`, and `stage` is the least advanced open status. When none is: `completed`, `rejected`, `cancelled` or `failed` when all ended alike, `failed` when they ended differently without a success, else `partial`.",
  params: orderParams,
  answers: [
    { status: 200, description: "The order.", schema: orderDescription },
    { status: 404, description: "No item of the order is known.", schema: problemDetails },
  ],
  answer: async (reading, { params: { id }, grant }) => {
    const description = await describeOrder(reading, id, grant.account);
    if (description !== undefined) return found(description);
    const message = `No item of order ${oneLine(id)} is known here. Check the id; an order is known once the first of its items was received.`;
    return { outcome: "problem", problem: codedProblem(404, { code: "ORDER_UNKNOWN", message }) };
  },
});

const attention = readRoute({
  path: "/v1/attention",
  scope: "items:read",
  group: "Items",
  summary: "Items that need a person",
  description:
    "Those with a late clock, with a committed date in danger, or of which the marketplace or the CRM says something else, the longest first. An item that is settled meanwhile is left out; one that is in need anew comes at the end.",
  query: pageQuery,
  answers: [{ status: 200, description: "A page of items.", schema: attentionPage }],
  answer: async (reading, { query, grant }) => {
    if (!isPlace(query.cursor)) {
      return { outcome: "problem", problem: invalid(FOREIGN_CURSOR) };
    }
    const page = await listAttention(reading, query);
    const isShown = ({ account }: AttentionRow): boolean =>
      mayUse(grant, "items:read", account ?? null) === "allowed";
    return found({ ...page, items: page.items.filter(isShown) });
  },
});

export const ITEM_ROUTES: readonly ReadRoute[] = [items, item, journal, order, attention];

export function isPlace(cursor: string | undefined): boolean {
  return cursor === undefined || PLACE.test(cursor);
}

function unknownItem(id: string): Told {
  const message = `Nothing is known of item ${oneLine(id)}. Check the id; an event that was refused before the item began is among the dead letters.`;
  return { outcome: "problem", problem: codedProblem(404, { code: "ITEM_UNKNOWN", message }) };
}
