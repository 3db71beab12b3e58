/** Reads the body of a status PATCH as the marketplace's UpdateItemStatusDto would. */
import { z } from "zod";
import { issueText, type SandboxBehaviour } from "./behaviour.ts";
import { ITEM_STATUSES, type ItemStatus } from "../status-update.ts";
import type { StatusUpdate } from "./market.ts";

export const itemStatusSchema = z.enum(ITEM_STATUSES);

const fields = {
  status: itemStatusSchema,
  providerNotes: z.string().optional(),
  // The DTO says ISO 8601, which also allows a bare date and a local time without an offset.
  scheduledFor: z.union([z.iso.datetime({ offset: true, local: true }), z.iso.date()]).optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
};
const known = z.object(fields);
const exact = z.strictObject(fields);

export type ParsedUpdate =
  | { readonly outcome: "valid"; readonly update: StatusUpdate }
  | { readonly outcome: "invalid"; readonly message: string };

export function parseStatusUpdate(
  body: unknown,
  unknownKeys: SandboxBehaviour["unknownKeys"],
): ParsedUpdate {
  const parsed = (unknownKeys === "refuse" ? exact : known).safeParse(body);
  if (parsed.success) return { outcome: "valid", update: parsed.data };
  return { outcome: "invalid", message: issueText(parsed.error) };
}

/** The status a body asks for, valid or not in other respects. */
export function statusAskedFor(body: unknown): ItemStatus | undefined {
  if (typeof body !== "object" || body === null || !("status" in body)) return undefined;
  return ITEM_STATUSES.find((status) => status === body.status);
}
