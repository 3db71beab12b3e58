/**
 * Was it applied? Decides from the item, as the marketplace shows it, what became of a push whose
 * answer was lost, and whether a refused one was overtaken by the reseller's cancellation. Pure.
 *
 * Always true: it never guesses. A status that neither the push nor what was known before explains
 * is "divergent", and nothing is sent for the item until a person has looked.
 *
 * With `intended` the push in question, `previous` the status before it and `seen` the status read:
 *
 * | seen                                                        | verdict            |
 * |-------------------------------------------------------------|--------------------|
 * | not one of the ten documented statuses, or none             | divergent          |
 * | = intended ≠ previous, another date shown                   | divergent ¹        |
 * | = intended ≠ previous                                       | already-applied    |
 * | = intended = previous, a date or note shown that differs    | not-applied        |
 * | = intended = previous, a date or note shown, all equal      | already-applied    |
 * | = intended = previous, neither shown                        | not-applied ²      |
 * | cancelled, intended otherwise                               | cancelled-upstream |
 * | = previous, or before it on the way from pending to active  | not-applied        |
 * | anything else                                               | divergent          |
 * | the reply is no item (an error, a proxy's page, no answer)  | unread             |
 *
 * ¹ For submitted_to_provider a difference is not-applied: the platform sets that status by itself,
 *   so it does not prove that our note arrived.
 * ² A note that the reseller gets twice does less harm than a new date that never arrives.
 */
import { z } from "zod";
import type { Problem } from "../core/errors.ts";
import { itemFields } from "./item-listing.ts";
import type { Reply } from "./reply.ts";
import { ITEM_STATUSES, type ItemStatus, type StatusUpdate } from "./status-update.ts";

export type Resolution =
  /** Settle the push as delivered. */
  | { readonly verdict: "already-applied" }
  /** Send it again; after a refusal: the refusal stands. */
  | { readonly verdict: "not-applied" }
  /** The reseller cancelled: drop the push and tell the machine. */
  | { readonly verdict: "cancelled-upstream" }
  /** Stop pushing this item and give it to an operator; after a refusal: the refusal stands. */
  | { readonly verdict: "divergent"; readonly problem: Problem }
  /** Nothing was learnt: `unreadOutcome` says what to do. */
  | { readonly verdict: "unread" };

export interface UnknownPush {
  readonly itemId: string;
  readonly intended: StatusUpdate;
  /** The last status that the marketplace took from us or showed us; `undefined` for a new item. */
  readonly previousStatus: ItemStatus | undefined;
}

export function resolveUnknown(itemReply: Reply, push: UnknownPush): Resolution {
  const item = readItem(itemReply);
  if (item === undefined) return { verdict: "unread" };
  const { intended, previousStatus } = push;
  const seen = ITEM_STATUSES.find((status) => status === item.status);
  if (seen === undefined) return divergent(item, push);
  if (seen === intended.status) return resolveReached(item, push);
  if (seen === "cancelled") return { verdict: "cancelled-upstream" };
  return isKnownBefore(seen, previousStatus) ? { verdict: "not-applied" } : divergent(item, push);
}

/** Whether the item shows something else than this push: another status, date or note. Then the push was not
 * the last that it was told. False when that cannot be seen. */
export function showsAnother(itemReply: Reply, push: StatusUpdate): boolean {
  const item = readItem(itemReply);
  if (item?.status === undefined) return false;
  if (item.status !== push.status) return true;
  const date = compare(push.scheduledFor, item.scheduledFor, instant);
  const note = compare(push.providerNotes, item.providerNotes, (said) => said.trim());
  return date === "differs" || note === "differs";
}

/** The item has the status that was to be pushed: was it this push that brought it there? */
function resolveReached(item: ItemSeen, push: UnknownPush): Resolution {
  const { intended, previousStatus } = push;
  const date = compare(intended.scheduledFor, item.scheduledFor, instant);
  const note = compare(intended.providerNotes, item.providerNotes, (text) => text.trim());
  const isRepeat = intended.status === previousStatus;
  if (isRepeat || intended.status === "submitted_to_provider") {
    if (date === "differs" || note === "differs") return { verdict: "not-applied" };
    if (isRepeat && date === "unseen" && note === "unseen") return { verdict: "not-applied" };
    return { verdict: "already-applied" };
  }
  return date === "differs" ? divergent(item, push) : { verdict: "already-applied" };
}

/** Compared only when we said it and the marketplace shows it: what it shows is not documented. */
function compare(
  intended: string | undefined,
  seen: string | undefined,
  normal: (text: string) => string | number,
): "equal" | "differs" | "unseen" {
  if (intended === undefined || seen === undefined) return "unseen";
  return normal(intended) === normal(seen) ? "equal" : "differs";
}

/** The marketplace may show our date with another offset or precision. */
function instant(text: string): string | number {
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? text : atMs;
}

const WAY: readonly ItemStatus[] = [
  "pending",
  "submitted_to_provider",
  "accepted",
  "scheduled",
  "in_progress",
  "completed",
  "active",
];

function isKnownBefore(seen: ItemStatus, previous: ItemStatus | undefined): boolean {
  // The platform moves a new item on to submitted_to_provider by itself, seconds after it was made.
  const known =
    previous === undefined || previous === "pending" ? "submitted_to_provider" : previous;
  if (seen === known) return true;
  // A failed item failed on its way to completed.
  const reached = WAY.indexOf(known === "failed" ? "completed" : known);
  const place = WAY.indexOf(seen);
  return place !== -1 && place < reached;
}

function divergent(item: ItemSeen, { itemId, intended, previousStatus }: UnknownPush): Resolution {
  const shown = item.status === undefined ? "without a status" : `as "${item.status}"`;
  const date = item.scheduledFor === undefined ? "" : ` for ${item.scheduledFor}`;
  const known = previousStatus === undefined ? "new" : `"${previousStatus}"`;
  return {
    verdict: "divergent",
    problem: {
      code: "PUSH_DIVERGENT",
      message:
        `The marketplace shows item ${itemId} ${shown}${date}; we knew it as ${known} and were ` +
        `pushing "${intended.status}". Find out who changed it, then retry or skip the push.`,
    },
  };
}

interface ItemSeen {
  readonly status: string | undefined;
  readonly scheduledFor: string | undefined;
  readonly providerNotes: string | undefined;
}

const text = z.string().optional().catch(undefined);
const itemSchema = z.object({ status: text, scheduledFor: text, providerNotes: text });

function readItem(reply: Reply): ItemSeen | undefined {
  const fields = itemFields(reply);
  if (fields === undefined) return undefined;
  const { status, scheduledFor, providerNotes } = itemSchema.parse(fields);
  return { status, scheduledFor, providerNotes };
}
