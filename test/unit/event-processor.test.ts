import { DEFAULT_CLOCKS } from "../../src/sla/clockwork.ts";
import { DelayedError } from "bullmq";
import { expect, test } from "vitest";
import { definitions } from "../../machines/registry.ts";
import { registerMachines } from "../../src/core/machine.ts";
import { Applier } from "../../src/engine/apply-events.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { createLogger } from "../../src/logger.ts";
import { MemoryRedis, memoryCommands } from "../../src/store/memory/memory-redis.ts";
import { type EventJob, eventProcessor } from "../../workers/event.worker.ts";
import { orderEvent } from "../support/order-item-events.ts";

function memoryEngine(): Engine {
  const memory = new MemoryRedis(Date.now);
  return {
    store: {
      redis: memoryCommands(async (name, args) => memory.call(name, args)),
      layout: { prefix: "ow", shards: 1 },
    },
    machines: registerMachines(definitions({ orderItem: {} })),
    limits: {
      parkedForMs: 60_000,
      unknownItemForMs: 60_000,
      parkedMax: 10,
      journalMax: 100,
      timersPerDecision: 10,
    },
    clocks: () => DEFAULT_CLOCKS,
    dedupeForMs: 60_000,
    now: Date.now,
    wake: () => undefined,
  };
}

test("a job is not completed over a connection that broke meanwhile, and its repeat is answered", async () => {
  const engine = memoryEngine();
  let breaks = 0;
  const putBack: number[] = [];
  const process = eventProcessor(
    { log: createLogger("silent") },
    { engine, applier: new Applier(engine) },
    { crashLimit: 5, breaks: () => breaks },
  );
  const job: EventJob = {
    id: "1",
    data: orderEvent("order.received"),
    timestamp: Date.now(),
    stalledCounter: 0,
    moveToDelayed: async (until) => void putBack.push(until),
  };

  const interrupted = process(job, "token");
  breaks += 1;
  await expect(interrupted).rejects.toBeInstanceOf(DelayedError);
  expect(putBack).toHaveLength(1);

  expect(await process(job, "token")).toMatchObject([{ outcome: "applied", duplicate: true }]);
  expect(putBack).toHaveLength(1);
});
