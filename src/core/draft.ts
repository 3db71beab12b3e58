/**
 * A decision while it is being made: the actor so far, and what the commit will write. Each method
 * records one fact in every place where it belongs, so that journal, outbox and actor cannot disagree.
 */
import type { Setting, Verdict, OutboxEffect, DeadEvent, DeadTimer, Decision } from "./decision.ts";
import type { Actor, LivingActor, ParkedEvent, ParkedReason, Timer } from "./actor.ts";
import { isLiving } from "./actor.ts";
import type { Advance } from "./advance.ts";
import type { ArrivedEvent } from "./arrival.ts";
import { marketplaceChannel } from "./channel-name.ts";
import { isAhead, isSame, markAfter, markOfBirth, toMachineEvent } from "./arrival.ts";
import type { Fact } from "./clock-fact.ts";
import { noticeEffects, sayable } from "./clock-notice.ts";
import { outboxEffects } from "./outbox-effects.ts";
import { afterDecision, withFacts } from "./item-clocks.ts";
import type { Problem } from "./errors.ts";
import type { Change, DecisionEntry, EventEntry } from "./journal.ts";
import type { Machine } from "./machine.ts";
import { CHECK, undecidedNotices } from "./serviceability.ts";
import { expiredProblem, parkedFull, staleProblem, waitingProblem } from "./problems.ts";

type Applied = Extract<Advance, { outcome: "applied" }>;
type EventFact = Pick<EventEntry, "event" | "birth" | "retried">;
type Retried = { readonly retried: true } | undefined;

/** An event at its turn; `retried` when it had waited for it. */
export interface ToldEvent {
  readonly event: ArrivedEvent;
  readonly retried?: true;
}

/** What a decision moved, beside the actor itself. */
interface Move extends Pick<Applied, "effects" | "taken" | "derived" | "notes"> {
  readonly clocks: readonly Fact[];
  /** The event's time; absent for what time brought about. */
  readonly occurredAt?: string;
}

const NOTHING_MOVED = { effects: [], taken: [], derived: [], notes: [] } as const;

export class Draft {
  actor: Actor | undefined;
  readonly setting: Setting;
  readonly #entries: DecisionEntry[] = [];
  readonly #effects: OutboxEffect[] = [];
  readonly #deadEvents: DeadEvent[] = [];
  readonly #deadTimers: DeadTimer[] = [];
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
      deadTimers: this.#deadTimers,
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
    const isReport = machine.isMarketplaceReport?.(toMachineEvent(event, now)) === true;
    if (isReport || isMarketplaceDoubted(machine, this.actor)) {
      const { account } = machine.attributes(next.actor.snapshot.context);
      this.#lookFirst.push(marketplaceChannel(account));
    }
    // The event may just have left the parked ones: they are the draft's, not the step's.
    const parked = this.actor?.parked ?? [];
    const clocks = afterDecision(this.setting, machine, {
      before: this.actor,
      after: next.actor,
      event,
    });
    const moved = { ...next.actor, sources, parked };
    const isAsked = birth !== undefined && this.setting.asksAbout?.(machine, moved) === true;
    const effects = isAsked ? [...next.effects, CHECK] : next.effects;
    const change = this.#move(machine, moved, { ...next, effects, clocks, occurredAt: event.time });
    this.#entries.push({ ...entry, ...change });
  }

  /** Facts of the item's clocks that no transition brought about. */
  clocks(machine: Machine, facts: readonly Fact[], happening?: string): void {
    const change = this.#move(machine, this.#living(), { ...NOTHING_MOVED, clocks: facts });
    const told = happening !== undefined && { happening };
    this.#entries.push({ kind: "clocks", ...told, ...change, clocks: change.clocks ?? [] });
  }

  /** An operator's word, which the machine does not see; `facts`: what it means to the clocks. */
  note(machine: Machine, { event, retried }: ToldEvent, facts: readonly Fact[] = []): Verdict {
    const actor = this.#living();
    const mark = markAfter(event, actor.sources[event.source], this.setting.now);
    const marked = { ...actor, sources: { ...actor.sources, [event.source]: mark } };
    const effects = undecidedNotices(machine, actor, event);
    const change = this.#move(machine, marked, { ...NOTHING_MOVED, effects, clocks: facts });
    const entry = { kind: "event", event, ...(retried && { retried }) } as const;
    this.#entries.push({ ...entry, outcome: "applied", ...change });
    return { outcome: "applied" };
  }

  timer(machine: Machine, timer: Timer & { readonly id: string }, next: Advance): void {
    const { id, token, dueAt } = timer;
    const entry = { kind: "timer", timer: id, token, dueAt, at: this.setting.now } as const;
    if (next.outcome === "applied") {
      const clocks = afterDecision(this.setting, machine, {
        before: this.actor,
        after: next.actor,
      });
      const change = this.#move(machine, next.actor, { ...next, clocks });
      this.#entries.push({ ...entry, outcome: "applied", ...change });
      return;
    }
    if (next.outcome === "error") {
      const { problem } = next;
      const until = this.setting.now + againAfterMs(timer.failures ?? 0);
      const revision = this.#postpone(timer, until);
      this.#entries.push({ ...entry, revision, outcome: "failed", problem, until });
      this.#deadTimers.push({ timer: id, problem, at: this.setting.now });
      return;
    }
    const { [id]: _dropped, ...timers } = this.actor?.timers ?? {};
    const revision = this.#advanceTo({ ...this.#current(), timers });
    this.#entries.push({ ...entry, revision, outcome: "dropped", problem: next.problem });
  }

  /** A timer that cannot be fired now, and of which a person is told. It stays as it is. */
  keepTimer(timer: string, problem: Problem): void {
    this.#deadTimers.push({ timer, problem, at: this.setting.now });
  }

  /** A machine that fails today may be mended tomorrow: what it promised is kept until then. */
  #postpone({ id, ...timer }: Timer & { readonly id: string }, dueAt: number): number {
    const actor = this.#current();
    const again = { ...timer, dueAt, failures: (timer.failures ?? 0) + 1 };
    return this.#advanceTo({ ...actor, timers: { ...actor.timers, [id]: again } });
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

  expire(parked: ParkedEvent, problem = expiredProblem(parked)): void {
    const { event } = parked;
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
    const entry = { kind: "event", event, outcome, problem, ...retried } as const;
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

  #living(): LivingActor {
    return this.#current() as LivingActor;
  }

  /** The actor's next revision, with its clocks and its effects; the fields of its journal entry. */
  #move(
    machine: Machine,
    actor: LivingActor,
    { clocks: facts, effects, taken, derived, notes, occurredAt }: Move,
  ): Pick<EventEntry, "revision" | "at" | "change" | "clocks"> & { readonly change: Change } {
    const clocks = sayable(machine, actor, facts);
    const revision = this.#advanceTo(withFacts(actor, clocks));
    const now = this.#living();
    const { now: at } = this.setting;
    const told = [...effects, ...noticeEffects(machine, now, clocks)];
    const outbox = outboxEffects(machine, now, { effects: told, at, occurredAt });
    this.#effects.push(...outbox);
    const change = {
      status: machine.status(now.snapshot.value),
      taken,
      ...(outbox.length > 0 && { effects: outbox.map(({ id, name }) => ({ id, name })) }),
      ...(derived.length > 0 && { derived }),
      ...(notes.length > 0 && { notes }),
    };
    return { revision, at, change, ...(clocks.length > 0 && { clocks }) };
  }
}

/** The marketplace said something else before this decision: nothing is sent over that unseen. */
function isMarketplaceDoubted(machine: Machine, before: Actor | undefined): boolean {
  if (!isLiving(before)) return false;
  const claims = machine.divergence?.(before.snapshot)?.claims ?? [];
  return claims.some(({ side }) => side === "marketplace");
}

const MINUTE_MS = 60_000;

/** 1, 2, 4 … minutes, an hour at most. */
function againAfterMs(failures: number): number {
  return Math.min(60 * MINUTE_MS, MINUTE_MS * 2 ** failures);
}
