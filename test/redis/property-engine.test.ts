/**
 * The engine against a model of it: two appliers with caches of their own on one Redis, a marketplace that
 * fails in every way, a clock that jumps, operators who retry and skip, in any order. The model says what
 * each event's answer must be; what the promises say of the whole is checked after every command.
 */
import { DEFAULT_CLOCKS } from "../../src/sla/clockwork.ts";
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { definitions } from "../../machines/registry.ts";
import { decodeActor, encodeActor, isLiving } from "../../src/core/actor.ts";
import type { ArrivedEvent } from "../../src/core/arrival.ts";
import type { JournalEntry } from "../../src/core/journal.ts";
import { registerMachines } from "../../src/core/machine.ts";
import { replayAll } from "../../src/core/replay.ts";
import { Applier } from "../../src/engine/apply-events.ts";
import { openChannels } from "../../src/engine/channel.ts";
import { Drains } from "../../src/engine/drain.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { EventAnswer } from "../../src/engine/event-answer.ts";
import { markOf } from "../../src/engine/event-identity.ts";
import { handleJob } from "../../src/engine/handle-job.ts";
import { redrive, skip } from "../../src/engine/redrive.ts";
import { sweepTimers } from "../../src/engine/sweep-timers.ts";
import { createLogger } from "../../src/logger.ts";
import type { OffergridClient } from "../../src/offergrid/offergrid-client.ts";
import type { Reply } from "../../src/offergrid/reply.ts";
import { loadActors } from "../../src/store/actor-store.ts";
import { listDeadLetters } from "../../src/store/dead-letter-store.ts";
import { itemsByStatus, readJournal } from "../../src/store/item-store.ts";
import { readLanes } from "../../src/store/outbox-store.ts";
import { closeStore, type ConnectedStore, openStore } from "../../src/store/store.ts";
import { arrived } from "../crash/deployment.ts";
import { LIFE_PUSHED, lifeOf } from "../support/order-item-events.ts";

const MACHINES = registerMachines(definitions());
const CHANNEL = "marketplace.default";
const START = Date.parse("2026-03-02T10:00:00Z");
const PARKED_MAX = 3;
const PARKED_FOR_MS = 86_400_000;
const STATUSES = ["pending", ...LIFE_PUSHED];
const ITEMS = ["x", "y"] as const;
type Item = (typeof ITEMS)[number];
const LIVES = new Map(ITEMS.map((item) => [item, lifeOf(item).map(arrived)]));

const WEATHERS = [
  "well",
  "500-before",
  "500-after",
  "silent-before",
  "silent-after",
  "422",
] as const;
type Weather = (typeof WEATHERS)[number];

/** What an item must have taken. `undefined` once events may have expired: only promises hold then. */
interface ItemModel {
  next: number;
  readonly waiting: Set<number>;
}
type Model = Record<Item, ItemModel | undefined>;

interface Real {
  readonly engine: Engine;
  readonly clock: { now: number };
  readonly market: Market;
  appliers: readonly [Applier, Applier];
  /** Every event that was handed in, and got an answer. */
  readonly sent: Map<string, ArrivedEvent>;
}

type Command = fc.AsyncCommand<Model, Real>;

class Market {
  weather: Weather = "well";
  readonly statuses = new Map<string, string[]>();

  client(): OffergridClient {
    return {
      patchStatus: async (itemId, { status }) => this.#patch(itemId, status),
      getItem: async (itemId) => answer(200, { status: this.#told(itemId).at(-1) ?? "pending" }),
      listItems: async () => answer(200, {}),
      close: async () => undefined,
    };
  }

  #told(itemId: string): string[] {
    const told = this.statuses.get(itemId) ?? [];
    this.statuses.set(itemId, told);
    return told;
  }

  #patch(itemId: string, status: string): Reply {
    if (this.weather === "422") return answer(422, { message: "no" });
    if (!this.weather.endsWith("-before")) this.#told(itemId).push(status);
    if (this.weather === "well") return answer(200, {});
    if (this.weather.startsWith("500")) return answer(500, {});
    return { kind: "no-response", reason: "timeout", sent: true, error: "no answer" };
  }
}

function answer(status: number, body: Record<string, string>): Reply {
  return { kind: "response", status, body, rateLimit: {} };
}

function eventOf(item: Item, number: number): ArrivedEvent {
  const event = LIVES.get(item)?.[number - 1];
  if (event === undefined) throw new TypeError(`a life has no event ${number}`);
  return event;
}

/** What the answer must be, and what the model knows then. */
function foretell(model: ItemModel, number: number): Partial<EventAnswer> {
  if (number < model.next) return { duplicate: true, outcome: "applied" };
  if (model.waiting.has(number)) return { duplicate: true, outcome: "parked" };
  if (number > model.next) {
    if (model.waiting.size >= PARKED_MAX) return { outcome: "dead-letter" };
    model.waiting.add(number);
    return { outcome: "parked" };
  }
  model.next += 1;
  while (model.waiting.delete(model.next)) model.next += 1;
  return { outcome: "applied" };
}

/** A command, and the promises after it. */
function command(name: string, run: (model: Model, real: Real) => Promise<void>): Command {
  return {
    check: () => true,
    run: async (model, real) => {
      await run(model, real);
      for (const item of ITEMS) await checkItem(real, item);
      await checkNothingLost(real);
    },
    toString: () => name,
  };
}

function send(item: Item, number: number, which: 0 | 1): Command {
  return command(`send ${item} ${number} to ${which}`, async (model, { appliers, sent }) => {
    const event = eventOf(item, number);
    const given = await appliers[which].apply(event);
    sent.set(markOf(event), event);
    const known = model[item];
    if (known === undefined) return;
    const wasFull = known.waiting.size >= PARKED_MAX && number > known.next;
    expect(given).toMatchObject(foretell(known, number));
    // What was refused for want of room is answered so for good, and its number never comes.
    if (wasFull && given.outcome === "dead-letter") model[item] = undefined;
  });
}

/** The next of its life: random numbers alone hardly ever get to its end. */
function sendNext(item: Item, which: 0 | 1): Command {
  const name = `send ${item} its next to ${which}`;
  return {
    ...command(name, async () => undefined),
    run: (model, real) => {
      const number = Math.min(model[item]?.next ?? 1, LIFE_PUSHED.length + 1);
      return send(item, number, which).run(model, real);
    },
  };
}

function sendToBoth(item: Item, number: number): Command {
  return command(`send ${item} ${number} to both`, async (model, { appliers, sent }) => {
    const event = eventOf(item, number);
    const given = await Promise.all(appliers.map((applier) => applier.apply(event)));
    sent.set(markOf(event), event);
    expect(given.filter(({ duplicate }) => duplicate !== true).length).toBeLessThanOrEqual(1);
    const known = model[item];
    if (known === undefined) return;
    const { outcome } = foretell(known, number);
    expect(given.map((each) => each.outcome)).toEqual([outcome, outcome]);
    if (outcome === "dead-letter") model[item] = undefined;
  });
}

function sendOther(item: Item, number: number): Command {
  return command(`send ${item} ${number} with other data`, async (model, { appliers }) => {
    const known = model[item];
    if (known === undefined || (number >= known.next && !known.waiting.has(number))) return;
    const event = eventOf(item, number);
    const given = await appliers[0].apply({ ...event, data: { ...event.data, more: 1 } });
    expect(given).toMatchObject({
      outcome: "dead-letter",
      problem: { code: "EVENT_ID_REUSED" },
    });
  });
}

function pass(ms: number): Command {
  return command(`${ms} ms pass`, async (model, { clock, engine, appliers }) => {
    clock.now += ms;
    for (const item of ITEMS) {
      const isWaiting = (model[item]?.waiting.size ?? 0) > 0;
      if (isWaiting && ms >= PARKED_FOR_MS) model[item] = undefined;
    }
    await sweepTimers(engine, appliers[1], new AbortController().signal);
  });
}

function push(weather: Weather): Command {
  return command(`push in weather ${weather}`, async (_model, real) => {
    const { engine, market, clock, appliers } = real;
    market.weather = weather;
    // Past every back-off.
    clock.now += 360_000;
    const account = {
      name: "default",
      client: market.client(),
      limitPerMinute: null,
      policy: "every",
    } as const;
    const options = { engine, applier: appliers[0], accounts: [account], tell: () => undefined };
    const served = openChannels(options)(CHANNEL);
    if (served === undefined) throw new TypeError("the account is not served");
    await new Drains().run(engine, {
      ...served,
      channel: CHANNEL,
      owner: randomUUID(),
      leaseMs: 10_000,
      concurrency: 4,
      log: createLogger("silent"),
      signal: new AbortController().signal,
    });
  });
}

const forget = command("forget", async (_model, real) => {
  real.appliers = [new Applier(real.engine), new Applier(real.engine)];
});

function solve(how: "retry" | "skip"): Command {
  return command(`${how} every dead letter`, async (model, { engine, appliers }) => {
    const { store, now } = engine;
    const enqueue = async (data: unknown): Promise<void> => {
      const job = { id: randomUUID(), data, enqueuedAt: now() };
      await handleJob(engine, appliers[1], job);
    };
    for (const letter of await listDeadLetters(store, 100)) {
      // A life that was told otherwise than the model knows.
      if (letter.kind === "event") model[letter.event.subject as Item] = undefined;
      if (how === "retry") await redrive({ store, enqueue, now }, letter);
      else if (letter.kind === "effect") await skip({ store, now }, letter, "an operator said so");
    }
  });
}

/** The promises about one item, from what is stored alone. */
async function checkItem({ engine, market }: Real, item: Item): Promise<void> {
  const { store } = engine;
  const [[text], journal, lanes] = await Promise.all([
    loadActors(store, [item]),
    readJournal(store, item),
    readLanes(store, item),
  ]);
  const actor = text === undefined ? undefined : decodeActor(item, text);

  const revisions = journal.flatMap((each) => (each.kind === "delivery" ? [] : [each.revision]));
  expect(revisions).toEqual(Array.from({ length: actor?.revision ?? 0 }, (_, at) => at + 1));
  const replayed = replayAll(MACHINES, item, journal);
  expect(replayed && encodeActor(replayed)).toBe(text);

  const applied = journal.flatMap((each) =>
    each.kind === "event" && each.outcome === "applied" ? [each.event] : [],
  );
  expect(new Set(applied.map(({ id }) => id)).size).toBe(applied.length);
  const numbers = applied.map(({ sequence }) => Number(sequence));
  expect(numbers).toEqual(numbers.toSorted((left, right) => left - right));

  const told = (market.statuses.get(item) ?? []).map((status) => LIFE_PUSHED.indexOf(status));
  expect(told).toEqual([...new Set(told)].toSorted((left, right) => left - right));
  const pending = lanes.flatMap((lane) => lane.pending.map(({ id }) => id));
  const made = journal.flatMap((each) => ("change" in each ? (each.change?.effects ?? []) : []));
  expect([...ended(journal), ...pending].toSorted()).toEqual(made.map(({ id }) => id).toSorted());

  const listed = await Promise.all(
    STATUSES.map(async (each) => {
      const { items } = await itemsByStatus(store, each, { limit: 10 });
      return items.some(({ itemId }) => itemId === item) ? [each] : [];
    }),
  );
  const machine = actor && MACHINES.byId(actor.machine, actor.version);
  const expected = isLiving(actor) ? machine?.status(actor.snapshot.value) : undefined;
  expect(listed.flat()).toEqual(expected === undefined ? [] : [expected]);
}

function ended(journal: readonly JournalEntry[]): string[] {
  return journal.flatMap((each) =>
    each.kind === "delivery" && !["failed", "blocked"].includes(each.outcome) ? [each.effect] : [],
  );
}

/** Each event that was answered is in its item's journal, or waits, or is a dead letter. */
async function checkNothingLost({ engine, sent }: Real): Promise<void> {
  const letters = await listDeadLetters(engine.store, 100);
  const kept = new Set(letters.flatMap((each) => (each.kind === "event" ? [each.event.id] : [])));
  for (const item of ITEMS) {
    for (const entry of await readJournal(engine.store, item)) {
      if (entry.kind !== "delivery" && "event" in entry) kept.add(entry.event.id);
    }
  }
  expect([...sent.values()].filter(({ id }) => !kept.has(id))).toEqual([]);
}

const item = fc.constantFrom(...ITEMS);
const number = fc.integer({ min: 1, max: LIFE_PUSHED.length + 1 });
const which = fc.constantFrom(0 as const, 1 as const);
const commands = fc.commands(
  [
    fc.tuple(item, number, which).map((args) => send(...args)),
    fc.tuple(item, which).map((args) => sendNext(...args)),
    fc.tuple(item, which).map((args) => sendNext(...args)),
    fc.tuple(item, number).map((args) => sendToBoth(...args)),
    fc.tuple(item, number).map((args) => sendOther(...args)),
    fc.constantFrom(60_000, 7_200_000, 40 * PARKED_FOR_MS).map(pass),
    fc.constantFrom(...WEATHERS).map(push),
    fc.constantFrom(...WEATHERS).map(push),
    fc.constant(forget),
    fc.constantFrom("retry" as const, "skip" as const).map(solve),
  ],
  { maxCommands: 30, size: "max" },
);

let store: ConnectedStore;

beforeAll(async () => {
  store = await openStore(inject("redisUrl"), { prefix: `t${randomUUID()}`, shards: 1 });
});

afterAll(async () => {
  await closeStore(store);
});

function openReal(): Real {
  const clock = { now: START };
  const engine: Engine = {
    store: { redis: store.redis, layout: { prefix: `t${randomUUID()}`, shards: 1 } },
    machines: MACHINES,
    limits: {
      parkedForMs: PARKED_FOR_MS,
      unknownItemForMs: PARKED_FOR_MS,
      parkedMax: PARKED_MAX,
      journalMax: 1_000,
      timersPerDecision: 100,
    },
    clocks: () => DEFAULT_CLOCKS,
    dedupeForMs: 7 * PARKED_FOR_MS,
    now: () => clock.now,
    wake: () => undefined,
  };
  const appliers = [new Applier(engine), new Applier(engine)] as const;
  return { engine, clock, market: new Market(), appliers, sent: new Map() };
}

test("whatever happens to it, the engine answers as its model and keeps its promises", async () => {
  const told = new Set<string>();
  await fc.assert(
    fc.asyncProperty(commands, async (chosen) => {
      const fresh = (): ItemModel => ({ next: 1, waiting: new Set() });
      const model: Model = { x: fresh(), y: fresh() };
      const real = openReal();
      await fc.asyncModelRun(() => ({ model, real }), chosen);
      for (const status of [...real.market.statuses.values()].flat()) told.add(status);
    }),
    { numRuns: 30 },
  );
  // How far the lives come is chance; that some come to a push is as good as certain.
  expect(told.size).toBeGreaterThan(0);
});
