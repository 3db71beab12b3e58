/**
 * The stage of a demonstration: sandbox marketplace, workers and the front door's queue, all in this
 * process and on a real Redis. Stories are told through the queue, as any BullMQ producer would.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Queue } from "bullmq";
import { definitions } from "../../machines/registry.ts";
import { type RunningWorkers, startWorkers } from "../../workers/main.ts";
import type { Config } from "../config.ts";
import { encodeActor } from "../core/actor.ts";
import type { JournalEntry } from "../core/journal.ts";
import { replayAll } from "../core/replay.ts";
import type { Engine } from "../engine/engine.ts";
import type { Lifecycle } from "../lifecycle.ts";
import { createLogger } from "../logger.ts";
import { type Sandbox, startSandbox } from "../offergrid/sandbox/server.ts";
import { CRM_EVENTS, openQueue } from "../queue/queues.ts";
import { loadActors } from "../store/actor-store.ts";
import { listDeadLetters } from "../store/dead-letter-store.ts";
import { readJournal } from "../store/item-store.ts";
import { type Evidence, openEffects } from "./demo-evidence.ts";
import { ALL_FLAGS } from "./demo-pairs.ts";
import type { DemoRedis } from "./demo-redis.ts";
import type { Story } from "./demo-story.ts";

export interface Stage {
  readonly engine: Engine;
  readonly sandbox: Sandbox;
  readonly queue: Queue;
}

/** Between looks at whether all is done, ms. */
const LOOK_EVERY_MS = 10;
const LETTERS_MAX = 1_000;
const HOUR_MS = 3_600_000;

/** Opens everything; it is closed, in the right order, with the lifecycle. */
export async function openStage(
  config: Config,
  redis: DemoRedis,
  lifecycle: Lifecycle,
): Promise<Stage> {
  const sandbox = await startSandbox({ adoptUnknownItems: true });
  lifecycle.onShutdown("sandbox marketplace", () => sandbox.close());
  const demoConfig = configOf(config, redis.prefix);
  const { engine } = await startDemoWorkers(demoConfig, { redis, sandbox, lifecycle });
  const link = { redisUrl: redis.url, prefix: demoConfig.queuePrefix };
  const { queue, close } = openQueue(CRM_EVENTS, link);
  lifecycle.onShutdown("front door", close);
  return { engine, sandbox, queue };
}

async function startDemoWorkers(
  config: Config,
  {
    redis,
    sandbox,
    lifecycle,
  }: { readonly redis: DemoRedis; readonly sandbox: Sandbox; readonly lifecycle: Lifecycle },
): Promise<RunningWorkers> {
  return startWorkers({
    config,
    redisUrl: redis.url,
    accounts: [
      {
        name: "default",
        apiKey: "sandbox-provider-key",
        baseUrl: sandbox.url,
        limitPerMinute: null,
        policy: "every",
      },
    ],
    definitions: definitions({ orderItem: { ...ALL_FLAGS, noteUpdates: true } }),
    log: createLogger("silent"),
    lifecycle,
    tell: () => undefined,
  });
}

/** The stories count on these limits, whatever the installation has chosen for its own items. */
function configOf(config: Config, prefix: string): Config {
  return {
    ...config,
    keyPrefix: prefix,
    // Nobody but the stories tells the items anything.
    pollIntervalMs: 0,
    driftIntervalMs: 0,
    // The braces keep a queue's keys in one slot, which a Redis Cluster asks for.
    queuePrefix: `{${prefix}}`,
    parkedForMs: HOUR_MS,
    unknownItemForMs: HOUR_MS,
    parkedMax: 50,
    journalMax: 1_000,
    // Nobody is to hear of invented orders.
    notices: { kind: "log" },
  };
}

/** Tells all stories at once, wave by wave, and resolves when nothing is under way any more. */
export async function tell(
  stage: Stage,
  stories: readonly Story[],
  stop: AbortSignal,
): Promise<void> {
  const jobs = stories.flatMap((story) => story.jobs);
  const last = Math.max(...jobs.map(({ wave }) => wave));
  for (let wave = 0; wave <= last && !stop.aborted; wave += 1) {
    const due = jobs.filter((job) => job.wave === wave);
    await stage.queue.addBulk(due.map(({ name, data }) => ({ name, data })));
    await until(async () => (await jobsUnderWay(stage.queue)) === 0, stop);
  }
  await until(async () => {
    const journals = await readJournals(stage.engine, stories);
    return [...journals.values()].every((journal) => openEffects(journal).length === 0);
  }, stop);
}

async function until(isSo: () => Promise<boolean>, stop: AbortSignal): Promise<void> {
  while (!stop.aborted && !(await isSo())) await delay(LOOK_EVERY_MS);
}

async function jobsUnderWay(queue: Queue): Promise<number> {
  return queue.getJobCountByTypes("waiting", "active", "delayed", "prioritized");
}

/** What is recorded now. */
export async function gather(
  { engine, sandbox }: Stage,
  stories: readonly Story[],
): Promise<Evidence> {
  const [journals, letters, actors] = await Promise.all([
    readJournals(engine, stories),
    listDeadLetters(engine.store, LETTERS_MAX),
    loadActors(
      engine.store,
      stories.map(({ itemId }) => itemId),
    ),
  ]);
  const unreplayed = stories.flatMap(({ itemId }, index) =>
    isReplayed(engine, { itemId, journal: journals.get(itemId) ?? [], stored: actors[index] })
      ? []
      : [itemId],
  );
  return { journals, letters, log: sandbox.market.log, unreplayed: new Set(unreplayed) };
}

async function readJournals(
  { store }: Engine,
  stories: readonly Story[],
): Promise<ReadonlyMap<string, readonly JournalEntry[]>> {
  const read = stories.map(
    async ({ itemId }) => [itemId, await readJournal(store, itemId)] as const,
  );
  return new Map(await Promise.all(read));
}

function isReplayed(
  { machines }: Engine,
  item: {
    readonly itemId: string;
    readonly journal: readonly JournalEntry[];
    readonly stored: string | undefined;
  },
): boolean {
  try {
    const replayed = replayAll(machines, item.itemId, item.journal);
    return (replayed && encodeActor(replayed)) === item.stored;
  } catch {
    return false;
  }
}
