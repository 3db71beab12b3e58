/**
 * One deployment for a test: a Redis prefix and a marketplace of its own, that any number of worker
 * processes may share. Workers run in this process or in children that can be killed; what they leave
 * behind is judged here, from Redis and from the marketplace's log alone.
 */
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import type { OrderItemOptions } from "../../machines/order-item/options.ts";
import { definitions } from "../../machines/registry.ts";
import type { Account } from "../../src/config-options.ts";
import type { Config } from "../../src/config.ts";
import { type Actor, decodeActor, encodeActor, isLiving } from "../../src/core/actor.ts";
import type { ArrivedEvent } from "../../src/core/arrival.ts";
import type { JournalEntry } from "../../src/core/journal.ts";
import { type Machines, registerMachines } from "../../src/core/machine.ts";
import { readEvent } from "../../src/core/read-event.ts";
import { replayAll } from "../../src/core/replay.ts";
import { Applier } from "../../src/engine/apply-events.ts";
import type { EventAnswer } from "../../src/engine/event-answer.ts";
import type { Notice } from "../../src/engine/notice.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { createLifecycle } from "../../src/lifecycle.ts";
import { createLogger } from "../../src/logger.ts";
import type { SandboxOptions } from "../../src/offergrid/sandbox/behaviour.ts";
import { startSandbox, type Sandbox } from "../../src/offergrid/sandbox/server.ts";
import { CRM_EVENTS, PUSHES } from "../../src/queue/queues.ts";
import { textOfPolicy } from "../../src/engine/read-policy.ts";
import { clockworkOf, DEFAULT_CLOCKS, type PolicyClockwork } from "../../src/sla/clockwork.ts";
import type { Policy } from "../../src/sla/policy.ts";
import { loadActors } from "../../src/store/actor-store.ts";
import { type DeadLetter, listDeadLetters } from "../../src/store/dead-letter-store.ts";
import { readJournal } from "../../src/store/item-store.ts";
import { readLanes } from "../../src/store/outbox-store.ts";
import { storePolicy } from "../../src/store/policy-store.ts";
import { closeStore, type ConnectedStore, openStore } from "../../src/store/store.ts";
import { startWorkers, type RunningWorkers } from "../../workers/main.ts";
import { eventually, type Patience } from "../support/eventually.ts";
import { type ChildWorker, type CrashPoint, spawnWorker } from "./child-worker.ts";
import { testConfig } from "../support/test-config.ts";

export interface DeploymentOptions {
  readonly redisUrl: string;
  readonly config?: Partial<Config>;
  readonly sandbox?: Partial<SandboxOptions>;
  readonly orderItem?: Partial<OrderItemOptions>;
  /** In force from the start. Default: the product's own. */
  readonly policy?: Policy;
  /** Laid over the one account "default", or more accounts than that. */
  readonly accounts?: readonly Partial<Account>[];
}

export interface ConnectedEngine extends Engine {
  readonly store: ConnectedStore;
}

export interface LocalWorkers extends RunningWorkers {
  readonly notices: readonly Notice[];
  readonly stop: () => Promise<void>;
}

export interface Deployment {
  readonly config: Config;
  readonly sandbox: Sandbox;
  readonly machines: Machines;
  readonly queue: Queue;
  /** An engine without workers: it decides and commits, and wakes nobody. */
  readonly engine: ConnectedEngine;
  /** Decides and commits one event here, without the queue. */
  readonly apply: (event: object) => Promise<EventAnswer>;
  /** One more engine without workers, on a connection of its own. */
  readonly openEngine: (change?: Partial<ConnectedEngine>) => Promise<ConnectedEngine>;
  readonly startHere: () => Promise<LocalWorkers>;
  readonly spawn: (crash?: CrashPoint) => ChildWorker;
  /** Adds one job per event, in order. */
  readonly send: (...events: readonly object[]) => Promise<void>;
  readonly actor: (itemId: string) => Promise<Actor | undefined>;
  readonly journal: (itemId: string) => Promise<JournalEntry[]>;
  /** Statuses that the marketplace applied, in order. */
  readonly seen: (itemId: string) => string[];
  /** Waits until the item has the status and nothing of it is on its way. */
  readonly settled: (itemId: string, status: string, patience?: Patience) => Promise<void>;
  /** The journal, replayed, must give the stored bytes. */
  readonly assertReplays: (itemId: string) => Promise<void>;
  /** No job, no lane and no lease may be left. */
  readonly assertNothingLeft: () => Promise<void>;
  readonly deadLetters: () => Promise<DeadLetter[]>;
  readonly close: () => Promise<void>;
}

/** Short, so that a takeover takes a second or two. */
const LEASE_MS = 1_500;

export async function openDeployment(options: DeploymentOptions): Promise<Deployment> {
  const { redisUrl, orderItem = {}, policy } = options;
  const config = testConfig(redisUrl, { leaseMs: LEASE_MS, ...options.config });
  const sandbox = await startSandbox({ adoptUnknownItems: true, ...options.sandbox });
  const accounts = (options.accounts ?? [{}]).map((account) => accountOf(sandbox, account));
  const machines = registerMachines(definitions({ orderItem }));
  const clocks = policy === undefined ? DEFAULT_CLOCKS : clockworkOf(policy);
  const engine = await openIdleEngine({ config, redisUrl, machines, clocks });
  const { store } = engine;
  if (policy !== undefined) {
    await storePolicy(store, { version: policy.version, text: textOfPolicy(policy) });
  }
  const applier = new Applier(engine);
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queues = [CRM_EVENTS, PUSHES].map(
    (name) => new Queue(name, { connection, prefix: config.queuePrefix }),
  );
  const [queue] = queues as [Queue];
  const open: (() => Promise<unknown>)[] = [];

  const text = async (itemId: string) => (await loadActors(store, [itemId]))[0];
  const actor = async (itemId: string): Promise<Actor | undefined> => {
    const stored = await text(itemId);
    return stored === undefined ? undefined : decodeActor(itemId, stored);
  };
  const journal = (itemId: string) => readJournal(store, itemId);

  return {
    config,
    sandbox,
    machines,
    queue,
    engine,
    apply: (event) => applier.apply(arrived(event)),
    openEngine: async (change) => {
      const other = await openIdleEngine({ config, redisUrl, machines, clocks });
      open.push(() => closeStore(other.store));
      return { ...other, ...change };
    },
    startHere: async () => {
      const workers = await startLocal({ config, redisUrl, accounts, orderItem });
      open.push(workers.stop);
      return workers;
    },
    spawn: (crash) => {
      const child = spawnWorker({ config, redisUrl, accounts, orderItem, crash });
      open.push(child.kill);
      return child;
    },
    send: async (...events) => {
      for (const event of events) await queue.add("crm", event);
    },
    actor,
    journal,
    seen: (itemId) =>
      sandbox.market.log
        .filter((entry) => entry.itemId === itemId && entry.applied)
        .map((entry) => String(entry.status)),
    settled: async (itemId, status, patience = { timeoutMs: 20_000 }) => {
      await eventually(async () => {
        const is = statusOf(machines, await actor(itemId));
        if (is !== status) throw new Error(`item ${itemId} is ${is}, not ${status}`);
        const lanes = await readLanes(store, itemId);
        if (lanes.length > 0) throw new Error(`${itemId} still has ${JSON.stringify(lanes)}`);
      }, patience);
    },
    assertReplays: async (itemId) => {
      const replayed = replayAll(machines, itemId, await journal(itemId));
      const stored = await text(itemId);
      const again = replayed && encodeActor(replayed);
      if (again !== stored) throw new Error(`replay of ${itemId} gives\n${again}\nnot\n${stored}`);
    },
    assertNothingLeft: async () => {
      await eventually(async () => {
        const lanes = await Promise.all(
          LANE_KEYS.map((name) => store.redis.keys(`${config.keyPrefix}:{s*}:${name}:*`)),
        );
        if (lanes.flat().length > 0) throw new Error(`lanes are left: ${lanes.flat().join(", ")}`);
        for (const each of queues) {
          const counts = await each.getJobCounts("wait", "active", "delayed", "failed");
          const jobs = Object.values(counts).reduce((sum, count) => sum + count, 0);
          if (jobs > 0) throw new Error(`${each.name} still holds ${JSON.stringify(counts)}`);
        }
      });
    },
    deadLetters: () => listDeadLetters(store, 1_000),
    close: async () => {
      await Promise.all(open.map((stop) => stop()));
      await Promise.all(queues.map((each) => each.close()));
      connection.disconnect();
      await closeStore(store);
      await sandbox.close();
    },
  };
}

/** As the border would hand it to the engine; the event must be readable. */
export function arrived(event: object): ArrivedEvent {
  const read = readEvent(event, Date.now());
  if (read.result !== "event") throw new TypeError(read.problem.message);
  return read.event;
}

async function openIdleEngine({
  config,
  redisUrl,
  machines,
  clocks,
}: {
  readonly config: Config;
  readonly redisUrl: string;
  readonly machines: Machines;
  readonly clocks: PolicyClockwork;
}): Promise<ConnectedEngine> {
  const { parkedForMs, unknownItemForMs, parkedMax, journalMax } = config;
  return {
    store: await openStore(redisUrl, { prefix: config.keyPrefix, shards: config.shards }),
    machines,
    limits: { parkedForMs, unknownItemForMs, parkedMax, journalMax, timersPerDecision: 100 },
    clocks: () => clocks,
    dedupeForMs: config.dedupeForMs,
    now: Date.now,
    wake: () => undefined,
  };
}

const LANE_KEYS = ["out", "ready", "later", "leased", "attempt", "blocked"];

export function statusOf(machines: Machines, actor: Actor | undefined): string | undefined {
  if (!isLiving(actor)) return undefined;
  return machines.byId(actor.machine, actor.version)?.status(actor.snapshot.value);
}

function accountOf(sandbox: Sandbox, account: Partial<Account>): Account {
  return {
    name: "default",
    apiKey: "sandbox-provider-key",
    baseUrl: sandbox.url,
    limitPerMinute: null,
    policy: "every",
    ...account,
  };
}

async function startLocal(setting: {
  readonly config: Config;
  readonly redisUrl: string;
  readonly accounts: readonly Account[];
  readonly orderItem: Partial<OrderItemOptions>;
}): Promise<LocalWorkers> {
  const { config, orderItem, ...rest } = setting;
  const log = createLogger(config.logLevel);
  const lifecycle = createLifecycle({ timeoutMs: 20_000, log });
  const notices: Notice[] = [];
  const workers = await startWorkers({
    ...rest,
    config,
    definitions: definitions({ orderItem }),
    log,
    lifecycle,
    tell: (notice) => notices.push(notice),
  });
  return {
    ...workers,
    notices,
    stop: async () => {
      const { outcome } = await lifecycle.shutdown("test over");
      if (outcome !== "closed") throw new Error(`the workers did not close: ${outcome}`);
    },
  };
}
