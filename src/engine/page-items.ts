/**
 * Items by filter, in pages. One of the filters chooses the index that is walked; the others are held
 * against each item of it, so a page may come short, even empty, and still have a `next`.
 *
 * The lists by status are in order of the last decision, which only grows: an item that is decided while
 * somebody walks comes again at its new place, and none is left out. Places in the other lists may move
 * either way.
 */
import { type Actor, decodeActor, isLiving } from "../core/actor.ts";
import { divergenceOf } from "../core/attention.ts";
import type { Level } from "../core/clock-fact.ts";
import { ledgerOf } from "../core/item-clocks.ts";
import { loadActors } from "../store/actor-store.ts";
import { itemOfLetter, pageDeadLetters } from "../store/dead-letter-store.ts";
import { cursorBehind, isCursor, pageOf, type PageQuery } from "../store/index-page.ts";
import { itemsOfOrder } from "../store/item-store.ts";
import type { ReadingSide } from "./describe-item.ts";
import { type ItemRow, knownStatuses, rowsOf } from "./list-items.ts";

/** Index entries that one page looks at: filters that hardly any item passes cost no more than that. */
const LOOKED_AT_MAX = 1_000;

/** Index entries that are read together where most of them may be passed over. */
const STEP_MAX = 200;

/** What is asked of an item; everything that is given must hold. */
export interface ItemsFilter {
  readonly status?: string | undefined;
  readonly order?: string | undefined;
  readonly account?: string | undefined;
  /** A clock is late, or its committed date is in danger. */
  readonly needsAttention?: boolean | undefined;
  readonly jeopardy?: Level | undefined;
  /** Time alone will change it before this moment, ms. */
  readonly dueBefore?: number | undefined;
  /** Events wait in it. */
  readonly hasParked?: boolean | undefined;
  /** A dead letter is about it. */
  readonly hasDeadLetter?: boolean | undefined;
  /** The marketplace or the CRM says something else of it. */
  readonly isDivergent?: boolean | undefined;
}

export interface PagedItem extends ItemRow {
  readonly machine: string;
  readonly version: string;
  /** Decisions that were taken about it. */
  readonly revision: number;
  /** Events that wait in it. */
  readonly parked: number;
  /** Absent until its committed date was in doubt. */
  readonly jeopardy?: Level;
}

export interface ItemsPage {
  readonly items: readonly PagedItem[];
  /** Give it back, with the same filters, to get the next page; absent on the last one. */
  readonly next?: string;
}

type IndexName = "order" | "dead" | "attention" | "due" | "status";

/** The most telling one: it has the fewest items. */
function indexFor(filter: ItemsFilter): IndexName {
  if (filter.order !== undefined) return "order";
  if (filter.hasDeadLetter === true) return "dead";
  const isInNeed = filter.jeopardy === "yellow" || filter.jeopardy === "red";
  if (filter.needsAttention === true || filter.isDivergent === true || isInNeed) {
    return "attention";
  }
  return filter.dueBefore === undefined ? "status" : "due";
}

/** Whether the cursor is one that a page with this filter gave. */
export function fitsFilter(cursor: string, filter: ItemsFilter): boolean {
  const opening = `${indexFor(filter)}:`;
  return cursor.startsWith(opening) && isCursor(cursor.slice(opening.length));
}

export async function pageItems(
  reading: ReadingSide,
  filter: ItemsFilter,
  { cursor, limit }: PageQuery,
): Promise<ItemsPage> {
  const index = indexFor(filter);
  const stepSize = isSelective(filter) ? STEP_MAX : limit;
  const found: string[] = [];
  let place = cursor?.slice(index.length + 1);
  for (let lookedAt = 0; lookedAt < LOOKED_AT_MAX;) {
    const step = await stepOf(reading, filter, { cursor: place, limit: stepSize });
    const isWanted = await matcherOf(reading, filter, step.candidates);
    for (const { itemId, cursor: behind } of step.candidates) {
      place = behind;
      if (isWanted(itemId) && !found.includes(itemId)) found.push(itemId);
      if (found.length === limit) break;
    }
    if (found.length === limit) break;
    if (step.next === undefined) return { items: await pagedItems(reading, found) };
    place = step.next;
    lookedAt += stepSize;
  }
  const items = await pagedItems(reading, found);
  return { items, ...(place !== undefined && { next: `${index}:${place}` }) };
}

/** Whether items of the index itself may be left out. */
function isSelective(itemsFilter: ItemsFilter): boolean {
  const { account, jeopardy, hasParked, isDivergent, ...filter } = itemsFilter;
  const isByStatusToo = filter.status !== undefined && indexFor(filter) !== "status";
  return (
    [account, jeopardy, hasParked, isDivergent].some((wanted) => wanted !== undefined) ||
    isByStatusToo
  );
}

interface Candidate {
  readonly itemId: string;
  /** The cursor of a page that ends with it. */
  readonly cursor: string;
}

interface Step {
  readonly candidates: readonly Candidate[];
  readonly next?: string;
}

async function stepOf(
  { store, machines }: ReadingSide,
  filter: ItemsFilter,
  query: PageQuery,
): Promise<Step> {
  const index = indexFor(filter);
  switch (index) {
    case "order":
      return orderStep(await itemsOfOrder(store, filter.order ?? ""), query);
    case "dead": {
      const { letters, ...rest } = await pageDeadLetters(store, query);
      const candidates = letters.flatMap((letter): Candidate[] => {
        const itemId = itemOfLetter(letter);
        const cursor = cursorBehind({ at: letter.at, member: letter.id });
        return itemId === undefined ? [] : [{ itemId, cursor }];
      });
      return { candidates, ...rest };
    }
    case "attention":
    case "due":
    case "status": {
      const statuses = filter.status === undefined ? knownStatuses({ machines }) : [filter.status];
      const names = index === "status" ? statuses.map((status) => `status:${status}`) : [index];
      // A due time before a moment is one of its last millisecond at most.
      const until = index === "due" ? (filter.dueBefore ?? Infinity) - 1 : undefined;
      const { entries, ...rest } = await pageOf(store, names, { ...query, until });
      const candidates = entries.map((entry): Candidate => ({
        itemId: entry.member,
        cursor: cursorBehind(entry),
      }));
      return { candidates, ...rest };
    }
  }
}

/** An order's items by id: a set has no order of its own. */
function orderStep(itemIds: readonly string[], { cursor, limit }: PageQuery): Step {
  const after = cursor?.slice(cursor.indexOf("|") + 1) ?? "";
  const rest = itemIds.filter((itemId) => itemId > after);
  const candidates = rest
    .slice(0, limit)
    .map((itemId): Candidate => ({ itemId, cursor: cursorBehind({ at: 0, member: itemId }) }));
  const last = candidates.at(-1);
  return { candidates, ...(rest.length > limit && last !== undefined && { next: last.cursor }) };
}

async function matcherOf(
  { store, machines }: ReadingSide,
  filter: ItemsFilter,
  candidates: readonly Candidate[],
): Promise<(itemId: string) => boolean> {
  const ids = candidates.map(({ itemId }) => itemId);
  const texts = await loadActors(store, ids);
  const wanted = new Set(
    ids.filter((itemId, index) => {
      const text = texts[index];
      return text !== undefined && isMatch(machines, filter, decodeActor(itemId, text));
    }),
  );
  return (itemId) => wanted.has(itemId);
}

function isMatch(machines: ReadingSide["machines"], filter: ItemsFilter, actor: Actor): boolean {
  const machine = machines.byId(actor.machine, actor.version);
  if (machine === undefined || !isLiving(actor)) return false;
  const { value, context } = actor.snapshot;
  const { jeopardy } = ledgerOf(actor);
  const { account, order } = machine.attributes(context);
  const checks: readonly (readonly [wanted: unknown, is: unknown])[] = [
    // The index may be behind: an item is listed under the status that it had a moment ago.
    [filter.status, machine.status(value)],
    [filter.order, order],
    [filter.account, account],
    [filter.jeopardy, jeopardy?.level],
    [filter.hasParked, actor.parked.length > 0],
    [filter.isDivergent, divergenceOf(machines, actor) !== undefined],
  ];
  return checks.every(([wanted, is]) => wanted === undefined || wanted === is);
}

async function pagedItems(reading: ReadingSide, itemIds: readonly string[]): Promise<PagedItem[]> {
  const [rows, texts] = await Promise.all([
    rowsOf(reading, itemIds),
    loadActors(reading.store, itemIds),
  ]);
  const textById = new Map(itemIds.map((itemId, index) => [itemId, texts[index]]));
  return rows.flatMap((row): PagedItem[] => {
    const text = textById.get(row.itemId);
    return text === undefined ? [] : [pagedItem(row, decodeActor(row.itemId, text))];
  });
}

function pagedItem(row: ItemRow, actor: Actor): PagedItem {
  const { machine, version, revision, parked } = actor;
  const { jeopardy } = ledgerOf(actor);
  return {
    ...row,
    machine,
    version,
    revision,
    parked: parked.length,
    ...(jeopardy !== undefined && { jeopardy: jeopardy.level }),
  };
}
