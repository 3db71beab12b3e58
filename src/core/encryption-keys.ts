/** The keys that texts in Redis are sealed with, as they are configured. No complaint repeats one. */
import { z } from "zod";

/** Keys at a time: the present one, and those that are on their way out. */
const KEYS_MAX = 16;

/** 32 bytes as base64 are 43 characters and one `=`. */
const KEY = /^[\w-]{1,32}:[A-Za-z0-9+/]{43}=$/;

/** Each is `<id>:<32 bytes as base64>`. The first one seals. */
export const encryptionKeysSchema = z
  .array(z.string().regex(KEY, "must be an id of letters and digits, ':' and 32 bytes as base64"))
  .min(1)
  .max(KEYS_MAX)
  .refine((keys) => new Set(keys.map(encryptionKeyId)).size === keys.length, {
    error: "must not have two keys of one id",
  });

export function encryptionKeyId(key: string): string {
  return key.slice(0, key.indexOf(":"));
}
