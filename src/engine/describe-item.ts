/**
 * The read model of one item: everything that an operator asks about it, in one typed object. What
 * shows it (the command, the API) only formats. Read without a lock: an item that moves meanwhile may
 * be described across two of its decisions.
 */
import type { Actor, ParkedEvent } from "../core/actor.ts";
import { decodeActor, isLiving } from "../core/actor.ts";
import type { OutboxEffect } from "../core/decision.ts";
import type { Problem } from "../core/errors.ts";
import type { JsonObject } from "../core/event.ts";
import { groupBy } from "../core/group-by.ts";
import { divergenceOf } from "../core/attention.ts";
import type { ItemDivergence, ItemWarning } from "../core/definition.ts";
import { ledgerOf, scopeOf } from "../core/item-clocks.ts";
import type { Change, DeliveryEntry, JournalEntry } from "../core/journal.ts";
import type { Machines } from "../core/machine.ts";
import type { PolicyClockwork } from "../sla/clockwork.ts";
import type { ClocksView } from "../sla/describe.ts";
import { loadActors } from "../store/actor-store.ts";
import type { DeadLetter } from "../store/dead-letter-store.ts";
import { itemOfLetter, listDeadLetters } from "../store/dead-letter-store.ts";
import { readJournal } from "../store/item-store.ts";
import { limiterKey } from "../store/keys.ts";
import { type LimiterState, limiterState } from "../store/limiter.ts";
import { type LaneState, readLanes } from "../store/outbox-store.ts";
import type { Store } from "../store/store.ts";
import { standingOf, type Standing } from "./active-states.ts";

/** Newest journal entries that are read: weeks of an ordinary item, bounded for the odd one. */
const JOURNAL_READ_MAX = 1_000;

/** Newest dead letters among which the item's own are looked for. */
const DEAD_LETTERS_READ_MAX = 1_000;

/** What items are read with: an engine, or less. */
export interface ReadingSide {
  readonly store: Store;
  readonly machines: Machines;
}

/** What an item is described with: its clocks are told by the policy in force. */
export interface DescribingSide extends ReadingSide {
  readonly clocks: () => PolicyClockwork;
}

/** Where a living item stands. */
export interface ItemState extends Standing {
  readonly status: string;
  /** When the status was entered, ms; the oldest entry read when the journal is longer than that. */
  readonly since: number;
  readonly isFinal: boolean;
  readonly account: string;
  readonly order?: string;
  /** XState's own value. */
  readonly value: unknown;
  readonly context: JsonObject;
  /** Event types that the item takes now. */
  readonly allowed: readonly string[];
}

/** An effect and what became of it. */
export interface EffectStory {
  readonly id: string;
  readonly name: string;
  /** When it was decided, ms. */
  readonly decidedAt: number;
  /** "pending" until something has been journalled about it. */
  readonly state: "pending" | DeliveryEntry["outcome"];
  /** While it waits in the outbox. */
  readonly waiting?: OutboxEffect;
  /** Answers, oldest first. Of many failures the journal keeps the 1st, 2nd, 4th, 8th … */
  readonly answers: readonly DeliveryEntry[];
}

export interface LaneStory extends Omit<LaneState, "problem"> {
  /** Why it is blocked. */
  readonly problem?: Problem;
  /** Why nothing of its marketplace account is delivered until an operator releases it. */
  readonly heldReason?: string;
  /** Until when the account pauses, because the marketplace asked for it, ms. */
  readonly pausedUntil?: number;
}

export interface TimerStory {
  readonly id: string;
  /** The delay's name in the machine, `respondReminder`; else the id. */
  readonly name: string;
  readonly dueAt: number;
}

export interface ItemDescription {
  readonly itemId: string;
  /** When it was read, ms. */
  readonly readAt: number;
  readonly machine: string;
  readonly version: string;
  readonly revision: number;
  /** Absent when events wait for an item that nobody has announced, or its machine is not deployed. */
  readonly state?: ItemState;
  /** False when this deployment does not have the item's machine version. */
  readonly isMachineKnown: boolean;
  /** Its SLA clocks as of `readAt`; absent when its machine gives it none. */
  readonly clocks?: ClocksView;
  /** The marketplace or the CRM says something else of it; absent while nobody does. */
  readonly divergence?: ItemDivergence;
  /** What a person should improve about its last update. */
  readonly warnings: readonly ItemWarning[];
  readonly parked: readonly ParkedEvent[];
  /** The next one due first. */
  readonly timers: readonly TimerStory[];
  readonly effects: readonly EffectStory[];
  readonly lanes: readonly LaneStory[];
  readonly deadLetters: readonly DeadLetter[];
  /** Oldest first; at most the newest 1,000. */
  readonly journal: readonly JournalEntry[];
}

/** `undefined` when nothing is known of the item. `now` in ms. */
export async function describeItem(
  { store, machines, clocks }: DescribingSide,
  itemId: string,
  now: number,
): Promise<ItemDescription | undefined> {
  const [[text], journal, lanes, letters] = await Promise.all([
    loadActors(store, [itemId]),
    readJournal(store, itemId, { from: -JOURNAL_READ_MAX }),
    readLanes(store, itemId),
    listDeadLetters(store, DEAD_LETTERS_READ_MAX),
  ]);
  if (text === undefined) return undefined;
  const actor = decodeActor(itemId, text);
  const { machine, version, revision, parked } = actor;
  const state = stateOf(machines, actor, journal);
  return {
    itemId,
    readAt: now,
    machine,
    version,
    revision,
    ...(state !== undefined && { state }),
    isMachineKnown: machines.byId(machine, version) !== undefined,
    ...promisesOf(machines, { actor, clocks: clocks(), now }),
    parked,
    timers: timersOf(actor),
    effects: effectsOf(journal, lanes),
    lanes: await Promise.all(lanes.map((lane) => laneStory(store, lane))),
    deadLetters: letters.filter((letter) => itemOfLetter(letter) === itemId),
    journal,
  };
}

/** When the status was entered: the first of the decisions at the journal's end that all have it. */
export function statusSince(journal: readonly JournalEntry[]): number | undefined {
  let since: number | undefined;
  let status: string | undefined;
  for (const entry of journal.toReversed()) {
    const after = changeOf(entry)?.status;
    if (after === undefined) continue;
    status ??= after;
    if (after !== status) break;
    since = entry.at;
  }
  return since;
}

function stateOf(
  machines: Machines,
  actor: Actor,
  journal: readonly JournalEntry[],
): ItemState | undefined {
  const machine = machines.byId(actor.machine, actor.version);
  if (machine === undefined || !isLiving(actor)) return undefined;
  const { value, context, status } = actor.snapshot;
  const isFinal = status !== "active";
  return {
    status: machine.status(value),
    since: statusSince(journal) ?? 0,
    isFinal,
    ...machine.attributes(context),
    ...standingOf(machine.machine, value),
    value,
    context,
    allowed: isFinal ? [] : machine.allowedNow({ value, context }),
  };
}

interface ClockedActor {
  readonly actor: Actor;
  readonly clocks: PolicyClockwork;
  readonly now: number;
}

/** How the item is doing, beside where it stands. */
function promisesOf(
  machines: Machines,
  { actor, clocks, now }: ClockedActor,
): Pick<ItemDescription, "clocks" | "divergence" | "warnings"> {
  const machine = machines.byId(actor.machine, actor.version);
  if (machine === undefined || !isLiving(actor)) return { warnings: [] };
  const { value, context } = actor.snapshot;
  const divergence = divergenceOf(machines, actor);
  return {
    ...(machine.clocked !== undefined && {
      clocks: clocks.describe(ledgerOf(actor), scopeOf(machine, actor), now),
    }),
    ...(divergence !== undefined && { divergence }),
    warnings: machine.warnings?.({ value, context }) ?? [],
  };
}

function changeOf(entry: JournalEntry): Change | undefined {
  return "change" in entry ? entry.change : undefined;
}

function timersOf({ timers }: Actor): TimerStory[] {
  return Object.entries(timers)
    .map(([id, { dueAt }]) => ({ id, name: timerName(id), dueAt }))
    .toSorted((left, right) => left.dueAt - right.dueAt);
}

/** XState calls the timer of `after: { name }` "xstate.after.<name>.<state>". */
export function timerName(id: string): string {
  return /^xstate\.after\.([^.]+)\./.exec(id)?.[1] ?? id;
}

function effectsOf(
  journal: readonly JournalEntry[],
  lanes: readonly LaneState[],
): readonly EffectStory[] {
  const waiting = new Map(
    lanes.flatMap(({ pending, state }) => pending.map((effect) => [effect.id, { effect, state }])),
  );
  const deliveries = journal.filter((entry): entry is DeliveryEntry => entry.kind === "delivery");
  const answers = groupBy(deliveries, ({ effect }) => effect);
  return journal.flatMap((entry) =>
    (changeOf(entry)?.effects ?? []).map(({ id, name }): EffectStory => {
      const said = answers.get(id) ?? [];
      const held = waiting.get(id);
      return {
        id,
        name,
        decidedAt: entry.at,
        state: stateOfEffect(said.at(-1)?.outcome, held?.state),
        ...(held !== undefined && { waiting: held.effect }),
        answers: said,
      };
    }),
  );
}

/** An operator who opens a blocked lane is not journalled: the lane itself says that it is open. */
function stateOfEffect(
  last: DeliveryEntry["outcome"] | undefined,
  lane: LaneState["state"] | undefined,
): EffectStory["state"] {
  const isOpenAgain = last === "blocked" && lane !== undefined && lane !== "blocked";
  return last === undefined || isOpenAgain ? "pending" : last;
}

async function laneStory(store: Store, { problem, ...lane }: LaneState): Promise<LaneStory> {
  const account = /^marketplace\.(.+)$/.exec(lane.channel)?.[1];
  const { heldReason, pausedUntilMs } =
    account === undefined ? {} : await accountState(store, account);
  return {
    ...lane,
    ...(problem !== undefined && { problem: JSON.parse(problem) as Problem }),
    ...(heldReason !== undefined && { heldReason }),
    ...(pausedUntilMs !== undefined && { pausedUntil: pausedUntilMs }),
  };
}

/** The limit itself is of no interest here, and only processes that send know it. */
async function accountState(
  { redis, layout }: Store,
  account: string,
): Promise<Partial<LimiterState>> {
  return limiterState(redis, limiterKey(layout, account), null);
}
