/** Auto-accept as it is configured: for which accounts, who is asked, and the words of the answers. */
import { z } from "zod";
import { receiverSecrets, receiverUrl } from "./config-receiver.ts";

const note = z.string().trim().min(1).max(2_000);

const ACCEPTED = {
  note: "We can serve this address. We will call within 24 hours to set a date. {notes}",
};

const REJECTED = {
  note: "We cannot serve this address at present. {notes} Another offer or another provider may be available.",
  reasonCode: "area",
};

const accountSchema = z.strictObject({
  account: z.string().regex(/^[\w.-]{1,64}$/, "must be the name of an account"),
  url: receiverUrl(),
  secrets: receiverSecrets(),
  /** Of one attempt. */
  timeoutMs: z.int().min(100).max(60_000).default(5_000),
  accepted: z.strictObject({ note }).default(ACCEPTED),
  rejected: z
    .strictObject({
      note,
      reasonCode: z.string().min(1).max(100).default(REJECTED.reasonCode),
      alternatives: z.array(note).max(20).optional(),
    })
    .default(REJECTED),
});

export const autoAcceptSchema = z
  .array(accountSchema)
  .min(1)
  .max(1000)
  .refine((all) => new Set(all.map(({ account }) => account)).size === all.length, {
    error: "names an account more than once",
  });

export type AutoAccept = z.output<typeof accountSchema>;
