/**
 * A status push: one committed effect becomes one PATCH, as far as HTTP allows.
 *
 * Always true: a push whose outcome is unknown (no answer, a 5xx, a worker that died while it was
 * under way) is first looked up at the marketplace; nothing is sent while the marketplace's view of the
 * item cannot be explained; a repeat carries the same idempotency key.
 */
import type { OutboxEffect } from "../core/decision.ts";
import type { PendingPush } from "../offergrid/push-merge.ts";
import { mergePlan } from "../offergrid/push-merge.ts";
import { pushOutcome, unreadOutcome } from "../offergrid/push-outcome.ts";
import type { Resolution } from "../offergrid/push-resolution.ts";
import { showsAnother, resolveUnknown } from "../offergrid/push-resolution.ts";
import { describeReply, type Reply } from "../offergrid/reply.ts";
import type { ItemStatus, StatusUpdate } from "../offergrid/status-update.ts";
import type { Lane, Settlement } from "../store/outbox-store.ts";
import { holdsLane } from "../store/outbox-store.ts";
import { isFurtherThanKnown } from "./forgotten-pushes.ts";
import { lastKnownStatus, PUSH_EFFECT } from "./marketplace-view.ts";
import type { PushContext } from "./push-ending.ts";
import { attemptOf, heedPause, readItem, settlePush, takeOverCancellation } from "./push-ending.ts";
import type { Delivery } from "./settlement.ts";
import { again, blocked, delivered, headOf } from "./settlement.ts";

export { PUSH_EFFECT };

/** A marketplace that is further than a Redis that forgot is looked at again after this, ms … */
const FORGOTTEN_MS = 5_000;

/** … and for as long after the push was decided: what brought it there has been told again by then. */
const FORGOTTEN_WAIT_MS = 2 * 60_000;

/** Delivers the head of a lane. One permit has been taken for it. */
export async function deliverPush(context: PushContext, lane: Lane): Promise<Settlement> {
  const startedAt = context.engine.now();
  const pushes = leadingPushes(lane.effects);
  const plan = mergePlan(pushes, context.account.policy);
  if (plan === undefined) {
    return blocked(headOf(lane, context.channel, startedAt), unhandled(lane), { now: startedAt });
  }
  const delivery: Delivery = {
    lane,
    channel: context.channel,
    effect: plan.send.effect,
    merged: plan.superseded,
    startedAt,
  };
  if (!lane.attempt.outcomeUnknown) return send(context, delivery, plan.send.params);
  return lookThenSend(context, delivery, { pushes, update: plan.send.params });
}

interface Push extends PendingPush {
  readonly effect: OutboxEffect;
}

function leadingPushes(effects: readonly OutboxEffect[]): Push[] {
  const other = effects.findIndex(({ name }) => name !== PUSH_EFFECT);
  return effects
    .slice(0, other === -1 ? undefined : other)
    .map((effect) => ({ id: effect.id, params: effect.params as StatusUpdate, effect }));
}

async function send(
  context: PushContext,
  delivery: Delivery,
  update: StatusUpdate,
): Promise<Settlement> {
  const { client } = context.account;
  const { lane, effect } = delivery;
  const reply = await client.patchStatus(lane.itemId, update, {
    idempotencyKey: effect.id,
    mayStillSend: context.isHeld,
  });
  await heedPause(context, reply);
  const outcome = pushOutcome(reply, attemptOf(context, lane));
  return settlePush(context, delivery, { outcome, reply, isRead: false });
}

/** An earlier attempt may have arrived: ask before sending again. */
async function lookThenSend(
  context: PushContext,
  delivery: Delivery,
  { pushes, update }: { readonly pushes: readonly Push[]; readonly update: StatusUpdate },
): Promise<Settlement> {
  const { engine } = context;
  const { lane } = delivery;
  const read = await readItem(context, lane.itemId);
  if (read.outcome === "wait") {
    const { afterMs } = read;
    return again(delivery, { now: engine.now(), afterMs, attempt: lane.attempt });
  }
  const { reply } = read;
  const previousStatus = await lastKnownStatus(engine.store, lane.itemId);
  const { push, resolution } = whichArrived(reply, candidates(context, lane, pushes), {
    itemId: lane.itemId,
    previousStatus,
  });
  const seen = {
    ...delivery,
    effect: push.effect,
    merged: pushes.slice(0, pushes.indexOf(push)).map(({ id }) => id),
  };
  return resolve(context, { delivery, update, seen, resolution, reply });
}

/** With merging, the push under way may have been any of those that wait, and so may it when Redis forgot
 * which had been delivered; else only the first. */
function candidates(
  { account }: PushContext,
  { attempt }: Lane,
  pushes: readonly Push[],
): readonly Push[] {
  const mayBeAny = account.policy !== "every" || attempt.mayBeForgotten === true;
  return mayBeAny ? pushes : pushes.slice(0, 1);
}

/** The push that the item shows, else the first with what becomes of it. An item may come back to a status:
 * of two pushes of one, the words tell which it shows, and the earlier is taken when they do not. */
function whichArrived(
  reply: Reply,
  pushes: readonly Push[],
  known: { readonly itemId: string; readonly previousStatus: ItemStatus | undefined },
): { push: Push; resolution: Resolution } {
  const tried = pushes.map((push) => ({
    push,
    resolution: resolveUnknown(reply, { ...known, intended: push.params }),
  }));
  const arrived = tried.filter(({ resolution }) => resolution.verdict === "already-applied");
  const shown = arrived.find(({ push }) => !showsAnother(reply, push.params)) ?? arrived[0];
  const [first] = tried;
  if (first === undefined) throw new TypeError("a lane without a push has nothing to resolve");
  return shown ?? first;
}

interface Looked {
  readonly delivery: Delivery;
  /** What it sends: with metadata of the pushes that it stands for. */
  readonly update: StatusUpdate;
  /** The delivery of the push that was found applied, or of the lane's first. */
  readonly seen: Delivery;
  readonly resolution: Resolution;
  readonly reply: Reply;
}

async function resolve(context: PushContext, looked: Looked): Promise<Settlement> {
  const { delivery, update, seen, resolution, reply } = looked;
  const { attempt, itemId } = delivery.lane;
  const { engine } = context;
  const now = engine.now();
  // The marketplace may have heard of what Redis forgot, and what brought it there is on its way again.
  const mayWait = attempt.mayBeForgotten && now < delivery.effect.at + FORGOTTEN_WAIT_MS;
  const wait = (): Settlement => again(delivery, { now, afterMs: FORGOTTEN_MS, attempt });
  switch (resolution.verdict) {
    case "already-applied":
      return delivered(seen, { now, answer: "found applied when the item was read" });
    case "not-applied":
      return mayWait && (await isFurtherThanKnown(engine, itemId, reply))
        ? wait()
        : sendIfHeld(context, delivery, update);
    case "cancelled-upstream":
      return mayWait ? wait() : takeOverCancellation(context, seen);
    case "divergent":
      return mayWait
        ? wait()
        : blocked(seen, resolution.problem, { now, answer: describeReply(reply) });
    case "unread": {
      const outcome = unreadOutcome(reply, attemptOf(context, delivery.lane));
      return settlePush(context, delivery, { outcome, reply, isRead: true });
    }
  }
}

/** Reading took time, and a process may pause for longer than its lease: then the lane is another's,
 * and so is the sending. What is settled here is refused, as from anybody who is late. */
async function sendIfHeld(
  context: PushContext,
  delivery: Delivery,
  update: StatusUpdate,
): Promise<Settlement> {
  const { engine, channel } = context;
  const { lane } = delivery;
  if (await holdsLane(engine.store, channel, { ...lane, now: engine.now })) {
    return send(context, delivery, update);
  }
  return again(delivery, { now: engine.now(), afterMs: 0, attempt: lane.attempt });
}

function unhandled(lane: Lane) {
  return {
    code: "EFFECT_UNHANDLED",
    message: `Effect ${lane.effects[0]?.name} of item ${lane.itemId} is for the marketplace, which takes ${PUSH_EFFECT} only. Correct the machine's declaration, then skip the effect.`,
  } as const;
}
