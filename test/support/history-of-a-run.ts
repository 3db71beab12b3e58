/**
 * A run in memory, told as a history: items of the order lifecycle are decided by the core alone, and a
 * marketplace takes what they push. No engine, no store, no queue: what is right here is right by hand.
 */
import type { EventType } from "../../machines/order-item/events.ts";
import { TESTED_DEFINITIONS } from "../../src/chaos/tested-definitions.ts";
import { type Actor, dueAt, encodeActor, isLiving } from "../../src/core/actor.ts";
import { attentionSince } from "../../src/core/clock-ledger.ts";
import { decideDue, decideEvent } from "../../src/core/decide.ts";
import type { Decision, OutboxEffect } from "../../src/core/decision.ts";
import type { DeliveryEntry, JournalEntry } from "../../src/core/journal.ts";
import { type Machines, registerMachines } from "../../src/core/machine.ts";
import { readEvent } from "../../src/core/read-event.ts";
import type {
  FaultRecord,
  History,
  ItemRecord,
  LaneRecord,
  MarketRequest,
  NoticeRecord,
  SentEvent,
} from "../../src/history/history.ts";
import { DEFAULT_CLOCKS } from "../../src/sla/clockwork.ts";
import { orderEvent } from "./order-item-events.ts";
import { LIMITS } from "./small-machine.ts";

/** A history that a test may plant a fault in. */
export type Plantable<Value> = Value extends readonly (infer Item)[]
  ? Plantable<Item>[]
  : Value extends object
    ? { -readonly [Key in keyof Value]: Plantable<Value[Key]> }
    : Value;

export const MACHINES: Machines = registerMachines(TESTED_DEFINITIONS);

export const START_MS = Date.parse("2026-03-02T09:00:00Z");
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const DAY_MS = 24 * HOUR_MS;

/** After the reminder of whoever has not answered for four hours. */
const ENDED_MS = START_MS + 5 * HOUR_MS;

const LIFE: readonly EventType[] = [
  "order.received",
  "order.accepted",
  "appointment.scheduled",
  "work.started",
  "work.completed",
  "service.activated",
];

type Answering = "plain" | "lost-once" | "refused";

interface Story {
  readonly itemId: string;
  readonly types: readonly (EventType | "lamp.born")[];
  /** When it happened, before all others, ms. */
  readonly earlierMs?: number;
  /** Order of arrival, by place in `types`. */
  readonly arrival?: readonly number[];
  readonly isNumbered: boolean;
  readonly answering?: Answering;
  readonly mustEndAs: string;
}

/** `copies` times: a life in order, one that arrives scrambled, one told by times alone, one cancelled,
 * one that waits for an answer until its clock rings, one that is told of when its clock is breached, one
 * whose pause reaches its maximum, one whose first push is answered by nobody, one that the marketplace
 * refuses, and one that lives by timers of its own. */
export function cleanHistory(copies = 1): Plantable<History> {
  const text = texts.get(copies) ?? JSON.stringify(tellStories(copies));
  texts.set(copies, text);
  return JSON.parse(text) as Plantable<History>;
}

/** By copies, so that each fault is planted in a history of its own at the price of a parse. */
const texts = new Map<number, string>();

function tellStories(copies: number): History {
  const stories = Array.from({ length: copies }, (_, copy) => storiesOf(copy)).flat();
  const told = stories.map((story) => new ToldStory(story));
  return {
    sent: told.flatMap(({ sent }) => sent),
    items: told.map((each) => each.item()),
    deadLetters: told.flatMap((each) => each.deadLetters()),
    jobsLeft: 0,
    requests: told
      .flatMap(({ requests }) => requests)
      .toSorted((left, right) => left.at - right.at),
    faults: told.flatMap(({ faults }) => faults),
    notices: told.flatMap(({ notices }) => notices).toSorted((left, right) => left.at - right.at),
    policyVersion: DEFAULT_CLOCKS.policy.version,
    endedAt: ENDED_MS,
    clockSkewMs: 0,
    isEachPushed: true,
  };
}

function storiesOf(copy: number): Story[] {
  const name = (kind: string): string => (copy === 0 ? kind : `${kind}-${copy}`);
  const numbered = { types: LIFE, isNumbered: true, mustEndAs: "active" };
  return [
    { ...numbered, itemId: name("in-order") },
    { ...numbered, itemId: name("scrambled"), arrival: [2, 0, 5, 1, 4, 3] },
    { ...numbered, itemId: name("by-time"), isNumbered: false },
    {
      itemId: name("cancelled"),
      types: ["order.received", "order.accepted", "order.cancelled"],
      isNumbered: true,
      mustEndAs: "cancelled",
    },
    {
      itemId: name("unanswered"),
      types: ["order.received"],
      isNumbered: true,
      mustEndAs: "pending",
    },
    {
      itemId: name("overdue"),
      types: ["order.received"],
      earlierMs: 30 * HOUR_MS,
      isNumbered: true,
      mustEndAs: "pending",
    },
    {
      itemId: name("paused"),
      types: ["order.received", "order.accepted", "wait.started"],
      earlierMs: 14 * DAY_MS - HOUR_MS,
      isNumbered: true,
      mustEndAs: "accepted",
    },
    { itemId: name("lamp"), types: ["lamp.born"], isNumbered: true, mustEndAs: "dark" },
    { ...numbered, itemId: name("answer-lost"), answering: "lost-once" },
    {
      itemId: name("refused"),
      types: ["order.received", "order.accepted", "appointment.scheduled"],
      isNumbered: true,
      answering: "refused",
      mustEndAs: "scheduled",
    },
  ];
}

class ToldStory {
  readonly sent: SentEvent[];
  readonly requests: MarketRequest[] = [];
  readonly faults: FaultRecord[] = [];
  readonly notices: NoticeRecord[] = [];
  readonly #story: Story;
  readonly #journal: JournalEntry[] = [];
  readonly #waiting: OutboxEffect[] = [];
  #actor: Actor | undefined;
  #now = START_MS;

  constructor(story: Story) {
    this.#story = story;
    const { itemId, types, isNumbered, earlierMs = 0 } = story;
    this.sent = types.map((type, index) => {
      const time = new Date(START_MS + (index - 10) * MINUTE_MS - earlierMs).toISOString();
      const names = { id: `${itemId}-${index + 1}`, subject: itemId, time };
      const event =
        type === "lamp.born"
          ? ({ specversion: "1.0", source: "crm/test", type, ...names, data: {} } as const)
          : orderEvent(type, names);
      const place = { sequence: String(index + 1), sequencetype: "Integer" } as const;
      const sentAt = START_MS + index;
      return {
        event: { ...event, ...(isNumbered && place) },
        sentAt,
        acknowledgedAt: sentAt + 1,
        mustBe: "applied",
      };
    });
    for (const index of story.arrival ?? types.keys()) this.#arrive(index);
    this.#passTime();
  }

  item(): ItemRecord {
    const { itemId, mustEndAs } = this.#story;
    const actor = this.#actor;
    const machine = actor && MACHINES.byId(actor.machine, actor.version);
    const status = isLiving(actor) ? machine?.status(actor.snapshot.value) : undefined;
    const due = actor && dueAt(actor);
    const attention = actor?.clocks && attentionSince(actor.clocks);
    return {
      itemId,
      ...(actor !== undefined && { actorText: encodeActor(actor) }),
      journal: this.#journal,
      lanes: this.#lanes(),
      listedUnder: status === undefined ? [] : [status],
      ...(due !== undefined && { indexedDueAt: due }),
      ...(attention !== undefined && { attentionSince: attention }),
      mustEndAs,
    };
  }

  deadLetters(): History["deadLetters"] {
    const [effect] = this.#waiting;
    if (effect === undefined) return [];
    const { itemId } = this.#story;
    const id = `effect:${effect.id}`;
    return [{ id, kind: "effect", itemId, code: "PUSH_REFUSED", effect: effect.id }];
  }

  #lanes(): LaneRecord[] {
    const [effect] = this.#waiting;
    if (effect === undefined) return [];
    return [{ channel: effect.channel, state: "blocked", pending: this.#waiting }];
  }

  #arrive(index: number): void {
    this.#now += MINUTE_MS;
    const event = this.sent[index]?.event;
    const read = readEvent(event, this.#now);
    if (read.result !== "event") throw new TypeError(read.problem.message);
    this.#commit(decideEvent(this.#setting(), this.#actor, read.event).decision);
  }

  #passTime(): void {
    for (;;) {
      const due = this.#actor && dueAt(this.#actor);
      if (due === undefined || due > ENDED_MS || this.#actor === undefined) return;
      this.#now = Math.max(this.#now, due) + 100;
      this.#commit(decideDue(this.#setting(), this.#actor));
    }
  }

  #setting() {
    const limits = { ...LIMITS, parkedForMs: 24 * HOUR_MS, unknownItemForMs: 24 * HOUR_MS };
    return { machines: MACHINES, limits, clocks: DEFAULT_CLOCKS, now: this.#now };
  }

  #commit({ actor, entries, effects }: Decision): void {
    this.#actor = actor;
    this.#journal.push(...entries);
    for (const effect of effects) this.#deliver(effect);
  }

  #deliver(effect: OutboxEffect): void {
    if (effect.channel === "operator") return this.#tell(effect);
    const { answering = "plain" } = this.#story;
    const isFirst = this.requests.length === 0;
    if (answering === "refused") {
      this.#waiting.push(effect);
      if (!isFirst) return undefined;
      this.#fault("market-refusal");
      this.#request(effect, { applied: false, answer: 400 });
      return this.#end(effect, "blocked", "400");
    }
    if (answering === "lost-once" && isFirst) {
      this.#fault("market-reset-before");
      this.#request(effect, { applied: false, answer: "none" });
      this.#end(effect, "failed", "no answer");
    }
    this.#request(effect, { applied: true, answer: 200 });
    return this.#end(effect, "delivered", "200");
  }

  #tell(effect: OutboxEffect): void {
    const { id, name, params } = effect;
    const { key } = params;
    const { itemId } = this.#story;
    const notice = { at: this.#now, itemId, effect: id, name };
    this.notices.push({ ...notice, ...(typeof key === "string" && { key }) });
    this.#end(effect, "delivered", "told");
  }

  #fault(kind: string): void {
    const { itemId } = this.#story;
    this.faults.push({ kind, itemId, from: this.#now, to: this.#now + 1_000 });
  }

  #request(effect: OutboxEffect, became: Pick<MarketRequest, "applied" | "answer">): void {
    this.#now += 500;
    this.requests.push({
      at: this.#now,
      itemId: this.#story.itemId,
      idempotencyKey: effect.id,
      status: statusOf(effect) ?? "",
      body: effect.params,
      ...became,
    });
  }

  #end(effect: OutboxEffect, outcome: DeliveryEntry["outcome"], answer: string): void {
    const status = statusOf(effect);
    this.#journal.push({
      kind: "delivery",
      at: this.#now,
      effect: effect.id,
      name: effect.name,
      outcome,
      attempt: 1,
      ...(status !== undefined && { status }),
      answer,
    });
  }
}

function statusOf({ params }: OutboxEffect): string | undefined {
  const { status } = params;
  return typeof status === "string" ? status : undefined;
}
