/**
 * A deployment that seals: nothing of the person in Redis, everything works as before; switched on with
 * items at work, keys exchanged, a key that is missing.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, afterEach, expect, inject, test } from "vitest";
import { listDeadLetters } from "../../src/store/dead-letter-store.ts";
import { readJournal } from "../../src/store/item-store.ts";
import { itemPrefix } from "../../src/store/keys.ts";
import { readLanes } from "../../src/store/outbox-store.ts";
import { withSeal } from "../../src/store/seal-store.ts";
import { countSeals, reseal } from "../../src/store/seal-walk.ts";
import { closeStore, type ConnectedStore, openStore } from "../../src/store/store.ts";
import { CANARIES, CANARY, NOTE, PERSON } from "../support/canaries.ts";
import { type Harness, type HarnessOptions, startHarness } from "../support/engine-harness.ts";
import { eventually } from "../support/eventually.ts";
import { LIFE_PUSHED, lifeOf, orderEvent } from "../support/order-item-events.ts";

const K1 = `k1:${randomBytes(32).toString("base64")}`;
const K2 = `k2:${randomBytes(32).toString("base64")}`;

const redis = new Redis(inject("redisUrl"), { maxRetriesPerRequest: null });
const open: { stop: () => Promise<unknown> }[] = [];

afterEach(async () => {
  for (const { stop } of open.splice(0)) await stop();
});

afterAll(() => redis.disconnect());

async function start(
  encryptionKeys: string[] | undefined,
  keyPrefix: string,
  options: Partial<HarnessOptions> = {},
): Promise<Harness> {
  const config = { encryptionKeys, keyPrefix };
  const harness = await startHarness({ redisUrl: inject("redisUrl"), config, ...options });
  open.push(harness);
  return harness;
}

async function stop(harness: Harness): Promise<void> {
  open.splice(open.indexOf(harness), 1);
  await harness.stop();
}

async function storeWith(keyPrefix: string, keys?: readonly string[]): Promise<ConnectedStore> {
  const store = await openStore(inject("redisUrl"), { prefix: keyPrefix, shards: 8 }, "reader");
  open.push({ stop: () => closeStore(store) });
  return withSeal(store, keys, "reader");
}

/** Everything under the prefix, names of keys and all. */
async function dump(prefix: string): Promise<string> {
  const kept: unknown[] = [];
  for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 1_000 })) {
    for (const key of keys as string[]) {
      kept.push(key, await valueOf(key));
    }
  }
  return JSON.stringify(kept);
}

async function valueOf(key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case "string":
      return redis.get(key);
    case "list":
      return redis.lrange(key, 0, -1);
    case "hash":
      return redis.hgetall(key);
    case "set":
      return redis.smembers(key);
    default:
      return redis.zrange(key, "0", "-1");
  }
}

/** Good and bad data, a blocked lane, dead letters, waiting events. */
async function liveAPerson({ send, settled, engine }: Harness, itemId: string): Promise<void> {
  const [born, ...others] = lifeOf(itemId);
  await send({ ...born, data: { ...born?.data, ...PERSON } } as never, ...others);
  await settled(itemId, "active");
  await send(
    { ...orderEvent("order.noted"), data: `{"${CANARY}"` } as never,
    orderEvent("order.noted", { subject: `w-${itemId}`, data: { providerNotes: NOTE } }),
    orderEvent("order.received", { subject: `b-${itemId}`, data: { ...PERSON, offerName: 1 } }),
  );
  await eventually(async () => {
    const letters = await listDeadLetters(engine.store, 10);
    if (letters.length < 2) throw new Error(`${letters.length} letters`);
  });
}

test("nothing that Redis keeps of items has anything of the person, and all goes on as without", async () => {
  const prefix = `s${randomUUID().slice(0, 8)}`;
  const harness = await start([K1], prefix);
  await liveAPerson(harness, "i-1");
  expect(harness.seen("i-1")).toEqual(LIFE_PUSHED);
  await harness.assertReplays("i-1");
  const { sandbox, engine } = harness;
  await sandbox.close();
  await harness.send(orderEvent("order.received", { subject: "i-2", data: PERSON }));
  await harness.send(
    orderEvent("order.accepted", { subject: "i-2", data: { providerNotes: NOTE } }),
  );
  await eventually(async () => {
    const [lane] = await readLanes(engine.store, "i-2");
    expect(lane?.pending[0]?.params).toMatchObject({ providerNotes: NOTE });
  });
  const kept = await dump(prefix);
  expect(kept).toContain("~k1.");
  expect(kept).not.toMatch(CANARIES);
  expect(JSON.stringify(await readJournal(engine.store, "i-2"))).toMatch(CANARIES);
});

test("switched on with items at work, and keys exchanged: all is read, and ends under the newest", async () => {
  const prefix = `s${randomUUID().slice(0, 8)}`;
  const plain = await start(undefined, prefix);
  await liveAPerson(plain, "i-1");
  await plain.send(orderEvent("order.received", { subject: "i-3", data: PERSON }));
  await plain.settled("i-3", "pending");
  await stop(plain);

  const old = await start([K1], prefix);
  await old.send(orderEvent("order.accepted", { subject: "i-3", data: { providerNotes: NOTE } }));
  await old.settled("i-3", "accepted");
  await old.assertReplays("i-3");
  await stop(old);
  const counts = await countSeals(await storeWith(prefix, [K1]));
  expect([...counts.keys()].toSorted()).toEqual(["", "k1"]);

  const both = await start([K2, K1], prefix);
  const store = await storeWith(prefix, [K2, K1]);
  // While items go on: what is committed meanwhile is not lost, and nobody loses a race for ever.
  const living = liveAPerson(both, "i-4");
  await reseal(store);
  await living;
  const last = await reseal(store);
  expect(last).toMatchObject({ busy: 0, unopened: new Map() });
  const after = await countSeals(store);
  expect([...after.keys()]).toEqual(["k2"]);
  expect(await dump(prefix)).not.toMatch(CANARIES);
  for (const itemId of ["i-1", "i-3", "i-4"]) await both.assertReplays(itemId);
  await stop(both);

  const alone = await start([K2], prefix);
  await alone.send(orderEvent("order.noted", { subject: "i-3", data: { providerNotes: NOTE } }));
  await eventually(async () => {
    expect((await alone.journal("i-3")).at(-1)).toMatchObject({ event: { type: "order.noted" } });
  });
  await alone.assertReplays("i-3");
});

test("without the key nothing is lost or written: events and pushes wait until it is back", async () => {
  const prefix = `s${randomUUID().slice(0, 8)}`;
  const sealing = await start([K1], prefix);
  await sealing.sandbox.close();
  await sealing.send(orderEvent("order.received", { subject: "i-1", data: PERSON }));
  await sealing.send(
    orderEvent("order.accepted", { subject: "i-1", data: { providerNotes: NOTE } }),
  );
  await eventually(async () => {
    expect((await readLanes(sealing.engine.store, "i-1"))[0]?.pending).toHaveLength(1);
  });
  const { queuePrefix } = sealing.config;
  await stop(sealing);
  const { layout } = sealing.engine.store;
  const key = `${itemPrefix(layout, "i-1")}a:i-1`;
  const before = await redis.get(key);

  const without = await startHarness({
    redisUrl: inject("redisUrl"),
    config: { encryptionKeys: [K2], keyPrefix: prefix, queuePrefix },
  });
  open.push(without);
  await without.send(orderEvent("order.noted", { subject: "i-1" }));
  await without.send(orderEvent("order.received", { subject: "i-9", data: PERSON }));
  await without.settled("i-9", "pending");
  await expect(without.actor("i-1")).rejects.toThrow(/STORE_KEY_MISSING.*"k1"/);
  await eventually(async () => {
    const counts = await without.queue.getJobCounts("delayed");
    expect(counts["delayed"]).toBe(1);
  });
  expect(await redis.get(key)).toBe(before);
  expect(await listDeadLetters(without.engine.store, 10)).toEqual([]);
  await stop(without);

  const again = await startHarness({
    redisUrl: inject("redisUrl"),
    config: { encryptionKeys: [K2, K1], keyPrefix: prefix, queuePrefix },
  });
  open.push(again);
  await eventually(
    async () => {
      expect(again.seen("i-1")).toEqual(["accepted"]);
      expect(
        (await again.journal("i-1")).some(
          (entry) => entry.kind === "event" && entry.event.type === "order.noted",
        ),
      ).toBe(true);
    },
    { timeoutMs: 25_000 },
  );
  await again.assertReplays("i-1");
}, 60_000);

test("another key under a known id is refused at the start", async () => {
  const prefix = `s${randomUUID().slice(0, 8)}`;
  await start([K1], prefix);
  const other = `k1:${randomBytes(32).toString("base64")}`;
  await expect(storeWith(prefix, [other])).rejects.toThrow(/CONFIG_INVALID.*"k1".*another/);
});
