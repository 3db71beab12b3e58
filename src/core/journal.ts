/**
 * The journal: the append-only record of an actor. It explains the snapshot (replaying it gives the
 * same bytes) and it is what people and programs read to learn what happened and why.
 */
import type { ParkedReason } from "./actor.ts";
import type { ArrivedEvent } from "./arrival.ts";
import type { Fact } from "./clock-fact.ts";
import type { ErrorCode, Problem } from "./errors.ts";
import type { JsonObject } from "./event.ts";
import type { TakenTransition } from "./xstate-step.ts";

/** What became of an event. */
export type EventOutcome = "applied" | "parked" | "stale" | "rejected";

interface Decided {
  /** Its number among the actor's decisions, from 1. */
  readonly revision: number;
  /** The decision's time, ms since the epoch. */
  readonly at: number;
  /** What it meant to the item's SLA clocks. */
  readonly clocks?: readonly Fact[];
}

/** What a decision did to the actor. */
export interface Change {
  /** The status after it. */
  readonly status: string;
  readonly taken: readonly TakenTransition[];
  /** Ids of the effects that it put into the outbox, in order. */
  readonly effects?: readonly { readonly id: string; readonly name: string }[];
  /** Types of the events that an observed status stood for. */
  readonly derived?: readonly string[];
  /** What the machine emitted or logged. */
  readonly notes?: readonly JsonObject[];
}

export interface EventEntry extends Decided {
  readonly kind: "event";
  readonly event: ArrivedEvent;
  readonly outcome: EventOutcome;
  readonly problem?: Problem;
  /** Parked: why, and until when. */
  readonly reason?: ParkedReason;
  readonly until?: number;
  readonly change?: Change;
  /** It had been parked and was tried again. */
  readonly retried?: true;
  /** The birth event: what the machine was begun with, and which machine. */
  readonly birth?: {
    readonly machine: string;
    readonly version: string;
    readonly input: JsonObject;
  };
}

export interface TimerEntry extends Decided {
  readonly kind: "timer";
  readonly timer: string;
  readonly token: string;
  readonly dueAt: number;
  /** `failed`: the machine is at fault, and the timer is due again at `until`. */
  readonly outcome: "applied" | "dropped" | "failed";
  readonly problem?: Problem;
  readonly until?: number;
  readonly change?: Change;
}

/** A parked event whose time ran out: it is a dead letter now. */
export interface ExpiredEntry extends Decided {
  readonly kind: "expired";
  readonly event: ArrivedEvent;
  readonly problem: Problem;
}

/** What time, another policy or the outbox alone brought about in the item's clocks. */
export interface ClocksEntry extends Decided {
  readonly kind: "clocks";
  /** What the engine itself told the clocks, such as "push.owed"; absent when time did. */
  readonly happening?: string;
  readonly clocks: readonly Fact[];
  readonly change: Change;
}

export type DecisionEntry = EventEntry | TimerEntry | ExpiredEntry | ClocksEntry;

/** What the world answered to an effect. Written by settle, which is not a commit: no revision. */
export interface DeliveryEntry {
  readonly kind: "delivery";
  readonly at: number;
  readonly effect: string;
  readonly name: string;
  readonly outcome: "delivered" | "failed" | "blocked" | "merged" | "superseded" | "skipped";
  /** How often it was sent, this time included. */
  readonly attempt: number;
  /** The marketplace's answer, or what the engine found by reading the item. */
  readonly answer?: string;
  readonly code?: ErrorCode;
  readonly tookMs?: number;
  /** The status it carried, for pushes. */
  readonly status?: string;
}

export type JournalEntry = DecisionEntry | DeliveryEntry;
