/**
 * What the core asks of whoever keeps an item's SLA clocks. It is given the item's ledger and what
 * happened, and answers with facts; the core records them in the journal, applies them to the
 * ledger, and turns their notices into effects, all in the commit of the decision. Replay records
 * and applies the same facts without asking again, so a policy may change at any time.
 */
import type { Fact, Role } from "./clock-fact.ts";
import type { Ledger } from "./clock-ledger.ts";

/** Whose rules hold for an item. */
export interface ClockScope {
  readonly account: string;
  /** Offer category. */
  readonly category?: string;
  /** IANA zone of the service address. A name that is no zone counts as none. */
  readonly zone?: string;
}

/** Whom an item waits for: "customer", "reseller" or "provider". */
export interface Wait {
  readonly on: string;
  readonly reason?: string;
}

/** What a decision did to the item; `…After` is how things are then, changed or not. */
export interface Happening {
  /** When it happened by the event's own time, ms; taken as `now` when later. */
  readonly at: number;
  /** When it is decided, ms. */
  readonly now: number;
  readonly eventType?: string;
  /** Absent at the item's birth. */
  readonly statusBefore?: string;
  readonly statusAfter: string;
  readonly waitAfter?: Wait;
  /** Ms since the epoch; absent while there is no date. */
  readonly appointmentAfter?: number;
}

/** To be silent about a clock for a while. */
export interface HoldRequest {
  readonly kind: "acknowledged" | "snoozed";
  readonly clock: string;
  /** Ms since the epoch. */
  readonly until: number;
  readonly by: string;
  readonly role: Role;
  readonly now: number;
}

export type HoldRefusal =
  | "clock-not-open"
  | "end-not-ahead"
  | "end-too-far"
  /** Only a lead may be silent about a breach. */
  | "beyond-due";

export type HoldOutcome =
  | { readonly outcome: "held"; readonly facts: readonly Fact[] }
  | { readonly outcome: "refused"; readonly reason: HoldRefusal; readonly message: string };

export interface Clockwork {
  /** What a decision brings about; none when no clock cares. */
  readonly follow: (ledger: Ledger, scope: ClockScope, happening: Happening) => readonly Fact[];
  /** What time alone brings about by `now`, ms, or another policy; none when the look was too early. */
  readonly due: (ledger: Ledger, scope: ClockScope, now: number) => readonly Fact[];
  readonly hold: (ledger: Ledger, scope: ClockScope, request: HoldRequest) => HoldOutcome;
}
