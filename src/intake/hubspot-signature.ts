/**
 * Was this request signed by HubSpot? Version 3: base64 HMAC-SHA256 of method, URI, body and timestamp.
 * Version 1, hex SHA-256 of secret and body, says neither where to nor when: it is taken only where it is
 * allowed by name, and only from a request without version 3. Pure.
 * Source: https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
 *
 * The URI is the configured one, not the one that was received: a proxy changes host and scheme.
 */
import { createHash, createHmac } from "node:crypto";
import { z } from "zod";
import { type AuthenticityFault, type Delivery, headerOf } from "./adapter.ts";
import { plainSecretsSchema, TOLERANCE_MS } from "./secrets.ts";
import { isAnySame } from "./signed-text.ts";

export const hubspotSignatureShape = {
  /** Of the app, the newest first. */
  clientSecrets: plainSecretsSchema,
  /** The very address that HubSpot was told: it is part of what is signed. */
  targetUrl: z.url({ protocol: /^https?$/, error: "must be the https:// URL that HubSpot calls" }),
  allowV1: z.boolean().default(false),
};

const hubspotSignatureSchema = z.strictObject(hubspotSignatureShape);
export type HubspotSignature = z.output<typeof hubspotSignatureSchema>;

/** Characters that HubSpot signs plain wherever the URI has them encoded; all others stay as they are. */
const SIGNED_PLAIN: Readonly<Record<string, string>> = {
  "%3A": ":",
  "%2F": "/",
  "%3F": "?",
  "%40": "@",
  "%21": "!",
  "%24": "$",
  "%27": "'",
  "%28": "(",
  "%29": ")",
  "%2A": "*",
  "%2C": ",",
  "%3B": ";",
};

export function hubspotFault(
  { clientSecrets, targetUrl, allowV1 }: HubspotSignature,
  { method, headers, rawBody, nowMs }: Omit<Delivery, "remoteAddress">,
): AuthenticityFault | undefined {
  const given = headerOf(headers, "x-hubspot-signature-v3");
  if (given === undefined || given === "") {
    return v1Fault({ clientSecrets, allowV1 }, { headers, rawBody });
  }
  const timestamp = headerOf(headers, "x-hubspot-request-timestamp");
  if (timestamp === undefined || !/^\d{13}$/.test(timestamp)) return "timestamp-malformed";
  if (Math.abs(nowMs - Number(timestamp)) > TOLERANCE_MS) return "timestamp-out-of-tolerance";
  const expected = clientSecrets.map((secret) =>
    createHmac("sha256", secret)
      .update(method + signedUri(targetUrl))
      .update(rawBody)
      .update(timestamp)
      .digest("base64"),
  );
  return isAnySame([given], expected) ? undefined : "signature-mismatch";
}

export function signedUri(uri: string): string {
  return uri.replaceAll(/%[0-9a-f]{2}/gi, (code) => SIGNED_PLAIN[code.toUpperCase()] ?? code);
}

function v1Fault(
  { clientSecrets, allowV1 }: Pick<HubspotSignature, "clientSecrets" | "allowV1">,
  { headers, rawBody }: Pick<Delivery, "headers" | "rawBody">,
): AuthenticityFault | undefined {
  const given = headerOf(headers, "x-hubspot-signature");
  if (given === undefined || given === "") return "signature-missing";
  // Version 2 comes under the same header.
  if (!allowV1 || (headerOf(headers, "x-hubspot-signature-version") ?? "v1") !== "v1") {
    return "signature-outdated";
  }
  const expected = clientSecrets.map((secret) =>
    createHash("sha256").update(secret).update(rawBody).digest("hex"),
  );
  return isAnySame([given], expected) ? undefined : "signature-mismatch";
}
