/**
 * Repairs of differences that were explained.
 *
 * Always true: each is one write that takes effect only if nothing has happened to the item since it was
 * compared, so a repair that races with an event, an operator or another repair changes nothing. None
 * sends anything by itself: a status that is pushed once more goes through the item's lane, behind what
 * is there. A crash before the write leaves nothing behind, after it everything.
 */
import { decodeActor, dueAt } from "../core/actor.ts";
import type { ArrivedEvent } from "../core/arrival.ts";
import { marketplaceChannel } from "../core/channel-name.ts";
import type { OutboxEffect } from "../core/decision.ts";
import { EngineError, type Problem } from "../core/errors.ts";
import type { DeliveryEntry } from "../core/journal.ts";
import type { ItemStatus } from "../offergrid/status-update.ts";
import { commitActors } from "../store/actor-store.ts";
import { findDeadLetter } from "../store/dead-letter-store.ts";
import { shardOf } from "../store/keys.ts";
import { unblockLane } from "../store/outbox-store.ts";
import { encodeEffect } from "../store/sealed-texts.ts";
import type { Engine } from "./engine.ts";
import { contentOf, markOf } from "./event-identity.ts";
import { planEvents } from "./item-plan.ts";
import { PUSH_EFFECT } from "./push.ts";
import { adoptionOf, INITIAL } from "./reconcile-adoption.ts";
import { decidedEffect, nextTelling } from "./reconcile-decided.ts";
import type { Difference, Looked } from "./reconcile-explain.ts";
import { type OursRead, reportOf } from "./reconcile-ours.ts";

export type Repair =
  /** `how` for people: what was done. */
  | { readonly outcome: "repaired"; readonly how: string }
  /** Something happened to the item meanwhile, so nothing was done. */
  | { readonly outcome: "moved" }
  /** Nothing was done, and only a person can: `reason` says why. */
  | { readonly outcome: "not-possible"; readonly reason: string };

/** A difference with the readings that it came from. */
export interface Found {
  readonly difference: Difference;
  readonly looked: Looked;
  readonly read: OursRead;
}

/** `undefined` for a kind that time or a person takes care of. */
export async function repair(
  engine: Engine,
  found: Found,
  { adopt }: { readonly adopt: "none" | "new" | "all" },
): Promise<Repair | undefined> {
  const { difference } = found;
  if (difference.kind === "handed-on" || difference.kind === "ahead-of-us") {
    return follow(engine, found, difference.status);
  }
  if (difference.kind === "cancelled-there") return followCancellation(engine, found);
  if (difference.kind === "behind-us-delivered") {
    return pushOnceMore(engine, found, difference.effect);
  }
  if (difference.kind === "blocked-but-done") {
    return settleLane(engine, found, difference.effects);
  }
  if (difference.kind !== "unknown-to-us" || adopt === "none") return undefined;
  const isNew = INITIAL.includes(difference.theirs ?? "");
  return isNew || adopt === "all" ? adoptItem(engine, found) : undefined;
}

async function follow(
  engine: Engine,
  { looked, read }: Found,
  status: ItemStatus,
): Promise<Repair> {
  const { itemId, account, theirs } = looked;
  const scheduledFor = theirs.state === "shown" ? theirs.item.scheduledFor : undefined;
  const report = {
    itemId,
    source: `offergrid/${account}`,
    status,
    id: revisionOf(read.text),
    ...(scheduledFor !== undefined && { scheduledFor }),
  };
  return decide(engine, { itemId, read, events: [reportOf(report, engine.now())] });
}

/** What still waits in a blocked lane is looked up first when the lane is opened, and superseded. */
async function followCancellation(engine: Engine, found: Found): Promise<Repair> {
  const { ours } = found.looked;
  const followed = await follow(engine, found, "cancelled");
  if (followed.outcome !== "repaired" || ours.state !== "known" || ours.lane.state !== "blocked") {
    return followed;
  }
  await openLane(engine, found, []);
  return followed;
}

async function adoptItem(engine: Engine, { looked, read }: Found): Promise<Repair> {
  const { itemId, account, theirs } = looked;
  if (theirs.state !== "shown") return { outcome: "moved" };
  const adoption = adoptionOf(engine.machines, {
    account,
    item: theirs.item,
    now: engine.now(),
    isAwaited: read.text !== undefined,
  });
  if (adoption.outcome === "refused") {
    return { outcome: "not-possible", reason: adoption.reason };
  }
  return decide(engine, { itemId, read, events: adoption.events });
}

/** Decides upon the events, all of them or none, if the item is still as it was read. */
export async function decide(
  engine: Engine,
  {
    itemId,
    read,
    events,
  }: {
    readonly itemId: string;
    readonly read: OursRead;
    readonly events: readonly ArrivedEvent[];
  },
): Promise<Repair> {
  const { store, machines, limits, clocks, dedupeForMs } = engine;
  const { asksAbout, now } = engine;
  const setting = { machines, limits, clocks: clocks(), asksAbout, now: now() };
  const planned = events.map((event) => {
    return { event, mark: markOf(event), content: contentOf(event) };
  });
  const { commit, verdicts, channels } = planEvents(setting, { itemId, ...read }, planned);
  const refused = verdicts.find(({ outcome }) => outcome !== "applied");
  if (refused !== undefined) return notPossible(refused.problem);
  const shard = shardOf(store.layout, itemId);
  const [result] = await commitActors(store, shard, { commits: [commit], dedupeForMs });
  if (result?.result !== "committed") return { outcome: "moved" };
  for (const channel of channels) engine.wake({ shard, channel });
  const types = events.map(({ type }) => type).join(", ");
  return { outcome: "repaired", how: `the item was told ${types}` };
}

function notPossible(problem: Problem | undefined): Repair {
  return { outcome: "not-possible", reason: problem?.message ?? "the machine did not take it" };
}

/**
 * Puts a delivered push into the item's lane again, under an identity of its own: it is to be applied
 * once more, and not to be taken for a repeat.
 */
async function pushOnceMore(engine: Engine, found: Found, effectId: string): Promise<Repair> {
  const { itemId, account, theirs } = found.looked;
  const { text, journal } = found.read;
  if (text === undefined) return { outcome: "moved" };
  const decided = decidedAgain(engine, found, effectId);
  if ("outcome" in decided) return decided;
  const id = nextTelling(journal, effectId);
  const now = engine.now();
  const shown = theirs.state === "shown" ? theirs.item.status : "another status";
  const entry = saying({ ...decided, id }, now, {
    outcome: "failed",
    answer: `the marketplace has taken it and shows "${shown}": pushed once more`,
  });
  const channel = marketplaceChannel(account);
  const actor = decodeActor(itemId, text);
  const commit = {
    itemId,
    opening: `${actor.revision} `,
    actorText: text,
    dueAt: dueAt(actor),
    decidedAt: now,
    // Two repairs at once read the same revision; only one of them leaves its mark.
    marks: [[`once-more:${id}`, `- applied ${actor.revision}`]],
    answers: [],
    entries: [entry],
    effects: [[channel, encodeEffect({ ...decided, id, channel, at: now })]],
    deadLetters: [],
    lookFirst: [],
  } as const;
  const { store, dedupeForMs } = engine;
  const shard = shardOf(store.layout, itemId);
  const [result] = await commitActors(store, shard, { commits: [commit], dedupeForMs });
  if (result?.result !== "committed") return { outcome: "moved" };
  engine.wake({ shard, channel });
  return { outcome: "repaired", how: "its last push waits to be delivered once more" };
}

function decidedAgain({ machines }: Engine, { looked, read }: Found, effectId: string) {
  try {
    const decided = decidedEffect(machines, { ...looked, ...read }, effectId);
    if (decided !== undefined) return decided;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { outcome: "not-possible", reason: error.message } as const;
  }
  const reason = `The journal does not tell what effect ${effectId} said. Send the status by hand.`;
  return { outcome: "not-possible", reason } as const;
}

/** The marketplace has what these say: the last of them is delivered, and those before it with it. */
async function settleLane(
  engine: Engine,
  found: Found,
  effects: readonly string[],
): Promise<Repair> {
  const { ours } = found.looked;
  if (ours.state !== "known" || ours.lane.state !== "blocked") return { outcome: "moved" };
  const now = engine.now();
  const pushes = ours.lane.pushes.filter(({ id }) => effects.includes(id));
  const entries = pushes.map(({ id, status }, index) => {
    const outcome = index === pushes.length - 1 ? "delivered" : "merged";
    const params = status === undefined ? {} : { status };
    const answer = "found applied by a reconciliation";
    return saying({ id, name: PUSH_EFFECT, params }, now, { outcome, answer });
  });
  const isOpened = await openLane(engine, found, entries);
  if (!isOpened) return { outcome: "moved" };
  return { outcome: "repaired", how: `settled as delivered: ${effects.join(", ")}` };
}

/** False when somebody else has opened it. As many effects leave it as there are entries. */
async function openLane(
  { store, wake }: Engine,
  { looked: { itemId, account, ours } }: Found,
  entries: readonly string[],
): Promise<boolean> {
  if (ours.state !== "known" || ours.lane.state !== "blocked") return false;
  const channel = marketplaceChannel(account);
  const letters = ours.lane.pushes.map(({ id }) => findDeadLetter(store, `effect:${id}`));
  const letter = (await Promise.all(letters)).find((each) => each !== undefined);
  const decision = { deadLetterId: letter?.id ?? "", entries };
  if (!(await unblockLane(store, { itemId, channel }, decision))) return false;
  wake({ shard: shardOf(store.layout, itemId), channel });
  return true;
}

function saying(
  { id, name, params }: Pick<OutboxEffect, "id" | "name" | "params">,
  at: number,
  { outcome, answer }: Required<Pick<DeliveryEntry, "outcome" | "answer">>,
): string {
  const { status } = params;
  const entry: DeliveryEntry = {
    kind: "delivery",
    at,
    effect: id,
    name,
    outcome,
    attempt: 0,
    answer,
    ...(typeof status === "string" && { status }),
  };
  return JSON.stringify(entry);
}

export function revisionOf(text: string | undefined): string {
  return text?.split(" ", 1)[0] ?? "0";
}
