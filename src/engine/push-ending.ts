/** How a push ends once the marketplace has answered, or has not. */
import type { OffergridClient } from "../offergrid/offergrid-client.ts";
import type { MergePolicy } from "../offergrid/push-merge.ts";
import type { PushAttempt, PushOutcome } from "../offergrid/push-outcome.ts";
import { accountPauseMs, unreadOutcome } from "../offergrid/push-outcome.ts";
import { resolveUnknown } from "../offergrid/push-resolution.ts";
import { describeReply, type Reply } from "../offergrid/reply.ts";
import type { StatusUpdate } from "../offergrid/status-update.ts";
import { bury } from "../store/dead-letter-store.ts";
import { limiterKey } from "../store/keys.ts";
import { holdAccount, pauseAccount, takePermits } from "../store/limiter.ts";
import type { Lane, Settlement } from "../store/outbox-store.ts";
import type { Applier } from "./apply-events.ts";
import type { Engine } from "./engine.ts";
import { lastKnownStatus } from "./marketplace-view.ts";
import type { Delivery } from "./settlement.ts";
import { again, blocked, delivered, superseded } from "./settlement.ts";

/** A provider account at the marketplace: its key, its limit, what may be merged. */
export interface PushAccount {
  readonly name: string;
  readonly client: OffergridClient;
  /** Requests per minute; null has no limit. */
  readonly limitPerMinute: number | null;
  readonly policy: MergePolicy;
}

export interface PushContext {
  readonly engine: Engine;
  readonly applier: Applier;
  readonly account: PushAccount;
  readonly channel: string;
  /** Whether the lane is still ours for as long as it takes to send. */
  readonly isHeld: () => boolean;
  /** In [0, 1). */
  readonly random: () => number;
}

export interface Judged {
  readonly outcome: PushOutcome;
  readonly reply: Reply;
  /** The reply is to a read, so that the push before it is as unknown as it was. */
  readonly isRead: boolean;
}

export async function settlePush(
  context: PushContext,
  delivery: Delivery,
  { outcome, reply, isRead }: Judged,
): Promise<Settlement> {
  const now = context.engine.now();
  const answer = describeReply(reply);
  const { made } = delivery.lane.attempt;
  switch (outcome.outcome) {
    case "delivered":
      return delivered(delivery, { now, answer });
    case "limited":
      // Not an attempt: the marketplace did not look at it.
      return again(delivery, {
        now,
        afterMs: outcome.afterMs,
        attempt: { made, outcomeUnknown: isRead },
      });
    case "retry":
    case "unknown": {
      const outcomeUnknown = isRead || outcome.outcome === "unknown";
      return again(delivery, {
        now,
        answer,
        afterMs: outcome.afterMs,
        attempt: { made: made + 1, outcomeUnknown },
      });
    }
    case "blocked":
      return settleBlocked(context, delivery, { outcome, answer, isRead });
  }
}

async function settleBlocked(
  context: PushContext,
  delivery: Delivery,
  blockedBy: {
    readonly outcome: Extract<PushOutcome, { readonly outcome: "blocked" }>;
    readonly answer: string;
    readonly isRead: boolean;
  },
): Promise<Settlement> {
  const { engine, account } = context;
  const { outcome, answer, isRead } = blockedBy;
  const { problem } = outcome;
  const { lane, effect } = delivery;
  switch (outcome.next) {
    case "hold-account": {
      const id = `account:${account.name}`;
      const letter = { kind: "account", id, at: engine.now(), problem } as const;
      // The letter first: a crash between the two leads here again, never to a silent hold.
      await bury(engine.store, { ...letter, account: account.name });
      await holdAccount(engine.store.redis, limiterKeyOf(context), problem.message);
      const attempt = { made: lane.attempt.made, outcomeUnknown: isRead };
      return again(delivery, { now: engine.now(), answer, afterMs: HELD_AGAIN_MS, attempt });
    }
    case "read-item": {
      const read = await readItem(context, lane.itemId);
      const unclear = { made: lane.attempt.made + 1, outcomeUnknown: true };
      if (read.outcome === "wait") {
        const { afterMs } = read;
        return again(delivery, { now: engine.now(), answer, afterMs, attempt: unclear });
      }
      const { reply } = read;
      const intended = effect.params as StatusUpdate;
      const previousStatus = await lastKnownStatus(engine.store, lane.itemId);
      const looked = resolveUnknown(reply, { itemId: lane.itemId, intended, previousStatus });
      if (looked.verdict === "unread") {
        const unread = unreadOutcome(reply, attemptOf(context, lane));
        return settlePush(context, delivery, { outcome: unread, reply, isRead: true });
      }
      if (looked.verdict === "cancelled-upstream") return takeOverCancellation(context, delivery);
      if (looked.verdict === "already-applied") {
        return delivered(delivery, { now: engine.now(), answer: `${answer}; found applied` });
      }
      return blocked(delivery, problem, { now: engine.now(), answer });
    }
    case "dead-letter":
      return blocked(delivery, problem, { now: engine.now(), answer });
  }
}

/** A held account gives no permits; its lanes look again after this, ms. */
const HELD_AGAIN_MS = 5_000;

/** The reseller cancelled while we were pushing: the marketplace wins, and the machine is told. */
export async function takeOverCancellation(
  context: PushContext,
  delivery: Delivery,
): Promise<Settlement> {
  const { engine, applier, account } = context;
  const { lane, effect } = delivery;
  const now = engine.now();
  const answer = await applier.apply({
    specversion: "1.0",
    id: `cancelled-upstream:${effect.id}`,
    source: `offergrid/${account.name}`,
    type: "order.cancelled",
    subject: lane.itemId,
    time: new Date(now).toISOString(),
    data: {
      origin: "marketplace",
      cancelledBy: "reseller",
      providerNotes:
        "The marketplace shows the item as cancelled; found while an update was pushed.",
    },
  });
  if (answer.outcome === "applied" || answer.status === "cancelled") {
    return superseded(delivery, { now, answer: "cancelled at the marketplace" });
  }
  const problem = {
    code: "PUSH_DIVERGENT",
    message: `The marketplace shows item ${lane.itemId} as cancelled, and its machine does not take that (${answer.problem?.message ?? answer.outcome}). Settle it with the reseller, then retry or skip the push.`,
  } as const;
  return blocked(delivery, problem, { now });
}

/** Reads the item as the marketplace shows it. A read is a request like any other: it needs a permit. */
export async function readItem(
  context: PushContext,
  itemId: string,
): Promise<
  | { readonly outcome: "read"; readonly reply: Reply }
  | { readonly outcome: "wait"; readonly afterMs: number }
> {
  const { engine, account } = context;
  const permit = await takePermits(engine.store.redis, limiterKeyOf(context), {
    limit: account.limitPerMinute,
    want: 1,
    class: "urgent",
  });
  if (permit.outcome === "wait") return { outcome: "wait", afterMs: permit.retryAfterMs };
  if (permit.outcome === "held") return { outcome: "wait", afterMs: HELD_AGAIN_MS };
  const reply = await account.client.getItem(itemId);
  await heedPause(context, reply);
  return { outcome: "read", reply };
}

export async function heedPause(context: PushContext, reply: Reply): Promise<void> {
  const pauseMs = accountPauseMs(reply);
  if (pauseMs === undefined) return;
  await pauseAccount(context.engine.store.redis, limiterKeyOf(context), pauseMs);
}

function limiterKeyOf({ engine, account }: PushContext): string {
  return limiterKey(engine.store.layout, account.name);
}

export function attemptOf({ account, random }: PushContext, lane: Lane): PushAttempt {
  const attempt = lane.attempt.made + 1;
  return { itemId: lane.itemId, account: account.name, attempt, random: random() };
}
