/**
 * The ledger: an item's open clocks and what they need to be asked again, kept beside the item's
 * snapshot. And the facts: everything that ever happens to a ledger, as the journal records it.
 *
 * A ledger changes by facts alone. They carry every time that was computed from the policy, so a
 * replay needs no policy and no calendar: `applyFacts` only stores. Whoever decides (clock.ts,
 * due.ts, recompute.ts, hold.ts) builds its facts through a draft, which applies each of them at
 * once; so the decided ledger and the replayed one cannot differ.
 *
 * All instants are ms since the epoch; `…Ms` are durations, of open time unless said.
 */
import type { Breach, ClockFact, Fact, Level, Moved, Started, Stopped } from "./clock-fact.ts";

/** What the clock does. "overstayed": its pause reached its maximum while the item still waits. */
export type Phase =
  | { readonly is: "running" }
  | { readonly is: "overstayed" }
  | { readonly is: "paused"; readonly on: string; readonly endsAt: number };

export interface OpenClock {
  readonly startedAt: number;
  /** When it is, or was, used up. While paused: when it would have been without the pause. */
  readonly dueAt: number;
  /**
   * Used time at which it is used up: kept, so that within an epoch a rung's name is a place and
   * the mark that has passed it keeps it from ringing again. Negative when a fixed date was past.
   */
  readonly targetMs: number;
  /** Raised with every move of the due time but a pause's, and with every new start. */
  readonly epoch: number;
  /** Up to `since` it has used `accruedMs`; a running clock uses more from there on. */
  readonly since: number;
  readonly accruedMs: number;
  /** Rungs at so much used time, or less, have rung or were passed over. */
  readonly markMs: number;
  readonly customerMarkMs: number;
  readonly phase: Phase;
  readonly breach: Breach;
  /** Repeats are silent until then. */
  readonly ackUntil?: number;
  /** Everything for operators is silent until then. */
  readonly snoozedUntil?: number;
}

export interface Ledger {
  /** The version under which its times were computed. */
  readonly policy: string;
  readonly clocks: Readonly<Record<string, OpenClock>>;
  /** The last epoch of each clock that has ended: a new start must not repeat its notices. */
  readonly closed: Readonly<Record<string, number>>;
  readonly wait?: { readonly on: string; readonly since: number };
  readonly appointmentAt?: number;
  /** The stage the item is in, and how much the committed clock had used when it got there. */
  readonly stage?: { readonly name: string; readonly sinceMs: number };
  /** Absent until it first changes from green. */
  readonly jeopardy?: { readonly level: Level; readonly changes: number; readonly since: number };
  /** When the marketplace was last told of a delay. */
  readonly delayNotedAt?: number;
  /** When time alone next changes something. */
  readonly nextAt?: number;
}

export const EMPTY_LEDGER: Ledger = { policy: "", clocks: {}, closed: {} };

export function applyFacts(ledger: Ledger, facts: readonly Fact[]): Ledger {
  return facts.reduce(applied, ledger);
}

/** Since when a person should look: a promise is broken, or will be. */
export function attentionSince({ clocks, jeopardy }: Ledger): number | undefined {
  const late = Object.values(clocks)
    .filter(isLate)
    .map(({ dueAt }) => dueAt);
  if (jeopardy?.level === "red") late.push(jeopardy.since);
  return late.length === 0 ? undefined : Math.min(...late);
}

/** A paused clock has no due time. */
export function isLate({ breach, phase }: OpenClock): boolean {
  return breach !== "none" && phase.is !== "paused";
}

/** When `whenDue` has something to say next; undefined when time alone changes nothing. */
export function nextDueAt(ledger: Ledger): number | undefined {
  return ledger.nextAt;
}

function applied(ledger: Ledger, fact: Fact): Ledger {
  if ("clock" in fact) return withClock(ledger, fact);
  switch (fact.kind) {
    case "policy":
      return { ...ledger, policy: fact.version };
    case "appointment": {
      const { appointmentAt: _before, ...rest } = ledger;
      return fact.date === null ? rest : { ...rest, appointmentAt: fact.date };
    }
    case "wait":
      return withWait(ledger, fact.on, fact.at);
    case "stage":
      return withStage(ledger, fact.stage, fact.sinceMs);
    case "jeopardy": {
      const changes = (ledger.jeopardy?.changes ?? 0) + 1;
      return { ...ledger, jeopardy: { level: fact.level, changes, since: fact.at } };
    }
    case "armed": {
      const { nextAt: _before, ...rest } = ledger;
      return fact.nextAt === null ? rest : { ...rest, nextAt: fact.nextAt };
    }
  }
}

/** Without a stage there is no jeopardy to be in; its changes are counted on, for their notices. */
function withStage(ledger: Ledger, name: string | null, sinceMs: number): Ledger {
  if (name !== null) return { ...ledger, stage: { name, sinceMs } };
  const { stage: _stage, jeopardy, ...rest } = ledger;
  return jeopardy === undefined ? rest : { ...rest, jeopardy: { ...jeopardy, level: "green" } };
}

/** Another wait may pause what the last one had paused for too long. */
function withWait(ledger: Ledger, on: string | null, at: number): Ledger {
  const { wait: _before, ...rest } = ledger;
  const clocks = Object.fromEntries(
    Object.entries(ledger.clocks).map(([name, clock]): [string, OpenClock] => [
      name,
      clock.phase.is === "overstayed" ? { ...clock, phase: RUNNING } : clock,
    ]),
  );
  return { ...rest, clocks, ...(on !== null && { wait: { on, since: at } }) };
}

function withClock(ledger: Ledger, fact: ClockFact): Ledger {
  const { [fact.clock]: clock, ...others } = ledger.clocks;
  if (fact.kind === "started") {
    return { ...ledger, clocks: { ...others, [fact.clock]: begun(fact) } };
  }
  if (clock === undefined) return ledger;
  if (fact.kind === "stopped") {
    const closed = { ...ledger.closed, [fact.clock]: clock.epoch };
    return { ...ledger, clocks: others, closed };
  }
  const noted = fact.kind === "breached" && fact.notedAt !== undefined;
  return {
    ...ledger,
    clocks: { ...others, [fact.clock]: changed(clock, fact) },
    ...(noted && { delayNotedAt: fact.notedAt }),
  };
}

const RUNNING: Phase = { is: "running" };

function begun({ at, epoch, dueAt, targetMs = dueAt - at, markMs = 0 }: Started): OpenClock {
  return {
    startedAt: at,
    dueAt,
    targetMs,
    epoch,
    since: at,
    accruedMs: 0,
    markMs,
    customerMarkMs: markMs,
    phase: RUNNING,
    breach: "none",
  };
}

function changed(clock: OpenClock, fact: Exclude<ClockFact, Started | Stopped>): OpenClock {
  const { at } = fact;
  switch (fact.kind) {
    case "paused": {
      const phase = { is: "paused", on: fact.on, endsAt: fact.endsAt } as const;
      return { ...clock, since: at, accruedMs: fact.accruedMs, phase };
    }
    case "resumed": {
      const phase: Phase = fact.by === "limit" ? { is: "overstayed" } : RUNNING;
      return { ...clock, since: at, dueAt: fact.dueAt, phase };
    }
    case "moved":
      return moved(clock, fact);
    case "breached":
      return { ...clock, breach: "seen" };
    case "rang":
      if (fact.lane === "customer") return { ...clock, customerMarkMs: fact.markMs };
      return { ...clock, markMs: fact.markMs, ...(fact.rung === "breach" && { breach: "told" }) };
    case "acknowledged":
      return { ...clock, ackUntil: fact.until };
    case "snoozed":
      return { ...clock, snoozedUntil: fact.until };
  }
}

/** What was agreed about the old due time, to be silent until then, ends with it. */
function moved(clock: OpenClock, fact: Moved): OpenClock {
  const { ackUntil: _ack, snoozedUntil: _snooze, ...rest } = clock;
  const { at, dueAt, targetMs, epoch, markMs, breach, why } = fact;
  const now = { ...rest, dueAt, targetMs, epoch, markMs, breach };
  if (why !== "rescheduled") return now;
  return { ...now, startedAt: at, since: at, accruedMs: 0, customerMarkMs: markMs, phase: RUNNING };
}
