/** What is sent to ask whether an item can be served. Pure. */
import type { OutboxEffect } from "../core/decision.ts";
import type { JsonObject } from "../core/event.ts";
import { type WebhookMessage, webhookIdOf } from "../notices/webhook-signature.ts";

/** Signed like a notice, and known by one id at every attempt: whoever remembers it answers alike. */
export function questionMessage(
  itemId: string,
  effect: Pick<OutboxEffect, "id" | "at">,
  question: JsonObject,
): WebhookMessage {
  const body = {
    type: "item.serviceability",
    timestamp: new Date(effect.at).toISOString(),
    data: { item: itemId, ...question },
  };
  return { id: webhookIdOf(effect.id), body: JSON.stringify(body) };
}
