/**
 * The body of `PATCH /provider/orders/{itemId}/status`: what the marketplace can be told about an
 * order item. Source: https://api.offergrid.io/openapi-provider (UpdateItemStatusDto).
 */
import { z } from "zod";

/** Every status that the marketplace documents. Which of them may follow which is not its business:
 * it takes all ten at any time, so legality is decided by the machine. */
export const ITEM_STATUSES = [
  "pending",
  "submitted_to_provider",
  "accepted",
  "rejected",
  "scheduled",
  "in_progress",
  "completed",
  "active",
  "cancelled",
  "failed",
] as const;

export type ItemStatus = (typeof ITEM_STATUSES)[number];

/** Only `status` is required upstream. `scheduledFor` is ISO 8601 with an offset. */
export const statusUpdateSchema = z.object({
  status: z.enum(ITEM_STATUSES),
  providerNotes: z.string().optional(),
  scheduledFor: z.iso.datetime({ offset: true }).optional(),
  metadata: z.record(z.string(), z.json()).optional(),
});

export type StatusUpdate = Readonly<z.output<typeof statusUpdateSchema>>;
