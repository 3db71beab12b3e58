/** Starts the processes of a run, and does to the deployment what its plan says. */
import type { FaultRecord } from "../../src/history/history.ts";
import type { Surroundings } from "./connection.ts";
import type { Notice } from "../../src/engine/notice.ts";
import type { Marketplace } from "./marketplace.ts";
import {
  cancellationEvent,
  type FaultPlan,
  isMarketFault,
  type MarketFault,
  type RunPlan,
} from "./plan.ts";
import { changePolicy } from "./policies.ts";
import type { Producer } from "./producer.ts";
import { type ProcessChange, SimulatedProcess } from "./simulated-process.ts";
import { EPOCH_MS, type Owner } from "./world.ts";

interface DisturbanceOptions {
  readonly surroundings: Surroundings;
  readonly plan: RunPlan;
  readonly marketplace: Marketplace;
  readonly producer: Producer;
  readonly change: ProcessChange;
  readonly tell: (notice: Notice) => void;
}

const POLICY_AGAIN_MS = 500;

/** Messages between a process and Redis, ms. */
const LATENCY = { usual: 0.5, rare: 20, slow: 1_500 };

export class Disturbance {
  readonly records: FaultRecord[] = [];
  downUntil = 0;
  lastFaultAt = EPOCH_MS;
  readonly #options: DisturbanceOptions;
  readonly #processes: SimulatedProcess[] = [];
  readonly #done = new Map<string, number>();
  #triggered: FaultPlan[] = [];
  #incarnations = 0;
  #slowUntil = 0;
  #fullUntil = 0;

  constructor(options: DisturbanceOptions) {
    this.#options = options;
  }

  /** How far apart the clocks may be by which the processes decide: they follow Redis' own, and may be
   * wrong by what a message to it and back takes. */
  get clockSkewMs(): number {
    const isSlow = this.#options.plan.faults.some(({ fault }) => fault.kind === "redis-slow");
    return 2 * (isSlow ? LATENCY.slow : 2 * LATENCY.rare);
  }

  begin(): void {
    const { plan } = this.#options;
    for (let index = 0; index < plan.processes; index += 1) this.#start(index);
    for (const { fault } of plan.faults) this.#schedule(fault);
  }

  latencyMs(): number {
    const { random, now } = this.#options.surroundings.world;
    if (now < this.#slowUntil) return random.next() * LATENCY.slow;
    return random.next() * (random.chance(0.05) ? LATENCY.rare : LATENCY.usual);
  }

  onDone(owner: Owner, what: string): void {
    if (this.#triggered.length === 0) return;
    const count = (this.#done.get(what) ?? 0) + 1;
    this.#done.set(what, count);
    const due = this.#triggered.filter(({ on }) => on?.what === what && on.nth <= count);
    if (due.length === 0) return;
    const process = this.#processes.findIndex((each) => each.owner === owner);
    if (process === -1) return;
    this.#triggered = this.#triggered.filter((fault) => !due.includes(fault));
    for (const fault of due) this.#strikeNow({ ...fault, process } as FaultPlan);
  }

  #start(index: number): void {
    const { surroundings, marketplace, plan, change, tell } = this.#options;
    const skews = plan.faults.flatMap(({ fault }) =>
      fault.kind === "clock-skew" && fault.process === index ? [fault.byMs] : [],
    );
    this.#processes[index] = new SimulatedProcess({
      surroundings,
      marketplace,
      plan: plan.marketplace,
      name: `p${index}.${(this.#incarnations += 1)}`,
      skewMs: skews.at(-1) ?? 0,
      change,
      tell,
    });
  }

  #schedule(fault: FaultPlan): void {
    const { world, server } = this.#options.surroundings;
    if (fault.on !== undefined) {
      this.#triggered.push(fault);
      return;
    }
    this.lastFaultAt = Math.max(this.lastFaultAt, EPOCH_MS + fault.at);
    if (fault.kind === "redis-loss") {
      world.serve(Math.max(0, fault.at - fault.lostMs), "", () => server.remember());
    }
    world.serve(fault.at, "", () => this.#strikeNow(fault));
  }

  /** What it breaks breaks after the present step. */
  #strikeNow(fault: FaultPlan): void {
    const { world } = this.#options.surroundings;
    world.serve(0, `FAULT ${JSON.stringify(fault)}`, () => {
      const from = world.now;
      const to = "forMs" in fault ? from + fault.forMs : from;
      this.lastFaultAt = Math.max(this.lastFaultAt, to);
      // Only a loss knows what it has cost.
      if (fault.kind !== "redis-loss") this.#record({ kind: fault.kind, from, to });
      if (isMarketFault(fault)) {
        this.#options.marketplace.disturb({ kind: fault.kind, to, chance: fault.chance });
      } else {
        this.#strike(fault, to);
      }
    });
  }

  #strike(fault: Exclude<FaultPlan, MarketFault>, to: number): void {
    switch (fault.kind) {
      case "kill-worker":
        return this.#kill(fault);
      case "stop-worker":
        return this.#stop(fault.process, to);
      case "clock-skew":
        return undefined;
      case "redis-cut":
        return this.#cut(fault.process);
      case "redis-slow":
        this.#slowUntil = Math.max(this.#slowUntil, to);
        return undefined;
      case "redis-full":
        return this.#fill(to);
      case "redis-restart":
        return this.#restartRedis(to);
      case "redis-loss":
        return this.#lose(to);
      case "market-cancel":
        return this.#cancel(fault);
      case "producer-cut":
        return this.#options.producer.cut();
      case "policy-change":
        return this.#changePolicy();
    }
  }

  /** Whoever does it tries until Redis takes it. */
  #changePolicy(): void {
    const { world, server } = this.#options.surroundings;
    if (this.downUntil > world.now || server.isFull) {
      world.serve(POLICY_AGAIN_MS, "", () => this.#changePolicy());
      return;
    }
    this.lastFaultAt = Math.max(this.lastFaultAt, world.now);
    void changePolicy(server.memory);
  }

  #cut(process: number): void {
    this.#processes[process]?.cut();
  }

  #stop(process: number, until: number): void {
    const owner = this.#processes[process]?.owner;
    if (owner !== undefined) owner.pausedUntil = Math.max(owner.pausedUntil, until);
  }

  #fill(until: number): void {
    const { world, server } = this.#options.surroundings;
    this.#fullUntil = Math.max(this.#fullUntil, until);
    server.isFull = true;
    world.serve(until - world.now, "redis has room again", () => this.#makeRoom());
  }

  #kill({ process, forMs }: { readonly process: number; readonly forMs: number }): void {
    const victim = this.#processes[process];
    if (victim?.owner.isAlive !== true) return;
    victim.kill();
    const { world } = this.#options.surroundings;
    world.after(forMs, { owner: undefined, label: "" }, () => this.#start(process));
  }

  #makeRoom(): void {
    const { world, server } = this.#options.surroundings;
    if (this.#fullUntil > world.now) return;
    server.isFull = false;
    server.wakeTakers();
  }

  #restartRedis(to: number): void {
    this.#options.surroundings.server.restart();
    this.downUntil = Math.max(this.downUntil, to);
    for (const each of this.#processes) if (each.owner.isAlive) each.cut();
    this.#options.producer.cut();
  }

  #lose(to: number): void {
    const { server, world } = this.#options.surroundings;
    this.#restartRedis(to);
    const storeLostSince = server.goBack();
    if (storeLostSince === undefined) return;
    this.#record({ kind: "redis-loss", from: world.now, to, storeLostSince });
  }

  #cancel(fault: { readonly itemId: string; readonly toldAfterMs: number | null }): void {
    const { marketplace, producer, surroundings } = this.#options;
    const { itemId, toldAfterMs } = fault;
    const { now } = surroundings.world;
    if (!marketplace.cancel(itemId)) return;
    // Whoever has cancelled takes no other status, and a push may meet that.
    this.#record({ kind: "market-refusal", from: now, to: now, itemId });
    if (toldAfterMs === null) return;
    producer.sendAt(now + toldAfterMs, [cancellationEvent(itemId)]);
  }

  #record({ from, to, storeLostSince, ...record }: FaultRecord): void {
    this.records.push({
      ...record,
      from: Math.floor(from),
      to: Math.ceil(to),
      ...(storeLostSince !== undefined && { storeLostSince: Math.floor(storeLostSince) }),
    });
  }
}
