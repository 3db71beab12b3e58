/**
 * The actor: everything the engine must remember of one order item, as one value.
 *
 * Stored as text: the revision, a space, the rest as JSON. The revision stands in front so that
 * commit.lua compares it without decoding anything. The text is canonical (fields in one order), so a
 * replayed actor can be compared with the stored one byte for byte.
 */
import type { ArrivedEvent } from "./arrival.ts";
import { type Ledger, nextDueAt } from "./clock-ledger.ts";
import { packLedger, unpackLedger } from "./clock-ledger-codec.ts";
import { EngineError } from "./errors.ts";
import type { Snapshot } from "./xstate-step.ts";

export interface Timer {
  /** When it fires, ms since the epoch. Absolute: a restart or a move changes nothing. */
  readonly dueAt: number;
  /** Which visit to the state set it. XState's `after` type is the same on every visit. */
  readonly token: string;
  /** How often the machine failed on it; then it is due again later. */
  readonly failures?: number;
  /** What it tells the machine; absent when that is its own id and nothing more, as for `after`. */
  readonly event?: { readonly type: string; readonly [key: string]: unknown };
}

/** How far one source has told its story of this item. */
export interface SourceMark {
  readonly time: number;
  readonly sequence?: string;
}

/** Why an event waits: its state is not reached yet, its numbered predecessor is missing, or its item
 * is not known yet. */
export type ParkedReason = "early" | "gap" | "unknown-item";

export interface ParkedEvent {
  readonly event: ArrivedEvent;
  readonly reason: ParkedReason;
  /** When it becomes a dead letter, ms since the epoch. */
  readonly until: number;
}

export interface Actor {
  readonly id: string;
  /** Number of decisions in its journal. A commit carries one decision, or a few of one actor. */
  readonly revision: number;
  readonly machine: string;
  readonly version: string;
  /** Absent while events wait for an item that nobody has announced. */
  readonly snapshot?: Snapshot;
  readonly timers: Readonly<Record<string, Timer>>;
  /** The item's SLA clocks; absent until one of them cares. */
  readonly clocks?: Ledger;
  readonly sources: Readonly<Record<string, SourceMark>>;
  readonly parked: readonly ParkedEvent[];
}

/** An actor that has begun. */
export type LivingActor = Actor & { readonly snapshot: Snapshot };

export function isLiving(actor: Actor | undefined): actor is LivingActor {
  return actor?.snapshot !== undefined;
}

export function encodeActor(actor: Actor): string {
  const { machine, version, snapshot, timers, clocks, sources, parked } = actor;
  return `${actor.revision} ${JSON.stringify({
    machine,
    version,
    ...(snapshot !== undefined && { snapshot }),
    ...(Object.keys(timers).length > 0 && { timers }),
    ...(clocks !== undefined && { clocks: packLedger(clocks) }),
    ...(Object.keys(sources).length > 0 && { sources }),
    ...(parked.length > 0 && { parked }),
  })}`;
}

type StoredActor = Partial<Omit<Actor, "clocks">> & { readonly clocks?: unknown };

export function decodeActor(id: string, text: string): Actor {
  const space = text.indexOf(" ");
  const revision = Number(text.slice(0, space));
  try {
    const { clocks, ...stored } = JSON.parse(text.slice(space + 1)) as StoredActor;
    const { machine, version, snapshot, timers = {}, sources = {}, parked = [] } = stored;
    const isNamed = typeof machine === "string" && typeof version === "string";
    if (!isNamed || !Number.isSafeInteger(revision)) {
      throw new TypeError("revision, machine or version is missing");
    }
    if (!Array.isArray(parked) || ![timers, sources].every(isObject)) {
      throw new TypeError("timers, sources or parked events are of another shape");
    }
    const known = {
      ...(snapshot !== undefined && { snapshot }),
      ...(clocks !== undefined && { clocks: unpackLedger(clocks) }),
    };
    return { id, revision, machine, version, ...known, timers, sources, parked };
  } catch (cause) {
    // What is stored is data of people, and this ends up in logs and dead letters.
    throw new EngineError(
      "STORE_CORRUPT",
      `The stored actor of item ${id} is not readable: ${text.length} characters at its Redis key a:${id}, of another shape or cut off.`,
      { cause },
    );
  }
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/** The next moment at which time alone changes the actor: a timer, a clock, or a parked event's end. */
export function dueAt(actor: Actor): number | undefined {
  const moments = [
    ...Object.values(actor.timers).map((timer) => timer.dueAt),
    ...actor.parked.map((parked) => parked.until),
  ];
  const clocksDueAt = actor.clocks && nextDueAt(actor.clocks);
  if (clocksDueAt !== undefined) moments.push(clocksDueAt);
  return moments.length === 0 ? undefined : Math.min(...moments);
}
