/**
 * An operator's answers to a dead letter: try it again, or leave it out.
 *
 * Always true: a letter ends only after what it holds is safe elsewhere (in the queue, in a lane that
 * is open again), so a crash halfway leaves the letter, and a second try is harmless: a redriven event
 * carries the number of its attempt, and the same attempt is answered once.
 */
import type { ArrivedEvent } from "../core/arrival.ts";
import type { OutboxEffect } from "../core/decision.ts";
import { EngineError } from "../core/errors.ts";
import type { CloudEvent } from "../core/event.ts";
import type { DeliveryEntry } from "../core/journal.ts";
import type { DeadLetter } from "../store/dead-letter-store.ts";
import { endDeadLetter, findDeadLetter } from "../store/dead-letter-store.ts";
import { limiterKey } from "../store/keys.ts";
import { releaseAccount } from "../store/limiter.ts";
import { readLanes, unblockLane } from "../store/outbox-store.ts";
import type { Store } from "../store/store.ts";

export interface RedriveSetting {
  readonly store: Store;
  /** Adds one job to the front door: one event, or what an unreadable job held. */
  readonly enqueue: (jobData: unknown) => Promise<void>;
  /** ms since the epoch. */
  readonly now: () => number;
}

export type Redriven =
  /** Back in the queue; its outcome will be in the item's journal. */
  | { readonly outcome: "enqueued" }
  /** The lane delivers again, from its first effect. */
  | { readonly outcome: "unblocked" }
  /** The account's pushes leave again. */
  | { readonly outcome: "released" }
  /** Somebody else had opened the lane; the letter has ended. */
  | { readonly outcome: "was-open" }
  /** A timer needs no help: it is due again by itself, and the letter has ended until it fails again. */
  | { readonly outcome: "due-again" }
  /** Only the beginning of the data was kept, so its source has to send it again. */
  | { readonly outcome: "not-whole" };

export type Skipped =
  /** These effects left the outbox undelivered, and the journal says so. */
  | { readonly outcome: "skipped"; readonly effects: readonly OutboxEffect[] }
  /** An event was given up; the letter was its last record. */
  | { readonly outcome: "discarded" }
  | { readonly outcome: "was-open" }
  /** An account is not left out: its key is corrected, and then it is retried. */
  | { readonly outcome: "not-skippable" };

/** @throws EngineError DEADLETTER_UNKNOWN */
export async function letterOf(store: Store, id: string): Promise<DeadLetter> {
  const letter = await findDeadLetter(store, id);
  if (letter !== undefined) return letter;
  throw new EngineError(
    "DEADLETTER_UNKNOWN",
    `There is no dead letter ${id}: it was solved, or the id is mistyped. List them with \`orderwright dead\`.`,
  );
}

export async function redrive(setting: RedriveSetting, letter: DeadLetter): Promise<Redriven> {
  const { store, enqueue } = setting;
  switch (letter.kind) {
    case "event":
      await enqueue(newAttempt(letter.event));
      await endDeadLetter(store, letter);
      return { outcome: "enqueued" };
    case "unreadable":
      if (isExcerpt(letter)) return { outcome: "not-whole" };
      await enqueue(letter.data);
      await endDeadLetter(store, letter);
      return { outcome: "enqueued" };
    case "effect":
      return { outcome: await openLane(store, letter, []) };
    case "timer":
      await endDeadLetter(store, letter);
      return { outcome: "due-again" };
    case "account":
      await releaseAccount(store.redis, limiterKey(store.layout, letter.account));
      await endDeadLetter(store, letter);
      return { outcome: "released" };
  }
}

/** The time of an undated event was when it came in, so a new attempt comes in now: what it waited for
 * may have been sent meanwhile, and must not make it stale. */
export function newAttempt({ isUndated, time, ...event }: ArrivedEvent): CloudEvent {
  return { ...event, ...(isUndated === undefined && { time }), redrive: (event.redrive ?? 0) + 1 };
}

/** `reason` is journalled for effects: why the marketplace need not hear of them. */
export async function skip(
  { store, now }: Pick<RedriveSetting, "store" | "now">,
  letter: DeadLetter,
  reason: string,
): Promise<Skipped> {
  switch (letter.kind) {
    case "effect": {
      const leftOut = await effectsToLeaveOut(store, letter);
      const entries = leftOut.map((effect) => JSON.stringify(skippedEntry(effect, now(), reason)));
      const outcome = await openLane(store, letter, entries);
      return outcome === "was-open" ? { outcome } : { outcome: "skipped", effects: leftOut };
    }
    case "event":
    case "timer":
    case "unreadable":
      await endDeadLetter(store, letter);
      return { outcome: "discarded" };
    case "account":
      return { outcome: "not-skippable" };
  }
}

type EffectLetter = Extract<DeadLetter, { readonly kind: "effect" }>;

async function openLane(
  store: Store,
  letter: EffectLetter,
  entries: readonly string[],
): Promise<"unblocked" | "was-open"> {
  if (await unblockLane(store, letter, { deadLetterId: letter.id, entries })) return "unblocked";
  await endDeadLetter(store, letter);
  return "was-open";
}

/** The blocked effect, and those before it that it was sent in place of. The head of a blocked lane
 * stays as it is until the lane is opened, so what is read here is what the script cuts off. */
async function effectsToLeaveOut(
  store: Store,
  { itemId, channel, effect }: EffectLetter,
): Promise<readonly OutboxEffect[]> {
  const lane = (await readLanes(store, itemId)).find((each) => each.channel === channel);
  const index = lane?.pending.findIndex(({ id }) => id === effect.id) ?? -1;
  return lane?.pending.slice(0, index + 1) ?? [];
}

export function skippedEntry(effect: OutboxEffect, at: number, reason: string): DeliveryEntry {
  const { status } = effect.params;
  return {
    kind: "delivery",
    at,
    effect: effect.id,
    name: effect.name,
    outcome: "skipped",
    attempt: 0,
    answer: reason,
    ...(typeof status === "string" && { status }),
  };
}

/** Of long data, and of webhooks', the beginning is kept, as text that ends in an ellipsis. */
export function isExcerpt(letter: DeadLetter): boolean {
  if (letter.kind !== "unreadable") return false;
  return typeof letter.data === "string" && letter.data.endsWith("…");
}
