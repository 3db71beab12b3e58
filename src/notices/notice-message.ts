/**
 * A committed effect of the operators' channel as a webhook's message. Pure, and the same bytes at every
 * attempt. `text` stands at the top, where chat systems look for it: Slack's incoming webhooks take the
 * message as it is.
 */
import { NOTIFY_EFFECT } from "../core/clock-notice.ts";
import type { OutboxEffect } from "../core/decision.ts";
import { type WebhookMessage, webhookIdOf } from "./webhook-signature.ts";

/** Params of an unknown machine, in a sentence for people: what is longer is in `data`. */
const PARAMS_MAX_CHARS = 300;

/** "item.notice": a clock speaks, and `data` has its params. "item.effect": a machine's own effect. */
interface NoticeBody {
  readonly type: "item.notice" | "item.effect";
  /** When it became true, ISO 8601, however late it is delivered. */
  readonly timestamp: string;
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export function noticeMessage(itemId: string, effect: OutboxEffect): WebhookMessage {
  const body =
    effect.name === NOTIFY_EFFECT ? clockBody(itemId, effect) : effectBody(itemId, effect);
  return { id: webhookIdOf(effect.id), body: JSON.stringify(body) };
}

/** Whether one of these is meant. A machine's own effects name nobody, and go to everybody. */
export function isForAny(effect: OutboxEffect, recipients: readonly string[]): boolean {
  const { to } = effect.params;
  if (effect.name !== NOTIFY_EFFECT || !Array.isArray(to)) return true;
  return to.some((each) => typeof each === "string" && recipients.includes(each));
}

function clockBody(itemId: string, effect: OutboxEffect): NoticeBody {
  const { text, at, ...params } = effect.params;
  return {
    type: "item.notice",
    timestamp: typeof at === "string" ? at : decidedAt(effect),
    text: typeof text === "string" ? text : sentence(itemId, effect),
    data: { item: itemId, name: effect.name, ...params },
  };
}

function effectBody(itemId: string, effect: OutboxEffect): NoticeBody {
  const { name, params } = effect;
  return {
    type: "item.effect",
    timestamp: effect.occurredAt ?? decidedAt(effect),
    text: sentence(itemId, effect),
    // Apart, because a machine may call a param "item" or "name".
    data: { item: itemId, name, params },
  };
}

function decidedAt({ at }: OutboxEffect): string {
  return new Date(at).toISOString();
}

function sentence(itemId: string, { name, params }: OutboxEffect): string {
  const told = JSON.stringify(params);
  const shown =
    told.length > PARAMS_MAX_CHARS ? `${told.slice(0, PARAMS_MAX_CHARS)}… (see data)` : told;
  return `Item ${itemId} needs attention: ${name} ${shown}`;
}
