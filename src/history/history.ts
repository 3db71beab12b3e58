/**
 * What happened in one run, told by everybody who took part: those who sent events, the store as it was
 * left, the marketplace, and whoever caused faults. The checker judges it; nothing here asks the engine.
 * One history is plain JSON, so that a run can be kept and judged again.
 */
import type { OutboxEffect } from "../core/decision.ts";
import type { CloudEvent, JsonObject } from "../core/event.ts";
import type { JournalEntry } from "../core/journal.ts";

export interface History {
  readonly sent: readonly SentEvent[];
  readonly items: readonly ItemRecord[];
  readonly deadLetters: readonly DeadLetterRecord[];
  /** Jobs of the front door that nobody has finished when the run was over. */
  readonly jobsLeft: number;
  /** In the order in which the marketplace received them. */
  readonly requests: readonly MarketRequest[];
  readonly faults: readonly FaultRecord[];
  /** In the order in which operators heard them; absent when nobody listened. */
  readonly notices?: readonly NoticeRecord[];
  /** Of the SLA policy in force when the run was over, in the store and in every process; absent when it
   * is not known. */
  readonly policyVersion?: string;
  /** When the run was over and nothing was under way any more, ms. */
  readonly endedAt: number;
  /** How far apart the clocks of the processes may have been, ms; 0 when they shared one. */
  readonly clockSkewMs: number;
  /** No push may stand for another: each status is told by a request of its own. */
  readonly isEachPushed?: boolean;
}

/** One event that a producer tried to hand over, however often. */
export interface SentEvent {
  readonly event: CloudEvent;
  /** The first try, ms. */
  readonly sentAt: number;
  /** When the front door said for the first time that it has it, ms. Absent: it never did, and the event
   * may or may not have arrived. */
  readonly acknowledgedAt?: number;
  /** When it said so for the last time, for events that were handed over again; else absent. */
  readonly lastAcknowledgedAt?: number;
  /** The outcome that this event must have whatever happens; absent when several are right. */
  readonly mustBe?: "applied";
}

/** One item as the store held it at the end. */
export interface ItemRecord {
  readonly itemId: string;
  /** The stored actor; absent when the store knows none. */
  readonly actorText?: string;
  /** Oldest first. */
  readonly journal: readonly JournalEntry[];
  readonly lanes: readonly LaneRecord[];
  /** Statuses under whose index the item is listed. */
  readonly listedUnder: readonly string[];
  /** When the store would let time act on it, ms. */
  readonly indexedDueAt?: number;
  /** Since when the store lists it among those that need a person, ms; absent when it does not. */
  readonly attentionSince?: number;
  /** The status that it must have in the end; absent when several are right. */
  readonly mustEndAs?: string;
}

/** Effects that had not left when the run was over. */
export interface LaneRecord {
  readonly channel: string;
  readonly state: "ready" | "leased" | "later" | "blocked";
  readonly pending: readonly OutboxEffect[];
}

export interface DeadLetterRecord {
  readonly id: string;
  readonly kind: string;
  readonly itemId?: string;
  readonly code: string;
  /** Of letters about an event. */
  readonly event?: { readonly source: string; readonly id: string; readonly redrive?: number };
  /** Of letters about an effect. */
  readonly effect?: string;
}

/** One PATCH as the marketplace saw it. */
export interface MarketRequest {
  readonly at: number;
  readonly itemId: string;
  /** The effect that it carries. */
  readonly idempotencyKey: string;
  readonly status: string;
  readonly body: JsonObject;
  /** Whether it changed the item, whatever was answered. */
  readonly applied: boolean;
  /** HTTP status, or "none" when no answer was given. */
  readonly answer: number | "none";
}

/** One notice as an operator heard it. */
export interface NoticeRecord {
  readonly at: number;
  readonly itemId: string;
  readonly effect: string;
  readonly name: string;
  /** The same for whatever says the same about the item. */
  readonly key?: string;
}

/** Something that was done to the system on purpose. */
export interface FaultRecord {
  /** For instance "kill-worker", "redis-reply-lost", "market-500-after". How it begins decides what it
   * excuses: see fault-effects.ts. */
  readonly kind: string;
  readonly from: number;
  /** When its cause was over; what it broke may take longer to heal. */
  readonly to: number;
  /** The item concerned, when it was aimed at one. */
  readonly itemId?: string;
  /** The store forgot what it had acknowledged from this time on, ms. */
  readonly storeLostSince?: number;
}
