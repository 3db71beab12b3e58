/**
 * Orderwright as a contestant: its worker process as in production, fed through the public queue. Twice:
 * as its own client feeds it in bulk, up to 100 events in a job, and with one event in each job, which
 * is what a plain producer does that adds events as they happen.
 */
import { loadConfig } from "../src/config.ts";
import { countByStatus } from "../src/store/item-store.ts";
import { closeStore, openStore } from "../src/store/store.ts";
import { startScript, type Child } from "./child-process.ts";
import type { Contestant, Surroundings } from "./contestant.ts";
import { Producer } from "./producer.ts";
import { birthEvents, measuredEvents } from "./workload.ts";

export function engine(name: string, eventsPerJob: number): Contestant {
  let worker: Child;
  let producer: Producer;
  let settings: Record<string, string>;
  return {
    name,
    async start(surroundings) {
      settings = settingsFor(surroundings);
      producer = new Producer("crm-events", surroundings.redisUrl, eventsPerJob);
      worker = startScript("bench/engine.worker", settings);
    },
    begin: (items) => producer.enqueue(birthEvents(items)),
    enqueueAll: (items) => producer.enqueue(measuredEvents(items)),
    async openEvents() {
      worker.assertAlive();
      return producer.openJobs();
    },
    workerPid: () => worker.pid,
    async verify(items) {
      const unfinished = items.length - (await activeItems(settings));
      const failed = await producer.failedJobs();
      return [
        ...(unfinished !== 0 ? [`${unfinished} items are not active`] : []),
        ...(failed > 0 ? [`${failed} jobs failed`] : []),
      ];
    },
    stopWorker: () => worker.stop(),
    close: () => producer.close(),
  };
}

/** Without PATCH no marketplace is configured. */
function settingsFor({ redisUrl, stubUrl, effects }: Surroundings): Record<string, string> {
  const settings = { REDIS_URL: redisUrl, ORDERWRIGHT_LOG_LEVEL: "warn" };
  if (effects === "without-patch") return settings;
  return {
    ...settings,
    OFFERGRID_BASE_URL: stubUrl,
    OFFERGRID_API_KEY: "bench-key",
    OFFERGRID_LIMIT_PER_MINUTE: "unlimited",
  };
}

/** Counted by the store's own index, which every commit writes together with the state. */
async function activeItems(settings: Record<string, string>): Promise<number> {
  const { redis, keyPrefix, shards } = loadConfig(settings);
  if (redis.kind !== "url") throw new Error("The bench measures against a Redis of its own.");
  const store = await openStore(redis.url, { prefix: keyPrefix, shards });
  const counts = await countByStatus(store, ["active"]);
  await closeStore(store);
  return counts["active"] ?? 0;
}
