/**
 * The pump of one channel: claim lanes, deliver them side by side, settle them in batches, until nothing
 * can be delivered now. Two drains of one channel are harmless, for a lane is claimed once; a drain that
 * dies leaves leases, which end by themselves.
 */
import { groupBy } from "../core/group-by.ts";
import type { Engine } from "./engine.ts";
import { Gatherer } from "./gatherer.ts";
import { allShards } from "../store/keys.ts";
import { countReady, type Waiting } from "../store/lane-count.ts";
import type { Lane, LaneAddress, Settlement } from "../store/outbox-store.ts";
import { claimLanes, renewLeases, settleLanes } from "../store/outbox-store.ts";
import { shareOut } from "./share-out.ts";

const NONE: Waiting = { urgent: 0, routine: 0 };

/** Of a lease: what must be left of it when something is sent, for it has to arrive before another owner
 * looks. Two thirds are left in a process that is well. */
const SENDING_SHARE = 0.25;

/** Settlements written together. */
const SETTLE_MAX = 128;

export interface Permits {
  /** "unlimited": as many as there is room for, without asking what waits. */
  readonly kind: "unlimited" | "limited";
  /** How many of these lanes may be claimed now. */
  readonly take: (waiting: Waiting) => Promise<number>;
  /** Permits for which no lane was found. */
  readonly giveBack: (permits: number) => Promise<void>;
}

export interface DrainOptions {
  readonly channel: string;
  /** Unique to this run: begins the names of those who hold its lanes. */
  readonly owner: string;
  readonly leaseMs: number;
  /** Lanes delivered side by side. */
  readonly concurrency: number;
  readonly permits: Permits;
  /** `isHeld` tells whether the lane is still this drain's, with time enough to send something. */
  readonly deliver: (lane: Lane, isHeld: () => boolean) => Promise<Settlement>;
  readonly log: { readonly error: (fields: object, message: string) => void };
  /** Stops claiming; what is under way is ended. */
  readonly signal: AbortSignal;
}

/** The drains of this process. */
export class Drains {
  readonly #running = new Map<string, Drain>();

  /** Resolves when nothing is ready or permitted, with the number of lanes that it settled. */
  async run(engine: Engine, options: DrainOptions): Promise<number> {
    const drain = new Drain(engine, options);
    this.#running.set(options.channel, drain);
    try {
      return await drain.run();
    } finally {
      if (this.#running.get(options.channel) === drain) this.#running.delete(options.channel);
    }
  }

  /** Tells a drain that is running here that there is more. False when a job must be added. */
  nudge({ shard, channel }: LaneAddress): boolean {
    return this.#running.get(channel)?.nudge(shard) ?? false;
  }
}

interface Settling {
  readonly lane: Lane;
  readonly settlement: Settlement;
  readonly resolve: () => void;
}

class Drain {
  readonly #engine: Engine;
  readonly #options: DrainOptions;
  /** Shards that may have lanes to deliver. All of them at first: a job does not say which. */
  readonly #worthALook: Set<number>;
  /** Until when each is ours, ms. */
  readonly #underWay = new Map<Lane, number>();
  readonly #settling: Gatherer<Settling>;
  #settled = 0;
  #claims = 0;
  #hasEnded = false;
  #onChange = (): void => undefined;

  constructor(engine: Engine, options: DrainOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#worthALook = new Set(allShards(engine.store.layout));
    this.#settling = new Gatherer({
      batchMax: SETTLE_MAX,
      sideBySide: 1,
      keyOf: ({ lane }) => lane.itemId,
      handle: (batch) => this.#settle(batch),
      soon: engine.soon,
    });
  }

  async run(): Promise<number> {
    const renewal = setInterval(() => this.#renew(), this.#options.leaseMs / 3);
    try {
      for (;;) {
        const isRefused = !(await this.#claim());
        if (this.#underWay.size > 0) {
          if (isRefused || this.#room() === 0 || this.#worthALook.size === 0) await this.#change();
        } else if (isRefused || this.#worthALook.size === 0) {
          return this.#settled;
        }
      }
    } finally {
      // In the same turn as the last look, so that no nudge can fall between the two.
      this.#hasEnded = true;
      clearInterval(renewal);
    }
  }

  nudge(shard: number): boolean {
    if (this.#hasEnded) return false;
    this.#worthALook.add(shard);
    this.#onChange();
    return true;
  }

  /** A lane has ended, or more has come. */
  async #change(): Promise<void> {
    await new Promise<void>((resolve) => (this.#onChange = resolve));
  }

  #room(): number {
    return this.#options.concurrency - this.#underWay.size;
  }

  /** False when nothing may be claimed now: stopping, or no permit. */
  async #claim(): Promise<boolean> {
    const { permits, signal } = this.#options;
    if (signal.aborted) return false;
    const room = this.#room();
    const shards = [...this.#worthALook];
    if (room === 0 || shards.length === 0) return true;
    this.#worthALook.clear();
    const waiting = await this.#waitingIn(shards, room);
    const total = sumOf(waiting);
    if (total.urgent + total.routine === 0) return true;
    const granted = await permits.take(atMost(room, total));
    if (granted === 0) return false;
    const shares = shareOut(granted, waiting);
    const counts = await Promise.all(
      shards.map(async (shard, index) => {
        const [share = 0, { urgent, routine } = NONE] = [shares[index], waiting[index]];
        // More waits there than was permitted now.
        if (share < urgent + routine) this.#worthALook.add(shard);
        return share === 0 ? 0 : this.#claimFrom(shard, share);
      }),
    );
    const claimed = counts.reduce((sum, count) => sum + count, 0);
    if (claimed < granted) await permits.giveBack(granted - claimed);
    return true;
  }

  /** Without a limit there is no choice to make between shards, and nothing to count. */
  async #waitingIn(shards: readonly number[], room: number): Promise<Waiting[]> {
    const { channel, permits } = this.#options;
    if (permits.kind === "unlimited") return shards.map(() => ({ urgent: room, routine: 0 }));
    const now = this.#engine.now();
    return Promise.all(
      shards.map((shard) => countReady(this.#engine.store, { shard, channel }, now)),
    );
  }

  async #claimFrom(shard: number, want: number): Promise<number> {
    const { channel, leaseMs } = this.#options;
    const now = this.#engine.now();
    const leaseUntil = now + leaseMs;
    // Each claim has an owner of its own. A settlement may be executed twice, for a connection that broke
    // sends again what was not answered; by then this drain may hold the lane anew, for its next effect.
    this.#claims += 1;
    const owner = `${this.#options.owner}/${this.#claims}`;
    const claim = { now, leaseUntil, owner, want };
    const lanes = await claimLanes(this.#engine.store, { shard, channel }, claim);
    if (lanes.length === want) this.#worthALook.add(shard);
    else this.#worthALook.delete(shard);
    // A process that was paused while it claimed has lost these lanes by now, or is about to. Whoever
    // took them over has sent more since, and a push of ours would turn the item back.
    if (this.#engine.now() >= leaseUntil) return 0;
    for (const lane of lanes) void this.#deliver(lane, leaseUntil);
    return lanes.length;
  }

  async #deliver(lane: Lane, leaseUntil: number): Promise<void> {
    const { deliver, log, channel, leaseMs } = this.#options;
    this.#underWay.set(lane, leaseUntil);
    // Leases are renewed well before this is false, unless the process was paused or Redis is away.
    const isHeld = (): boolean =>
      this.#engine.now() < (this.#underWay.get(lane) ?? 0) - leaseMs * SENDING_SHARE;
    try {
      const settlement = await deliver(lane, isHeld);
      await new Promise<void>((resolve) => this.#settling.add({ lane, settlement, resolve }));
    } catch (error) {
      // The lease ends by itself, and the next owner finds the attempt begun.
      log.error({ err: error, itemId: lane.itemId, channel }, "delivery failed");
    } finally {
      this.#underWay.delete(lane);
      this.#onChange();
    }
  }

  async #settle(batch: readonly Settling[]): Promise<void> {
    const shards = groupBy(batch, ({ lane }) => lane.shard);
    await Promise.all([...shards].map(([shard, each]) => this.#settleShard(shard, each)));
    for (const { resolve } of batch) resolve();
  }

  async #settleShard(shard: number, batch: readonly Settling[]): Promise<void> {
    const { channel, log } = this.#options;
    const settlements = batch.map(({ settlement }) => settlement);
    try {
      const now = this.#engine.now();
      const address = { shard, channel };
      const kept = await settleLanes(this.#engine.store, address, { now, settlements });
      this.#settled += kept.filter(Boolean).length;
      // What stays in a lane, or came while it was leased, has made no noise.
      if (batch.some(({ settlement }) => settlement.verb === "done")) this.#worthALook.add(shard);
    } catch (error) {
      log.error({ err: error, shard, channel, lanes: batch.length }, "settling failed");
    }
  }

  #renew(): void {
    const leaseUntil = this.#engine.now() + this.#options.leaseMs;
    for (const [shard, lanes] of groupBy(this.#underWay.keys(), (lane) => lane.shard)) {
      void this.#renewShard(shard, { leaseUntil, lanes });
    }
  }

  async #renewShard(
    shard: number,
    renewal: { readonly leaseUntil: number; readonly lanes: readonly Lane[] },
  ): Promise<void> {
    const { channel, log } = this.#options;
    try {
      const kept = await renewLeases(this.#engine.store, { shard, channel }, renewal);
      for (const [index, lane] of renewal.lanes.entries()) {
        const isOurs = kept[index] === true && this.#underWay.has(lane);
        if (isOurs) this.#underWay.set(lane, renewal.leaseUntil);
      }
    } catch (error) {
      log.error({ err: error, shard, channel }, "renewing leases failed");
    }
  }
}

function sumOf(waiting: readonly Waiting[]): Waiting {
  return {
    urgent: waiting.reduce((sum, { urgent }) => sum + urgent, 0),
    routine: waiting.reduce((sum, { routine }) => sum + routine, 0),
  };
}

function atMost(room: number, { urgent, routine }: Waiting): Waiting {
  const kept = Math.min(room, urgent);
  return { urgent: kept, routine: Math.min(room - kept, routine) };
}
