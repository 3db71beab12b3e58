/**
 * A whole engine for one test: real Redis under a prefix of its own, real workers in this process, a
 * real sandbox marketplace. Everything is closed by `stop`.
 */
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { definitions } from "../../machines/registry.ts";
import type { OrderItemOptions } from "../../machines/order-item/options.ts";
import type { Config } from "../../src/config.ts";
import { decodeActor, encodeActor, type Actor } from "../../src/core/actor.ts";
import type { MachineDefinition } from "../../src/core/definition.ts";
import type { DeliveryEntry, JournalEntry } from "../../src/core/journal.ts";
import { replayAll } from "../../src/core/replay.ts";
import type { Notice } from "../../src/engine/notice.ts";
import { createLifecycle } from "../../src/lifecycle.ts";
import { createLogger } from "../../src/logger.ts";
import { startSandbox, type Sandbox } from "../../src/offergrid/sandbox/server.ts";
import type { SandboxOptions } from "../../src/offergrid/sandbox/behaviour.ts";
import { CRM_EVENTS } from "../../src/queue/queues.ts";
import { loadActors } from "../../src/store/actor-store.ts";
import { readJournal } from "../../src/store/item-store.ts";
import { startWorkers, type RunningWorkers } from "../../workers/main.ts";
import { eventually } from "./eventually.ts";
import { testConfig } from "./test-config.ts";

export interface HarnessOptions {
  readonly redisUrl: string;
  readonly config?: Partial<Config>;
  readonly sandbox?: Partial<SandboxOptions>;
  readonly orderItem?: Partial<OrderItemOptions>;
  readonly definitions?: readonly MachineDefinition[];
  readonly limitPerMinute?: number | null;
  readonly policy?: "every" | "latest";
}

export interface Harness extends RunningWorkers {
  readonly sandbox: Sandbox;
  readonly queue: Queue;
  readonly config: Config;
  readonly notices: readonly Notice[];
  /** Adds one job per event, in order. */
  readonly send: (...events: readonly { readonly type: string }[]) => Promise<void>;
  readonly actor: (itemId: string) => Promise<Actor | undefined>;
  readonly journal: (itemId: string) => Promise<JournalEntry[]>;
  /** Statuses that the marketplace applied, in order. */
  readonly seen: (itemId: string) => string[];
  /** Waits until nothing of the item is on its way, then returns its status. */
  readonly settled: (itemId: string, status: string) => Promise<void>;
  /** The journal, replayed, must give the stored bytes. */
  readonly assertReplays: (itemId: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

export async function startHarness(options: HarnessOptions): Promise<Harness> {
  const { redisUrl, limitPerMinute = null, policy = "every" } = options;
  const config = testConfig(redisUrl, options.config);
  const sandbox = await startSandbox({ adoptUnknownItems: true, ...options.sandbox });
  const log = createLogger(config.logLevel);
  const lifecycle = createLifecycle({ timeoutMs: 20_000, log });
  const notices: Notice[] = [];
  const account = {
    name: "default",
    apiKey: "sandbox-provider-key",
    baseUrl: sandbox.url,
    limitPerMinute,
    policy,
  };
  const workers = await startWorkers({
    config,
    redisUrl,
    accounts: [account],
    definitions: options.definitions ?? definitions({ orderItem: options.orderItem ?? {} }),
    log,
    lifecycle,
    tell: (notice) => notices.push(notice),
  });
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue(CRM_EVENTS, { connection, prefix: config.queuePrefix });
  const { engine } = workers;

  const text = async (itemId: string): Promise<string | undefined> =>
    (await loadActors(engine.store, [itemId]))[0];
  const actor = async (itemId: string): Promise<Actor | undefined> => {
    const stored = await text(itemId);
    return stored === undefined ? undefined : decodeActor(itemId, stored);
  };
  const journal = (itemId: string): Promise<JournalEntry[]> => readJournal(engine.store, itemId);
  return {
    ...workers,
    config,
    sandbox,
    queue,
    notices,
    send: async (...events) => {
      for (const event of events) await queue.add(event.type, event);
    },
    actor,
    journal,
    seen: (itemId) =>
      sandbox.market.log
        .filter((entry) => entry.itemId === itemId && entry.applied)
        .map((entry) => String(entry.status)),
    settled: async (itemId, status) => {
      await eventually(async () => {
        const now = await actor(itemId);
        const [machine] = engine.machines.all;
        const is = now?.snapshot && machine?.status(now.snapshot.value);
        if (is !== status) throw new Error(`item ${itemId} is ${is}, not ${status}`);
        const entries = await journal(itemId);
        const pending = effectsOf(entries).filter((id) => !endedEffects(entries).has(id));
        if (pending.length > 0) throw new Error(`not delivered yet: ${pending.join(", ")}`);
      });
    },
    assertReplays: async (itemId) => {
      const replayed = replayAll(engine.machines, itemId, await journal(itemId));
      const stored = await text(itemId);
      const again = replayed && encodeActor(replayed);
      if (again !== stored) throw new Error(`replay of ${itemId} gives\n${again}\nnot\n${stored}`);
    },
    stop: async () => {
      await queue.close();
      connection.disconnect();
      await lifecycle.shutdown("test over");
      await sandbox.close();
    },
  };
}

function effectsOf(entries: readonly JournalEntry[]): string[] {
  return entries.flatMap((entry) =>
    "change" in entry ? (entry.change?.effects ?? []).map(({ id }) => id) : [],
  );
}

function endedEffects(entries: readonly JournalEntry[]): Set<string> {
  const ended: readonly DeliveryEntry["outcome"][] = [
    "delivered",
    "merged",
    "superseded",
    "skipped",
  ];
  return new Set(
    entries.flatMap((entry) =>
      entry.kind === "delivery" && ended.includes(entry.outcome) ? [entry.effect] : [],
    ),
  );
}
