/**
 * The event queue as the HTTP API adds to it: every call ends within a bounded time, whatever state
 * Redis is in, and what is resolved has been answered by Redis.
 *
 * A Redis that is away is told at once, without a wait for its return. One that is silent costs the
 * connection: what was written to it would otherwise pile up in memory for as long as it stays silent,
 * and be carried out long after the client heard a no. The next connection is made by itself.
 */
import { Queue } from "bullmq";
import { EngineError } from "../core/errors.ts";
import { connect } from "../store/connection.ts";
import { addJobs, type NewJob } from "./producer.ts";
import { CRM_EVENTS, type QueueLink } from "./queues.ts";

export interface IntakeQueue {
  /** Resolves when Redis has all jobs; after a rejection it may have some of them. */
  readonly add: (jobs: readonly NewJob[]) => Promise<void>;
  /** Rejects unless Redis answers within `timeoutMs` and takes a write. */
  readonly probe: (timeoutMs: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface IntakeQueueOptions extends QueueLink {
  /** Longest wait for any answer of Redis. */
  readonly timeoutMs: number;
  /** A key of ours that the probe writes. */
  readonly probeKey: string;
}

/** What the probe writes goes by itself. */
const PROBE_FOR_MS = 60_000;

/** Does not wait for Redis: until it is there, every call is refused with INTAKE_UNAVAILABLE. */
export function openIntakeQueue(options: IntakeQueueOptions): IntakeQueue {
  const { redisUrl, prefix, timeoutMs, probeKey } = options;
  const connection = connect(redisUrl, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    reconnectOnError: null,
  });
  // BullMQ asks for the version once, and a queue whose question failed refuses everything for ever.
  const queue = new Queue(CRM_EVENTS, { connection, prefix, skipVersionCheck: true });
  queue.on("error", () => undefined);

  const run = async (work: () => Promise<unknown>, withinMs: number): Promise<void> => {
    // BullMQ waits for its first connection without an end.
    if (connection.status !== "ready") throw unavailable("Redis is not connected");
    try {
      await within(withinMs, work());
    } catch (error) {
      // A master that became a replica keeps its connections: only a new one finds the new master.
      if (isReadOnly(error) && connection.status === "ready") connection.disconnect(true);
      throw error;
    }
  };
  return {
    add: (jobs) => run(() => addJobs(queue, jobs), timeoutMs),
    probe: (withinMs) =>
      run(() => connection.set(probeKey, Date.now(), "PX", PROBE_FOR_MS), withinMs),
    close: async () => {
      await queue.close();
      connection.disconnect();
    },
  };
}

async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(unavailable(`Redis has not answered for ${timeoutMs} ms`)),
      timeoutMs,
    );
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Redis 6 puts the word behind the name of the script. */
function isReadOnly(error: unknown): boolean {
  return error instanceof Error && error.message.includes("READONLY");
}

function unavailable(why: string): EngineError {
  return new EngineError("INTAKE_UNAVAILABLE", `${why}. Try again with the same events.`);
}
