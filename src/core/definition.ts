/**
 * What a machine's author hands to the engine: an XState v5 machine plus the declarations that make
 * it durable. Plain data and pure functions: machines/ imports xstate and zod only, and satisfies
 * this shape structurally.
 */
import type { AnyStateMachine } from "xstate";
import type { z } from "zod";
import type { Wait } from "./clockwork.ts";
import type { JsonObject } from "./event.ts";
import type { Problem } from "./errors.ts";

/** The event as the machine sees it. `at` is the decision's own time, in ms since the epoch. */
export interface MachineEvent {
  readonly type: string;
  readonly id: string;
  readonly source: string;
  /** When it happened (the event's `time`, else when it was enqueued), ISO 8601 in UTC or offset. */
  readonly time: string;
  readonly at: number;
  readonly data: JsonObject;
  /** True for a step that nobody reported but that an observed status implies. */
  readonly derived?: boolean;
}

/** Where an effect is delivered: one ordered lane per item and channel, so that a sick marketplace
 * cannot hold up a reminder to an operator. */
export type EffectChannel = "marketplace" | "operator";

export interface EffectDeclaration {
  readonly params: z.ZodType;
  readonly channel: EffectChannel;
  /** Urgent effects go before routine ones when a limiter makes them wait. */
  readonly isUrgent?: (params: JsonObject) => boolean;
}

/** What the engine indexes an actor by. */
export interface ActorAttributes {
  /** Provider account: its API key, its limits. */
  readonly account: string;
  /** Order that the item belongs to. */
  readonly order?: string;
}

/** A look at an actor for definition functions: XState's value and context, read-only. */
export interface ActorView {
  readonly value: unknown;
  readonly context: JsonObject;
}

/** What an item's SLA clocks go by, beside its status and its events. */
export interface ClockedItem {
  /** Offer category, by which a policy may differ. */
  readonly category?: string;
  /** IANA zone of the service address. */
  readonly zone?: string;
  /** When the item came to be, ms since the epoch: clocks that begin with it count from there. */
  readonly createdAt?: number;
  readonly wait?: Wait;
  /** Ms since the epoch. */
  readonly appointmentAt?: number;
}

/** Advice about an update that was taken nevertheless. */
export interface ItemWarning {
  /** Name of the rule, by which it can be switched off. */
  readonly rule: string;
  /** What is wrong and what to write instead. */
  readonly message: string;
}

/** Somebody says something else of the item than its status, and a person has to settle it. */
export interface ItemDivergence {
  /** Since when, ISO 8601. */
  readonly sinceTime: string;
  readonly claims: readonly {
    /** "marketplace", "crm". */
    readonly side: string;
    /** What that side says. */
    readonly status: string;
    readonly source: string;
    /** ISO 8601. */
    readonly sinceTime: string;
    /** Why it cannot be followed. */
    readonly reason?: string;
  }[];
}

export interface MachineDefinition {
  /** Stable name, `order-item`. Stored with every actor. */
  readonly id: string;
  /** Stored with every actor; an actor keeps its version until someone migrates it. */
  readonly version: string;
  readonly machine: AnyStateMachine;
  /** The event type that begins an actor. */
  readonly birth: string;
  /** Every event type the machine takes from outside, with the schema of its `data`. A custom issue
   * with `params: { code }` names the error code that the producer gets. */
  readonly events: Readonly<Record<string, z.ZodType>>;
  /** Every named action that is not pure, with the schema of its params. */
  readonly effects: Readonly<Record<string, EffectDeclaration>>;
  /** Schema of the context; must survive a JSON round trip. */
  readonly context: z.ZodType;
  /** The machine's input, from the birth event. Recorded in the journal, so options may enter here. */
  readonly input: (event: MachineEvent) => JsonObject;
  readonly attributes: (context: JsonObject) => ActorAttributes;
  /** Names of the fields that tell of a person, wherever in event data, input, context and effect params
   * they stand, with all that is under them. Absent: everything may tell of one. */
  readonly personal?: readonly string[];
  /** The one word that lists, indexes and people use for the actor's state. */
  readonly status: (value: unknown) => string;
  /** Gives the item SLA clocks, by the policy's rules for its statuses and events. */
  readonly clocked?: (actor: ActorView) => ClockedItem;
  /** The declared effect that tells the marketplace that a clock is late; `dueAt` in ms. */
  readonly delayNote?: (
    actor: ActorView,
    delay: { readonly clock: string; readonly dueAt: number },
  ) => { readonly name: string; readonly params: JsonObject } | undefined;
  /** What a person should improve about the item's last update, by the machine's own rules; shown
   * with the item. */
  readonly warnings?: (actor: ActorView) => readonly ItemWarning[];
  /** Whether the sides disagree about the item. Such an item is listed among those that need a person, and
   * while the marketplace is one of them, nothing is pushed before the item was read there. A machine that
   * has this takes `order.diverged` and `order.converged`. */
  readonly divergence?: (actor: ActorView) => ItemDivergence | undefined;
  /** What somebody has to know who says whether the item can be served, while it waits for that: it takes
   * `order.accepted` and `order.rejected` then. `undefined` when it does not wait. Machines without it
   * are never asked about. */
  readonly serviceability?: (actor: ActorView) => JsonObject | undefined;
  /** A refusal with a reason, asked before the transition: it explains what a guard would only deny. */
  readonly refuse?: (event: MachineEvent, actor: ActorView) => Problem | undefined;
  /** True when the marketplace itself reports this. Pushes that still wait were decided without knowing
   * it, so each lane is looked up before it is sent on. */
  readonly isMarketplaceReport?: (event: MachineEvent) => boolean;
  /** False for a type that a state handles but that this actor's own rules never take there. Keeps
   * "what is allowed next" honest; every type is offered by default. */
  readonly offers?: (type: string, actor: ActorView) => boolean;
  /** Events that one reported event stands for (`status.observed`): the shortest legal path. `undefined`
   * when the event stands for itself, an empty list when it says what is already so. Throwing is a bug;
   * an unreachable target is a Problem. */
  readonly expand?: (
    event: MachineEvent,
    actor: ActorView,
  ) => readonly MachineEvent[] | Problem | undefined;
}
