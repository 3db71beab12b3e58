/**
 * The engine on a clock that the caller turns: the real one, over a Redis in memory. Time goes from moment
 * to moment, and all that a moment brings about has ended before the next one comes.
 *
 * Always true: between two calls nothing is under way, so nothing has to be closed; and the same calls give
 * the same journals, for neither the real clock nor chance is asked. One call runs at a time.
 */
import { accountOfChannel } from "../core/channel-name.ts";
import type { Limits } from "../core/decision.ts";
import type { Machines } from "../core/machine.ts";
import { Applier } from "../engine/apply-events.ts";
import { openChannels, type ChannelsOptions } from "../engine/channel.ts";
import { Drains } from "../engine/drain.ts";
import type { Engine } from "../engine/engine.ts";
import { lookAtPushes, nextPushLook } from "../engine/overdue-pushes.ts";
import { knownStatuses } from "../engine/list-items.ts";
import { sweepTimers } from "../engine/sweep-timers.ts";
import type { PushAccount } from "../engine/push-ending.ts";
import type { PolicyClockwork } from "../sla/clockwork.ts";
import { itemsByStatus } from "../store/item-store.ts";
import { MemoryRedis, memoryCommands } from "../store/memory/memory-redis.ts";
import { recordServer } from "../store/new-server.ts";
import { type Moment, nextMoment } from "../store/next-moment.ts";
import { channelsOf } from "../store/outbox-store.ts";
import { isoOf } from "./moment.ts";

/** One shard, so that what falls due at one moment has one order: that of the items' names. */
const SHARD = 0;
const LAYOUT = { prefix: "test", shards: 1 };

/** Longer than any test runs: nobody else is there to take over a lane, and no renewal is ever due. */
const LEASE_MS = 24 * 3_600_000;

const CONCURRENCY = 64;

/** Items of a status that are listed in one read. */
const PAGE_ITEMS = 1_000;

/** Chance of a test: repeats come after half of their longest wait. */
const MIDDLE = 0.5;

/** A test may have put a fake in its place by the time it is asked for. */
const { setImmediate } = globalThis;

export interface TimelineOptions {
  readonly machines: Machines;
  readonly limits: Limits;
  readonly clocks: PolicyClockwork;
  readonly dedupeForMs: number;
  /** ms since the epoch. */
  readonly now: number;
  /** Moments that one call may go through. */
  readonly momentsMax: number;
  readonly accountOf: (name: string) => PushAccount;
  readonly tell: ChannelsOptions["tell"];
}

type TimelineMoment = Moment | { readonly kind: "late-pushes"; readonly at: number };

export class Timeline {
  readonly engine: Engine;
  readonly applier: Applier;
  readonly #options: TimelineOptions;
  readonly #drains = new Drains();
  readonly #woken = new Set<string>();
  readonly #faults: Error[] = [];
  readonly #signal = new AbortController().signal;
  #now: number;
  #clocks: PolicyClockwork;
  #drainsBegun = 0;
  #lastCall: Promise<unknown> = Promise.resolve();

  private constructor(options: TimelineOptions) {
    const { machines, limits, clocks, dedupeForMs, now } = options;
    this.#options = options;
    this.#now = now;
    this.#clocks = clocks;
    const memory = new MemoryRedis(() => this.#now);
    const redis = memoryCommands(async (name, args) => memory.call(name, args));
    this.engine = {
      store: { redis, layout: LAYOUT },
      machines,
      limits,
      clocks: () => this.#clocks,
      dedupeForMs,
      now: () => this.#now,
      wake: ({ channel }) => void this.#woken.add(channel),
      soon: (run) => void setImmediate(run),
    };
    this.applier = new Applier(this.engine);
  }

  static async open(options: TimelineOptions): Promise<Timeline> {
    const timeline = new Timeline(options);
    await recordServer(timeline.engine.store);
    return timeline;
  }

  /** ms since the epoch. */
  get now(): number {
    return this.#now;
  }

  /** Does something now, and lets all that follows from it at once happen. Rejects like `advanceTo`. */
  run<T>(act: () => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      const result = await act();
      await this.#runUntil(this.#now);
      return result;
    });
  }

  /**
   * Lets time pass. `end` is asked for when it is this call's turn, in ms.
   * @throws RangeError when `end` has passed already, or there is no end to what falls due
   * @throws what the engine could not go on with: a function of a definition that throws
   */
  advanceTo(end: () => number): Promise<void> {
    return this.#inTurn(async () => {
      const until = end();
      if (until < this.#now) {
        throw new RangeError(
          `It is ${isoOf(this.#now)}; time does not go back to ${isoOf(until)}.`,
        );
      }
      await this.#runUntil(until);
    });
  }

  /** Decides by another policy from now on; open clocks are measured by it before this resolves. */
  setClocks(clocks: PolicyClockwork): Promise<void> {
    return this.run(async () => {
      this.#clocks = clocks;
      const looks = (await this.#allItems()).map((itemId) => this.applier.applyDue(itemId));
      const [failed] = (await Promise.allSettled(looks)).filter(
        (look) => look.status === "rejected",
      );
      if (failed !== undefined) throw failed.reason;
    });
  }

  /** A lane that an operator opens, or an account that he releases, makes no noise. */
  async wakeAll(): Promise<void> {
    for (const channel of await channelsOf(this.engine.store, SHARD)) this.#woken.add(channel);
  }

  /** Final ones too: one that has ended may still owe the marketplace its update. By name. */
  async #allItems(): Promise<string[]> {
    const found: string[] = [];
    for (const status of knownStatuses(this.engine)) {
      for (let cursor: string | undefined, more = true; more;) {
        const query = { cursor, limit: PAGE_ITEMS };
        const { items, next } = await itemsByStatus(this.engine.store, status, query);
        found.push(...items.map(({ itemId }) => itemId));
        cursor = next;
        more = next !== undefined;
      }
    }
    return found.toSorted();
  }

  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    const turn = this.#lastCall.then(call);
    this.#lastCall = turn.catch(() => undefined);
    return turn;
  }

  async #runUntil(end: number): Promise<void> {
    for (let moments = 0; moments < this.#options.momentsMax; moments += 1) {
      await this.#drainWoken();
      const next = await this.#nextMoment();
      if (next === undefined || next.at > end) {
        this.#now = end;
        return;
      }
      this.#now = Math.max(this.#now, next.at);
      await this.#act(next);
    }
    throw new RangeError(
      `On the way to ${isoOf(end)} something has fallen due ${this.#options.momentsMax} times, and it is only ${isoOf(this.#now)}. Look for a timer that a machine sets again and again, or raise momentsMax.`,
    );
  }

  /** Of equal ones an item's, then a push that is late, or has left, and nobody told it, then a lane's. */
  async #nextMoment(): Promise<TimelineMoment | undefined> {
    const moment = await nextMoment(this.engine.store, this.#now);
    const at = await nextPushLook(this.engine);
    if (at === undefined) return moment;
    const isFirst =
      moment === undefined || at < moment.at || (at === moment.at && moment.kind === "lanes");
    return isFirst ? { kind: "late-pushes", at } : moment;
  }

  async #act(moment: TimelineMoment): Promise<void> {
    switch (moment.kind) {
      case "items":
        await sweepTimers(this.engine, this.applier, this.#signal);
        return;
      case "late-pushes":
        await lookAtPushes(this.engine, this.applier, this.#signal);
        return;
      case "lanes":
        this.#woken.add(moment.channel);
    }
  }

  async #drainWoken(): Promise<void> {
    for (const channel of this.#woken) {
      this.#woken.delete(channel);
      await this.#drain(channel);
    }
    const [fault] = this.#faults.splice(0);
    if (fault !== undefined) throw fault;
  }

  async #drain(channel: string): Promise<void> {
    const name = accountOfChannel(channel);
    const accounts = name === undefined ? [] : [this.#options.accountOf(name)];
    const { engine, applier } = this;
    const { tell } = this.#options;
    const options = { engine, applier, accounts, tell, random: () => MIDDLE };
    const served = openChannels(options)(channel);
    if (served === undefined) throw new TypeError(`nobody serves channel ${channel}`);
    this.#drainsBegun += 1;
    await this.#drains.run(engine, {
      ...served,
      channel,
      owner: `drain-${this.#drainsBegun}`,
      leaseMs: LEASE_MS,
      concurrency: CONCURRENCY,
      // What production logs and tries again, a test must hear of.
      log: {
        error: (fields, message) => {
          const cause = "err" in fields ? fields.err : fields;
          this.#faults.push(new Error(`${message} on channel ${channel}`, { cause }));
        },
      },
      signal: this.#signal,
    });
  }
}
