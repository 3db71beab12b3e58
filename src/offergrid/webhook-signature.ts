/**
 * Was this webhook signed by the marketplace? Its pages show two schemes with one header,
 * `x-offergrid-signature`: hex HMAC-SHA256 of `${timestamp}.${body}` with `x-offergrid-timestamp`,
 * and of the body alone. Which one is live is not said, so both are taken. Pure.
 * Source: https://offergrid.io/docs/providers/webhooks and …/providers/api-integration.
 *
 * Always true: the signature covers the bytes as they came, not a re-serialised body; a request with
 * a timestamp is judged by the timestamped scheme alone; every active secret is tried, so that a
 * secret can be rotated without losing a webhook. A body signed alone can be replayed: the event's
 * identity makes that harmless. Cross-scheme replay gives a body that is no JSON.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

export type WebhookVerdict =
  | { readonly outcome: "verified"; readonly scheme: "timestamped" | "plain" }
  | {
      readonly outcome: "refused";
      readonly reason:
        | "signature-missing"
        | "signature-malformed"
        | "timestamp-malformed"
        | "timestamp-out-of-tolerance"
        | "signature-mismatch";
    };

export interface SignedWebhook {
  readonly rawBody: Uint8Array;
  /** Names in lower case, as Node gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Every secret that is active now, the newest first. */
  readonly secrets: readonly string[];
  readonly nowMs: number;
  /** How far the timestamp may be from `nowMs`, either way. 300,000 is usual. */
  readonly toleranceMs: number;
}

export function verifyOffergridWebhook(webhook: SignedWebhook): WebhookVerdict {
  const { headers, nowMs, toleranceMs } = webhook;
  const signature = headers["x-offergrid-signature"];
  const timestamp = headers["x-offergrid-timestamp"];
  if (signature === undefined || signature === "") return refused("signature-missing");
  if (typeof signature !== "string" || !/^[0-9a-f]{64}$/i.test(signature)) {
    return refused("signature-malformed");
  }
  if (timestamp === undefined) {
    return isSigned(webhook, signature, "") ? verified("plain") : refused("signature-mismatch");
  }
  if (typeof timestamp !== "string" || !/^(\d{10}|\d{13})$/.test(timestamp)) {
    return refused("timestamp-malformed");
  }
  const signedAtMs = timestamp.length === 13 ? Number(timestamp) : Number(timestamp) * 1000;
  if (Math.abs(nowMs - signedAtMs) > toleranceMs) return refused("timestamp-out-of-tolerance");
  return isSigned(webhook, signature, `${timestamp}.`)
    ? verified("timestamped")
    : refused("signature-mismatch");
}

function isSigned(webhook: SignedWebhook, signature: string, prefix: string): boolean {
  const given = Buffer.from(signature, "hex");
  return webhook.secrets.some((secret) => {
    const expected = createHmac("sha256", secret).update(prefix).update(webhook.rawBody).digest();
    // timingSafeEqual throws on unequal lengths, which would tell a stranger more than "no".
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

function verified(scheme: "timestamped" | "plain"): WebhookVerdict {
  return { outcome: "verified", scheme };
}

function refused(
  reason: Extract<WebhookVerdict, { outcome: "refused" }>["reason"],
): WebhookVerdict {
  return { outcome: "refused", reason };
}
