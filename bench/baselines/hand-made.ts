/** The hand-made BullMQ + XState worker as a contestant: the yardstick for our own engine. */
import { Redis } from "ioredis";
import { startScript, type Child } from "../child-process.ts";
import type { Contestant, Surroundings } from "../contestant.ts";
import { Producer } from "../producer.ts";
import { birthEvents, measuredEvents } from "../workload.ts";

/** @param concurrency jobs in flight in the worker; its own best figure unless given. */
export function handMade(concurrency?: string): Contestant {
  let worker: Child;
  let producer: Producer;
  let redis: Redis;
  return {
    name: "hand-made",
    async start({ redisUrl, stubUrl, effects }: Surroundings) {
      producer = new Producer("hand-made-events", redisUrl);
      redis = new Redis(redisUrl);
      worker = startScript("bench/baselines/hand-made.worker", {
        REDIS_URL: redisUrl,
        OFFERGRID_API_KEY: "bench-key",
        ...(concurrency === undefined ? {} : { HAND_MADE_CONCURRENCY: concurrency }),
        ...(effects === "with-patch" ? { OFFERGRID_BASE_URL: stubUrl } : {}),
      });
    },
    begin: (items) => producer.enqueue(birthEvents(items)),
    enqueueAll: (items) => producer.enqueue(measuredEvents(items)),
    async openEvents() {
      worker.assertAlive();
      return producer.openJobs();
    },
    workerPid: () => worker.pid,
    async verify(items) {
      const stored = await redis.mget(items.map((item) => `order:${item}`));
      const unfinished = stored.filter((text) => statusIn(text) !== "active").length;
      const failed = await producer.failedJobs();
      return [
        ...(unfinished > 0 ? [`${unfinished} items are not active`] : []),
        ...(failed > 0 ? [`${failed} jobs failed`] : []),
      ];
    },
    stopWorker: () => worker.stop(),
    async close() {
      redis.disconnect();
      await producer.close();
    },
  };
}

function statusIn(text: string | null): unknown {
  if (text === null) return undefined;
  return (JSON.parse(text) as { readonly value?: unknown }).value;
}
