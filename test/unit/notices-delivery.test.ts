/** Notices as the outbox delivers them: a store in memory, a clock that the test turns, a real receiver. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { OutboxEffect } from "../../src/core/decision.ts";
import { registerMachines } from "../../src/core/machine.ts";
import { Applier } from "../../src/engine/apply-events.ts";
import { openChannels, WEBHOOKS_AT_ONCE } from "../../src/engine/channel.ts";
import { Drains } from "../../src/engine/drain.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { redrive, skip } from "../../src/engine/redrive.ts";
import { NOTICE_MAX_ATTEMPTS } from "../../src/notices/notice-outcome.ts";
import { openWebhookClient, type WebhookClient } from "../../src/notices/webhook-client.ts";
import { DEFAULT_CLOCKS } from "../../src/sla/clockwork.ts";
import { commitActors } from "../../src/store/actor-store.ts";
import { listDeadLetters } from "../../src/store/dead-letter-store.ts";
import { readJournal } from "../../src/store/item-store.ts";
import { MemoryRedis, memoryCommands } from "../../src/store/memory/memory-redis.ts";
import { recordServer } from "../../src/store/new-server.ts";
import { readLanes } from "../../src/store/outbox-store.ts";
import { encodeEffect } from "../../src/store/sealed-texts.ts";
import { LIMITS } from "../support/small-machine.ts";
import { startWebhookReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";

const CHANNEL = "operator";
const HOUR_MS = 3_600_000;
const SECRET = `whsec_${Buffer.alloc(24, 1).toString("base64")}`;

let receiver: WebhookReceiver;
let client: WebhookClient;
let engine: Engine;
let now: number;
let told: string[];

beforeEach(async () => {
  now = 1_772_442_000_000;
  told = [];
  const memory = new MemoryRedis(() => now);
  engine = {
    store: {
      redis: memoryCommands(async (...call) => memory.call(...call)),
      layout: { prefix: "ow", shards: 1 },
    },
    machines: registerMachines([]),
    limits: LIMITS,
    clocks: () => DEFAULT_CLOCKS,
    dedupeForMs: 60_000,
    now: () => now,
    wake: () => undefined,
  };
  await recordServer(engine.store);
  receiver = await startWebhookReceiver();
  const { url } = receiver;
  client = openWebhookClient({
    url,
    secrets: [SECRET],
    connections: WEBHOOKS_AT_ONCE,
    timeoutMs: 500,
  });
});

afterEach(async () => {
  await receiver.close();
  await client.close();
});

function notice(itemId: string, place: number, to: readonly string[] = ["owner"]): OutboxEffect {
  return {
    id: `${itemId}:${place}:0`,
    name: "notify",
    params: { to: [...to], text: `Item ${itemId} is late.`, at: "2026-03-02T09:00:00.000Z" },
    channel: CHANNEL,
    isUrgent: false,
    at: now,
  };
}

async function committed(itemId: string, ...effects: readonly OutboxEffect[]): Promise<void> {
  const commit = {
    itemId,
    opening: "",
    actorText: "1 {}",
    decidedAt: now,
    marks: [],
    answers: [],
    entries: [],
    effects: effects.map((effect) => [effect.channel, encodeEffect(effect)] as const),
    deadLetters: [],
    lookFirst: [],
  };
  await commitActors(engine.store, 0, { commits: [commit], dedupeForMs: 60_000 });
}

async function drain(change: { readonly to?: readonly string[] } = {}): Promise<void> {
  const { to = ["owner", "lead", "customer"] } = change;
  const served = openChannels({
    engine,
    applier: new Applier(engine),
    accounts: [],
    tell: ({ effect }) => told.push(effect),
    webhook: { client, to },
    random: () => 0.5,
  })(CHANNEL);
  if (served === undefined) throw new TypeError("nobody serves the operators");
  await new Drains().run(engine, {
    concurrency: 64,
    ...served,
    channel: CHANNEL,
    owner: "drain",
    leaseMs: 60_000,
    log: {
      error: (fields, message) => {
        throw new Error(message, { cause: fields });
      },
    },
    signal: new AbortController().signal,
  });
}

function idsReceived(): unknown[] {
  return receiver.received.map(({ headers }) => headers["webhook-id"]);
}

async function deliveries(itemId: string): Promise<object[]> {
  return (await readJournal(engine.store, itemId)).filter(({ kind }) => kind === "delivery");
}

test("a notice that is refused comes again under its id before the next of its item, and is told once", async () => {
  await committed("i-1", notice("i-1", 1), notice("i-1", 2));
  await committed("i-2", notice("i-2", 1));
  let refusals = 1;
  receiver.answer = ({ headers }) => {
    const isSick = headers["webhook-id"] === "i-1:1:0" && refusals > 0;
    if (isSick) refusals -= 1;
    return { status: isSick ? 500 : 200, body: "no" };
  };

  await drain();
  expect(told).toEqual(["i-2:1:0"]);
  now += 2_499;
  await drain();
  expect(told).toEqual(["i-2:1:0"]);
  now += 1;
  await drain();

  expect(told).toEqual(["i-2:1:0", "i-1:1:0", "i-1:2:0"]);
  const ofOne = receiver.received.filter(({ body }) => body.includes("i-1"));
  expect(ofOne.map(({ headers }) => headers["webhook-id"])).toEqual([
    "i-1:1:0",
    "i-1:1:0",
    "i-1:2:0",
  ]);
  const [first, second] = ofOne;
  expect(second?.body).toBe(first?.body);
  expect(Number(second?.headers["webhook-timestamp"])).toBeGreaterThan(
    Number(first?.headers["webhook-timestamp"]),
  );
  expect(await deliveries("i-1")).toMatchObject([
    { effect: "i-1:1:0", outcome: "failed", attempt: 1, answer: "status 500: no" },
    { effect: "i-1:1:0", outcome: "delivered", attempt: 2, answer: "status 200" },
    { effect: "i-1:2:0", outcome: "delivered", attempt: 1 },
  ]);
});

test("a receiver that asks for time gets it", async () => {
  await committed("i-1", notice("i-1", 1));
  receiver.answer = () => ({ status: 429, headers: { "retry-after": "600" } });
  await drain();
  receiver.answer = () => ({ status: 200 });
  now += 599_999;
  await drain();
  expect(told).toEqual([]);
  now += 1;
  await drain();
  expect(told).toEqual(["i-1:1:0"]);
});

test("a receiver that hangs gets the same notice again, for nobody knows whether it heard", async () => {
  await committed("i-1", notice("i-1", 1));
  receiver.answer = () => "hang";
  await drain();
  receiver.answer = () => ({ status: 200 });
  now += 2_500;
  await drain();
  expect(idsReceived()).toEqual(["i-1:1:0", "i-1:1:0"]);
  expect(told).toEqual(["i-1:1:0"]);
});

test("a notice that nobody takes for three days is a dead letter, and goes once it is retried", async () => {
  await committed("i-1", notice("i-1", 1), notice("i-1", 2));
  receiver.answer = () => ({ status: 400, body: "invalid_token" });
  for (let attempt = 1; attempt <= NOTICE_MAX_ATTEMPTS; attempt += 1) {
    await drain();
    now += HOUR_MS;
  }
  expect(receiver.received).toHaveLength(NOTICE_MAX_ATTEMPTS);
  const [letter] = await listDeadLetters(engine.store, 10);
  if (letter === undefined) throw new Error("there is no dead letter");
  expect(letter).toMatchObject({
    kind: "effect",
    id: "effect:i-1:1:0",
    channel: CHANNEL,
    problem: { code: "NOTICE_UNDELIVERED", message: expect.stringContaining("invalid_token") },
  });
  await drain();
  expect(receiver.received).toHaveLength(NOTICE_MAX_ATTEMPTS);

  receiver.answer = () => ({ status: 200 });
  const setting = { store: engine.store, now: engine.now, enqueue: async () => undefined };
  expect(await redrive(setting, letter)).toEqual({ outcome: "unblocked" });
  await drain();
  expect(told).toEqual(["i-1:1:0", "i-1:2:0"]);
  expect(await listDeadLetters(engine.store, 10)).toEqual([]);
});

test("a notice that is skipped lets the next one go", async () => {
  await committed("i-1", notice("i-1", 1), notice("i-1", 2));
  receiver.answer = () => ({ status: 404 });
  for (let attempt = 1; attempt <= NOTICE_MAX_ATTEMPTS; attempt += 1) {
    await drain();
    now += HOUR_MS;
  }
  const [letter] = await listDeadLetters(engine.store, 10);
  if (letter === undefined) throw new Error("there is no dead letter");
  receiver.answer = () => ({ status: 200 });
  expect(await skip(engine, letter, "told by telephone")).toMatchObject({ outcome: "skipped" });
  await drain();
  expect(told).toEqual(["i-1:2:0"]);
  expect(await readLanes(engine.store, "i-1")).toEqual([]);
});

test("a notice for others is told and not sent", async () => {
  await committed("i-1", notice("i-1", 1, ["customer"]), notice("i-1", 2, ["lead"]));
  await drain({ to: ["owner", "lead"] });
  expect(idsReceived()).toEqual(["i-1:2:0"]);
  expect(told).toEqual(["i-1:1:0", "i-1:2:0"]);
});

test("a flood of notices reaches the receiver a few at a time", async () => {
  const items = Array.from({ length: 4 * WEBHOOKS_AT_ONCE }, (_, index) => `i-${index}`);
  for (const itemId of items) await committed(itemId, notice(itemId, 1));
  receiver.answer = () =>
    new Promise((resolve) => void setImmediate(() => resolve({ status: 200 })));
  await drain();
  expect(told).toHaveLength(items.length);
  expect(receiver.busiest()).toBeLessThanOrEqual(WEBHOOKS_AT_ONCE);
});
