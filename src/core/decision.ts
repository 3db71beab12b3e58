/** What a decision is made with, and what comes of it: everything that its commit will write. */
import type { Actor, LivingActor } from "./actor.ts";
import type { ArrivedEvent } from "./arrival.ts";
import type { Clockwork } from "./clockwork.ts";
import type { Problem } from "./errors.ts";
import type { JsonObject } from "./event.ts";
import type { DecisionEntry, EventOutcome } from "./journal.ts";
import type { Machine, Machines } from "./machine.ts";

export interface Limits {
  /** How long an early event waits before it is a dead letter, ms. */
  readonly parkedForMs: number;
  /** How long an event waits for its item to be announced, ms. */
  readonly unknownItemForMs: number;
  /** Parked events per item. */
  readonly parkedMax: number;
  /** Decisions per item. */
  readonly journalMax: number;
  /** Timers fired in one decision. */
  readonly timersPerDecision: number;
}

/** What decisions are made with, beside the actor and the event. */
export interface Setting {
  readonly machines: Machines;
  readonly limits: Limits;
  /** Absent: no item has SLA clocks. */
  readonly clocks?: Clockwork | undefined;
  /** Whether a new item's serviceability is asked for. Absent: nobody's is. */
  readonly asksAbout?: ((machine: Machine, actor: LivingActor) => boolean) | undefined;
  /** ms since the epoch. */
  readonly now: number;
}

/** What became of the event that was asked about. */
export interface Verdict {
  readonly outcome: EventOutcome | "dead-letter";
  readonly problem?: Problem;
}

/** A committed effect, as the outbox holds it. */
export interface OutboxEffect {
  /** Item, revision, place: the same for every delivery, so it is the idempotency key. */
  readonly id: string;
  readonly name: string;
  readonly params: JsonObject;
  /** `marketplace.<account>`, `serviceability.<account>` or `operator`. */
  readonly channel: string;
  readonly isUrgent: boolean;
  /** When it was decided, ms. */
  readonly at: number;
  /** When the fact behind it happened: the event's time. Absent for timers. */
  readonly occurredAt?: string;
}

/** An event that a person must look at. */
export interface DeadEvent {
  readonly event: ArrivedEvent;
  readonly problem: Problem;
  readonly at: number;
}

/** A timer on which the machine fails. */
export interface DeadTimer {
  readonly timer: string;
  readonly problem: Problem;
  readonly at: number;
}

export interface Decision {
  /** Absent when there is nothing to remember: the item is unknown and nothing waits for it. */
  readonly actor: Actor | undefined;
  readonly entries: readonly DecisionEntry[];
  readonly effects: readonly OutboxEffect[];
  readonly deadEvents: readonly DeadEvent[];
  readonly deadTimers: readonly DeadTimer[];
  /** Channels whose waiting effects are looked up before they are sent. */
  readonly lookFirst: readonly string[];
}
