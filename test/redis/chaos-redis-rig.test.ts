import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { afterEach, expect, test } from "vitest";
import { openRedisRig, type RedisRig, type RedisRigOptions } from "../../src/chaos/redis-rig.ts";
import { connect } from "../../src/store/connection.ts";
import { eventually } from "../support/eventually.ts";

let rig: RedisRig | undefined;
const opened: Redis[] = [];

afterEach(async () => {
  for (const redis of opened.splice(0)) redis.disconnect();
  await rig?.close();
  rig = undefined;
});

async function open(options: RedisRigOptions): Promise<{ rig: RedisRig; redis: Redis }> {
  rig = await openRedisRig(options);
  const redis = connect(rig.proxiedUrl, { enableAutoPipelining: true });
  opened.push(redis);
  return { rig, redis };
}

interface Write {
  readonly number: number;
  readonly sentAt: number;
  readonly acknowledgedAt: number;
}

/** Writes one after another for that long. */
async function writeFor(redis: Redis, ms: number): Promise<Write[]> {
  const writes: Write[] = [];
  const begunAt = performance.now();
  for (let number = 1; performance.now() - begunAt < ms; number += 1) {
    const sentAt = Date.now();
    await redis.rpush("writes", number);
    writes.push({ number, sentAt, acknowledgedAt: Date.now() });
  }
  return writes;
}

test("a crash of the machine takes what no fsync covered, and nothing before", async () => {
  const { rig, redis } = await open({ appendfsync: "everysec" });
  const writes = await writeFor(redis, 2200);
  const { lostSince } = await rig.killAndForget();
  await rig.start();
  const survivors = (await redis.lrange("writes", 0, -1)).map(Number);
  expect(survivors).toEqual(survivors.map((_, index) => index + 1));
  const covered = writes.filter(({ acknowledgedAt }) => acknowledgedAt < lostSince);
  expect(covered.length).toBeGreaterThan(0);
  expect(survivors.length).toBeGreaterThanOrEqual(covered.length);
  expect(survivors.length).toBeLessThan(writes.length);
});

test("a second crash of the machine finds what the first one left", async () => {
  const { rig, redis } = await open({ appendfsync: "everysec" });
  await writeFor(redis, 50);
  await rig.killAndForget();
  await rig.start();
  const left = await redis.llen("writes");
  await redis.rpush("writes", "after");
  await rig.killAndForget();
  await rig.start();
  expect(await redis.llen("writes")).toBe(left);
});

test("with an fsync before each answer a crash of the machine takes nothing", async () => {
  const { rig, redis } = await open({ appendfsync: "always" });
  const writes = await writeFor(redis, 200);
  await rig.killAndForget();
  await rig.start();
  expect(await redis.llen("writes")).toBe(writes.length);
});

test("a crash of the process takes nothing that was acknowledged", async () => {
  const { rig, redis } = await open({ appendfsync: "everysec" });
  const writes = await writeFor(redis, 200);
  await rig.kill();
  const waiting = redis.rpush("writes", "last");
  await rig.start();
  expect(await waiting).toBe(writes.length + 1);
});

test("a frozen Redis answers when it is thawed", async () => {
  const { rig, redis } = await open({ appendfsync: "everysec" });
  await redis.set("key", "1");
  rig.freeze();
  const answer = redis.get("key");
  const impatient = connect(rig.url, { commandTimeout: 50, enableReadyCheck: false, protocol: 2 });
  opened.push(impatient);
  await expect(impatient.ping()).rejects.toThrow(/timed out/);
  rig.thaw();
  expect(await answer).toBe("1");
});

test("a full memory refuses writes, also those of scripts, and still answers", async () => {
  const { rig, redis } = await open({ appendfsync: "everysec" });
  await redis.set("key", "1");
  await rig.refuseWrites();
  await expect(redis.incr("key")).rejects.toThrow(/^OOM/);
  const lua = "return redis.call('INCR', KEYS[1])";
  await expect(redis.eval(lua, 1, "key")).rejects.toThrow(/OOM/);
  expect(await redis.get("key")).toBe("1");
  await rig.acceptWrites();
  expect(await redis.incr("key")).toBe(2);
});

test("it ends with a killed parent, even while it is frozen", async () => {
  const directory = mkdtempSync(join(tmpdir(), "orderwright-test-"));
  const module = new URL("../../src/chaos/redis-rig.ts", import.meta.url).href;
  const script = `
    import { openRedisRig } from ${JSON.stringify(module)};
    const directory = ${JSON.stringify(directory)};
    const rig = await openRedisRig({ appendfsync: "everysec", directory });
    rig.freeze();
    console.log(rig.url);
    process.kill(process.pid, "SIGKILL");`;
  const url = await new Promise<string>((done) => {
    const args = ["--import", "tsx", "--input-type=module", "-e", script];
    execFile(process.execPath, args, (_killed, stdout) => done(stdout.trim()));
  });
  expect(url).toMatch(/^redis:/);
  await eventually(async () => {
    const redis = connect(url, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
    opened.push(redis);
    await expect(redis.ping()).rejects.toThrow(/closed|max retries/);
  });
  rmSync(directory, { recursive: true });
});

test("its data goes with it, unless a folder was given", async () => {
  const { rig: temporary, redis } = await open({ appendfsync: "always" });
  const [, directory = ""] = (await redis.config("GET", "dir")) as string[];
  expect(existsSync(directory)).toBe(true);
  await temporary.close();
  rig = undefined;
  expect(existsSync(directory)).toBe(false);
});
