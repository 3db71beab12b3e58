/** One run: the deployment of a plan, disturbed as the plan says, until nothing is under way any more. */
import type { FaultRecord, History, NoticeRecord, SentEvent } from "../../src/history/history.ts";
import { CRM_EVENTS, PUSHES, RECOVERY, TIMERS } from "../../src/queue/queues.ts";
import type { Notice } from "../../src/engine/notice.ts";
import { POLICY_ADOPTED_WITHIN_MS } from "../../src/engine/policy-holder.ts";
import { isClockEvent } from "../../src/core/clock-event.ts";
import { memoryCommands } from "../../src/store/memory/memory-redis.ts";
import { recordServer } from "../../src/store/new-server.ts";
import { allShards, shardPrefix } from "../../src/store/keys.ts";
import type { Surroundings } from "./connection.ts";
import { Disturbance } from "./disturbance.ts";
import { installGlobals } from "./globals.ts";
import { Marketplace } from "./marketplace.ts";
import type { Plant } from "./plants.ts";
import type { RunPlan } from "./plan.ts";
import { beginWithPolicy, isMeasured, policyVersion } from "./policies.ts";
import { Producer } from "./producer.ts";
import { randomOf } from "./random.ts";
import { RedisServer } from "./redis-server.ts";
import { LAYOUT, SWEEP_MS } from "./setting.ts";
import { readRecords } from "./stored-records.ts";
import { World } from "./world.ts";

export interface RunOptions {
  readonly plant?: Plant | undefined;
  readonly trace?: ((line: string) => void) | undefined;
}

export interface RunResult {
  readonly history: History;
  /** What the history cannot tell: code that threw, a run that never came to rest. */
  readonly problems: readonly string[];
  readonly steps: number;
  readonly hash: number;
}

/** After the last fault and the last event: an outage's back-offs and parked events end within it. */
const REST_MS = 30 * 60_000;

/** How often it is looked whether all is over. */
const LOOK_MS = 1_000;

/** A timer that is due later than this is not waited for. */
const HORIZON_MS = 30 * 60_000;

/** The interleaving is drawn from another generator than the plan, so that shrinking keeps its own. */
const INTERLEAVING = 0x51ed270b;

export async function simulate(plan: RunPlan, options: RunOptions = {}): Promise<RunResult> {
  const world = new World(randomOf(plan.seed ^ INTERLEAVING), options.trace);
  const restore = installGlobals(world);
  const onRejection = (error: unknown): void => {
    world.problems.push(`nobody handled the rejection ${String(error)}`);
  };
  process.on("unhandledRejection", onRejection);
  try {
    return await new Simulation(world, plan, options.plant).run();
  } finally {
    process.off("unhandledRejection", onRejection);
    restore();
  }
}

class Simulation {
  readonly #world: World;
  readonly #plan: RunPlan;
  readonly #server: RedisServer;
  readonly #marketplace: Marketplace;
  readonly #producer: Producer;
  readonly #disturbance: Disturbance;
  readonly #notices: NoticeRecord[] = [];

  constructor(world: World, plan: RunPlan, plant: Plant | undefined) {
    this.#world = world;
    this.#plan = plan;
    this.#server = new RedisServer(world, [CRM_EVENTS, PUSHES, TIMERS, RECOVERY]);
    this.#server.intercept = plant?.server;
    this.#marketplace = new Marketplace(world, plan.marketplace, (owner, what) =>
      this.#disturbance.onDone(owner, what),
    );
    const surroundings: Surroundings = {
      world,
      server: this.#server,
      latencyMs: () => this.#disturbance.latencyMs(),
      downUntil: () => this.#disturbance.downUntil,
      onDone: (owner, what) => this.#disturbance.onDone(owner, what),
    };
    this.#producer = new Producer(surroundings, plan);
    this.#disturbance = new Disturbance({
      surroundings,
      plan,
      marketplace: this.#marketplace,
      producer: this.#producer,
      change: plant?.process ?? {},
      tell: (notice) => this.#hear(notice),
    });
  }

  async run(): Promise<RunResult> {
    const world = this.#world;
    await this.#recordEarlierStart();
    await beginWithPolicy(this.#server.memory);
    for (const { itemId } of this.#plan.items) this.#marketplace.order(itemId);
    this.#producer.begin();
    this.#disturbance.begin();
    this.#tick();
    await world.run(this.#untilQuiet());
    return {
      history: await this.#history(),
      problems: world.problems,
      steps: world.steps,
      hash: world.hash,
    };
  }

  /** The deployment is not new: a Redis that forgets the very first start has nothing else to forget. */
  async #recordEarlierStart(): Promise<void> {
    const { memory } = this.#server;
    const redis = memoryCommands(async (name, args) => memory.call(name, args));
    await recordServer({ redis, layout: LAYOUT });
  }

  #hear({ itemId, effect, name, params }: Notice): void {
    const { key } = params;
    const at = Math.floor(this.#world.now);
    const notice = { at, itemId, effect, name, ...(typeof key === "string" && { key }) };
    this.#notices.push(notice);
    this.#world.note(`operators hear ${effect}`);
  }

  #tick(): void {
    this.#world.serve(SWEEP_MS, "", () => {
      this.#tick();
      if (this.#disturbance.downUntil > this.#world.now || this.#server.isFull) return;
      for (const queue of [TIMERS, RECOVERY]) {
        if (this.#server.queues.get(queue)?.hasWaiting === true) continue;
        const job = { id: undefined, data: {}, deduplicationId: undefined };
        this.#server.execute({ kind: "add", queue, job }, () => undefined);
      }
    });
  }

  #untilQuiet(): () => boolean {
    const world = this.#world;
    let isQuiet = false;
    const look = (): void => {
      const lastCauseAt = Math.max(this.#producer.lastSendAt, this.#disturbance.lastFaultAt);
      if (world.now > lastCauseAt + POLICY_ADOPTED_WITHIN_MS) {
        const unrest = this.#unrest();
        isQuiet = unrest === undefined;
        if (unrest !== undefined && world.now > lastCauseAt + REST_MS) {
          world.problems.push(`does not come to rest: ${unrest}`);
          isQuiet = true;
        }
      }
      if (!isQuiet) world.serve(LOOK_MS, "", look);
    };
    world.serve(LOOK_MS, "", look);
    return () => isQuiet;
  }

  /** What is still under way, or nothing. */
  #unrest(): string | undefined {
    if (this.#producer.isBusy) return "an event was not acknowledged";
    for (const name of [CRM_EVENTS, PUSHES]) {
      const queue = this.#server.queues.get(name);
      if (queue !== undefined && queue.size > 0) return queue.describe();
    }
    const { memory } = this.#server;
    if (!isMeasured(memory)) return "clocks that the policy in force has not measured";
    const count = (key: string): number => memory.call("zcard", [key]) as number;
    for (const shard of allShards(LAYOUT)) {
      const prefix = shardPrefix(LAYOUT, shard);
      for (const channel of memory.call("smembers", [`${prefix}channels`]) as string[]) {
        for (const state of ["ready", "leased", "later"]) {
          const key = `${prefix}${state}:${channel}`;
          if (count(key) > 0) return `lanes in ${key}`;
        }
      }
      const due = memory.call("zcount", [`${prefix}due`, "-inf", this.#world.now + HORIZON_MS]);
      if (due !== 0) return `timers or parked events in shard ${shard}`;
    }
    return undefined;
  }

  async #history(): Promise<History> {
    const { items, faults } = this.#plan;
    const cancelled = new Set(
      faults.flatMap(({ fault }) => (fault.kind === "market-cancel" ? [fault.itemId] : [])),
    );
    const hasLoss = faults.some(({ fault }) => fault.kind === "redis-loss");
    const isCertain = (itemId: string): boolean => {
      const item = items.find((each) => each.itemId === itemId);
      return item?.isNumbered === true && !cancelled.has(itemId) && !hasLoss;
    };
    const stored = await readRecords(this.#server.memory, items, isCertain);
    const sent = this.#producer.sent.map((each): SentEvent => ({
      ...each,
      // Whether a clock still runs that somebody silences is left to the moment.
      ...(isCertain(each.event.subject) && !isClockEvent(each.event.type) && { mustBe: "applied" }),
    }));
    const version = await policyVersion(this.#server.memory);
    return {
      ...stored,
      sent,
      notices: this.#notices,
      ...(version !== undefined && { policyVersion: version }),
      jobsLeft: this.#server.queues.get(CRM_EVENTS)?.size ?? 0,
      requests: this.#marketplace.requests,
      faults: this.#faultRecords(),
      endedAt: Math.floor(this.#world.now),
      clockSkewMs: this.#disturbance.clockSkewMs,
      isEachPushed: this.#plan.marketplace.policy === "every",
    };
  }

  #faultRecords(): readonly FaultRecord[] {
    return this.#disturbance.records.toSorted((left, right) => left.from - right.from);
  }
}
