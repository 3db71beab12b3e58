/** Parameters as a URL carries them, each with one schema. They come as texts; these give values. */
import { z } from "zod";

const LIMIT_MAX = 200;

/** Longest name of an item, an order or an account, and of a cursor with one in it. */
const NAME_MAX = 256;
const CURSOR_MAX = 1_024;

const text = z.string().min(1).max(NAME_MAX);

function whole(min: number, max = Number.MAX_SAFE_INTEGER): z.ZodType<number, unknown> {
  const read = (value: unknown): unknown =>
    typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return z.preprocess(read, z.int().min(min).max(max));
}

function flagged(description: string) {
  const read = (value: unknown): unknown =>
    value === "true" ? true : value === "false" ? false : value;
  return z.preprocess(read, z.boolean()).optional().describe(description);
}

const limit = whole(1, LIMIT_MAX).default(50).describe(`At most so many, up to ${LIMIT_MAX}.`);

const cursor = z
  .string()
  .min(1)
  .max(CURSOR_MAX)
  .optional()
  .describe("`next` of the page before, with the same other parameters.");

export const itemParams = z.object({ id: text.describe("The marketplace's order item id.") });

export const orderParams = z.object({ id: text.describe("The marketplace's order id.") });

export const pageQuery = z.strictObject({ limit, cursor });

export const itemsQuery = z.strictObject({
  status: text.optional().describe("Items of this status. Index."),
  order: text.optional().describe("Items of this order. Index."),
  account: text.optional().describe("Items of this marketplace account. Held against each item."),
  attention: flagged(
    "true: a clock is late, the committed date is in danger, or the sides disagree. Index.",
  ),
  jeopardy: z
    .enum(["green", "yellow", "red"])
    .optional()
    .describe("How the committed date stands. Held against each item."),
  dueBefore: z.iso
    .datetime({ offset: true })
    .optional()
    .describe("Time alone changes the item before then: a clock rings, a wait ends. Index."),
  divergent: flagged(
    "true: the marketplace or the CRM says something else of the item. Index; false: held against each.",
  ),
  parked: flagged("Whether events wait in the item. Held against each item."),
  dead: flagged("true: a dead letter is about the item. Index."),
  limit,
  cursor,
});

export const journalQuery = z.strictObject({
  first: z.enum(["oldest", "newest"]).default("oldest").describe("Which end the pages begin at."),
  limit,
  cursor: whole(0).optional().describe("`next` of the page before, with the same `first`."),
});

export const fulfilmentQuery = z.strictObject({
  since: text.optional().describe("Only what happened from then on: a date, or a date and time."),
  until: text.optional().describe("Only what happened before then."),
  zone: text.optional().describe("IANA time zone of dates without one, and of `by`. UTC."),
  by: text
    .optional()
    .describe("A row for each account, offer, category, month, week or day; several: a,b."),
  account: text.optional().describe("Only this marketplace account."),
});

export const feedQuery = z.strictObject({
  item: text.optional().describe("Only this item."),
  order: text.optional().describe("Only items of this order."),
  cursor: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Go on behind the `id` of an earlier message. The header `last-event-id` comes first.",
    ),
});

export const feedHeaders = z.object({
  "last-event-id": z.string().optional().describe("Sent by browsers when they connect again."),
});
