/** Who receives what we send by ourselves, signed by Standard Webhooks: an address and its secrets. */
import { z } from "zod";

/** Unlike a base URL it is sent as it is: a slash at its end may matter. */
export function receiverUrl() {
  return z
    .url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" })
    .refine((url) => !URL.canParse(url) || new URL(url).username === "", {
      error: "must not hold a user or password: the receiver knows us by the signature",
    });
}

/** The newest first; both sign, so that one can be replaced by the other. */
export function receiverSecrets() {
  return z.array(webhookSecret()).min(1).max(2);
}

/** Whoever knows the address of a chat system's webhook may write there. */
export function withoutSecrets<
  Receiver extends { readonly url: string; readonly secrets: readonly string[] },
>(receiver: Receiver): Receiver {
  const { origin } = new URL(receiver.url);
  return {
    ...receiver,
    url: `${origin}/[redacted]`,
    secrets: receiver.secrets.map(() => "[redacted]"),
  };
}

/** As Standard Webhooks writes it. */
function webhookSecret() {
  return z.string().refine(
    (secret) => {
      const [, key] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
      const sizeBytes = key === undefined ? 0 : Buffer.from(key, "base64").length;
      return sizeBytes >= 24 && sizeBytes <= 64;
    },
    { error: "must be whsec_ and 24 to 64 bytes as base64" },
  );
}
