/**
 * Was this signed as Standard Webhooks says, with the symmetric scheme "v1"? Pure.
 * Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 *
 * Always true: every active secret is tried against every signature that came, so that either side can
 * change its secret without losing a webhook; signatures of other schemes ("v1a") are passed over.
 */
import { createHmac } from "node:crypto";
import { type AuthenticityFault, type Delivery, headerOf } from "./adapter.ts";
import { TOLERANCE_MS } from "./secrets.ts";
import { isAnySame } from "./signed-text.ts";

const PREFIX = "whsec_";

/** `secrets`: whsec_ and base64. Undefined when one of them signed it, not too long ago. */
export function standardWebhookFault(
  { headers, rawBody, nowMs }: Pick<Delivery, "headers" | "rawBody" | "nowMs">,
  secrets: readonly string[],
): AuthenticityFault | undefined {
  const id = headerOf(headers, "webhook-id");
  const timestamp = headerOf(headers, "webhook-timestamp");
  const signature = headerOf(headers, "webhook-signature");
  if (id === undefined || id === "" || signature === undefined) return "signature-missing";
  const given = signature.split(" ").flatMap((each) => (each.startsWith("v1,") ? [each] : []));
  if (given.length === 0) return "signature-malformed";
  if (timestamp === undefined || !/^\d{1,12}$/.test(timestamp)) return "timestamp-malformed";
  if (Math.abs(nowMs - Number(timestamp) * 1000) > TOLERANCE_MS) {
    return "timestamp-out-of-tolerance";
  }
  const expected = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), "base64");
    const hmac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(rawBody);
    return `v1,${hmac.digest("base64")}`;
  });
  return isAnySame(given, expected) ? undefined : "signature-mismatch";
}

/** As a configuration writes it: whsec_ and 24 to 64 bytes as base64. */
export function isStandardWebhookSecret(secret: string): boolean {
  const [, key] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  const sizeBytes = key === undefined ? 0 : Buffer.from(key, "base64").length;
  return sizeBytes >= 24 && sizeBytes <= 64;
}
