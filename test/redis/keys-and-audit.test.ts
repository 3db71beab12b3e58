/** API keys and the audit journal on a real Redis: several processes' worth of askers at once. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, inject, onTestFinished, test } from "vitest";
import { readAudit, recordAct, verifyAudit } from "../../src/store/audit-store.ts";
import { CACHED_FOR_MS, type KeyRing, openKeyRing } from "../../src/store/key-ring.ts";
import {
  findKey,
  hasKeys,
  type KeyTerms,
  listKeys,
  makeKey,
  revokeKey,
  rotateKey,
  type StoredKey,
} from "../../src/store/key-store.ts";
import { newKey } from "../../src/store/key-text.ts";
import { apiKeysKey, auditKey, type Layout } from "../../src/store/keys.ts";
import { closeStore, type ConnectedStore, openStore } from "../../src/store/store.ts";
import { eventually } from "../support/eventually.ts";

const DAY_MS = 86_400_000;

let redis: ConnectedStore["redis"];
let closing: ConnectedStore;
let layout: Layout;

beforeAll(async () => {
  closing = await openStore(inject("redisUrl"), { prefix: "unused", shards: 1 }, "reader");
  redis = closing.redis;
});

afterAll(() => closeStore(closing));

beforeEach(() => {
  layout = { prefix: `t-${randomUUID().slice(0, 8)}`, shards: 1 };
});

const TERMS: KeyTerms = { name: "crm", scopes: ["events:write"], perMinute: 5, createdAt: 1_000 };

const clock = { now: 1_764_000_000_000 };

async function openRing(): Promise<KeyRing> {
  const ring = openKeyRing({
    redisUrl: inject("redisUrl"),
    layout,
    timeoutMs: 2_000,
    now: () => clock.now,
  });
  onTestFinished(() => ring.close());
  await eventually(() => ring.hasKeys());
  return ring;
}

async function stored(id: string): Promise<StoredKey> {
  const key = await findKey({ redis, layout }, id);
  if (key === undefined) throw new Error(`no key ${id}`);
  return key;
}

test("a key is good as soon as it is made; its text is nowhere in Redis", async () => {
  expect(await hasKeys({ redis, layout })).toBe(false);
  const { id, text } = await makeKey({ redis, layout }, { ...TERMS, account: "acme" });
  const ring = await openRing();
  expect(await ring.check(text)).toEqual({
    standing: "good",
    grant: { keyId: id, name: "crm", scopes: ["events:write"], perMinute: 5, account: "acme" },
  });
  expect(await ring.check(newKey().text)).toEqual({ standing: "unknown" });
  expect(await ring.check("ow_")).toEqual({ standing: "malformed" });
  const kept = JSON.stringify(await redis.hgetall(apiKeysKey(layout)));
  expect(kept).not.toContain(text.slice(16, 40));
  await eventually(async () => expect((await stored(id)).lastUsedAt).toBe(clock.now));
});

test("a revoked key opens nothing once the time of the cache is over, whoever had seen it", async () => {
  const { id, text } = await makeKey({ redis, layout }, TERMS);
  const ring = await openRing();
  expect((await ring.check(text)).standing).toBe("good");
  expect(await revokeKey({ redis, layout }, id, 2_000)).toBe("revoked");
  expect(await revokeKey({ redis, layout }, id, 3_000)).toBe("was-revoked");
  clock.now += CACHED_FOR_MS;
  expect((await ring.check(text)).standing).toBe("revoked");
  expect((await stored(id)).revokedAt).toBe(2_000);
  expect(await hasKeys({ redis, layout })).toBe(true);
});

test("rotation leaves both good for a while, then the new one alone", async () => {
  const side = { redis, layout };
  const old = await makeKey(side, TERMS);
  const until = clock.now + DAY_MS;
  const made = await rotateKey(side, await stored(old.id), {
    terms: { ...TERMS, createdAt: 2_000 },
    until,
  });
  if (made.outcome !== "rotated") throw new Error(made.outcome);
  const ring = await openRing();
  expect((await ring.check(old.text)).standing).toBe("good");
  expect((await ring.check(made.text)).standing).toBe("good");
  clock.now += DAY_MS;
  expect((await ring.check(old.text)).standing).toBe("replaced");
  expect((await ring.check(made.text)).standing).toBe("good");
  const listed = await listKeys(side);
  expect(listed.map(({ id }) => id)).toEqual([old.id, made.id]);
  expect(listed[0]?.replaced).toEqual({ by: made.id, until });
});

test("a key that is revoked while it is rotated leaves no successor behind", async () => {
  const side = { redis, layout };
  const { id } = await makeKey(side, TERMS);
  const read = await stored(id);
  await revokeKey(side, id, 2_000);
  expect(await rotateKey(side, read, { terms: TERMS, until: 0 })).toEqual({ outcome: "revoked" });
  const [, successor] = await listKeys(side);
  expect(successor?.revokedAt).toBeDefined();
});

test("a key has its requests a minute, all processes together", async () => {
  const { text } = await makeKey({ redis, layout }, TERMS);
  const rings = await Promise.all([openRing(), openRing()]);
  const outcomes = await Promise.all(
    [0, 1, 0, 1, 0, 1, 0].map(async (which) => {
      const checked = await rings[which]?.check(text);
      if (checked?.standing !== "good") throw new Error("not good");
      return rings[which]?.permit(checked.grant);
    }),
  );
  const waiting = outcomes.filter((each) => each?.outcome === "wait");
  expect(waiting).toHaveLength(2);
  expect(waiting[0]).toMatchObject({ retryAfterMs: expect.any(Number) });
});

test("a record that cannot be read opens nothing", async () => {
  const { id, text } = await makeKey({ redis, layout }, TERMS);
  const record = (await redis.hget(apiKeysKey(layout), id)) ?? "";
  await redis.hset(apiKeysKey(layout), id, record.replace('"events:write"', '"everything"'));
  const ring = await openRing();
  await expect(ring.check(text)).rejects.toMatchObject({ code: "STORE_CORRUPT" });
});

test("without a Redis every question ends in a no", async () => {
  const ring = openKeyRing({
    redisUrl: "redis://127.0.0.1:1",
    layout,
    timeoutMs: 100,
    now: Date.now,
  });
  onTestFinished(() => ring.close());
  await expect(ring.hasKeys()).rejects.toMatchObject({ code: "REDIS_UNREACHABLE" });
  await expect(ring.check(newKey().text)).rejects.toMatchObject({ code: "REDIS_UNREACHABLE" });
});

test("of many who append at once each has its entry, in one chain", async () => {
  const side = { redis, layout };
  const actors = Array.from({ length: 12 }, (_, index) => `actor-${index}`);
  await Promise.all(
    actors.map((actor) => recordAct(side, { actor, action: "skip", reason: "because" })),
  );
  const found = [];
  for await (const { actor } of readAudit(side)) found.push(actor);
  expect(found.toSorted()).toEqual(actors.toSorted());
  expect(await verifyAudit(side)).toMatchObject({ outcome: "sound", head: { seq: 12 } });
});

test("an end that was cut off is seen by whoever kept a head, and a forgery by everybody", async () => {
  const side = { redis, layout };
  const record = (actor: string) => recordAct(side, { actor, action: "skip", reason: "because" });
  const first = await record("ada");
  const second = await record("eve");
  const keptHead = { seq: second.seq, hash: second.hash };
  expect(await verifyAudit(side, keptHead)).toMatchObject({ outcome: "sound" });

  await redis.rpop(auditKey(layout));
  expect(await verifyAudit(side)).toMatchObject({ outcome: "sound", head: { seq: 1 } });
  expect(await verifyAudit(side, keptHead)).toMatchObject({ outcome: "not-the-kept" });
  await record("mallory");
  expect(await verifyAudit(side, keptHead)).toMatchObject({ outcome: "not-the-kept" });

  const text = (await redis.lindex(auditKey(layout), 0)) ?? "";
  await redis.lset(auditKey(layout), 0, text.replace("ada", "bob"));
  expect(await verifyAudit(side)).toMatchObject({ outcome: "broken", seq: 1, head: { seq: 0 } });
  await redis.lset(auditKey(layout), 0, text);
  expect(await verifyAudit(side, { seq: 1, hash: first.hash })).toMatchObject({ outcome: "sound" });

  await redis.rpush(auditKey(layout), "not JSON");
  await expect(record("ada")).rejects.toMatchObject({ code: "STORE_CORRUPT" });
});
