/**
 * How a webhook says who it is and who sent it: Standard Webhooks, symmetric scheme "v1". Pure.
 * Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 *
 * Always true: a message has one id for ever, whatever its attempt, so a receiver that remembers ids
 * acts once; neither id nor timestamp holds a full stop, so the signed text can be read in one way only.
 */
import { createHmac } from "node:crypto";

const PREFIX = "whsec_";

export interface WebhookMessage {
  /** Of visible ASCII without full stops. */
  readonly id: string;
  /** The very text that is sent. */
  readonly body: string;
}

/** What a request is sent with. `atMs`: when this attempt is made. `secrets`: each signs, so that a
 * receiver may know either while one is replaced by another. */
export function webhookHeaders(
  { id, body }: WebhookMessage,
  { atMs, secrets }: { readonly atMs: number; readonly secrets: readonly string[] },
): Readonly<Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string>> {
  const timestamp = String(Math.floor(atMs / 1000));
  const signatures = secrets.map((secret) => {
    const hmac = createHmac("sha256", keyOf(secret)).update(`${id}.${timestamp}.${body}`);
    return `v1,${hmac.digest("base64")}`;
  });
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signatures.join(" "),
  };
}

/** An effect's id as a webhook's: whatever an item is called, in characters that a header can carry.
 * Two effects never share one, as far as their names are text that UTF-8 can hold. */
export function webhookIdOf(effectId: string): string {
  // Half a surrogate pair cannot be encoded, and an odd id must not throw in the middle of a delivery.
  return encodeURIComponent(effectId.replace(/\p{Cs}/gu, "\ufffd"))
    .replaceAll("%3A", ":")
    .replaceAll(".", "%2E");
}

function keyOf(secret: string): Buffer {
  return Buffer.from(secret.slice(PREFIX.length), "base64");
}
