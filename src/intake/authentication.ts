/** How a sender of webhooks proves who it is, as the mapping file says it. */
import { createHash, createHmac } from "node:crypto";
import { isIP } from "node:net";
import { z } from "zod";
import { type AuthenticityFault, type Delivery, headerOf } from "./adapter.ts";
import { hubspotFault, hubspotSignatureShape } from "./hubspot-signature.ts";
import { plainSecretsSchema, secretsSchema } from "./secrets.ts";
import { isAnySame, isSameText } from "./signed-text.ts";
import { isStandardWebhookSecret, standardWebhookFault } from "./standard-webhooks.ts";

export const headerNameSchema = z
  .string()
  .regex(/^[a-zA-Z0-9-]{1,64}$/, "must be the name of a header")
  .transform((name) => name.toLowerCase());

export const authenticationSchema = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({
      kind: z.literal("standard-webhooks"),
      secrets: secretsSchema(isStandardWebhookSecret, "whsec_ and 24 to 64 bytes as base64"),
    }),
    z.strictObject({
      kind: z.literal("hmac"),
      algorithm: z.enum(["sha256", "sha512", "sha1"]).default("sha256"),
      header: headerNameSchema,
      encoding: z.enum(["hex", "base64"]).default("hex"),
      /** What stands before the signature in the header: "sha256=". */
      prefix: z.string().max(32).default(""),
      secrets: plainSecretsSchema,
    }),
    z.strictObject({
      kind: z.literal("bearer"),
      /** Another header holds the token alone. */
      header: headerNameSchema.default("authorization"),
      /** SHA-256 of the tokens, so that the file gives none away. */
      tokenHashes: secretsSchema(
        (hash) => /^[0-9a-f]{64}$/.test(hash),
        "the SHA-256 of the token, in 64 lower-case hex digits",
      ),
    }),
    z.strictObject({ kind: z.literal("hubspot"), ...hubspotSignatureShape }),
    /** Nothing at all, from this machine alone. */
    z.strictObject({ kind: z.literal("loopback") }),
  ],
  { error: 'must be "standard-webhooks", "hmac", "bearer", "hubspot" or "loopback"' },
);

export type Authentication = z.output<typeof authenticationSchema>;

/** Undefined for a sender that has proved itself. */
export function authenticityFault(
  authentication: Authentication,
  delivery: Delivery,
): AuthenticityFault | undefined {
  switch (authentication.kind) {
    case "standard-webhooks":
      return standardWebhookFault(delivery, authentication.secrets);
    case "hmac":
      return hmacFault(authentication, delivery);
    case "bearer":
      return bearerFault(authentication, delivery);
    case "hubspot":
      return hubspotFault(authentication, delivery);
    case "loopback":
      return loopbackFault(delivery);
  }
}

/**
 * Whether what proves the sender proves this header, too: most signatures are of the body alone, and whoever
 * has one of them can send it again under other headers. A token stands for all that comes with it.
 */
export function isHeaderProven({ kind }: Authentication, name: string): boolean {
  switch (kind) {
    case "bearer":
    case "loopback":
      return true;
    case "standard-webhooks":
      return name === "webhook-id" || name === "webhook-timestamp";
    case "hubspot":
      return name === "x-hubspot-request-timestamp";
    case "hmac":
      return false;
  }
}

function hmacFault(
  scheme: Extract<Authentication, { kind: "hmac" }>,
  { headers, rawBody }: Delivery,
): AuthenticityFault | undefined {
  const given = headerOf(headers, scheme.header);
  if (given === undefined || given === "") return "signature-missing";
  if (!given.startsWith(scheme.prefix)) return "signature-malformed";
  const bare = given.slice(scheme.prefix.length);
  const isHex = scheme.encoding === "hex";
  const expected = scheme.secrets.map((secret) =>
    createHmac(scheme.algorithm, secret).update(rawBody).digest(scheme.encoding),
  );
  // Digits of base 16 have two cases, and both are written.
  const same = isAnySame([isHex ? bare.toLowerCase() : bare], expected);
  return same ? undefined : "signature-mismatch";
}

function bearerFault(
  { header, tokenHashes }: Extract<Authentication, { kind: "bearer" }>,
  { headers }: Delivery,
): AuthenticityFault | undefined {
  const given = headerOf(headers, header);
  if (given === undefined || given === "") return "token-missing";
  const token = header === "authorization" ? /^bearer +(\S+) *$/i.exec(given)?.[1] : given;
  if (token === undefined) return "token-missing";
  const hash = createHash("sha256").update(token).digest("hex");
  return tokenHashes.some((each) => isSameText(hash, each)) ? undefined : "token-mismatch";
}

/** Set by whatever passes a stranger's request on from this machine: a proxy, or a browser for a page. */
const FORWARDED = ["forwarded", "x-forwarded-for", "x-real-ip", "via", "origin"];

/** A proxy on this machine would make everybody local, so what was passed on is not taken. */
function loopbackFault({ headers, remoteAddress }: Delivery): AuthenticityFault | undefined {
  const address = remoteAddress.replace(/^::ffff:/i, "");
  const isLoopback = isIP(address) === 4 ? address.startsWith("127.") : address === "::1";
  if (!isLoopback) return "not-loopback";
  return FORWARDED.some((name) => Object.hasOwn(headers, name)) ? "forwarded" : undefined;
}
