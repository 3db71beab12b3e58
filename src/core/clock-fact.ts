/**
 * Everything that can happen to an item's clocks, as the journal records it. A fact holds every time
 * that was computed from the policy, and what somebody is to be told of it; instants are ms since
 * the epoch, `…Ms` are durations, of the clock's open time unless said.
 */
/** Who works on orders. */
export const ROLES = ["owner", "lead"] as const;
export type Role = (typeof ROLES)[number];

/** Whether the committed date will be kept. */
export type Level = "green" | "yellow" | "red";

/** Something to tell somebody. The key is unique within the item, so a repeat is harmless. */
export interface Notice {
  readonly key: string;
  readonly to: readonly (Role | "customer" | "marketplace")[];
}

/** "told": its own rung has rung. */
export type Breach = "none" | "seen" | "told";

export type Lane = "operator" | "customer";

interface OfClock {
  readonly clock: string;
  /** When it became true, however late it was seen. */
  readonly at: number;
}

export type Started = OfClock & {
  readonly kind: "started";
  readonly epoch: number;
  readonly dueAt: number;
  /** Absent when it is the wall's time from the start to the due time. */
  readonly targetMs?: number;
  /** Present when the due time is already past at the start. */
  readonly markMs?: number;
};

export type Paused = OfClock & {
  readonly kind: "paused";
  readonly on: string;
  readonly accruedMs: number;
  readonly endsAt: number;
};

export type Resumed = OfClock & {
  readonly kind: "resumed";
  readonly dueAt: number;
  /** "limit": the pause reached its maximum, and the item still waits. */
  readonly by: "event" | "limit";
  readonly notice?: Notice;
};

export type Moved = OfClock & {
  readonly kind: "moved";
  /** "rescheduled" begins anew; "backdated": a pause was told after the breach that it undoes. */
  readonly why: "rescheduled" | "recomputed" | "backdated";
  readonly dueAt: number;
  readonly targetMs: number;
  readonly epoch: number;
  readonly markMs: number;
  readonly breach: Breach;
};

export type Breached = OfClock & {
  readonly kind: "breached";
  readonly notice?: Notice;
  /** Present with the notice: when the marketplace is told. */
  readonly notedAt?: number;
};

export type Rang = OfClock & {
  readonly kind: "rang";
  readonly rung: string;
  readonly epoch: number;
  readonly lane: Lane;
  readonly markMs: number;
  /** Rungs of the same lane that were past as well and are not told any more. */
  readonly skipped?: readonly string[];
  readonly notice: Notice;
};

export type Stopped = OfClock & {
  readonly kind: "stopped";
  readonly outcome: "met" | "missed" | "dropped";
  readonly usedMs: number;
  readonly dueAt: number;
  /** Reminders that nobody was awake to ring before their date had passed. */
  readonly skipped?: readonly string[];
};

export type Held = OfClock & {
  readonly kind: "acknowledged" | "snoozed";
  readonly until: number;
  readonly by: string;
};

export type JeopardyChanged = {
  readonly kind: "jeopardy";
  /** When it was seen. */
  readonly at: number;
  readonly level: Level;
  readonly was: Level;
  readonly predictedAt: number;
  readonly committedAt: number;
  readonly notice: Notice;
};

export type ItemFact =
  | { readonly kind: "policy"; readonly at: number; readonly version: string }
  /** Null: it has no date any more. */
  | { readonly kind: "appointment"; readonly at: number; readonly date: number | null }
  /** Null: the item waits for nobody. */
  | {
      readonly kind: "wait";
      readonly at: number;
      readonly on: string | null;
      readonly reason?: string;
    }
  /** Null: no committed date, and so no jeopardy. */
  | {
      readonly kind: "stage";
      readonly at: number;
      readonly stage: string | null;
      readonly sinceMs: number;
    }
  | JeopardyChanged
  /** Null: nothing changes by time alone. */
  | { readonly kind: "armed"; readonly nextAt: number | null };

export type ClockFact = Started | Paused | Resumed | Moved | Breached | Rang | Stopped | Held;

export type Fact = ItemFact | ClockFact;

/** The notices of facts, in their order. */
export function noticesOf(facts: readonly Fact[]): readonly Notice[] {
  return facts.flatMap((fact) =>
    "notice" in fact && fact.notice !== undefined ? [fact.notice] : [],
  );
}
