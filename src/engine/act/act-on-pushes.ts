/**
 * What an item has to deliver and does not get rid of: tried again now, or left out.
 *
 * A lane is blocked until a person decides, and then it has a dead letter; or it failed and waits for its
 * next attempt. One that is being delivered, or is about to be, is left alone.
 */
import { type DeadLetter, findDeadLetter } from "../../store/dead-letter-store.ts";
import { hastenLane, type LaneState, readLanes } from "../../store/outbox-store.ts";
import { redrive, skip, skippedEntry } from "../redrive.ts";
import {
  type ItemAction,
  notPossible,
  type Operator,
  type Outcome,
  type Plan,
  type Refused,
  type Result,
} from "./action.ts";
import { type Acting, findItem, mayAct, storeNow, unknownItem } from "./acting.ts";

type PushAction = Extract<ItemAction, { readonly action: "retry-push" | "skip-push" }>;

/** A lane that a person may decide about, and the effect that is in its way. */
interface Stuck {
  readonly itemId: string;
  readonly lane: LaneState;
  readonly effect: string;
  /** Of a blocked one. */
  readonly letter?: Extract<DeadLetter, { readonly kind: "effect" }>;
}

export async function planPush(
  acting: Acting,
  { action, channel, effect }: PushAction,
  { item, operator }: { readonly item: string; readonly operator: Operator },
): Promise<Plan | Refused> {
  const found = await findItem(acting, item);
  const account = found.is === "living" ? found.account : undefined;
  if (found.is === "unknown" || !mayAct(operator, account)) return unknownItem(item);
  const chosen = chosenOf(await stuckLanes(acting, item), { item, channel, effect });
  if ("why" in chosen) return chosen;
  const { lane } = chosen;
  return {
    is: "plan",
    item,
    detail: { push: { channel: lane.channel, effect: chosen.effect } },
    run: async () => done(await work(acting, chosen, { action, reason: operator.reason })),
  };
}

async function stuckLanes({ store }: Acting, itemId: string): Promise<readonly Stuck[]> {
  const lanes = await readLanes(store, itemId);
  const stuck = await Promise.all(
    lanes.map(async (lane): Promise<Stuck | undefined> => {
      const [first] = lane.pending;
      if (lane.state === "later" && first !== undefined) return { itemId, lane, effect: first.id };
      if (lane.state !== "blocked") return undefined;
      const letters = await Promise.all(
        lane.pending.map(({ id }) => findDeadLetter(store, `effect:${id}`)),
      );
      const letter = letters.find((each) => each?.kind === "effect");
      return letter?.kind === "effect"
        ? { itemId, lane, effect: letter.effect.id, letter }
        : undefined;
    }),
  );
  return stuck.filter((each) => each !== undefined);
}

function chosenOf(
  stuck: readonly Stuck[],
  {
    item,
    channel,
    effect,
  }: {
    readonly item: string;
    readonly channel?: string | undefined;
    readonly effect?: string | undefined;
  },
): Stuck | Refused {
  const fitting = stuck.filter(({ lane }) => channel === undefined || lane.channel === channel);
  const [first, ...others] = fitting;
  const waiting = stuck.map((each) => `effect ${each.effect} on channel ${each.lane.channel}`);
  if (first === undefined) {
    const known = waiting.length === 0 ? "" : ` This is: ${waiting.join(", ")}.`;
    return notPossible(
      `Nothing of item ${item} is blocked or waits for another attempt${channel === undefined ? "" : ` on channel ${channel}`}.${known}`,
    );
  }
  if (others.length > 0) {
    return notPossible(`Several of item ${item} wait: ${waiting.join(", ")}. Name the channel.`);
  }
  if (effect === undefined || effect === first.effect) return first;
  return notPossible(
    `Effect ${effect} of item ${item} is not what is in the way: ${first.effect} is. Look at the item again.`,
  );
}

async function work(
  acting: Acting,
  stuck: Stuck,
  { action, reason }: { readonly action: PushAction["action"]; readonly reason: string },
): Promise<Result> {
  const { store } = acting;
  const now = await storeNow(acting);
  if (stuck.letter === undefined) return workOnWaiting(acting, stuck, { action, reason, now });
  if (action === "retry-push") {
    const enqueue = () => Promise.reject(new TypeError("a push is not enqueued"));
    const { outcome } = await redrive({ store, enqueue, now: () => now }, stuck.letter);
    return { outcome, effects: [stuck.effect] };
  }
  const skipped = await skip({ store, now: () => now }, stuck.letter, reason);
  const effects = skipped.outcome === "skipped" ? skipped.effects.map(({ id }) => id) : [];
  return { outcome: skipped.outcome, effects };
}

async function workOnWaiting(
  { store }: Acting,
  { itemId, lane: { channel, pending }, effect }: Stuck,
  {
    action,
    reason,
    now,
  }: { readonly action: string; readonly reason: string; readonly now: number },
): Promise<Result> {
  const leftOut = action === "skip-push" ? pending.slice(0, 1) : [];
  const entries = leftOut.map((each) => JSON.stringify(skippedEntry(each, now, reason)));
  const isDone = await hastenLane(store, { itemId, channel }, { first: effect, entries });
  if (!isDone) return { outcome: "was-open", effects: [] };
  return { outcome: action === "skip-push" ? "skipped" : "unblocked", effects: [effect] };
}

function done(result: Result): Outcome {
  return { is: "done", result };
}
