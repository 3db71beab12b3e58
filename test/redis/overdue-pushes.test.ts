/** What the look finds in a real Redis, and what a crash in the middle of it leaves to the next one. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, inject, test } from "vitest";
import type { OutboxEffect } from "../../src/core/decision.ts";
import { registerMachines } from "../../src/core/machine.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Happening } from "../../src/engine/item-plan.ts";
import { watchPushes } from "../../src/engine/overdue-pushes.ts";
import { DEFAULT_CLOCKS } from "../../src/sla/clockwork.ts";
import { commitActors } from "../../src/store/actor-store.ts";
import { shardOf } from "../../src/store/keys.ts";
import { recordServer } from "../../src/store/new-server.ts";
import { claimLanes, settleLanes } from "../../src/store/outbox-store.ts";
import { encodeEffect } from "../../src/store/sealed-texts.ts";
import { closeStore, type ConnectedStore, openStore } from "../../src/store/store.ts";
import { LIMITS } from "../support/small-machine.ts";

const CHANNEL = "marketplace.default";
const START = 1_764_000_000_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const { signal } = new AbortController();

let store: ConnectedStore;
let now = START;

beforeAll(async () => {
  const layout = { prefix: `t${randomUUID().slice(0, 8)}`, shards: 2 };
  store = await openStore(inject("redisUrl"), layout);
});

beforeEach(async () => {
  const keys = await store.redis.keys(`${store.layout.prefix}:*`);
  if (keys.length > 0) await store.redis.del(...keys);
  await recordServer(store);
  now = START;
});

afterAll(async () => {
  await closeStore(store);
});

const engine: Engine = {
  get store() {
    return store;
  },
  machines: registerMachines([]),
  limits: LIMITS,
  clocks: () => DEFAULT_CLOCKS,
  dedupeForMs: HOUR_MS,
  now: () => now,
  wake: () => undefined,
};

/** Hears what clocks are told; `isDying`: the process does not survive it. */
class Ear {
  readonly heard: string[] = [];
  isDying: (itemId: string) => boolean = () => false;

  async tellClocks(itemId: string, { eventType, at }: Happening): Promise<void> {
    if (this.isDying(itemId)) throw new Error("died");
    this.heard.push(`${itemId} ${eventType} ${(at - START) / MINUTE_MS}`);
  }
}

async function enqueue(...itemIds: string[]): Promise<void> {
  await Promise.all(
    itemIds.map((itemId) => {
      const occurredAt = new Date(now - MINUTE_MS).toISOString();
      const effect: OutboxEffect = {
        id: `${itemId}:${now}:0`,
        name: "pushStatus",
        params: {},
        channel: CHANNEL,
        isUrgent: false,
        at: now,
        occurredAt,
      };
      const commit = {
        itemId,
        opening: "",
        actorText: undefined,
        dueAt: undefined,
        oldStatus: undefined,
        newStatus: undefined,
        decidedAt: now,
        order: undefined,
        attention: undefined,
        marks: [],
        answers: [],
        entries: [],
        deadLetters: [],
        lookFirst: [],
        effects: [[CHANNEL, encodeEffect(effect)] as const],
      };
      const shard = shardOf(store.layout, itemId);
      return commitActors(store, shard, { commits: [commit], dedupeForMs: HOUR_MS });
    }),
  );
}

/** The first effect of the item's lane leaves now. */
async function deliver(itemId: string): Promise<void> {
  const address = { shard: shardOf(store.layout, itemId), channel: CHANNEL };
  const claim = { now, leaseUntil: now + MINUTE_MS, owner: "o", want: 1_000 };
  const lane = (await claimLanes(store, address, claim)).find((each) => each.itemId === itemId);
  const [effect] = lane?.effects ?? [];
  if (effect === undefined) throw new Error(`no lane of ${itemId}`);
  const entry = { kind: "delivery", at: now, effect: effect.id, name: "p", outcome: "delivered" };
  const entries = [JSON.stringify({ ...entry, attempt: 1 })];
  const settlement = { itemId, owner: "o", verb: "done", dropped: 1, entries } as const;
  expect(await settleLanes(store, address, { now, settlements: [settlement] })).toEqual([true]);
}

test("every late lane is told once, however many pages there are", async () => {
  const ear = new Ear();
  const itemIds = Array.from({ length: 1_300 }, (_, index) => `item-${index}`);
  await enqueue(...itemIds);
  now += 59 * MINUTE_MS;
  await enqueue("young");
  now += MINUTE_MS;
  expect(await watchPushes(engine, ear, signal)).toBe(1_300);
  expect(ear.heard.toSorted()).toEqual(itemIds.map((id) => `${id} push.owed -1`).toSorted());
  now += MINUTE_MS;
  expect(await watchPushes(engine, ear, signal)).toBe(0);
});

test("the end counts from its time in the journal, and the push behind it from its own fact", async () => {
  const ear = new Ear();
  await enqueue("i");
  now += 20 * MINUTE_MS;
  await enqueue("i");
  now += 70 * MINUTE_MS;
  await watchPushes(engine, ear, signal);
  now += MINUTE_MS;
  await deliver("i");
  now += 5 * MINUTE_MS;
  await watchPushes(engine, ear, signal);
  now += MINUTE_MS;
  await deliver("i");
  now += 5 * MINUTE_MS;
  await watchPushes(engine, ear, signal);
  expect(ear.heard).toEqual([
    "i push.owed -1",
    "i push.settled 91",
    "i push.owed 19",
    "i push.settled 97",
  ]);
  now += MINUTE_MS;
  expect(await watchPushes(engine, ear, signal)).toBe(0);
});

test("of all processes one looks, once a minute", async () => {
  const ear = new Ear();
  await enqueue("i");
  now += HOUR_MS;
  const told = await Promise.all([1, 2, 3].map(() => watchPushes(engine, ear, signal)));
  expect(told.filter((count) => count === 1)).toEqual([1]);
  await deliver("i");
  now += MINUTE_MS - 1;
  expect(await watchPushes(engine, ear, signal)).toBe(0);
  now += 1;
  expect(await watchPushes(engine, ear, signal)).toBe(1);
});

test("an item that cannot be told keeps nobody waiting, and is told with the next look", async () => {
  const ear = new Ear();
  await enqueue("a", "b");
  now += HOUR_MS;
  ear.isDying = (itemId) => itemId === "a";
  await expect(watchPushes(engine, ear, signal)).rejects.toThrow("1 items");
  expect(ear.heard).toEqual(["b push.owed -1"]);
  ear.isDying = () => false;
  now += MINUTE_MS;
  await watchPushes(engine, ear, signal);
  now += MINUTE_MS;
  await watchPushes(engine, ear, signal);
  expect(ear.heard).toEqual(["b push.owed -1", "a push.owed -1"]);
});

test("a push that leaves while nobody knows whether it was told, is told to have left", async () => {
  const ear = new Ear();
  await enqueue("a");
  now += HOUR_MS;
  ear.isDying = () => true;
  await expect(watchPushes(engine, ear, signal)).rejects.toThrow("1 items");
  await deliver("a");
  now += MINUTE_MS;
  await expect(watchPushes(engine, ear, signal)).rejects.toThrow("1 items");
  ear.isDying = () => false;
  now += MINUTE_MS;
  await watchPushes(engine, ear, signal);
  expect(ear.heard).toEqual(["a push.settled 60"]);
  now += MINUTE_MS;
  expect(await watchPushes(engine, ear, signal)).toBe(0);
});
