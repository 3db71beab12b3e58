/**
 * What the marketplace shows: an item by itself, and lists of items. Pure.
 *
 * Neither the body of an item nor the paging of a list is documented. An item may be bare or wrapped; a
 * list may be the bare array, pages by number (`{data, page, limit, total}`) or pages by cursor
 * (`{data, nextCursor}`). Whoever walks a list must expect items that move between two pages: one that
 * was stepped over is not "gone", and one may come twice.
 */
import { z } from "zod";
import type { JsonValue } from "../core/event.ts";
import type { Reply } from "./reply.ts";
import { ITEM_STATUSES, type ItemStatus } from "./status-update.ts";

/** Statuses from which something may still come. Lists are asked for by these, because what has ended
 * grows for ever. In the order of an item's life: one that moves on meanwhile is seen twice, not never. */
export const OPEN_STATUSES: readonly ItemStatus[] = ITEM_STATUSES.filter(
  (status) => status !== "active" && status !== "rejected" && status !== "cancelled",
);

/** An item as the marketplace shows it; fields that it left out, or gave another shape, are absent. */
export interface ShownItem {
  readonly id: string;
  readonly status: string;
  readonly orderId?: string;
  readonly offerId?: string;
  readonly offerName?: string;
  /** ISO 8601. */
  readonly createdAt?: string;
  readonly scheduledFor?: string;
  readonly customerInfo?: Fields;
  readonly serviceAddress?: Fields;
  readonly notes?: string;
  readonly metadata?: Fields;
}

type Fields = Readonly<Record<string, JsonValue>>;

export type ItemReply =
  | { readonly kind: "item"; readonly item: ShownItem }
  /** 404: no such item, or it is another team's. */
  | { readonly kind: "none" }
  /** The reply tells nothing about the item. */
  | { readonly kind: "unread" };

export interface ShownPage {
  readonly items: readonly ShownItem[];
  /** What to ask for besides the status to get the next page; absent on the last one. */
  readonly next?: Readonly<Record<string, string>>;
}

const text = z.string().optional().catch(undefined);
const fields = z.record(z.string(), z.json()).optional().catch(undefined);

const shownSchema = z.object({
  id: z.string(),
  status: z.string(),
  orderId: text,
  offerId: text,
  offerName: text,
  createdAt: text,
  scheduledFor: text,
  customerInfo: fields,
  serviceAddress: fields,
  notes: text,
  metadata: fields,
});

/** What a reply says of one item, bare or wrapped; `undefined` when it shows none. A wrapped item is looked for
 * first, because an envelope may have a `status` of its own ("success"). */
export function itemFields(reply: Reply): Fields | undefined {
  if (reply.kind === "no-response" || !isSuccess(reply)) return undefined;
  const outer = asFields(reply.body);
  if (outer === undefined) return undefined;
  const inner = [outer["data"], outer["item"]].map(asFields).find((each) => each !== undefined);
  return inner ?? outer;
}

/** `itemId` is the one that was asked for: a body that names another is not about it. */
export function readItemReply(reply: Reply, itemId: string): ItemReply {
  if (reply.kind === "no-response") return { kind: "unread" };
  if (reply.status === 404) return { kind: "none" };
  const given = itemFields(reply);
  if (given === undefined) return { kind: "unread" };
  const item = shown({ id: itemId, ...given });
  return item?.id === itemId ? { kind: "item", item } : { kind: "unread" };
}

/** `undefined` when the reply shows no list. Entries that are no items are left out. */
export function readPage(reply: Reply): ShownPage | undefined {
  if (reply.kind === "no-response" || !isSuccess(reply)) return undefined;
  if (Array.isArray(reply.body)) return { items: shownIn(reply.body) };
  const outer = asFields(reply.body);
  const entries = outer?.["data"] ?? outer?.["items"];
  if (outer === undefined || !Array.isArray(entries)) return undefined;
  const next = nextOf(outer, entries.length);
  return { items: shownIn(entries), ...(next !== undefined && { next }) };
}

const positive = z.int().positive();

function nextOf(page: Fields, amount: number): ShownPage["next"] {
  const { nextCursor, page: place, limit, total } = page;
  if (typeof nextCursor === "string" && nextCursor !== "") return { cursor: nextCursor };
  const numbers = z.object({ place: positive, limit: positive, total: positive });
  const counted = numbers.safeParse({ place, limit, total }).data;
  if (counted === undefined || amount === 0) return undefined;
  if (counted.place * counted.limit >= counted.total) return undefined;
  return { page: String(counted.place + 1), limit: String(counted.limit) };
}

function shownIn(entries: readonly JsonValue[]): ShownItem[] {
  return entries.flatMap((entry) => shown(entry) ?? []);
}

function shown(value: unknown): ShownItem | undefined {
  const parsed = shownSchema.safeParse(value).data;
  if (parsed === undefined) return undefined;
  const given = Object.entries(parsed).filter(([, each]) => each !== undefined);
  return Object.fromEntries(given) as unknown as ShownItem;
}

function isSuccess({ status }: Extract<Reply, { readonly kind: "response" }>): boolean {
  return status >= 200 && status < 300;
}

function asFields(value: JsonValue | undefined): Fields | undefined {
  return z.record(z.string(), z.json()).safeParse(value).data;
}
