/**
 * A deployment that may be hurt: a Redis that can be killed and comes back with what it had written, worker
 * processes as in production, a marketplace that takes its time, and a load of whole order lives.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { loadConfig } from "../src/config.ts";
import { type Sandbox, startSandbox } from "../src/offergrid/sandbox/server.ts";
import { addJobs, newJob } from "../src/queue/producer.ts";
import { CRM_EVENTS, openQueue, type OpenQueue } from "../src/queue/queues.ts";
import { countByStatus } from "../src/store/item-store.ts";
import { allShards, shardPrefix } from "../src/store/keys.ts";
import { closeStore, type ConnectedStore, openStore } from "../src/store/store.ts";
import { KillableRedis, killedWithUs } from "./recovery-redis.ts";
import type { Fsync } from "./redis-process.ts";
import { birthEvents, itemIds, measuredEvents, STEPS } from "./workload.ts";

/** A marketplace near by; without it a lane would hardly ever be in hand. */
const PATCH_MS = 20;

const CHANNEL = "marketplace.default";

/** A deployment that has not settled by then has lost something. */
const SETTLE_MAX_MS = 90_000;

const POLL_MS = 5;

/** A process under load has 64 of each; it need not be quite that many. */
const BUSY_JOBS = 32;
const BUSY_LANES = 8;

/** Long enough for whoever works to be done with what it had in hand. */
const STUCK_AFTER_MS = 250;

export interface Worker {
  readonly pid: number;
  readonly exited: Promise<{ readonly code: number | null; readonly atMs: number }>;
  readonly signal: (signal: NodeJS.Signals) => void;
}

/** What all workers had under way at one moment. */
export interface InHand {
  /** Ids of jobs. */
  readonly jobs: readonly string[];
  /** List of a lane, and the effect at its head. */
  readonly lanes: readonly (readonly [list: string, head: string])[];
}

export interface DeploymentOptions {
  readonly leaseMs: number;
  readonly fsync: Fsync;
}

export class RecoveryDeployment {
  readonly #redis: KillableRedis;
  readonly #sandbox: Sandbox;
  readonly #store: ConnectedStore;
  readonly #queue: OpenQueue;
  readonly #env: Readonly<Record<string, string>>;
  readonly #workers = new Set<Worker>();
  readonly #items: string[] = [];

  private constructor(parts: {
    readonly redis: KillableRedis;
    readonly sandbox: Sandbox;
    readonly store: ConnectedStore;
    readonly queue: OpenQueue;
    readonly env: Readonly<Record<string, string>>;
  }) {
    this.#redis = parts.redis;
    this.#sandbox = parts.sandbox;
    this.#store = parts.store;
    this.#queue = parts.queue;
    this.#env = parts.env;
  }

  static async open({ leaseMs, fsync }: DeploymentOptions): Promise<RecoveryDeployment> {
    const redis = await KillableRedis.start(fsync);
    const sandbox = await startSandbox({
      adoptUnknownItems: true,
      faults: [{ kind: "slow", delayMs: PATCH_MS }],
    });
    const env = {
      REDIS_URL: redis.url,
      ORDERWRIGHT_LOG_LEVEL: "silent",
      ORDERWRIGHT_LEASE_MS: String(leaseMs),
      OFFERGRID_API_KEY: "sandbox",
      OFFERGRID_BASE_URL: sandbox.url,
      OFFERGRID_LIMIT_PER_MINUTE: "unlimited",
    };
    const { keyPrefix, queuePrefix, shards } = loadConfig(env);
    const store = await openStore(redis.url, { prefix: keyPrefix, shards });
    const queue = openQueue(CRM_EVENTS, { redisUrl: redis.url, prefix: queuePrefix });
    return new RecoveryDeployment({ redis, sandbox, store, queue, env });
  }

  /** Resolves when that many workers wait for jobs. */
  async ensureWorkers(count: number): Promise<readonly Worker[]> {
    while (this.#workers.size < count) {
      const worker = spawnWorker(this.#env);
      this.#workers.add(worker);
      void worker.exited.then(() => this.#workers.delete(worker));
    }
    await until(async () => (await this.#queue.queue.getWorkers()).length >= count);
    return [...this.#workers];
  }

  /** Adds whole lives of new items, one event in a job. */
  async addLives(count: number, name: string): Promise<void> {
    const items = itemIds(count).map((id) => `${name}-${id}`);
    const events = [...birthEvents(items), ...measuredEvents(items)];
    await addJobs(this.#queue.queue, events.map(newJob));
    this.#items.push(...items);
  }

  async inHand(): Promise<InHand> {
    const { redis, layout } = this.#store;
    const [jobs, shards] = await Promise.all([
      this.#queue.queue.getActive().then((active) => active.map(({ id }) => String(id))),
      Promise.all(
        allShards(layout).map(async (shard) => {
          const prefix = shardPrefix(layout, shard);
          const items = await redis.zrangebyscore(`${prefix}leased:${CHANNEL}`, "-inf", "+inf");
          return items.map((item) => `${prefix}out:${CHANNEL}:${item}`);
        }),
      ),
    ]);
    const lists = shards.flat();
    const heads = await Promise.all(lists.map((list) => redis.lindex(list, 0)));
    const lanes = lists.map((list, index) => [list, heads[index] ?? ""] as const);
    return { jobs, lanes: lanes.filter(([, head]) => head !== "") };
  }

  /** Resolves when the last of these jobs is complete; the time then, ms. */
  async jobsDone(jobs: readonly string[]): Promise<number> {
    const keys = jobs.map((id) => `${this.#queue.queue.toKey("")}${id}`);
    if (keys.length > 0) {
      await until(async () => (await this.#store.redis.exists(...keys)) === 0);
    }
    return performance.now();
  }

  /** Resolves when the effect at the head of each of these lanes has left; the time then, ms. */
  async lanesDone(lanes: InHand["lanes"]): Promise<number> {
    let open = lanes;
    await until(async () => {
      const heads = await Promise.all(open.map(([list]) => this.#store.redis.lindex(list, 0)));
      open = open.filter(([, head], index) => heads[index] === head);
      return open.length === 0;
    });
    return performance.now();
  }

  /** Resolves when the workers are at it and have both jobs and lanes in hand. */
  async busy(): Promise<void> {
    await until(async () => {
      const { jobs, lanes } = await this.inHand();
      return jobs.length >= BUSY_JOBS && lanes.length >= BUSY_LANES;
    });
  }

  /** What stays in hand while the others work on: it belongs to a worker that has been stopped. */
  async stuck(): Promise<InHand> {
    const before = await this.inHand();
    await delay(STUCK_AFTER_MS);
    const after = await this.inHand();
    const [jobs, lists] = [new Set(after.jobs), new Map(after.lanes)];
    return {
      jobs: before.jobs.filter((id) => jobs.has(id)),
      lanes: before.lanes.filter(([list, head]) => lists.get(list) === head),
    };
  }

  /** Changes with every commit that decides something. */
  async progress(): Promise<string> {
    const { redis, layout } = this.#store;
    const statuses = ["pending", ...STEPS.map(({ status }) => status)];
    const keys = allShards(layout).flatMap((shard) =>
      statuses.map((status) => `${shardPrefix(layout, shard)}status:${status}`),
    );
    const looks = await Promise.all(
      keys.map((key) => Promise.all([redis.zcard(key), redis.zrevrange(key, 0, 0, "WITHSCORES")])),
    );
    return JSON.stringify(looks);
  }

  /** Resolves at the first commit after that; the time then, ms. */
  async progressBeyond(before: string): Promise<number> {
    await until(async () => (await this.progress()) !== before);
    return performance.now();
  }

  async killRedis(): Promise<void> {
    await this.#redis.kill();
  }

  /** Resolves when it answers. */
  async restartRedis(): Promise<void> {
    await this.#redis.restart();
  }

  /** Waits until every item is active and the marketplace knows. Tells what is wrong then, and counts. */
  async settle(): Promise<readonly string[]> {
    const deadline = performance.now() + SETTLE_MAX_MS;
    const isOver = async (): Promise<boolean> => {
      const { active = 0 } = await countByStatus(this.#store, ["active"]);
      const isSaid = this.#sandbox.market.log.filter(isLast).length >= this.#items.length;
      return active === this.#items.length && isSaid && (await this.inHand()).lanes.length === 0;
    };
    while (!(await isOver())) {
      if (performance.now() > deadline) break;
      await delay(50);
    }
    return this.#faults();
  }

  #faults(): string[] {
    const said = new Map<string, string[]>(this.#items.map((item) => [item, []]));
    for (const { itemId, applied, status } of this.#sandbox.market.log) {
      if (applied) said.get(itemId)?.push(String(status));
    }
    const wanted = STEPS.map(({ status }) => status).join(" ");
    const wrong = [...said].filter(([, statuses]) => statuses.join(" ") !== wanted);
    return wrong.map(([item, statuses]) => `${item}: ${statuses.join(" ")}`);
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) worker.signal("SIGKILL");
    await Promise.all([...this.#workers].map(({ exited }) => exited));
    await this.#queue.close();
    await closeStore(this.#store);
    await this.#sandbox.close();
    await this.#redis.end();
  }
}

function isLast({
  applied,
  status,
}: {
  readonly applied: boolean;
  readonly status?: string | undefined;
}) {
  return applied && status === STEPS.at(-1)?.status;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + SETTLE_MAX_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error("Nothing moved: see the workers' log.");
    await delay(POLL_MS);
  }
}

const CLI = fileURLToPath(
  new URL(
    `../src/cli/main${import.meta.url.slice(import.meta.url.lastIndexOf("."))}`,
    import.meta.url,
  ),
);

function spawnWorker(env: Readonly<Record<string, string>>): Worker {
  const child = spawn(process.execPath, [...process.execArgv, CLI, "worker"], {
    env: { PATH: process.env["PATH"], NODE_ENV: "production", ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const { pid } = killedWithUs(child);
  if (pid === undefined) throw new Error("A worker could not be started.");
  return {
    pid,
    exited: once(child, "exit").then(([code]) => ({
      code: code as number | null,
      atMs: performance.now(),
    })),
    signal: (signal) => void child.kill(signal),
  };
}
