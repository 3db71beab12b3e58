/** Composition root of the workers: everything one process needs to run items, opened and closed. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Queue, Worker } from "bullmq";
import type { MachineDefinition } from "../src/core/definition.ts";
import { registerMachines } from "../src/core/machine.ts";
import { paramsWithoutPersonalData } from "../src/core/personal-data.ts";
import { Applier } from "../src/engine/apply-events.ts";
import { WEBHOOKS_AT_ONCE } from "../src/engine/channel.ts";
import { Drains } from "../src/engine/drain.ts";
import { limitsOf } from "../src/engine/limits.ts";
import type { Engine } from "../src/engine/engine.ts";
import type { Notice, NoticesWebhook } from "../src/engine/notice.ts";
import { openPolicyHolder } from "../src/engine/policy-holder.ts";
import type { PushAccount } from "../src/engine/push-ending.ts";
import {
  askingFor,
  CHECKS_AT_ONCE,
  type ServiceabilityCheck,
} from "../src/engine/serviceability.ts";
import type { Config } from "../src/config.ts";
import { type Lifecycle, POINTLESS } from "../src/lifecycle.ts";
import type { Logger } from "../src/logger.ts";
import { openWebhookClient } from "../src/notices/webhook-client.ts";
import { openOffergridClient } from "../src/offergrid/offergrid-client.ts";
import {
  CRM_EVENTS,
  openQueue,
  POLLS,
  PUSHES,
  type QueueLink,
  RECOVERY,
  TIMERS,
} from "../src/queue/queues.ts";
import { openWaker } from "../src/queue/wake.ts";
import { withSeal } from "../src/store/seal-store.ts";
import { openStoreClock } from "../src/store/store-clock.ts";
import { answers, closeStore, openStore } from "../src/store/store.ts";
import { takesNoWrites } from "../src/store/write-refusal.ts";
import { startEventWorker } from "./event.worker.ts";
import { type PollIntervals, schedulePolls, startPollWorker } from "./poll.worker.ts";
import { startPushWorker } from "./push.worker.ts";
import { startRecoveryWorker } from "./recovery.worker.ts";
import { schedule, startTimerWorker } from "./timer.worker.ts";
import type { WorkerSetting } from "./worker-setting.ts";

/** What a process does of the work; several processes may share it out between them. */
export const WORKER_ROLES = ["events", "pushes", "timers", "recovery", "polls"] as const;

const SCHEDULE_AGAIN_MS = 1_000;

/** A walk makes one request at a time, and each account has two. */
const POLL_CONNECTIONS = 2;

export type WorkerRole = (typeof WORKER_ROLES)[number];

export interface WorkersOptions {
  readonly config: Config;
  readonly redisUrl: string;
  readonly accounts: readonly Account[];
  readonly definitions: readonly MachineDefinition[];
  readonly log: Logger;
  readonly lifecycle: Lifecycle;
  /** Default: all. Every role must be played by some process, else its part of the work waits. */
  readonly roles?: readonly WorkerRole[];
  /** Hears of reminders and other notices to operators. */
  readonly tell?: (notice: Notice) => void;
}

type Account = Extract<Config["marketplace"], { kind: "live" }>["accounts"][number];

export interface RunningWorkers {
  readonly engine: Engine;
  readonly applier: Applier;
}

/** Starts the workers of the roles. They end, in the right order, with the lifecycle. */
export async function startWorkers(options: WorkersOptions): Promise<RunningWorkers> {
  const { config, redisUrl, log, lifecycle, roles = WORKER_ROLES } = options;
  const link = { redisUrl, prefix: config.queuePrefix };
  const setting = { link, log, leaseMs: config.leaseMs };
  const opened = await openStore(redisUrl, { prefix: config.keyPrefix, shards: config.shards });
  lifecycle.onShutdown("store", () => closeStore(opened));
  const store = await withSeal(opened, config.encryptionKeys);
  const clock = await openStoreClock(store.redis);
  lifecycle.onShutdown("clock", async () => clock.close());
  const policy = await openPolicyHolder(store, { now: clock.now, log });
  lifecycle.onShutdown("SLA policy", async () => policy.close());

  const pushes = openQueue(PUSHES, link);
  const waker = openWaker(pushes.queue, (error, wake) => {
    log.warn({ err: error, ...wake }, "waking the push workers failed; the recovery sweep will");
  });
  lifecycle.onShutdown("push queue", async () => {
    await waker.idle();
    await pushes.close();
  });

  const drains = new Drains();
  const engine: Engine = {
    store,
    machines: registerMachines(options.definitions),
    limits: limitsOf(config),
    clocks: policy.clocks,
    asksAbout: askingFor(config.autoAccept),
    dedupeForMs: config.dedupeForMs,
    now: clock.now,
    // A drain that runs here hears of more work at once; else a push job tells whoever is free.
    wake: (lane) => {
      if (!drains.nudge(lane)) waker.wake(lane);
    },
  };
  const parts = { engine, applier: new Applier(engine) };
  const stopping = new AbortController();
  const starters = startersOf(options, {
    setting,
    parts,
    drains,
    signal: stopping.signal,
    breaks: store.breaks,
  });
  const workers = WORKER_ROLES.filter((role) => roles.includes(role)).map((role) =>
    starters[role](),
  );
  lifecycle.onShutdown("workers", async () => {
    stopping.abort();
    await Promise.all(workers.map((worker) => worker.close()));
  });
  // Whatever is open needs Redis to be closed. What it holds is kept, and taken over by others.
  lifecycle.onShutdown("Redis", async () => ((await answers(store)) ? undefined : POINTLESS));
  const scheduling = { link, log, signal: stopping.signal };
  const everySweep = (queue: Queue) => schedule(queue, config.sweepIntervalMs);
  if (roles.includes("timers")) await inQueue(TIMERS, scheduling, everySweep);
  if (roles.includes("recovery")) await inQueue(RECOVERY, scheduling, everySweep);
  if (roles.includes("polls")) {
    await inQueue(POLLS, scheduling, (queue) =>
      schedulePolls(queue, options.accounts, intervalsOf(config)),
    );
  }
  return parts;
}

function intervalsOf({ pollIntervalMs, driftIntervalMs }: Config): PollIntervals {
  return { new: pollIntervalMs, drift: driftIntervalMs };
}

interface StarterParts {
  readonly setting: WorkerSetting;
  readonly parts: RunningWorkers;
  readonly drains: Drains;
  readonly signal: AbortSignal;
  readonly breaks: () => number;
}

/** How each role begins, with what only that role needs. */
function startersOf(
  options: WorkersOptions,
  { setting, parts, drains, signal, breaks }: StarterParts,
): Readonly<Record<WorkerRole, () => Worker>> {
  const { config, log, lifecycle } = options;
  const loggable = (notice: Notice) => ({
    ...notice,
    params: paramsWithoutPersonalData(parts.engine.machines, notice),
  });
  const tell = options.tell ?? ((notice: Notice) => log.warn(loggable(notice), "operator notice"));
  return {
    events: () =>
      startEventWorker(setting, parts, {
        concurrency: config.eventConcurrency,
        crashLimit: config.crashLimit,
        breaks,
      }),
    pushes: () =>
      startPushWorker(setting, parts, {
        accounts: openAccounts(options, config.pushConcurrency),
        concurrency: config.pushConcurrency,
        tell,
        webhook: openWebhook(options),
        checks: openChecks(options),
        drains,
        signal,
        newOwner: randomUUID,
      }),
    timers: () => startTimerWorker(setting, parts, signal),
    recovery: () => {
      const crmEvents = openQueue(CRM_EVENTS, setting.link);
      lifecycle.onShutdown("event queue", () => crmEvents.close());
      return startRecoveryWorker(setting, parts.engine, crmEvents.queue);
    },
    polls: () => {
      const crmEvents = openQueue(CRM_EVENTS, setting.link);
      lifecycle.onShutdown("polls' event queue", () => crmEvents.close());
      return startPollWorker(setting, parts.engine, {
        accounts: openAccounts(options, POLL_CONNECTIONS),
        everyMs: intervalsOf(config),
        graceMs: config.driftGraceMs,
        crmEvents: crmEvents.queue,
        signal,
      });
    },
  };
}

function openAccounts(
  { accounts, config, lifecycle }: WorkersOptions,
  connections: number,
): PushAccount[] {
  return accounts.map(({ name, apiKey, baseUrl, limitPerMinute, policy }) => {
    const client = openOffergridClient({
      baseUrl,
      apiKey,
      timeoutMs: config.pushTimeoutMs,
      connections,
    });
    lifecycle.onShutdown(`account ${name}`, () => client.close());
    return { name, client, limitPerMinute, policy };
  });
}

function openWebhook({ config, lifecycle }: WorkersOptions): NoticesWebhook | undefined {
  const { notices } = config;
  if (notices.kind === "log") return undefined;
  const { url, secrets, to } = notices;
  const client = openWebhookClient({ url, secrets, connections: WEBHOOKS_AT_ONCE });
  lifecycle.onShutdown("notices", () => client.close());
  return { client, to };
}

function openChecks({
  config,
  lifecycle,
}: WorkersOptions): ReadonlyMap<string, ServiceabilityCheck> {
  const checks = (config.autoAccept ?? []).map(({ account, accepted, rejected, ...receiver }) => {
    const client = openWebhookClient({ ...receiver, connections: CHECKS_AT_ONCE, keeps: "body" });
    lifecycle.onShutdown(`serviceability of ${account}`, () => client.close());
    return [account, { client, templates: { accepted, rejected } }] as const;
  });
  return new Map(checks);
}

interface Scheduling {
  readonly link: QueueLink;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** What is full for a while keeps no process from starting: it waits until Redis takes its schedule. */
async function inQueue(
  name: string,
  { link, log, signal }: Scheduling,
  write: (queue: Queue) => Promise<void>,
): Promise<void> {
  const { queue, close } = openQueue(name, link);
  try {
    for (let tries = 1; ; tries += 1) {
      try {
        return await write(queue);
      } catch (error) {
        if (!takesNoWrites(error)) throw error;
        if (tries === 1) log.warn({ err: error, queue: name }, "Redis takes no writes; waiting");
        await delay(SCHEDULE_AGAIN_MS, undefined, { signal });
      }
    }
  } finally {
    await close();
  }
}
