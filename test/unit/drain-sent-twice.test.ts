import { DEFAULT_CLOCKS } from "../../src/sla/clockwork.ts";
import { expect, test } from "vitest";
import type { OutboxEffect } from "../../src/core/decision.ts";
import { FREE } from "../../src/engine/channel.ts";
import { Drains } from "../../src/engine/drain.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { delivered, headOf } from "../../src/engine/settlement.ts";
import { type Commit, commitActors } from "../../src/store/actor-store.ts";
import { MemoryRedis, memoryCommands } from "../../src/store/memory/memory-redis.ts";
import { readLanes } from "../../src/store/outbox-store.ts";
import { encodeEffect } from "../../src/store/sealed-texts.ts";
import { claimLanesScript, settleLanesScript } from "../../src/store/scripts.ts";
import { LIMITS } from "../support/small-machine.ts";
import { registerMachines } from "../../src/core/machine.ts";

const ADDRESS = { shard: 0, channel: "operator" };
const LAYOUT = { prefix: "ow", shards: 1 };
const NOW = 1_000;

function effectOf(place: number): OutboxEffect {
  const id = `item-1:${place}:0`;
  return { id, name: "tell", params: {}, channel: ADDRESS.channel, isUrgent: false, at: NOW };
}

function commitOf(effects: readonly OutboxEffect[]): Commit {
  return {
    itemId: "item-1",
    opening: "",
    actorText: "1 {}",
    decidedAt: NOW,
    marks: [],
    answers: [],
    entries: [],
    effects: effects.map((effect) => [effect.channel, encodeEffect(effect)] as const),
    deadLetters: [],
    lookFirst: [],
  };
}

type Call = Parameters<MemoryRedis["call"]>;

/** A connection that breaks when a settlement and the next claim have been executed and not answered: both
 * are sent again, in order, and the second replies are what the callers get. */
function breakingConnection(onSettlement: () => void) {
  const memory = new MemoryRedis(() => NOW);
  let held: { readonly call: Call; readonly answer: (reply: unknown) => void } | undefined;
  let hasBroken = false;
  const redis = memoryCommands(async (...call) => {
    const [sha] = call[1];
    if (!hasBroken && sha === settleLanesScript.sha && call[0] === "evalsha") {
      const reply = new Promise<unknown>((answer) => (held = { call, answer }));
      onSettlement();
      return reply;
    }
    if (held === undefined || sha !== claimLanesScript.sha) return memory.call(...call);
    const { call: settlement, answer } = held;
    held = undefined;
    hasBroken = true;
    memory.call(...settlement);
    memory.call(...call);
    answer(memory.call(...settlement));
    return memory.call(...call);
  });
  return { memory, redis };
}

test("a settlement that is executed twice ends one effect", async () => {
  const drains = new Drains();
  const { memory, redis } = breakingConnection(() => {
    // More has come, so the drain claims again while its settlement is not answered.
    setImmediate(() => drains.nudge(ADDRESS));
  });
  const engine: Engine = {
    store: { redis, layout: LAYOUT },
    machines: registerMachines([]),
    limits: LIMITS,
    clocks: () => DEFAULT_CLOCKS,
    dedupeForMs: 60_000,
    now: () => NOW,
    wake: () => undefined,
  };
  const effects = [effectOf(1), effectOf(2)];
  await commitActors(engine.store, 0, { commits: [commitOf(effects)], dedupeForMs: 60_000 });
  // Redis knows the scripts by now, so a settlement is one command.
  const empty = memoryCommands(async (...call) => memory.call(...call));
  await settleLanesScript.run(empty, "ow:{s0}:", [ADDRESS.channel, NOW, 0]);

  const told: string[] = [];
  await drains.run(engine, {
    channel: ADDRESS.channel,
    owner: "drain-1",
    leaseMs: 60_000,
    concurrency: 4,
    permits: FREE,
    deliver: async (lane) => {
      const delivery = headOf(lane, ADDRESS.channel, NOW);
      told.push(delivery.effect.id);
      return delivered(delivery, { now: NOW });
    },
    log: { error: () => undefined },
    signal: new AbortController().signal,
  });

  const left = (await readLanes(engine.store, "item-1")).flatMap(({ pending }) => pending);
  expect([...told, ...left.map(({ id }) => id)]).toEqual(effects.map(({ id }) => id));
});
