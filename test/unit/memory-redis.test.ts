import { describe, expect, test } from "vitest";
import { MemoryRedis, memoryCommands } from "../../src/store/memory/memory-redis.ts";
import { SCRIPT_PORTS } from "../../src/store/memory/script-ports.ts";
import * as scripts from "../../src/store/scripts.ts";

const NOW = 1_764_000_000_000;

/** One actor decided with an event, two journal entries, an effect and a dead letter. */
function commit(item: string, opening: string): (string | number)[] {
  const actor = [item, opening, `${NOW} ${item}`, NOW, "", "open", NOW, "order", ""];
  const answers = [1, `mark ${opening}`, "digest applied", 0];
  const entries = [2, "entry", "entry"];
  return [
    1,
    1_000,
    ...actor,
    ...answers,
    ...entries,
    1,
    "operator",
    `r ${NOW} {}`,
    1,
    "id",
    "{}",
    0,
  ];
}

function setUp() {
  const clock = { now: NOW };
  const memory = new MemoryRedis(() => clock.now);
  const redis = memoryCommands(async (name, args) => memory.call(name, args));
  const decide = (item: string, opening: string): Promise<unknown> =>
    scripts.commitScript.run(redis, "p:", commit(item, opening));
  /** Of one key of each type. */
  const content = (item: string): Promise<unknown[]> =>
    Promise.all([
      redis.get(`p:a:${item}`),
      redis.lrange(`p:j:${item}`, 0, -1),
      redis.hget(`p:seen:${item}`, "mark "),
      redis.smembers("p:order:order"),
      redis.zrangebyscore("p:ready:operator", "-inf", "+inf", "LIMIT", 0, 9),
    ]);
  return { clock, memory, redis, decide, content };
}

describe("the Redis in memory", () => {
  test("has a port of every script", () => {
    const known = Object.values(scripts).map(({ sha }) => sha);
    expect([...SCRIPT_PORTS.keys()].toSorted()).toEqual(known.toSorted());
  });

  test("goes back to what it held, as often as it is asked, whatever came after", async () => {
    const { memory, decide, content } = setUp();
    await decide("i1", "");
    const before = await content("i1");
    const snapshot = memory.snapshot();
    for (const item of ["i2", "i3"]) {
      expect(await decide("i1", String(NOW))).toEqual([["committed"]]);
      expect(await decide(item, "")).toEqual([["committed"]]);
      expect(await content("i1")).not.toEqual(before);
      memory.restore(snapshot);
      expect(await content("i1")).toEqual(before);
    }
  });

  test("that goes back is a new server, which knows no script", async () => {
    const { memory, redis, decide } = setUp();
    await decide("i1", "");
    const { sha } = scripts.commitScript;
    expect(() => memory.call("evalsha", [sha, 1, "p:", 0, 0])).not.toThrow();
    const server = await redis.info("server");
    memory.restore(memory.snapshot());
    expect(() => memory.call("evalsha", [sha, 1, "p:", 0, 0])).toThrow(/^NOSCRIPT/);
    expect(await redis.info("server")).not.toBe(server);
  });

  test("forgets a key when its life has passed on the caller's clock", async () => {
    const { clock, redis, decide } = setUp();
    await decide("i1", "");
    clock.now += 1_000;
    expect(await redis.hget("p:seen:i1", "mark ")).toBe("digest applied");
    clock.now += 1;
    expect(await redis.hget("p:seen:i1", "mark ")).toBeNull();
  });

  test("counts scores between bounds that are in or out", async () => {
    const { redis } = setUp();
    for (const at of [4, 5, 6]) await scripts.buryScript.run(redis, "p:", [`id ${at}`, at, "{}"]);
    expect(await redis.zcount("p:dead", "-inf", 5)).toBe(2);
    expect(await redis.zcount("p:dead", "-inf", "(5")).toBe(1);
    expect(await redis.zcount("p:dead", "(5", "+inf")).toBe(1);
  });

  test("refuses a command on a key of another type, as Redis does", async () => {
    const { redis } = setUp();
    await redis.set("key", 1);
    await expect(redis.hget("key", "field")).rejects.toThrow(/^WRONGTYPE/);
  });
});
