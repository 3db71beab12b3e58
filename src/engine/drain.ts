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

export interface Waiting {
  readonly urgent: number;
  readonly routine: number;
}

export interface Permits {
  /** How many lanes may be claimed now, at most `room`. Asks what waits only when that matters. */
  readonly take: (room: number, count: () => Promise<Waiting>) => Promise<number>;
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

/** The drains of this process. */
export class Drains {
  readonly #running = new Map<string, Drain>();

  /** Resolves when nothing is ready or permitted, with the number of lanes that it settled. */
  async run(engine: Engine, options: DrainOptions): Promise<number> {
    const key = keyOf(options.address);
    const drain = new Drain(engine, options);
    this.#running.set(key, drain);
    try {
      return await drain.run();
    } finally {
      if (this.#running.get(key) === drain) this.#running.delete(key);
    }
  }

  /** Tells a drain that is running here that there is more. False when a job must be added. */
  nudge(address: LaneAddress): boolean {
    return this.#running.get(keyOf(address))?.nudge() ?? false;
  }
}

function keyOf({ shard, channel }: LaneAddress): string {
  return `${shard} ${channel}`;
}

class Drain {
  readonly #engine: Engine;
  readonly #options: DrainOptions;
  readonly #underWay = new Set<Lane>();
  readonly #settling: Gatherer<{ settlement: Settlement; resolve: () => void }>;
  #settled = 0;
  #state: "looking" | "told-of-more" | "ended" = "looking";
  #onFreed = (): void => undefined;

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
        this.#state = "looking";
        const room = concurrency - this.#underWay.size;
        const claimed = signal.aborted || room === 0 ? 0 : await this.#claim(room);
        if (this.#underWay.size === 0 && !this.#isToldOfMore()) return this.#settled;
        const isFull = this.#underWay.size === concurrency;
        if (this.#underWay.size > 0 && (isFull || claimed < room)) await this.#change();
      }
    } finally {
      this.#state = "ended";
      clearInterval(renewal);
    }
  }

  /** Between this drain's last look and its end no call can be lost: both are in one turn. */
  nudge(): boolean {
    if (this.#state === "ended") return false;
    this.#state = "told-of-more";
    this.#onFreed();
    return true;
  }

  #isToldOfMore(): boolean {
    return this.#state === "told-of-more" && !this.#options.signal.aborted;
  }

  /** A lane has ended, or more has come. */
  async #change(): Promise<void> {
    if (this.#state === "told-of-more" && this.#underWay.size < this.#options.concurrency) return;
    await new Promise<void>((resolve) => (this.#onFreed = resolve));
  }

  async #claim(room: number): Promise<number> {
    const { address, owner, permits, leaseMs } = this.#options;
    const { store } = this.#engine;
    const want = await permits.take(room, () => countReady(store, address, this.#engine.now()));
    if (want === 0) return 0;
    const now = this.#engine.now();
    const lanes = await claimLanes(store, address, {
      now,
      leaseUntil: now + leaseMs,
      owner,
      want,
    });
    // A process that was paused while it claimed has lost these lanes by now, or is about to. Whoever
    // took them over has sent more since, and a push of ours would turn the item back.
    const isLate = this.#engine.now() >= now + leaseMs;
    const kept = isLate ? [] : lanes;
    if (kept.length < want) await permits.giveBack(want - kept.length);
    for (const lane of kept) void this.#deliver(lane);
    return kept.length;
  }

  async #deliver(lane: Lane): Promise<void> {
    const { deliver, log, address } = this.#options;
    this.#underWay.add(lane);
    try {
      const settlement = await deliver(lane);
      await new Promise<void>((resolve) => this.#settling.add({ settlement, resolve }));
    } catch (error) {
      // The lease ends by itself, and the next owner finds the attempt begun.
      log.error({ err: error, itemId: lane.itemId, ...address }, "delivery failed");
    } finally {
      this.#underWay.delete(lane);
      this.#onFreed();
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
    const lanes = [...this.#underWay];
    if (lanes.length === 0) return;
    const leaseUntil = this.#engine.now() + leaseMs;
    renewLeases(this.#engine.store, address, { leaseUntil, lanes }).catch((error: unknown) => {
      log.error({ err: error, ...address }, "renewing leases failed");
    });
  }
}
