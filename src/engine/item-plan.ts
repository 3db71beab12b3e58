/** From the events of one item to the one commit that carries their decisions. Pure. */
import type { Actor } from "../core/actor.ts";
import { decodeActor, dueAt, encodeActor, isLiving } from "../core/actor.ts";
import type { ArrivedEvent } from "../core/arrival.ts";
import { needsPersonSince } from "../core/attention.ts";
import { decideDue, decideEvent, decideHappening } from "../core/decide.ts";
import type {
  DeadEvent,
  DeadTimer,
  Decision,
  OutboxEffect,
  Setting,
  Verdict,
} from "../core/decision.ts";
import type { DecisionEntry } from "../core/journal.ts";
import type { Commit } from "../store/actor-store.ts";
import type { DeadLetter } from "../store/dead-letter-store.ts";
import { encodeEffect } from "../store/sealed-texts.ts";
import { encodeAnswer, letterIdOf, markOf } from "./event-identity.ts";

export interface PlannedEvent {
  readonly event: ArrivedEvent;
  readonly mark: string;
  readonly content: string;
}

export interface EventVerdict extends Verdict {
  readonly revision: number;
  /** The item's status after the decision; absent while nobody has announced the item. */
  readonly status?: string;
}

export interface ItemPlan {
  readonly commit: Commit;
  /** In the order of the events. */
  readonly verdicts: readonly EventVerdict[];
  readonly channels: ReadonlySet<string>;
}

/** An item as it was read; without a text when nothing is known of it. */
interface ReadItem {
  readonly itemId: string;
  readonly text: string | undefined;
  /** As it is stored, where that is another: it is sealed. */
  readonly stored?: string | undefined;
}

/** When a due item cannot be moved (its machine is not deployed, its journal is full), ask again after
 * this, ms. */
const DUE_AGAIN_MS = 60_000;

export function planEvents(
  setting: Setting,
  before: ReadItem,
  events: readonly PlannedEvent[],
): ItemPlan {
  const sum = new Sum(setting, before);
  const verdicts = events.map(({ event, mark, content }) => {
    const { decision, verdict } = decideEvent(setting, sum.actor, event);
    sum.add(decision);
    const { outcome, problem } = verdict;
    const revision = decision.actor?.revision ?? 0;
    const answer = encodeAnswer({ outcome, revision, ...(problem && { code: problem.code }) });
    sum.marks.push([mark, `${content} ${answer}`]);
    const status = sum.status();
    return { ...verdict, revision, ...(status !== undefined && { status }) };
  });
  return sum.plan(verdicts);
}

/** What the engine tells an item's clocks, beside events and time. */
export interface Happening {
  readonly eventType: string;
  /** When it happened, ms. */
  readonly at: number;
}

/** Time acts on the item; then its clocks hear what the engine has seen. */
export function planTurn(
  setting: Setting,
  before: ReadItem,
  happenings: readonly Happening[],
): ItemPlan {
  const sum = new Sum(setting, before);
  if (sum.actor !== undefined) sum.add(decideDue(setting, sum.actor));
  for (const happening of happenings) {
    if (sum.actor !== undefined) sum.add(decideHappening(setting, sum.actor, happening));
  }
  const plan = sum.plan([]);
  const { dueAt: stillDueAt, entries } = plan.commit;
  const isStuck = stillDueAt !== undefined && stillDueAt <= setting.now && entries.length === 0;
  if (!isStuck) return plan;
  return { ...plan, commit: { ...plan.commit, dueAt: setting.now + DUE_AGAIN_MS } };
}

/** Decisions about one item, summed up for one commit. */
class Sum {
  actor: Actor | undefined;
  readonly marks: [string, string][] = [];
  readonly #setting: Setting;
  readonly #itemId: string;
  readonly #stored: string | undefined;
  readonly #read: Actor | undefined;
  readonly #entries: DecisionEntry[] = [];
  readonly #effects: OutboxEffect[] = [];
  readonly #deadEvents: DeadEvent[] = [];
  readonly #deadTimers: DeadTimer[] = [];
  readonly #lookFirst = new Set<string>();

  constructor(setting: Setting, { itemId, text, stored = text }: ReadItem) {
    this.#setting = setting;
    this.#itemId = itemId;
    this.#stored = stored;
    this.#read = text === undefined ? undefined : decodeActor(itemId, text);
    this.actor = this.#read;
  }

  add(decision: Decision): void {
    this.actor = decision.actor;
    this.#entries.push(...decision.entries);
    this.#effects.push(...decision.effects);
    this.#deadEvents.push(...decision.deadEvents);
    this.#deadTimers.push(...decision.deadTimers);
    for (const channel of decision.lookFirst) this.#lookFirst.add(channel);
  }

  status(): string | undefined {
    return statusOf(this.#setting, this.actor);
  }

  plan(verdicts: readonly EventVerdict[]): ItemPlan {
    const hasDecided = this.#entries.length > 0;
    const commit: Commit = {
      itemId: this.#itemId,
      // The whole of it: a Redis that forgot its last moments gives a revision again, to another decision,
      // and so does an item that only waited, was forgotten and waits anew.
      opening: this.#stored ?? "",
      actorText: this.actor && encodeActor(this.actor),
      dueAt: this.actor && dueAt(this.actor),
      // Without a decision the indexes stay: a look is no touch.
      oldStatus: hasDecided ? statusOf(this.#setting, this.#read) : undefined,
      newStatus: hasDecided ? this.status() : undefined,
      decidedAt: this.#setting.now,
      order: this.#newOrder(),
      attention: this.#newAttention(),
      marks: this.marks,
      answers: this.#entries.flatMap(laterAnswer),
      entries: this.#entries.map((entry) => JSON.stringify(entry)),
      effects: this.#effects.map((effect) => [effect.channel, encodeEffect(effect)]),
      deadLetters: [
        ...this.#deadEvents.map(eventLetter),
        ...this.#deadTimers.map((dead) => timerLetter(this.#itemId, dead)),
      ],
      lookFirst: [...this.#lookFirst],
    };
    return { commit, verdicts, channels: new Set(this.#effects.map(({ channel }) => channel)) };
  }

  #newOrder(): string | undefined {
    if (isLiving(this.#read) || !isLiving(this.actor)) return undefined;
    const { machine, version, snapshot } = this.actor;
    return this.#setting.machines.byId(machine, version)?.attributes(snapshot.context).order;
  }

  #newAttention(): Commit["attention"] {
    const { machines } = this.#setting;
    const was = needsPersonSince(machines, this.#read);
    const is = needsPersonSince(machines, this.actor);
    return was === is ? undefined : (is ?? "none");
  }
}

function statusOf({ machines }: Setting, actor: Actor | undefined): string | undefined {
  if (!isLiving(actor)) return undefined;
  return machines.byId(actor.machine, actor.version)?.status(actor.snapshot.value);
}

/** An event that had been parked has its final answer now. */
function laterAnswer(entry: DecisionEntry): [string, string][] {
  if (entry.kind === "timer" || entry.kind === "clocks") return [];
  const { revision, event } = entry;
  if (entry.kind === "expired") {
    const answer = { outcome: "dead-letter", revision, code: entry.problem.code } as const;
    return [[markOf(event), encodeAnswer(answer)]];
  }
  if (entry.retried !== true) return [];
  const { outcome, problem } = entry;
  const answer = { outcome, revision, ...(problem && { code: problem.code }) };
  return [[markOf(event), encodeAnswer(answer)]];
}

function eventLetter({ event, problem, at }: DeadEvent): [string, string] {
  const letter: DeadLetter = { kind: "event", id: letterIdOf(event), at, problem, event };
  return [letter.id, JSON.stringify(letter)];
}

/** One letter for a timer however often it fails. */
function timerLetter(itemId: string, { timer, problem, at }: DeadTimer): [string, string] {
  const letter: DeadLetter = {
    kind: "timer",
    id: `timer:${itemId}:${timer}`,
    at,
    problem,
    itemId,
    timer,
  };
  return [letter.id, JSON.stringify(letter)];
}
