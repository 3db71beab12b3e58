/**
 * Our side of an item, as a comparison with the marketplace needs it. Read without a lock, so with a
 * mark of the moment: two readings with the same mark saw nothing happen in between.
 */
import { decodeActor, isLiving, type LivingActor } from "../core/actor.ts";
import { advance } from "../core/advance.ts";
import type { OutboxEffect } from "../core/decision.ts";
import type { Problem } from "../core/errors.ts";
import type { JsonObject } from "../core/event.ts";
import type { JournalEntry } from "../core/journal.ts";
import type { Machine, Machines } from "../core/machine.ts";
import { toMachineEvent, type ArrivedEvent } from "../core/arrival.ts";
import { marketplaceChannel } from "../core/channel-name.ts";
import { unknownMachine } from "../core/problems.ts";
import { ITEM_STATUSES, type ItemStatus } from "../offergrid/status-update.ts";
import { loadStoredActors } from "../store/actor-store.ts";
import { readJournal } from "../store/item-store.ts";
import { type LaneState, readLanes } from "../store/outbox-store.ts";
import { openActor } from "../store/sealed-texts.ts";
import type { ReadingSide } from "./describe-item.ts";
import { PUSH_EFFECT } from "./push.ts";
import type { OurLane, Ours, Told, WaitingPush } from "./reconcile-explain.ts";

export interface OursRead {
  readonly ours: Ours;
  /** Unsealed. */
  readonly text: string | undefined;
  /** As it is stored, for whoever wants to write only if nobody else has written. */
  readonly stored: string | undefined;
  readonly journal: readonly JournalEntry[];
  /** Changes with everything that happens to the item. */
  readonly mark: string;
}

export async function readOurs(
  { store, machines }: ReadingSide,
  itemId: string,
  now: number,
): Promise<OursRead> {
  // The actor before its lanes: a decision that is read has its effects in a lane, or delivered.
  const [stored] = await loadStoredActors(store, [itemId]);
  const text = stored && openActor(store, itemId, stored);
  const lanes = await readLanes(store, itemId);
  const journal = await readJournal(store, itemId);
  const mark = JSON.stringify([text?.split(" ", 1), journal.length, lanes.map(laneMark)]);
  return {
    ours: oursOf(machines, { itemId, text, lanes, journal, now }),
    text,
    stored,
    journal,
    mark,
  };
}

/** Which push, if not where in its back-off: that alone changes nothing that could be compared. */
function laneMark({ channel, pending, state }: LaneState): readonly unknown[] {
  return [channel, state === "blocked", pending.map(({ id }) => id)];
}

interface Reading {
  readonly itemId: string;
  readonly text: string | undefined;
  readonly lanes: readonly LaneState[];
  readonly journal: readonly JournalEntry[];
  readonly now: number;
}

function oursOf(machines: Machines, { itemId, text, lanes, journal, now }: Reading): Ours {
  if (text === undefined) return { state: "unknown" };
  const actor = decodeActor(itemId, text);
  if (!isLiving(actor)) return { state: "unknown" };
  const machine = machines.byId(actor.machine, actor.version);
  if (machine === undefined) {
    return { state: "unreadable", message: unknownMachine(actor).message };
  }
  const { value, context, status: running } = actor.snapshot;
  const { account } = machine.attributes(context);
  const status = machine.status(value);
  const scheduledFor = appointmentOf(context);
  return {
    state: "known",
    status,
    isFinal: running !== "active",
    account,
    ...(scheduledFor !== undefined && { scheduledFor }),
    lane: laneOf(lanes.find(({ channel }) => channel === marketplaceChannel(account))),
    told: journal.flatMap(toldBy),
    isLeftOut: isLeftOut(journal, status),
    movedAt: journal.at(-1)?.at ?? 0,
    isDivergenceTaken: machine.divergence !== undefined,
    ...claimOf(machine, actor),
    canFollow: (target) => canFollow(machine, actor, { target, now }),
  };
}

function claimOf(machine: Machine, actor: LivingActor): { readonly claim?: string } {
  const claims = machine.divergence?.(actor.snapshot)?.claims ?? [];
  const claim = claims.find(({ side }) => side === "marketplace")?.status;
  return claim === undefined ? {} : { claim };
}

function laneOf(lane: LaneState | undefined): OurLane {
  if (lane === undefined) return { state: "empty" };
  const pushes = lane.pending.map(waitingPush);
  if (lane.state !== "blocked") return { state: "moving", pushes };
  return { state: "blocked", pushes, problem: JSON.parse(lane.problem ?? "{}") as Problem };
}

function waitingPush({ id, params }: OutboxEffect): WaitingPush {
  const { status, scheduledFor } = params;
  return {
    id,
    ...(typeof status === "string" && { status }),
    ...(typeof scheduledFor === "string" && { scheduledFor }),
  };
}

function toldBy(entry: JournalEntry): Told[] {
  if (entry.kind === "delivery") {
    const status = itemStatus(entry.status);
    // A notice to an operator names the item's status as well, which the marketplace may not have.
    const isPush = entry.name === PUSH_EFFECT;
    const isTold = isPush && entry.outcome === "delivered" && status !== undefined;
    return isTold ? [{ status, effect: entry.effect }] : [];
  }
  if (entry.kind !== "event" || entry.outcome !== "applied") return [];
  const isTheirs = entry.event.data["origin"] === "marketplace" || entry.birth !== undefined;
  const status = itemStatus(entry.change?.status);
  return isTheirs && status !== undefined ? [{ status }] : [];
}

function isLeftOut(journal: readonly JournalEntry[], status: string): boolean {
  const last = journal.findLast(
    (entry) => entry.kind === "delivery" && entry.name === PUSH_EFFECT && entry.status === status,
  );
  return last?.kind === "delivery" && last.outcome === "skipped";
}

function itemStatus(word: string | undefined): ItemStatus | undefined {
  return ITEM_STATUSES.find((status) => status === word);
}

/** Only a machine of appointments has one; another's context is not asked for more than that. */
function appointmentOf({ appointment }: JsonObject): string | undefined {
  if (typeof appointment !== "object" || appointment === null) return undefined;
  const { scheduledFor } = appointment as JsonObject;
  return typeof scheduledFor === "string" ? scheduledFor : undefined;
}

function canFollow(
  machine: Machine,
  actor: LivingActor,
  { target, now }: { readonly target: ItemStatus; readonly now: number },
): boolean {
  const event = reportOf({ itemId: actor.id, source: "offergrid", status: target }, now);
  if (machine.events[event.type] === undefined) return false;
  const next = advance(machine, actor, toMachineEvent(event, now));
  if (next.outcome !== "applied") return false;
  return (
    machine.status(next.actor.snapshot.value) === target &&
    next.effects.every(({ name }) => name !== PUSH_EFFECT)
  );
}

export interface Report {
  readonly itemId: string;
  readonly source: string;
  readonly status: ItemStatus;
  /** As the marketplace shows it. */
  readonly scheduledFor?: string;
  /** Tells this report from others of the item. */
  readonly id?: string;
}

/** What the marketplace shows, as the event that the machine follows. It pushes nothing back. */
export function reportOf(report: Report, now: number): ArrivedEvent {
  const { itemId, source, status, scheduledFor, id = "" } = report;
  const envelope = {
    specversion: "1.0",
    id: `reconcile:${itemId}:${id}:${status}`,
    source,
    subject: itemId,
    time: new Date(now).toISOString(),
  } as const;
  const origin = "marketplace";
  if (status === "cancelled") {
    const data = { origin, cancelledBy: "reseller", providerNotes: CANCELLATION_NOTE };
    return { ...envelope, type: "order.cancelled", data };
  }
  const isDated = status === "scheduled" && scheduledFor !== undefined && hasOffset(scheduledFor);
  const data = { origin, status, ...(isDated && { scheduledFor }) };
  return { ...envelope, type: "status.observed", data };
}

const CANCELLATION_NOTE = "The marketplace shows the item as cancelled; found by a reconciliation.";

/** A date that does not say in which zone it is cannot be taken for an appointment. */
export function hasOffset(date: string): boolean {
  return /T.*(?:Z|[+-]\d\d:?\d\d)$/.test(date);
}
