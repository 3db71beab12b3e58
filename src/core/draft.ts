/**
 * A decision while it is being made: the actor so far, and what the commit will write. Each method
 * records one fact in every place where it belongs, so that journal, outbox and actor cannot disagree.
 */
import type { Actor, LivingActor, ParkedEvent, ParkedReason, SourceMark, Timer } from "./actor.ts";
import type { Advance } from "./advance.ts";
import type { ArrivedEvent } from "./arrival.ts";
import { compareSequences, isSame, markAfter, toMachineEvent } from "./arrival.ts";
import type { Problem } from "./errors.ts";
import type { JsonObject } from "./event.ts";
import type { Change, DecisionEntry, EventEntry, EventOutcome } from "./journal.ts";
import type { Machine, Machines } from "./machine.ts";
import { expiredProblem, parkedFull, staleProblem, waitingProblem } from "./problems.ts";

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
  /** `marketplace.<account>` or `operator`. */
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

export interface Decision {
  /** Absent when there is nothing to remember: the item is unknown and nothing waits for it. */
  readonly actor: Actor | undefined;
  readonly entries: readonly DecisionEntry[];
  readonly effects: readonly OutboxEffect[];
  readonly deadEvents: readonly DeadEvent[];
  /** Channels whose waiting effects are looked up before they are sent. */
  readonly lookFirst: readonly string[];
}

type Applied = Extract<Advance, { outcome: "applied" }>;
type EventFact = Pick<EventEntry, "event" | "birth" | "retried">;
type Retried = { readonly retried: true } | undefined;

export class Draft {
  actor: Actor | undefined;
  readonly setting: Setting;
  readonly #entries: DecisionEntry[] = [];
  readonly #effects: OutboxEffect[] = [];
  readonly #deadEvents: DeadEvent[] = [];
  readonly #lookFirst: string[] = [];

  constructor(setting: Setting, actor: Actor | undefined) {
    this.setting = setting;
    this.actor = actor;
  }

  finish(): Decision {
    const nobodyWaits = this.actor?.snapshot === undefined && this.actor?.parked.length === 0;
    return {
      actor: nobodyWaits ? undefined : this.actor,
      entries: this.#entries,
      effects: this.#effects,
      deadEvents: this.#deadEvents,
      lookFirst: this.#lookFirst,
    };
  }

  apply(machine: Machine, next: Applied, fact: EventFact): void {
    const entry = { kind: "event", ...fact, outcome: "applied" } as const;
    const { event, birth } = fact;
    const { now } = this.setting;
    const { [event.source]: before, ...others } = next.actor.sources;
    // Nothing is older than a birth: whoever announces an item late does not make its facts stale.
    const mark = birth === undefined ? markAfter(event, before, now) : markOfBirth(event, before);
    const sources = { ...others, ...(mark !== undefined && { [event.source]: mark }) };
    if (machine.isMarketplaceReport?.(toMachineEvent(event, now)) === true) {
      const { account } = machine.attributes(next.actor.snapshot.context);
      this.#lookFirst.push(marketplaceChannel(account));
    }
    // The event may just have left the parked ones: they are the draft's, not the step's.
    const parked = this.actor?.parked ?? [];
    const revision = this.#advanceTo({ ...next.actor, sources, parked });
    const change = this.#change(machine, next, { revision, occurredAt: event.time });
    this.#entries.push({ ...entry, revision, at: this.setting.now, change });
  }

  timer(machine: Machine, timer: Timer & { readonly id: string }, next: Advance): void {
    const { id, token, dueAt } = timer;
    const entry = { kind: "timer", timer: id, token, dueAt, at: this.setting.now } as const;
    if (next.outcome === "applied") {
      const revision = this.#advanceTo(next.actor);
      const change = this.#change(machine, next, { revision });
      this.#entries.push({ ...entry, revision, outcome: "applied", change });
      return;
    }
    const { [id]: _dropped, ...timers } = this.actor?.timers ?? {};
    const revision = this.#advanceTo({ ...this.#current(), timers });
    this.#entries.push({ ...entry, revision, outcome: "dropped", problem: next.problem });
  }

  /** The item takes note, and the event waits for its turn. */
  park(event: ArrivedEvent, reason: ParkedReason, problem?: Problem): Verdict {
    const { parkedMax, parkedForMs, unknownItemForMs } = this.setting.limits;
    const actor = this.#current();
    if (actor.parked.length >= parkedMax) return this.bury(event, parkedFull(actor, parkedMax));
    const until = this.setting.now + (reason === "unknown-item" ? unknownItemForMs : parkedForMs);
    const revision = this.#advanceTo({
      ...actor,
      parked: [...actor.parked, { event, reason, until }],
    });
    const said = problem ?? waitingProblem(event, reason);
    const entry = {
      kind: "event",
      event,
      outcome: "parked",
      reason,
      until,
      problem: said,
    } as const;
    this.#entries.push({ ...entry, revision, at: this.setting.now });
    return { outcome: "parked", problem: said };
  }

  parkUnknown(machine: Machine, event: ArrivedEvent): Verdict {
    this.actor ??= {
      id: event.subject,
      revision: 0,
      machine: machine.id,
      version: machine.version,
      timers: {},
      sources: {},
      parked: [],
    };
    return this.park(event, "unknown-item");
  }

  unpark(event: ArrivedEvent): void {
    const actor = this.#current();
    this.actor = {
      ...actor,
      parked: actor.parked.filter((parked) => !isSame(parked.event, event)),
    };
  }

  stale(event: ArrivedEvent, problem = staleProblem(event), retried?: Retried): Verdict {
    return this.#refuse("stale", event, { problem, retried });
  }

  reject(event: ArrivedEvent, problem: Problem, retried?: Retried): Verdict {
    return this.#refuse("rejected", event, { problem, retried });
  }

  /** The machine is at fault, not the event: a person must look, and may redrive it. */
  fail(event: ArrivedEvent, problem: Problem, retried?: Retried): Verdict {
    this.#refuse("rejected", event, { problem, retried });
    return this.bury(event, problem);
  }

  expire(parked: ParkedEvent): void {
    const { event } = parked;
    const problem = expiredProblem(parked);
    this.unpark(event);
    const revision = this.#advanceTo(this.#withCounted(event));
    this.#entries.push({ kind: "expired", event, problem, revision, at: this.setting.now });
    this.bury(event, problem);
  }

  bury(event: ArrivedEvent, problem: Problem): Verdict {
    this.#deadEvents.push({ event, problem, at: this.setting.now });
    return { outcome: "dead-letter", problem };
  }

  #refuse(
    outcome: "stale" | "rejected",
    event: ArrivedEvent,
    { problem, retried }: { problem: Problem; retried: Retried },
  ): Verdict {
    // A stranger's event must not move on the story of the source whose name it bears.
    const isCounted = outcome === "rejected" && problem.code !== "EVENT_SUBJECT_FOREIGN";
    const revision = this.#advanceTo(isCounted ? this.#withCounted(event) : this.#current());
    const entry = {
      kind: "event",
      event,
      outcome,
      problem,
      ...retried,
    } as const;
    this.#entries.push({ ...entry, revision, at: this.setting.now });
    return { outcome, problem };
  }

  /** A source that numbers without holes has spent this number, or its next event would wait for ever. */
  #withCounted(event: ArrivedEvent): Actor {
    const actor = this.#current();
    const before = actor.sources[event.source];
    if (event.sequencetype !== "Integer" || isAhead(before, event)) return actor;
    const mark = markAfter(event, before, this.setting.now);
    return { ...actor, sources: { ...actor.sources, [event.source]: mark } };
  }

  #advanceTo(actor: Actor | LivingActor): number {
    const revision = actor.revision + 1;
    this.actor = { ...actor, revision };
    return revision;
  }

  #current(): Actor {
    if (this.actor === undefined)
      throw new TypeError("a decision about no actor cannot be recorded");
    return this.actor;
  }

  #change(
    machine: Machine,
    next: Applied,
    { revision, occurredAt }: { revision: number; occurredAt?: string },
  ): Change {
    const { account } = machine.attributes(next.actor.snapshot.context);
    const effects = next.effects.map(({ name, params }, index): OutboxEffect => {
      const declared = machine.effects[name];
      return {
        id: `${next.actor.id}:${revision}:${index}`,
        name,
        params,
        channel: declared?.channel === "marketplace" ? marketplaceChannel(account) : "operator",
        isUrgent: declared?.isUrgent?.(params) ?? false,
        at: this.setting.now,
        ...(occurredAt !== undefined && { occurredAt }),
      };
    });
    this.#effects.push(...effects);
    return {
      status: machine.status(next.actor.snapshot.value),
      taken: next.taken,
      ...(effects.length > 0 && { effects: effects.map(({ id, name }) => ({ id, name })) }),
      ...(next.derived.length > 0 && { derived: next.derived }),
      ...(next.notes.length > 0 && { notes: next.notes }),
    };
  }
}

/** Whether the source's mark is past the event already: several numbers may be given up at once. */
function isAhead(mark: SourceMark | undefined, { sequence }: ArrivedEvent): boolean {
  if (mark?.sequence === undefined || sequence === undefined) return false;
  return compareSequences(sequence, mark.sequence) < 0;
}

function marketplaceChannel(account: string): string {
  return `marketplace.${account}`;
}

function markOfBirth(event: ArrivedEvent, before: SourceMark | undefined): SourceMark | undefined {
  return event.sequence === undefined ? before : { time: 0, sequence: event.sequence };
}
