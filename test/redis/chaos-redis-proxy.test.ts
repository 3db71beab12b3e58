import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { type RedisProxy, startRedisProxy } from "../../src/chaos/redis-proxy.ts";
import { connect } from "../../src/store/connection.ts";
import { eventually } from "../support/eventually.ts";

const direct = connect(inject("redisUrl"));
let proxy: RedisProxy;
let key: string;
const opened: Redis[] = [];

beforeEach(async () => {
  proxy = await startRedisProxy(Number(new URL(inject("redisUrl")).port));
  key = `chaos-proxy:${randomUUID()}`;
});

afterEach(async () => {
  for (const redis of opened.splice(0)) redis.disconnect();
  await proxy.close();
});

function through(options: Parameters<typeof connect>[1] = {}): Redis {
  const redis = connect(`redis://127.0.0.1:${proxy.port}`, options);
  opened.push(redis);
  return redis;
}

const isIncr = ([name]: readonly string[]): boolean => name === "incr";

test.each([2, 3] as const)(
  "with RESP %d a command whose reply is lost was carried out, and is sent again",
  async (protocol) => {
    const redis = through({ protocol });
    proxy.dropReplies(1, (command) => command.includes(key) && isIncr(command));
    expect(await redis.get(key)).toBeNull();
    // In one pipeline: the reply before the lost one arrives.
    const answers = await Promise.all([redis.append(`${key}:s`, "x"), redis.incr(key)]);
    expect(answers).toEqual([1, 2]);
    expect(proxy.counts).toMatchObject({ repliesDropped: 1, connectionsCut: 0 });
  },
);

test("a blocking command keeps its place among the replies", async () => {
  const redis = through({ protocol: 3 });
  proxy.dropReplies(1, isIncr);
  const popped = redis.bzpopmin(key, 0);
  const counted = redis.incr(`${key}:n`);
  await eventually(() => expect(proxy.counts.commands).toBeGreaterThan(1));
  await direct.zadd(key, 5, "job");
  expect(await popped).toEqual([key, "job", "5"]);
  expect(await counted).toBe(2);
});

test("a transaction is lost with the reply to its EXEC, carried out as a whole", async () => {
  const redis = through({ maxRetriesPerRequest: 0, retryStrategy: null });
  proxy.dropReplies(1, isIncr);
  await expect(redis.multi().incr(key).set(`${key}:x`, "1").exec()).rejects.toThrow(
    /closed|aborted/i,
  );
  expect(await direct.mget(key, `${key}:x`)).toEqual(["1", "1"]);
});

test("an error is relayed: nothing was carried out", async () => {
  const redis = through();
  await direct.set(key, "text");
  proxy.dropReplies(1, isIncr);
  await expect(redis.incr(key)).rejects.toThrow(/not an integer/);
  proxy.forget();
  await direct.set(key, "1");
  expect(await redis.incr(key)).toBe(2);
  expect(proxy.counts.repliesDropped).toBe(0);
});

test.each([2, 3] as const)("with RESP %d a subscriber hears everything", async (protocol) => {
  const redis = through({ protocol });
  proxy.dropReplies(1);
  const heard: string[] = [];
  redis.on("message", (_channel, message: string) => heard.push(message));
  await redis.subscribe(key, `${key}:2`);
  for (const word of ["a", "b", "c"]) await direct.publish(key, word);
  await eventually(() => expect(heard).toEqual(["a", "b", "c"]));
});

test("a cut ends connections and refuses new ones until mended", async () => {
  const redis = through();
  await redis.set(key, "1");
  proxy.cut();
  const answer = redis.get(key);
  await eventually(() => expect(redis.status).toBe("reconnecting"));
  expect(proxy.counts.connectionsCut).toBe(1);
  proxy.mend();
  expect(await answer).toBe("1");
});

test("a slow line delays both ways and keeps the order", async () => {
  const redis = through();
  await redis.ping();
  proxy.slow(30);
  const begunAt = performance.now();
  await Promise.all(["1", "2", "3"].map(async (word) => redis.rpush(key, word)));
  expect(performance.now() - begunAt).toBeGreaterThan(58);
  proxy.slow(0);
  expect(await redis.lrange(key, 0, -1)).toEqual(["1", "2", "3"]);
});

test("big values pass through whole", async () => {
  const redis = through();
  const big = "0123456789".repeat(1_000_000);
  await redis.set(key, big);
  expect((await redis.get(key)) === big).toBe(true);
});

test("every command of a disturbed client is applied at least once, and answered", async () => {
  // As the store opens it: commands of many callers travel in one pipeline.
  const redis = through({ enableAutoPipelining: true });
  const counters = Array.from({ length: 50 }, (_, counter) => `${key}:${counter}`);
  const each = 200;
  // One in the middle: what is before it in its pipeline is answered, what is after it is not.
  const isLost = ([name, counter]: readonly string[]): boolean =>
    name === "incr" && counter === counters[25];
  let answered = 0;
  const disturb = async (): Promise<void> => {
    answered += 1;
    if (answered % 450 === 0) proxy.dropReplies(1, isLost);
    if (answered % 2000 !== 999) return;
    proxy.cut();
    await eventually(() => expect(redis.status).toBe("reconnecting"));
    proxy.mend();
  };
  const count = async (counter: string): Promise<void> => {
    for (let n = 0; n < each; n += 1) {
      await redis.incr(counter);
      await disturb();
    }
  };
  await Promise.all(counters.map(async (counter) => count(counter)));

  const applied = (await direct.mget(...counters)).map(Number);
  expect(answered).toBe(counters.length * each);
  expect(Math.min(...applied)).toBeGreaterThanOrEqual(each);
  expect(proxy.counts.connectionsCut).toBe(5);
  expect(proxy.counts.repliesDropped).toBeGreaterThanOrEqual(20);
  // Each lost reply is a command that was applied and sent again: scripts must bear that.
  const twice = applied.reduce((sum, times) => sum + times - each, 0);
  expect(twice).toBeGreaterThanOrEqual(proxy.counts.repliesDropped);
});
