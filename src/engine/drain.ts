/**
 * The pump of one channel of one shard: claim lanes, deliver them side by side, settle them in batches,
 * until nothing can be delivered now. Two drains of one channel are harmless, for a lane is claimed
 * once; a drain that dies leaves leases, which end by themselves.
 */
import type { Engine } from "./engine.ts";
import { Gatherer } from "./gatherer.ts";
import type { Lane, LaneAddress, Settlement } from "../store/outbox-store.ts";
import { claimLanes, countReady, renewLeases, settleLanes } from "../store/outbox-store.ts";

/** Settlements written in one script. */
const SETTLE_MAX = 100;

export interface Permits {
  /** How many lanes may be claimed now, at most `urgent + routine`. */
  readonly take: (want: { urgent: number; routine: number }) => Promise<number>;
  /** Permits for which no lane was found. */
  readonly giveBack: (permits: number) => Promise<void>;
}

export interface DrainOptions {
  readonly address: LaneAddress;
  /** Unique to this run: who holds the lanes. */
  readonly owner: string;
  readonly leaseMs: number;
  /** Lanes delivered side by side. */
  readonly concurrency: number;
  readonly permits: Permits;
  readonly deliver: (lane: Lane) => Promise<Settlement>;
  readonly log: { readonly error: (fields: object, message: string) => void };
  /** Stops claiming; what is under way is ended. */
  readonly signal: AbortSignal;
}

/** Resolves when nothing is ready or permitted, with the number of lanes that it settled. */
export async function drain(engine: Engine, options: DrainOptions): Promise<number> {
  return new Drain(engine, options).run();
}

class Drain {
  readonly #engine: Engine;
  readonly #options: DrainOptions;
  readonly #underWay = new Map<Lane, Promise<void>>();
  readonly #settling: Gatherer<{ settlement: Settlement; resolve: () => void }>;
  #settled = 0;

  constructor(engine: Engine, options: DrainOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#settling = new Gatherer(SETTLE_MAX, (batch) => this.#settle(batch));
  }

  async run(): Promise<number> {
    const { signal, leaseMs, concurrency } = this.#options;
    const renewal = setInterval(() => this.#renew(), leaseMs / 3);
    try {
      for (;;) {
        const room = concurrency - this.#underWay.size;
        const claimed = signal.aborted || room === 0 ? 0 : await this.#claim(room);
        if (this.#underWay.size === 0) return this.#settled;
        if (claimed < room) await Promise.race(this.#underWay.values());
      }
    } finally {
      clearInterval(renewal);
    }
  }

  async #claim(room: number): Promise<number> {
    const { address, owner, permits, leaseMs } = this.#options;
    const { store } = this.#engine;
    const waiting = await countReady(store, address, this.#engine.now());
    const urgent = Math.min(room, waiting.urgent);
    const routine = Math.min(room - urgent, waiting.routine);
    if (urgent + routine === 0) return 0;
    const want = await permits.take({ urgent, routine });
    if (want === 0) return 0;
    const now = this.#engine.now();
    const lanes = await claimLanes(store, address, {
      now,
      leaseUntil: now + leaseMs,
      owner,
      want,
    });
    if (lanes.length < want) await permits.giveBack(want - lanes.length);
    for (const lane of lanes) this.#underWay.set(lane, this.#deliver(lane));
    return lanes.length;
  }

  async #deliver(lane: Lane): Promise<void> {
    const { deliver, log, address } = this.#options;
    try {
      const settlement = await deliver(lane);
      await new Promise<void>((resolve) => this.#settling.add({ settlement, resolve }));
    } catch (error) {
      // The lease ends by itself, and the next owner finds the attempt begun.
      log.error({ err: error, itemId: lane.itemId, ...address }, "delivery failed");
    } finally {
      this.#underWay.delete(lane);
    }
  }

  async #settle(batch: { settlement: Settlement; resolve: () => void }[]): Promise<void> {
    const { address, log } = this.#options;
    const settlements = batch.map(({ settlement }) => settlement);
    try {
      const now = this.#engine.now();
      const kept = await settleLanes(this.#engine.store, address, { now, settlements });
      this.#settled += kept.filter(Boolean).length;
    } catch (error) {
      log.error({ err: error, ...address, lanes: batch.length }, "settling failed");
    }
    for (const { resolve } of batch) resolve();
  }

  #renew(): void {
    const { address, leaseMs, log } = this.#options;
    const lanes = [...this.#underWay.keys()];
    if (lanes.length === 0) return;
    const leaseUntil = this.#engine.now() + leaseMs;
    renewLeases(this.#engine.store, address, { leaseUntil, lanes }).catch((error: unknown) => {
      log.error({ err: error, ...address }, "renewing leases failed");
    });
  }
}
