/** Whatever a job holds, each of its events ends in the item's journal or among the dead letters. */
import { DEFAULT_CLOCKS } from "../../src/sla/clockwork.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createMachine } from "xstate";
import { definitions } from "../../machines/registry.ts";
import type { Limits } from "../../src/core/decision.ts";
import { EVENT_BATCH_MAX, type JsonObject } from "../../src/core/event.ts";
import { registerMachines } from "../../src/core/machine.ts";
import { readEvents } from "../../src/core/read-event.ts";
import { replayAll } from "../../src/core/replay.ts";
import { encodeActor } from "../../src/core/actor.ts";
import { Applier } from "../../src/engine/apply-events.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { handleJob } from "../../src/engine/handle-job.ts";
import { loadActors } from "../../src/store/actor-store.ts";
import { listDeadLetters } from "../../src/store/dead-letter-store.ts";
import { readJournal } from "../../src/store/item-store.ts";
import { MemoryRedis, memoryCommands } from "../../src/store/memory/memory-redis.ts";
import { anyJson, damaged, viciousText } from "../support/arbitrary-json.ts";
import { orderEvent } from "../support/order-item-events.ts";
import { smallDefinition } from "../support/small-machine.ts";

const MACHINES = registerMachines(definitions());
const LIMITS: Limits = {
  parkedForMs: 60_000,
  unknownItemForMs: 60_000,
  parkedMax: 3,
  journalMax: 8,
  timersPerDecision: 20,
};
const NOW = Date.parse("2026-03-02T12:00:00Z");

function openEngine(): Engine {
  const redis = new MemoryRedis(() => NOW);
  return {
    store: {
      redis: memoryCommands(async (name, args) => redis.call(name, args)),
      layout: { prefix: "t", shards: 2 },
    },
    machines: MACHINES,
    limits: LIMITS,
    clocks: () => DEFAULT_CLOCKS,
    dedupeForMs: 1_000_000,
    now: () => NOW,
    wake: () => undefined,
  };
}

const TYPES = [
  "order.received",
  "order.received",
  "order.accepted",
  "appointment.scheduled",
  "status.observed",
  "order.cancelled",
  "order.noted",
] as const;

const SUBJECTS = ["i", "i:i", "__proto__", "constructor"];

/** Sound events of a few items, some with their data or their envelope spoiled. */
const event = fc.oneof(
  { weight: 1, arbitrary: anyJson },
  ...TYPES.map((type) => {
    const { data, ...sound } = orderEvent(type);
    const parts = fc.record({
      envelope: fc.oneof(fc.constant(sound), damaged(sound)),
      filling: fc.oneof(fc.constant(data), damaged(data)),
      subject: fc.constantFrom(...SUBJECTS),
      id: fc.constantFrom("e0", "e1", "e2", "e3", "e4"),
    });
    const arbitrary = parts.map(({ envelope, filling, subject, id }) => {
      return { ...(envelope as JsonObject), subject, id, data: filling };
    });
    return { weight: 2, arbitrary };
  }),
);
const job = fc.oneof(
  event,
  fc.array(event, { maxLength: 6 }),
  fc.constant([...Array(EVENT_BATCH_MAX + 1).keys()]),
  viciousText,
);

test(
  "no job is refused by the engine, and none of its events is lost",
  { timeout: 30_000 },
  async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(job, { minLength: 1, maxLength: 5 }), async (jobs) => {
        const engine = openEngine();
        const applier = new Applier(engine);
        for (const [index, data] of jobs.entries()) {
          const each = { id: String(index), data: data as unknown, enqueuedAt: NOW };
          const answers = await handleJob(engine, applier, each);
          expect(answers).toHaveLength(readEvents(data, NOW).length);
          for (const answer of answers) {
            seen.add(answer.outcome);
            if (answer.outcome !== "dead-letter" || "duplicate" in answer) continue;
            const letters = await listDeadLetters(engine.store, 100);
            expect(letters.map(({ problem }) => problem.code)).toContain(answer.problem?.code);
          }
        }
        for (const itemId of SUBJECTS) {
          const [text] = await loadActors(engine.store, [itemId]);
          const again = replayAll(MACHINES, itemId, await readJournal(engine.store, itemId));
          expect(again && encodeActor(again)).toBe(text);
        }
      }),
      { numRuns: 400 },
    );
    // The jobs are worth something: they begin items, wait, are refused and die.
    expect([...seen]).toEqual(
      expect.arrayContaining(["applied", "dead-letter", "parked", "rejected"]),
    );
  },
);

test("one id for facts of two items gives two dead letters", async () => {
  const engine = openEngine();
  const facts = ["a", "b", "c", "d"].map((subject) => ({
    ...orderEvent("order.noted", { id: "one", subject }),
    type: "order.unheard-of",
  }));
  await handleJob(engine, new Applier(engine), { id: "j", data: facts, enqueuedAt: NOW });
  expect(await listDeadLetters(engine.store, 10)).toHaveLength(4);
});

test("a type that only JavaScript knows is unknown, and harms no event beside it", async () => {
  const engine = openEngine();
  const events = [
    orderEvent("order.received", { subject: "i" }),
    { ...orderEvent("order.noted", { subject: "i" }), type: "constructor" },
    orderEvent("order.accepted", { subject: "i" }),
  ];
  const answers = await handleJob(engine, new Applier(engine), {
    id: "j",
    data: events,
    enqueuedAt: NOW,
  });
  expect(answers.map(({ outcome, problem }) => problem?.code ?? outcome)).toEqual([
    "applied",
    "EVENT_TYPE_UNKNOWN",
    "applied",
  ]);
});

test("an event on which the definition throws takes none of its job down with it", async () => {
  const chart = createMachine({ initial: "a", states: { a: { on: { go: {} } } } });
  const small = smallDefinition(chart, ["go"], {
    refuse: ({ id }) => {
      if (id === "bad") throw new TypeError("nothing here");
      return undefined;
    },
  });
  const engine = { ...openEngine(), machines: registerMachines([small]) };
  const events = ["born", "1", "bad", "2", "bad", "3"].map((id) => ({
    specversion: "1.0",
    id,
    source: "crm/a",
    type: id === "born" ? "born" : "go",
    subject: "i",
  }));
  const answers = await handleJob(engine, new Applier(engine), {
    id: "j",
    data: events,
    enqueuedAt: NOW,
  });
  expect(answers.map(({ outcome }) => outcome)).toEqual([
    "applied",
    "applied",
    "dead-letter",
    "applied",
    "dead-letter",
    "applied",
  ]);
  expect(await listDeadLetters(engine.store, 10)).toHaveLength(1);
});
