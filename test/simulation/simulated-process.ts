/**
 * One process of the deployment: the engine and its workers as the composition root puts them together,
 * on a clock of its own, with BullMQ, Redis and the marketplace replaced by their models.
 */
import type { Queue } from "bullmq";
import { Applier } from "../../src/engine/apply-events.ts";
import { Drains } from "../../src/engine/drain.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Notice } from "../../src/engine/notice.ts";
import { openPolicyHolder } from "../../src/engine/policy-holder.ts";
import type { OffergridClient } from "../../src/offergrid/offergrid-client.ts";
import { CRM_EVENTS, PUSHES, RECOVERY, TIMERS } from "../../src/queue/queues.ts";
import { openWaker, type Wake } from "../../src/queue/wake.ts";
import type { RedisCommands } from "../../src/store/commands.ts";
import { memoryCommands } from "../../src/store/memory/memory-redis.ts";
import { openStoreClock } from "../../src/store/store-clock.ts";
import { eventProcessor, type EventJob } from "../../workers/event.worker.ts";
import { pushProcessor } from "../../workers/push.worker.ts";
import { recoveryProcessor } from "../../workers/recovery.worker.ts";
import { timerProcessor } from "../../workers/timer.worker.ts";
import { Connection, type ConnectionMode, type Surroundings } from "./connection.ts";
import type { Marketplace } from "./marketplace.ts";
import type { MarketplacePlan } from "./plan.ts";
import type { ModelJob } from "./queue-model.ts";
import { QueueWorker, type QueueWorkerOptions } from "./queue-worker.ts";
import * as setting from "./setting.ts";
import type { Owner } from "./world.ts";

const START_AGAIN_MS = 500;

type JobProcess = (job: ModelJob, token: string) => Promise<unknown>;

/** What a planted bug may change of a process, from outside. */
export interface ProcessChange {
  readonly commands?: (commands: RedisCommands) => RedisCommands;
  readonly client?: (client: OffergridClient) => OffergridClient;
  readonly eventProcess?: (process: JobProcess, finish: JobProcess) => JobProcess;
}

export interface ProcessOptions {
  readonly surroundings: Surroundings;
  readonly marketplace: Marketplace;
  readonly plan: MarketplacePlan;
  readonly name: string;
  readonly skewMs: number;
  readonly change: ProcessChange;
  /** Hears what operators are told. */
  readonly tell: (notice: Notice) => void;
}

export class SimulatedProcess {
  readonly owner: Owner;
  readonly #options: ProcessOptions;
  readonly #connections: Connection[] = [];

  constructor(options: ProcessOptions) {
    this.#options = options;
    const { name, skewMs } = options;
    this.owner = { name, skewMs, isAlive: true, pausedUntil: 0, lastImmediateAt: 0 };
    this.#startAfter(0);
  }

  kill(): void {
    this.owner.isAlive = false;
    for (const connection of this.#connections) connection.abandon();
    this.#options.marketplace.abandon(this.owner);
  }

  cut(): void {
    for (const connection of this.#connections) connection.cut();
  }

  /** A process that cannot ask Redis for the time ends, and whoever supervises it starts it again. */
  #startAfter(delayMs: number): void {
    const { world } = this.#options.surroundings;
    world.after(delayMs, { owner: this.owner, label: "starts" }, () => {
      this.#start().catch(() => this.#startAfter(START_AGAIN_MS));
    });
  }

  async #start(): Promise<void> {
    const { change, surroundings, marketplace, plan, tell } = this.#options;
    const data = this.#connect("pipelined");
    const queues = this.#connect("plain");
    const direct = memoryCommands((name, args) => data.call({ kind: "data", name, args }));
    const commands = change.commands?.(direct) ?? direct;
    const { world } = surroundings;
    const clock = await openStoreClock(direct, () => world.now + this.owner.skewMs);
    const drains = new Drains();
    const waker = openWaker(pushQueue(queues), () => undefined);
    const store = { redis: commands, layout: setting.LAYOUT };
    const policy = await openPolicyHolder(store, { now: clock.now, log: SILENT });
    const engine: Engine = {
      store,
      machines: setting.MACHINES,
      limits: setting.LIMITS,
      clocks: policy.clocks,
      dedupeForMs: setting.DEDUPE_FOR_MS,
      now: clock.now,
      wake: (lane) => {
        if (!drains.nudge(lane)) waker.wake(lane);
      },
    };
    const parts = { engine, applier: new Applier(engine) };
    const { signal } = new AbortController();
    const client = marketplace.clientOf(this.owner);
    const account = {
      name: setting.ACCOUNT,
      client: change.client?.(client) ?? client,
      limitPerMinute: plan.limitPerMinute,
      policy: plan.policy,
    };
    let drainsBegun = 0;
    const push = pushProcessor({ log: SILENT, leaseMs: setting.LEASE_MS }, parts, {
      accounts: [account],
      concurrency: setting.PUSH_CONCURRENCY,
      tell,
      drains,
      signal,
      newOwner: () => `${this.owner.name}/${(drainsBegun += 1)}`,
    });
    const recover = recoveryProcessor({ log: SILENT }, engine, failedJobs(queues));
    const options = { crashLimit: setting.CRASH_LIMIT, breaks: () => data.breaks };
    const events = this.#connect("once");
    this.#startEventWorker(events, eventProcessor({ log: SILENT }, parts, options));
    this.#startWorker(queues, PUSHES, {
      concurrency: setting.DRAINS_MAX,
      process: ({ data: wake }) => push({ data: wake as Wake }),
    });
    this.#startWorker(queues, TIMERS, {
      concurrency: 1,
      process: timerProcessor(parts, signal),
    });
    this.#startWorker(queues, RECOVERY, { concurrency: 1, process: recover });
  }

  #startEventWorker(
    connection: Connection,
    process: (job: EventJob, token: string | undefined) => Promise<unknown>,
  ): void {
    const { change } = this.#options;
    const run: JobProcess = (job, token) => process(eventJob(connection, job), token);
    const finish: JobProcess = ({ id }, token) =>
      connection.call({ kind: "finish", queue: CRM_EVENTS, id, token });
    this.#startWorker(connection, CRM_EVENTS, {
      concurrency: setting.EVENT_CONCURRENCY,
      process: change.eventProcess?.(run, finish) ?? run,
    });
  }

  #startWorker(
    connection: Connection,
    queue: string,
    options: Pick<QueueWorkerOptions, "concurrency" | "process">,
  ): void {
    const isScheduled = queue === TIMERS || queue === RECOVERY;
    new QueueWorker({
      ...options,
      queue,
      name: this.owner.name,
      lockMs: setting.LEASE_MS,
      blocking: this.#connect("plain"),
      connection,
      kind: isScheduled ? "scheduled" : "locked",
    }).start();
  }

  #connect(mode: ConnectionMode): Connection {
    const connection = new Connection(this.#options.surroundings, this.owner, mode);
    this.#connections.push(connection);
    return connection;
  }
}

const SILENT = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
} as unknown as Parameters<typeof eventProcessor>[0]["log"];

/** What the waker asks of BullMQ's queue. */
function pushQueue(connection: Connection): Queue {
  const add = async (_name: string, data: Wake): Promise<unknown> => {
    const job = { id: undefined, data, deduplicationId: data.channel };
    return connection.call({ kind: "add", queue: PUSHES, job });
  };
  return { add } as unknown as Queue;
}

function failedJobs(connection: Connection): Pick<Queue, "getFailedCount" | "retryJobs"> {
  const queue = CRM_EVENTS;
  return {
    getFailedCount: async () => (await connection.call({ kind: "failed-count", queue })) as number,
    retryJobs: async () => {
      await connection.call({ kind: "retry-failed", queue });
    },
  };
}

function eventJob(connection: Connection, job: ModelJob): EventJob {
  const { id } = job;
  return {
    ...job,
    moveToDelayed: async (until: number, token = "") => {
      await connection.call({ kind: "delay", queue: CRM_EVENTS, id, token, until });
    },
  };
}
