/** The intake on a Redis of its own that is stopped, frozen and made to refuse writes. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventSchemas } from "../../machines/order-item/events.ts";
import { type EmbeddedRedis, startEmbeddedRedis } from "../../src/embedded/embedded-redis.ts";
import { type HttpServer, startHttpServer } from "../../src/http/server.ts";
import { createLogger } from "../../src/logger.ts";
import { type IntakeQueue, openIntakeQueue } from "../../src/queue/intake-queue.ts";
import { CRM_EVENTS } from "../../src/queue/queues.ts";
import { eventually } from "../support/eventually.ts";
import { OPEN_DOOR } from "../support/open-door.ts";
import { orderEvent } from "../support/order-item-events.ts";

const TIMEOUT_MS = 400;

/** A client that has no answer by then calls it hanging: far more than the intake's own limit. */
const HANGING_MS = 10 * TIMEOUT_MS;

const dataDir = mkdtempSync(join(tmpdir(), "orderwright-intake-"));
const sent = { accepted: new Set<string>(), unavailable: new Set<string>() };
let redis: EmbeddedRedis;
let port: number;
let queue: IntakeQueue;
let server: HttpServer;

async function startRedis(): Promise<void> {
  redis = await startEmbeddedRedis({ dataDir, port, appendfsync: "everysec" });
}

/** One command on a connection of its own. */
async function ask(...words: [string, ...string[]]): Promise<void> {
  const connection = new Redis(redis.url);
  await connection.call(...words);
  connection.disconnect();
}

/** Each event is sent once, so that what is in the queue can be compared with what was answered. */
async function post(): Promise<number> {
  const event = orderEvent("order.received");
  const response = await fetch(`${server.url}/v1/events`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(event),
    signal: AbortSignal.timeout(HANGING_MS),
  });
  await response.arrayBuffer();
  if (response.status === 202) sent.accepted.add(event.id);
  if (response.status === 503) sent.unavailable.add(event.id);
  return response.status;
}

async function readiness(): Promise<number> {
  const signal = AbortSignal.timeout(HANGING_MS);
  return (await fetch(`${server.url}/readyz`, { signal })).status;
}

async function queuedIds(): Promise<string[]> {
  const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
  const reader = new Queue(CRM_EVENTS, { connection });
  const jobs = await reader.getJobs(["waiting"]);
  await reader.close();
  connection.disconnect();
  return jobs.map(({ data }) => (data as { readonly id: string }).id);
}

beforeAll(async () => {
  const listening = createServer().listen(0, "127.0.0.1");
  await once(listening, "listening");
  const address = listening.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  port = address.port;
  listening.close();
  await once(listening, "close");

  const redisUrl = `redis://127.0.0.1:${port}`;
  queue = openIntakeQueue({ redisUrl, prefix: "bull", timeoutMs: TIMEOUT_MS, probeKey: "probe" });
  server = await startHttpServer(
    {
      keys: OPEN_DOOR,
      queue,
      schemas: eventSchemas(8 * 1024),
      log: createLogger("silent"),
      intakeTimeoutMs: TIMEOUT_MS,
      intakeMaxInFlight: 100,
    },
    { host: "127.0.0.1", port: 0 },
  );
});

afterAll(async () => {
  await server.close();
  await queue.close();
  await redis.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

describe("intake", () => {
  test("listens before there is a Redis, and takes events once there is one", async () => {
    expect(await post()).toBe(503);
    expect(await readiness()).toBe(503);
    await startRedis();
    await eventually(async () => expect(await readiness()).toBe(200));
    expect(await post()).toBe(202);
  });

  test.each<[string, () => Promise<void>, () => Promise<void>]>([
    ["is stopped", async () => redis.stop(), startRedis],
    ["is frozen", async () => redis.kill("SIGSTOP"), async () => redis.kill("SIGCONT")],
    [
      "is full",
      async () => ask("config", "set", "maxmemory", "1mb"),
      async () => ask("config", "set", "maxmemory", "0"),
    ],
    [
      "became a replica",
      async () => ask("replicaof", "127.0.0.1", "1"),
      async () => ask("replicaof", "no", "one"),
    ],
    [
      "misses its replicas",
      async () => ask("config", "set", "min-replicas-to-write", "1"),
      async () => ask("config", "set", "min-replicas-to-write", "0"),
    ],
  ])("sends clients away while Redis %s, and goes on by itself", async (_what, harm, mend) => {
    const load = async (): Promise<number[]> => Promise.all(Array.from({ length: 20 }, post));
    expect(new Set(await load())).toEqual(new Set([202]));
    // What is under way when it happens may be answered either way, and has an answer.
    const underWay = load();
    await harm();
    for (const status of await underWay) expect([202, 503]).toContain(status);
    expect(new Set(await load())).toEqual(new Set([503]));
    expect(await readiness()).toBe(503);
    await mend();
    await eventually(async () => expect(await readiness()).toBe(200));
    expect(new Set(await load())).toEqual(new Set([202]));
  });

  test("every event that was answered with 202 is in the queue, once, and no event of nobody", async () => {
    const queued = await queuedIds();
    expect(new Set(queued).size).toBe(queued.length);
    expect([...sent.accepted].filter((id) => !queued.includes(id))).toEqual([]);
    const unanswered = queued.filter((id) => !sent.accepted.has(id) && !sent.unavailable.has(id));
    expect(unanswered).toEqual([]);
  });
});
