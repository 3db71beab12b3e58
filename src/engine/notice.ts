/**
 * A notice to the operators: logged, and before that sent as a webhook where one is configured.
 *
 * Always true: the notices of one item leave in order, each at least once and under one id for ever, so
 * an attempt whose outcome is unknown is simply repeated; what is logged has been delivered.
 */
import type { JsonObject } from "../core/event.ts";
import { isForAny, noticeMessage } from "../notices/notice-message.ts";
import { describeReply, noticeOutcome } from "../notices/notice-outcome.ts";
import type { WebhookClient } from "../notices/webhook-client.ts";
import type { Lane, Settlement } from "../store/outbox-store.ts";
import type { Engine } from "./engine.ts";
import { again, blocked, type Delivery, delivered, headOf } from "./settlement.ts";

/** What an operator should know: a reminder, with its item. */
export interface Notice {
  readonly itemId: string;
  readonly effect: string;
  readonly name: string;
  readonly params: JsonObject;
}

/** Where notices are sent. */
export interface NoticesWebhook {
  readonly client: WebhookClient;
  /** "owner", "lead", "customer": notices for nobody of these are logged alone. */
  readonly to: readonly string[];
}

export interface NoticeContext {
  readonly engine: Engine;
  readonly channel: string;
  readonly tell: (notice: Notice) => void;
  readonly webhook: NoticesWebhook | undefined;
  /** Whether the lane is still ours for as long as it takes to send. */
  readonly isHeld: () => boolean;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Delivers the head of a lane. */
export async function deliverNotice(context: NoticeContext, lane: Lane): Promise<Settlement> {
  const { engine, channel, webhook } = context;
  const delivery = headOf(lane, channel, engine.now());
  if (webhook === undefined || !isForAny(delivery.effect, webhook.to))
    return told(context, delivery);
  const reply = await webhook.client.send(noticeMessage(lane.itemId, delivery.effect), {
    atMs: delivery.startedAt,
    mayStillSend: context.isHeld,
  });
  const attempt = lane.attempt.made + 1;
  const outcome = noticeOutcome(reply, { itemId: lane.itemId, attempt, random: context.random() });
  const now = engine.now();
  const answer = describeReply(reply);
  switch (outcome.outcome) {
    case "delivered":
      return told(context, delivery, answer);
    case "not-ours":
      return again(delivery, { now, afterMs: 0, attempt: lane.attempt });
    case "retry": {
      const { afterMs } = outcome;
      return again(delivery, {
        now,
        answer,
        afterMs,
        attempt: { made: attempt, outcomeUnknown: false },
      });
    }
    case "undelivered":
      return blocked(delivery, outcome.problem, { now, answer });
  }
}

function told({ engine, tell }: NoticeContext, delivery: Delivery, answer?: string): Settlement {
  const { id, name, params } = delivery.effect;
  tell({ itemId: delivery.lane.itemId, effect: id, name, params });
  return delivered(delivery, { now: engine.now(), ...(answer !== undefined && { answer }) });
}
