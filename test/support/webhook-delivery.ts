/** An HTTP request as an adapter sees it, and the events that became of it. */
import { createHmac } from "node:crypto";
import type { Adapter, Delivery, Headers, Translation } from "../../src/intake/adapter.ts";
import { adaptersOf, readWebhooks, type Webhooks } from "../../src/intake/webhooks.ts";
import { verifyOffergridWebhook } from "../../src/offergrid/webhook-signature.ts";

export function delivery(body: string | Uint8Array | object, headers: Headers = {}): Delivery {
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  const raw = isRaw ? body : JSON.stringify(body);
  return {
    method: "POST",
    headers,
    rawBody: typeof raw === "string" ? Buffer.from(raw) : raw,
    remoteAddress: "127.0.0.1",
    nowMs: Date.parse("2026-03-02T09:00:00Z"),
  };
}

export function webhooks(sources: object, env: Readonly<Record<string, string>> = {}): Webhooks {
  return readWebhooks({ text: JSON.stringify({ sources }), from: "the test's file", env });
}

export function adapterOf(source: object): Adapter {
  const all = adaptersOf(webhooks({ tested: source }), { verifyOffergrid: verifyOffergridWebhook });
  const adapter = all.get("tested");
  if (adapter === undefined) throw new Error("The file has no source.");
  return adapter;
}

export function eventsOf(translation: Translation) {
  if (translation.outcome !== "events") throw new Error(JSON.stringify(translation));
  return translation;
}

/** Every bit turned over, one at a time: each byte is changed in eight ways. */
export function withOneByteChanged(bytes: Uint8Array): Uint8Array[] {
  return [...bytes].flatMap((byte, place) =>
    [1, 2, 4, 8, 16, 32, 64, 128].map((bit) => {
      const changed = Uint8Array.from(bytes);
      changed[place] = byte ^ bit;
      return changed;
    }),
  );
}

/** The headers of Standard Webhooks, as a sender makes them. */
export function signedHeaders(
  body: string | Uint8Array,
  { id, secret, atMs }: { readonly id: string; readonly secret: string; readonly atMs: number },
): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1000));
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body);
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature.digest("base64")}`,
  };
}
