/**
 * The CRM of a run: invents lives and tells of them as real sources do, in batches, out of order, some
 * of it twice or three times, and again until it is acknowledged. What is told, and when, comes from the
 * seed; only what gets through, and when, depends on the run.
 *
 * Lives begin at an even rate. When the deployment does not keep up, nothing is handed over for a while,
 * and what was due meanwhile follows.
 */
import { setTimeout as delay } from "node:timers/promises";
import { isClockEvent } from "../core/clock-event.ts";
import type { CloudEvent } from "../core/event.ts";
import type { FrontDoor } from "./front-doors.ts";
import { type ItemLife, newLife } from "./item-lives.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { SentLog } from "./sent-log.ts";

export interface ProducersSetting {
  /** What is told. */
  readonly lives: SeededRandom;
  /** How it comes in; apart, because this depends on what happens on the way. */
  readonly ways: SeededRandom;
  /** Events per second, each counted once however often it is sent. */
  readonly rate: number;
  /** Each batch goes through one of them, half of them through the first. */
  readonly doors: readonly [FrontDoor, ...FrontDoor[]];
  /** Whether the deployment has so much to do that nothing should be added. */
  readonly isBehind: () => boolean;
}

const TICK_MS = 100;
/** Between one event of a life and the next, ms: short enough for many lives to end within the run. */
const STEP_MS = [150, 1_200] as const;
/** An event leaves its source up to so many steps late, and then comes after later ones. */
const LATE_STEPS = 2.5;
/** How likely an event comes once more, and then once more again. */
const REPEATED = 0.3;
const COPIES_MAX = 3;
/** A repeat follows within, ms. */
const REPEAT_WITHIN_MS = 6_000;
const BATCH_MAX = 25;
/** Batches under way; more would only wait in the deployment's place. */
const UNDER_WAY_MAX = 80;
/** Between one try and the next, ms. */
const AGAIN_MS = [100, 600] as const;
/** Measured over the stories of item-lives.ts. */
const EVENTS_PER_LIFE = 6.5;

export class Producers {
  readonly log = new SentLog();
  readonly #setting: ProducersSetting;
  readonly #lives: ItemLife[] = [];
  /** Events by the tick in which they leave. */
  readonly #due = new Map<number, CloudEvent[]>();
  readonly #begunAt = Date.now();
  readonly #timer: NodeJS.Timeout;
  #nextTick = 0;
  #underWay = 0;
  #isEnding = false;
  #isStopped = false;

  constructor(setting: ProducersSetting) {
    this.#setting = setting;
    this.#timer = setInterval(() => this.#tick(Date.now()), TICK_MS);
  }

  /** Those that have begun. */
  get lives(): readonly ItemLife[] {
    return this.#lives;
  }

  /** Hands over again what was acknowledged since then, ms; returns how many events that is. */
  repeatSince(since: number): number {
    const events = this.log.takenSince(since);
    for (const event of events) this.#plan(event, Date.now());
    return events.length;
  }

  /** Begins no more lives; resolves when everything was acknowledged, or when patience has ended. */
  async finish(patienceMs: number): Promise<"acknowledged" | "late"> {
    this.#isEnding = true;
    const giveUpAt = performance.now() + patienceMs;
    while (this.#hasWork() && performance.now() < giveUpAt) await delay(TICK_MS);
    return this.#hasWork() ? "late" : "acknowledged";
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
  }

  #hasWork(): boolean {
    return this.#due.size > 0 || this.#underWay > 0;
  }

  #tick(now: number): void {
    const wanted = ((now - this.#begunAt) / 1_000) * (this.#setting.rate / EVENTS_PER_LIFE);
    while (!this.#isEnding && this.#lives.length < wanted) this.#begin(now);
    if (!this.#setting.isBehind()) this.#handOver(now);
  }

  #begin(from: number): void {
    const random = this.#setting.lives;
    const stepMs = random.between(...STEP_MS);
    const life = newLife(random, { itemId: `item-${this.#lives.length + 1}`, from, stepMs });
    this.#lives.push(life);
    for (const [index, event] of life.events.entries()) {
      const at = from + stepMs * (index + random.next() * LATE_STEPS);
      this.#plan(event, at);
      for (let copies = 0; copies < COPIES_MAX && random.chance(REPEATED); copies += 1) {
        this.#plan(event, at + random.between(0, REPEAT_WITHIN_MS));
      }
    }
  }

  #plan(event: CloudEvent, at: number): void {
    const tick = Math.max(this.#nextTick, this.#tickOf(at));
    const events = this.#due.get(tick);
    if (events === undefined) this.#due.set(tick, [event]);
    else events.push(event);
  }

  #handOver(now: number): void {
    const { ways, doors } = this.#setting;
    for (; this.#nextTick <= this.#tickOf(now); this.#nextTick += 1) {
      if (this.#underWay >= UNDER_WAY_MAX) return;
      const events = ways.shuffled(this.#due.get(this.#nextTick) ?? []);
      this.#due.delete(this.#nextTick);
      const [holds, facts] = [true, false].map((isHold) =>
        events.filter(({ type }) => isClockEvent(type) === isHold),
      );
      for (const batch of batchesOf(facts ?? [], ways))
        void this.#send(batch, doorFor(ways, doors));
      // Only the queue takes what operators do.
      for (const batch of batchesOf(holds ?? [], ways)) void this.#send(batch, doors[0]);
    }
  }

  async #send(events: readonly CloudEvent[], door: FrontDoor): Promise<void> {
    this.#underWay += 1;
    this.log.tried(events, Date.now());
    while (!this.#isStopped && !(await isTaken(door, events))) {
      await delay(this.#setting.ways.between(...AGAIN_MS));
    }
    if (!this.#isStopped) this.log.taken(events, Date.now());
    this.#underWay -= 1;
  }

  #tickOf(at: number): number {
    return Math.ceil((at - this.#begunAt) / TICK_MS);
  }
}

async function isTaken(door: FrontDoor, events: readonly CloudEvent[]): Promise<boolean> {
  try {
    await door.hand(events);
    return true;
  } catch {
    // Whatever it was, a producer has one answer to it: again.
    return false;
  }
}

function doorFor(random: SeededRandom, [first, ...others]: ProducersSetting["doors"]): FrontDoor {
  return others.length === 0 || random.chance(0.5) ? first : random.pick(others);
}

function batchesOf(events: readonly CloudEvent[], random: SeededRandom): CloudEvent[][] {
  const batches: CloudEvent[][] = [];
  for (let from = 0; from < events.length;) {
    const size = random.between(1, BATCH_MAX);
    batches.push(events.slice(from, from + size));
    from += size;
  }
  return batches;
}
