/**
 * `npm run bench:timers -- [--items N] [--due N] [--json]`: what a great many waiting timers cost, and how
 * late they are when many of them are due at once.
 *
 *   memory   of Redis for each item that waits, and where it goes
 *   idle     CPU of Redis and of the workers for each second of sweeps, without items and with all of them
 *   lag      from a timer's due time to its decision, and to the notice that tells an operator, while
 *            `--due` of them fall due within one second
 *
 * The workers are the real ones, in this process, with nothing else to do. Redis writes an append-only file
 * and syncs it every second. `--json` prints one line.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { definitions } from "../machines/registry.ts";
import { type Config, loadConfig } from "../src/config.ts";
import { startEmbeddedRedis } from "../src/embedded/embedded-redis.ts";
import { createLifecycle } from "../src/lifecycle.ts";
import { createLogger } from "../src/logger.ts";
import { readJournal } from "../src/store/item-store.ts";
import { closeStore, type ConnectedStore, openStore } from "../src/store/store.ts";
import { startWorkers } from "../workers/main.ts";
import { type ItemMemory, weigh } from "./timer-memory.ts";
import { populate, type Waiting } from "./timer-population.ts";

const IDLE_MS = 10_000;

/** Until the first of those timers is due that are to fall due together: time to write them. */
const LEAD_MS = 10_000;
const LEAD_PER_ITEM_MS = 0.5;

/** Those that wait are not due before the measurement has ended. */
const FAR_MS = 7 * 86_400_000;
const FAR_SPREAD_MS = 23 * 86_400_000;

/** A timer that is later than this is lost. */
const LATEST_MS = 120_000;

/** Milliseconds of CPU in each second. */
interface Cpu {
  readonly redis: number;
  readonly workers: number;
}

/** ms. */
interface Lag {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

interface Result {
  readonly items: number;
  readonly due: number;
  readonly writtenInMs: number;
  readonly bytesPerItem: ItemMemory;
  readonly idle: { readonly empty: Cpu; readonly full: Cpu };
  readonly lag: { readonly decided: Lag; readonly told: Lag };
  /** CPU in all of the seconds from the first due time to the last notice. */
  readonly firing: Cpu & { readonly tookMs: number };
}

interface Bench {
  readonly config: Config;
  readonly store: ConnectedStore;
  /** When the first notice of an item came, ms. */
  readonly toldAt: ReadonlyMap<string, number>;
}

async function main(): Promise<void> {
  const { items, due, format } = readOptions();
  const dataDir = mkdtempSync(join(tmpdir(), "orderwright-bench-timers-"));
  const redis = await startEmbeddedRedis({ dataDir, appendfsync: "everysec" });
  try {
    const result = await measure(redis.url, { items, due });
    if (format === "json") console.log(JSON.stringify(result));
    else console.log(textOf(result));
  } finally {
    await redis.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function measure(
  redisUrl: string,
  { items, due }: { readonly items: number; readonly due: number },
): Promise<Result> {
  const config = loadConfig({ REDIS_URL: redisUrl, ORDERWRIGHT_LOG_LEVEL: "error" });
  const log = createLogger(config.logLevel);
  const lifecycle = createLifecycle({ timeoutMs: config.shutdownTimeoutMs, log });
  const toldAt = new Map<string, number>();
  await startWorkers({
    config,
    redisUrl,
    accounts: [],
    definitions: definitions(),
    log,
    lifecycle,
    tell: ({ itemId }) => {
      if (!toldAt.has(itemId)) toldAt.set(itemId, Date.now());
    },
  });
  const store = await openStore(redisUrl, { prefix: config.keyPrefix, shards: config.shards });
  try {
    return await measureIn({ config, store, toldAt }, { items, due });
  } finally {
    await closeStore(store);
    await lifecycle.shutdown("bench over");
  }
}

async function measureIn(
  bench: Bench,
  { items, due }: { readonly items: number; readonly due: number },
): Promise<Result> {
  const { store, config } = bench;
  const into = { store, dedupeForMs: config.dedupeForMs };
  const empty = await idleCpu(store);
  const bytesBefore = await usedBytes(store);
  const begunAt = performance.now();
  const now = Date.now();
  const waiting = await populate(into, {
    name: "waiting",
    count: items - due,
    dueAt: (index) => now + FAR_MS + (index / items) * FAR_SPREAD_MS,
  });
  const writtenInMs = performance.now() - begunAt;
  await rewritten(store);
  const bytesPerItem = await weigh(store, waiting, (await usedBytes(store)) - bytesBefore);
  const full = await idleCpu(store);
  const fired = await fire(bench, due);
  return { items, due, writtenInMs, bytesPerItem, idle: { empty, full }, ...fired };
}

async function fire(
  { store, config, toldAt }: Bench,
  due: number,
): Promise<Pick<Result, "lag" | "firing">> {
  const firstDueAt = Date.now() + LEAD_MS + due * LEAD_PER_ITEM_MS;
  const items = await populate(
    { store, dedupeForMs: config.dedupeForMs },
    { name: "due", count: due, dueAt: (index) => firstDueAt + (index / due) * 1_000 },
  );
  if (Date.now() > firstDueAt) throw new Error("Writing took longer than the timers wait.");
  await delay(firstDueAt - Date.now());
  const cpuBefore = await cpuNow(store);
  const deadline = firstDueAt + LATEST_MS;
  while (toldAt.size < due) {
    if (Date.now() > deadline) throw new Error(`${due - toldAt.size} timers were never told of.`);
    await delay(20);
  }
  const tookMs = Math.max(...toldAt.values()) - firstDueAt;
  const cpu = await cpuNow(store);
  return {
    lag: {
      decided: lagOf(await decidedLags(store, items)),
      told: lagOf(items.map(([itemId, dueAt]) => (toldAt.get(itemId) ?? Number.NaN) - dueAt)),
    },
    firing: {
      redis: cpu.redis - cpuBefore.redis,
      workers: cpu.workers - cpuBefore.workers,
      tookMs,
    },
  };
}

/** By the journals: the decision's own time. */
async function decidedLags(store: ConnectedStore, items: readonly Waiting[]): Promise<number[]> {
  const journals = await Promise.all(items.map(([itemId]) => readJournal(store, itemId)));
  return journals.map((journal) => {
    const rung = journal.find((entry) => entry.kind === "clocks");
    const rang = rung?.clocks?.find((fact) => fact.kind === "rang");
    return rung === undefined || rang === undefined ? Number.NaN : rung.at - rang.at;
  });
}

async function idleCpu(store: ConnectedStore): Promise<Cpu> {
  const [before, begunAt] = [await cpuNow(store), performance.now()];
  await delay(IDLE_MS);
  const [after, seconds] = [await cpuNow(store), (performance.now() - begunAt) / 1_000];
  return {
    redis: (after.redis - before.redis) / seconds,
    workers: (after.workers - before.workers) / seconds,
  };
}

/** ms since each began. */
async function cpuNow({ redis }: ConnectedStore): Promise<Cpu> {
  const text = await redis.info("cpu");
  const seconds = (name: string): number =>
    Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(text)?.[1]);
  const { user, system } = process.cpuUsage();
  return {
    redis: (seconds("used_cpu_user") + seconds("used_cpu_sys")) * 1_000,
    workers: (user + system) / 1_000,
  };
}

/** Redis makes its file anew when it has grown: that work belongs to the writing. */
async function rewritten({ redis }: ConnectedStore): Promise<void> {
  while (/^aof_rewrite_(in_progress|scheduled):1/m.test(await redis.info("persistence"))) {
    await delay(100);
  }
}

async function usedBytes({ redis }: ConnectedStore): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);
}

function lagOf(lags: readonly number[]): Lag {
  const sorted = lags.toSorted((left, right) => left - right);
  const rank = (percent: number): number =>
    sorted[Math.ceil((percent * sorted.length) / 100) - 1] ?? Number.NaN;
  return { p50: rank(50), p99: rank(99), max: rank(100) };
}

function textOf({ items, due, writtenInMs, bytesPerItem, idle, lag, firing }: Result): string {
  const whole = (value: number): string => value.toFixed(0);
  const cpu = ({ redis, workers }: Cpu): string =>
    `Redis ${redis.toFixed(1)} ms, workers ${workers.toFixed(1)} ms`;
  const spread = ({ p50, p99, max }: Lag): string =>
    `p50 ${whole(p50)} ms, p99 ${whole(p99)} ms, max ${whole(max)} ms`;
  const { total, clocks, ledgerInActor, ...kinds } = bytesPerItem;
  const parts = Object.entries(kinds).map(([kind, bytes]) => `${kind} ${whole(bytes)}`);
  return [
    `${items} items with ${clocks} open clock each, written in ${(writtenInMs / 1_000).toFixed(1)} s`,
    `memory        ${whole(total)} B an item: ${parts.join(", ")}`,
    `              ${whole(ledgerInActor)} B of ledger in the actor, ${whole(kinds.due)} B an item in the index of due times`,
    `idle, empty   ${cpu(idle.empty)} of CPU a second`,
    `idle, full    ${cpu(idle.full)} of CPU a second`,
    `${due} due within a second: all told after ${whole(firing.tookMs)} ms, ${cpu(firing)} of CPU`,
    `lag, decided  ${spread(lag.decided)}`,
    `lag, told     ${spread(lag.told)}`,
  ].join("\n");
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      items: { type: "string", default: "1000000" },
      due: { type: "string", default: "10000" },
      json: { type: "boolean", default: false },
    },
  });
  const [items, due] = [positiveInteger("items", values.items), positiveInteger("due", values.due)];
  if (due >= items) throw new Error("--due is a part of --items: it must be less.");
  return { items, due, format: values.json ? "json" : "text" } as const;
}

function positiveInteger(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} takes a positive whole number, not "${text}".`);
}

// An interrupted measurement must still end its Redis, which happens when the process exits.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

await main();
