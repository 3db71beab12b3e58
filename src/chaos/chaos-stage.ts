/** Everything that a run works with, opened in order and closed in the other: Redis, the marketplace, the
 * deployment under test, and the observer's own connections, which no fault reaches. */
import type { Queue } from "bullmq";
import { startSandbox } from "../offergrid/sandbox/server.ts";
import type { Market } from "../offergrid/sandbox/market.ts";
import { CRM_EVENTS, openQueue } from "../queue/queues.ts";
import { closeStore, type ConnectedStore, openStore } from "../store/store.ts";
import { type FrontDoor, httpDoor, queueDoor } from "./front-doors.ts";
import { putIntoForce, TESTED_POLICIES } from "./policy-change.ts";
import { type Durability, openTestedRedis, type TestedRedis } from "./redis-faults.ts";
import { KEY_PREFIX, SHARDS, startDeployment, type TestedDeployment } from "./tested-deployment.ts";

export interface StageSetting {
  readonly seed: number;
  readonly redis: "single" | "sentinel";
  readonly appendfsync: Durability;
  /** The run's own folder. */
  readonly directory: string;
  readonly log: (line: string) => void;
}

export interface OpenStage {
  readonly redis: TestedRedis;
  readonly market: Market;
  readonly deployment: TestedDeployment;
  /** Ways in: the queue first. */
  readonly doors: readonly [FrontDoor, ...FrontDoor[]];
  readonly store: ConnectedStore;
  readonly crmEvents: Queue;
  /** Whether more jobs wait than a deployment on its feet would let wait. */
  readonly isBehind: () => boolean;
  readonly close: () => Promise<void>;
}

/** Every request is evidence: none may leave the log. */
const LOG_LIMIT = 10_000_000;

/** Jobs; far more than a healthy deployment ever has waiting. */
const BEHIND_JOBS = 2_000;
const LOOK_EVERY_MS = 500;

export async function openStage(setting: StageSetting): Promise<OpenStage> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const each of closers.toReversed()) await each();
  };
  try {
    return { ...(await openParts(setting, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openParts(
  { seed, redis: kind, appendfsync, directory, log }: StageSetting,
  closers: (() => Promise<unknown>)[],
): Promise<Omit<OpenStage, "close">> {
  const redis = await openTestedRedis(kind, appendfsync);
  closers.push(() => redis.close());
  const sandbox = await startSandbox({ adoptUnknownItems: true, seed, logLimit: LOG_LIMIT });
  closers.push(() => sandbox.close());
  const store = await openStore(redis.url, { prefix: KEY_PREFIX, shards: SHARDS });
  closers.push(() => closeStore(store));
  await putIntoForce(store, TESTED_POLICIES.first);
  const observed = openQueue(CRM_EVENTS, { redisUrl: redis.url, prefix: KEY_PREFIX });
  closers.push(() => observed.close());
  const producing = openQueue(CRM_EVENTS, { redisUrl: redis.testedUrl, prefix: KEY_PREFIX });
  closers.push(() => producing.close());
  const deployment = await startDeployment({
    redisUrl: redis.testedUrl,
    marketplaceUrl: sandbox.url,
    directory,
    log,
  });
  closers.push(() => deployment.kill());
  const waiting = watchWaiting(observed.queue);
  closers.push(async () => waiting.end());
  return {
    redis,
    market: sandbox.market,
    deployment,
    doors: [queueDoor(producing.queue), ...deployment.apiUrls.map(httpDoor)],
    store,
    crmEvents: observed.queue,
    isBehind: () => waiting.jobs() > BEHIND_JOBS,
  };
}

/** Looks now and then; while Redis is away, what was seen last counts. */
function watchWaiting(queue: Queue): { readonly jobs: () => number; readonly end: () => void } {
  let [jobs, isLooking] = [0, false];
  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    jobs = await queue.getWaitingCount().catch(() => jobs);
    isLooking = false;
  };
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  return { jobs: () => jobs, end: () => clearInterval(timer) };
}
