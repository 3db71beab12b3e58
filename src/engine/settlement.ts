/** How a delivery ends, as the outbox will write it. Pure. */
import type { OutboxEffect } from "../core/decision.ts";
import type { Problem } from "../core/errors.ts";
import type { DeliveryEntry } from "../core/journal.ts";
import type { DeadLetter } from "../store/dead-letter-store.ts";
import type { Attempt } from "../store/attempt.ts";
import type { Lane, Settlement } from "../store/outbox-store.ts";

/** One delivery of the head of a lane, as far as it has come. */
export interface Delivery {
  readonly lane: Lane;
  readonly channel: string;
  /** The effect being delivered: the lane's first, or the one that supersedes those before it. */
  readonly effect: OutboxEffect;
  /** Ids of effects before it that it stands for. */
  readonly merged: readonly string[];
  readonly startedAt: number;
}

/** The delivery of a lane's first effect alone. */
export function headOf(lane: Lane, channel: string, startedAt: number): Delivery {
  const [effect] = lane.effects;
  if (effect === undefined) throw new TypeError("a lane without effects was claimed");
  return { lane, channel, effect, merged: [], startedAt };
}

interface Ending {
  readonly now: number;
  readonly answer?: string;
}

export function delivered(delivery: Delivery, ending: Ending): Settlement {
  const { lane, merged } = delivery;
  const passedOver = lane.effects.filter(({ id }) => merged.includes(id));
  return {
    itemId: lane.itemId,
    owner: lane.owner,
    verb: "done",
    dropped: merged.length + 1,
    entries: [
      ...passedOver.map((effect) => entryOf({ ...delivery, effect }, "merged", ending)),
      entryOf(delivery, "delivered", ending),
    ].map(encode),
  };
}

/** The marketplace went another way: nothing of this lane is of use any more. What was committed since
 * the lane was claimed is not known here; its delivery begins with a read, and ends like this one. */
export function superseded(delivery: Delivery, ending: Ending): Settlement {
  const { lane } = delivery;
  return {
    itemId: lane.itemId,
    owner: lane.owner,
    verb: "done",
    dropped: lane.effects.length,
    attempt: { made: 0, outcomeUnknown: true },
    entries: lane.effects
      .map((effect) => entryOf({ ...delivery, effect }, "superseded", ending))
      .map(encode),
  };
}

/** Later, with what is known of the attempt. `answer` is journalled at the first attempts only. */
export function again(
  delivery: Delivery,
  next: Ending & { readonly afterMs: number; readonly attempt: Attempt },
): Settlement {
  const { lane } = delivery;
  const isTold = next.answer !== undefined && isWorthTelling(next.attempt.made);
  return {
    itemId: lane.itemId,
    owner: lane.owner,
    verb: "again",
    dropped: 0,
    notBefore: Math.ceil(next.now + next.afterMs),
    attempt: next.attempt,
    entries: isTold ? [encode(entryOf(delivery, "failed", next))] : [],
  };
}

/** Nothing of this item leaves on this channel until a person has decided. */
export function blocked(delivery: Delivery, problem: Problem, ending: Ending): Settlement {
  const { lane, channel, effect } = delivery;
  const letter: DeadLetter = {
    kind: "effect",
    id: `effect:${effect.id}`,
    at: ending.now,
    problem,
    itemId: lane.itemId,
    channel,
    effect,
  };
  return {
    itemId: lane.itemId,
    owner: lane.owner,
    verb: "block",
    problem: JSON.stringify(problem),
    deadLetter: [letter.id, JSON.stringify(letter)],
    // It may have been applied: a person's retry begins with a look, as any other repeat does.
    ...(problem.code === "PUSH_EXHAUSTED" && { attempt: { made: 0, outcomeUnknown: true } }),
    entries: [encode({ ...entryOf(delivery, "blocked", ending), code: problem.code })],
  };
}

function entryOf(
  { lane, effect, startedAt }: Delivery,
  outcome: DeliveryEntry["outcome"],
  { now, answer }: Ending,
): DeliveryEntry {
  const { status } = effect.params;
  return {
    kind: "delivery",
    at: now,
    effect: effect.id,
    name: effect.name,
    outcome,
    attempt: lane.attempt.made + 1,
    ...(typeof status === "string" && { status }),
    ...(answer !== undefined && { answer }),
    tookMs: Math.round(now - startedAt),
  };
}

/** An outage of a night is 300 attempts: the journal keeps 1, 2, 4, 8, 16 … of them. */
function isWorthTelling(attempt: number): boolean {
  return (attempt & (attempt - 1)) === 0;
}

function encode(entry: DeliveryEntry): string {
  return JSON.stringify(entry);
}
