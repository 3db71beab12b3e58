/**
 * Asks the marketplace by ourselves: for new orders often, for everything that is open now and then. A
 * BullMQ job scheduler ticks for each account and walk, and one process at a time has the turn.
 */
import type { Job, Queue, Worker } from "bullmq";
import { letterIdOf } from "../src/engine/event-identity.ts";
import type { Engine } from "../src/engine/engine.ts";
import { type DriftResult, type DriftSetting, watchDrift } from "../src/engine/poll-drift.ts";
import { pollOrders, type PollResult, type PollSetting } from "../src/engine/poll-orders.ts";
import { inTurn, type Walk } from "../src/engine/poll-turn.ts";
import type { PushAccount } from "../src/engine/push-ending.ts";
import { addJobs } from "../src/queue/producer.ts";
import { POLLS } from "../src/queue/queues.ts";
import type { WorkerSetting } from "./worker-setting.ts";
import { openWorker } from "./worker-setting.ts";

/** Walks under way in one process: each mostly waits for a permit or for an answer. */
const WALKS_MAX = 32;

/** Between two turns of each walk, ms; 0: it is not walked. */
export interface PollIntervals {
  readonly new: number;
  readonly drift: number;
}

export interface PollWorkerOptions {
  readonly accounts: readonly PushAccount[];
  readonly everyMs: PollIntervals;
  readonly graceMs: number;
  /** Where births go. */
  readonly crmEvents: Queue;
  readonly signal: AbortSignal;
}

interface PollJob {
  readonly account: string;
  readonly walk: Walk;
}

type Setting = Pick<WorkerSetting, "log" | "leaseMs">;

export function startPollWorker(
  setting: WorkerSetting,
  engine: Engine,
  options: PollWorkerOptions,
): Worker {
  const process = pollProcessor(setting, engine, options);
  return openWorker(setting, POLLS, { concurrency: WALKS_MAX, process });
}

/** Resolves with what became of the turn. */
export function pollProcessor(
  { log, leaseMs }: Setting,
  engine: Engine,
  options: PollWorkerOptions,
): (job: Pick<Job, "data">) => Promise<string> {
  const accounts = new Map(options.accounts.map((account) => [account.name, account]));
  return async (job) => {
    const { account: name, walk } = job.data as PollJob;
    const account = accounts.get(name);
    const everyMs = options.everyMs[walk];
    // A schedule of an earlier configuration.
    if (account === undefined || everyMs === 0) return "not-ours";
    const { graceMs, crmEvents, signal } = options;
    const announce: PollSetting["announce"] = (births) =>
      addJobs(
        crmEvents,
        // Whoever looks while the workers are down finds the same again: the queue knows it by its id.
        births.map((birth) => ({ id: letterIdOf(birth).replace(":", "-"), data: birth })),
      );
    // What stays as it was is in the sum: it would be told again with each walk.
    const onFinding: DriftSetting["onFinding"] = (finding) => {
      if ("repair" in finding) log.info(finding, "difference settled");
    };
    const result = await inTurn<PollResult | DriftResult>(
      engine,
      { account: name, walk, leaseMs, everyMs, signal },
      () =>
        walk === "new"
          ? pollOrders({ engine, account, signal, announce })
          : watchDrift({ engine, account, signal, graceMs, onFinding }),
    );
    const level = result.outcome === "failed" && !signal.aborted ? "warn" : "debug";
    log[level]({ account: name, walk, ...result }, "marketplace polled");
    return result.outcome;
  };
}

/** One schedule for each account and walk, whatever the number of processes. */
export async function schedulePolls(
  queue: Queue,
  accounts: readonly { readonly name: string }[],
  everyMs: PollIntervals,
): Promise<void> {
  const opts = { removeOnComplete: true, removeOnFail: true };
  for (const { name } of accounts) {
    for (const walk of ["new", "drift"] as const) {
      const id = `${walk}.${name}`;
      const every = everyMs[walk];
      const data: PollJob = { account: name, walk };
      if (every === 0) await queue.removeJobScheduler(id);
      else await queue.upsertJobScheduler(id, { every }, { name: walk, data, opts });
    }
  }
}
