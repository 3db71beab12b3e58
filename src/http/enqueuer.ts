/**
 * Puts accepted events into the queue for all requests together: what arrives while Redis is busy
 * shares the next round trip. Each request has its answer within the time limit: "enqueued" only when
 * Redis has answered, "unavailable" in every other case, also when the jobs may have arrived.
 */
import { Gatherer } from "../engine/gatherer.ts";
import type { Logger } from "../logger.ts";
import type { IntakeQueue } from "../queue/intake-queue.ts";
import type { NewJob } from "../queue/producer.ts";

/** Requests in one round trip: as many as the producer puts into one. */
const BATCH_MAX = 50;

/** Round trips under way: one is packed while Redis works on the other. */
const SIDE_BY_SIDE = 2;

export type Enqueued = "enqueued" | "unavailable";

export type Enqueue = (jobs: readonly NewJob[]) => Promise<Enqueued>;

interface Order {
  readonly name: string;
  readonly jobs: readonly NewJob[];
  readonly isOver: () => boolean;
  readonly end: (outcome: Enqueued) => void;
}

export interface EnqueuerOptions {
  readonly queue: Pick<IntakeQueue, "add">;
  readonly timeoutMs: number;
  readonly log: Pick<Logger, "info" | "warn">;
}

/** Never rejects. */
export function openEnqueuer({ queue, timeoutMs, log }: EnqueuerOptions): Enqueue {
  const outage = openOutageLog(log);
  const handle = async (batch: readonly Order[]): Promise<void> => {
    // Whoever has had an answer will repeat the request; sending these as well is work for nothing.
    const waiting = batch.filter((order) => !order.isOver());
    if (waiting.length === 0) return;
    const outcome = await add(waiting.flatMap(({ jobs }) => jobs));
    for (const order of waiting) order.end(outcome);
  };
  const add = async (jobs: readonly NewJob[]): Promise<Enqueued> => {
    try {
      await queue.add(jobs);
    } catch (error) {
      outage.failed(error);
      return "unavailable";
    }
    outage.worked();
    return "enqueued";
  };
  const gatherer = new Gatherer<Order>({
    batchMax: BATCH_MAX,
    sideBySide: SIDE_BY_SIDE,
    keyOf: ({ name }) => name,
    handle,
  });
  let count = 0;
  return (jobs) =>
    new Promise((resolve) => {
      count += 1;
      let isOver = false;
      const end = (outcome: Enqueued): void => {
        isOver = true;
        clearTimeout(timer);
        resolve(outcome);
      };
      const timer = setTimeout(() => end("unavailable"), timeoutMs);
      gatherer.add({ name: String(count), jobs, isOver: () => isOver, end });
    });
}

/** An outage is two lines in the log, however many requests meet it. */
function openOutageLog(log: EnqueuerOptions["log"]) {
  let isOut = false;
  return {
    failed: (error: unknown): void => {
      if (!isOut)
        log.warn({ err: error }, "event queue did not take events; clients are sent away");
      isOut = true;
    },
    worked: (): void => {
      if (isOut) log.info({}, "event queue takes events again");
      isOut = false;
    },
  };
}
