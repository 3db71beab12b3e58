/**
 * The one Redis of a simulated deployment: the store's data (the Redis in memory, with the scripts' ports)
 * and BullMQ's queues, which live in the same server. It executes one command at a time.
 */
import { MemoryRedis } from "../../src/store/memory/memory-redis.ts";
import { type ModelJob, type NewModelJob, QueueModel } from "./queue-model.ts";
import type { World } from "./world.ts";

export type Argument = string | number;

/** What a connection asks: a command of the store, or what BullMQ's scripts do. */
export type Command =
  | { readonly kind: "data"; readonly name: string; readonly args: readonly Argument[] }
  | { readonly kind: "add"; readonly queue: string; readonly job: NewModelJob }
  | {
      readonly kind: "take";
      readonly queue: string;
      readonly token: string;
      readonly lockMs: number;
    }
  | JobEnding
  | {
      readonly kind: "extend";
      readonly queue: string;
      readonly held: ReadonlyMap<string, string>;
      readonly lockMs: number;
    }
  | { readonly kind: "check-stalled"; readonly queue: string; readonly intervalMs: number }
  | { readonly kind: "failed-count" | "retry-failed"; readonly queue: string };

type JobEnding =
  | {
      readonly kind: "finish" | "fail";
      readonly queue: string;
      readonly id: string;
      readonly token: string;
    }
  | {
      readonly kind: "delay";
      readonly queue: string;
      readonly id: string;
      readonly token: string;
      readonly until: number;
    };

export type CommandReply =
  | { readonly result: "value"; readonly value: unknown }
  | { readonly result: "error"; readonly error: Error };

/** Stands between the server and what executes a command of the store: planted bugs go here. */
export type Interception = (
  command: { readonly name: string; readonly args: readonly Argument[] },
  execute: (name: string, args: readonly Argument[]) => unknown,
) => unknown;

interface Taker {
  readonly token: string;
  readonly lockMs: number;
  readonly reply: (reply: CommandReply) => void;
}

/** Everything that the server holds, at one moment. */
interface ServerSnapshot {
  readonly at: number;
  readonly data: ReturnType<MemoryRedis["snapshot"]>;
  readonly queues: ReadonlyMap<string, ReturnType<QueueModel["snapshot"]>>;
}

/** Commands that Redis refuses when it is full. Scripts are refused before their first write. */
const WRITES = new Set(["set", "setnx", "hset", "hincrby", "eval", "evalsha"]);

/** What BullMQ does all the same then: it asks, or writes over what is there. */
const TAKEN_WHEN_FULL: ReadonlySet<Command["kind"]> = new Set(["extend", "failed-count"]);

export class RedisServer {
  readonly memory: MemoryRedis;
  readonly queues: ReadonlyMap<string, QueueModel>;
  isFull = false;
  intercept: Interception | undefined;
  readonly #world: World;
  readonly #takers = new Map<string, Taker[]>();
  #snapshot: ServerSnapshot | undefined;

  constructor(world: World, queueNames: readonly string[]) {
    this.#world = world;
    const now = (): number => world.now;
    this.memory = new MemoryRedis(now);
    this.queues = new Map(
      queueNames.map((name) => [name, new QueueModel(name, now, world.random)]),
    );
  }

  /** A "take" on an empty queue is answered when a job comes; returns what withdraws it. */
  execute(command: Command, reply: (reply: CommandReply) => void): () => void {
    if (command.kind === "take") return this.#take(command, reply);
    try {
      const value = this.#value(command);
      reply({ result: "value", value });
    } catch (error) {
      reply({ result: "error", error: error as Error });
    }
    if (command.kind !== "data") this.#serveTakers(command.queue);
    return () => undefined;
  }

  remember(): void {
    this.#snapshot = {
      at: this.#world.now,
      data: this.memory.snapshot(),
      queues: new Map([...this.queues].map(([name, queue]) => [name, queue.snapshot()])),
    };
  }

  /** After the process ended: no script is loaded, and nobody waits for a job any more. */
  restart(): void {
    this.memory.restore(this.memory.snapshot());
    this.#takers.clear();
  }

  /** Returns the moment from which on everything is forgotten. */
  goBack(): number | undefined {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return undefined;
    this.memory.restore(snapshot.data);
    for (const [name, state] of snapshot.queues) this.queues.get(name)?.restore(state);
    return snapshot.at;
  }

  /** A job came by itself: of a schedule, or because its delay is over. */
  wakeTakers(): void {
    for (const name of this.queues.keys()) this.#serveTakers(name);
  }

  #value(command: Exclude<Command, { readonly kind: "take" }>): unknown {
    if (command.kind === "data") return this.#runData(command);
    const queue = this.#queue(command.queue);
    if (this.isFull && !TAKEN_WHEN_FULL.has(command.kind)) throw full();
    switch (command.kind) {
      case "add":
        return queue.add(command.job);
      case "finish":
      case "fail":
      case "delay":
        return this.#end(queue, command);
      case "extend":
        return queue.extendLocks(command.held, command.lockMs);
      case "check-stalled":
        return queue.checkStalled(command.intervalMs);
      case "failed-count":
        return queue.failedCount();
      case "retry-failed":
        return queue.retryFailed();
    }
  }

  #end(queue: QueueModel, ending: JobEnding): void {
    const { id, token } = ending;
    switch (ending.kind) {
      case "finish":
        return queue.finish(id, token);
      case "fail":
        return queue.fail(id, token);
      case "delay":
        queue.delay(id, token, ending.until);
        return this.#wakeWhenDue(queue);
    }
  }

  #runData({ name, args }: { readonly name: string; readonly args: readonly Argument[] }): unknown {
    if (this.isFull && WRITES.has(name)) throw full();
    const execute = (called: string, given: readonly Argument[]): unknown =>
      this.memory.call(called, given);
    if (this.intercept === undefined) return execute(name, args);
    return this.intercept({ name, args }, execute);
  }

  #take(
    { queue, token, lockMs }: Extract<Command, { readonly kind: "take" }>,
    reply: (reply: CommandReply) => void,
  ): () => void {
    const takers = this.#takers.get(queue) ?? [];
    this.#takers.set(queue, takers);
    const taker = { token, lockMs, reply };
    takers.push(taker);
    this.#serveTakers(queue);
    return () => {
      const index = takers.indexOf(taker);
      if (index !== -1) takers.splice(index, 1);
    };
  }

  #serveTakers(name: string): void {
    const takers = this.#takers.get(name) ?? [];
    const queue = this.#queue(name);
    while (takers.length > 0 && !this.isFull) {
      const taker = takers[this.#world.random.int(0, takers.length - 1)];
      if (taker === undefined) return;
      const job: ModelJob | undefined = queue.take(taker.token, taker.lockMs);
      if (job === undefined) return;
      takers.splice(takers.indexOf(taker), 1);
      taker.reply({ result: "value", value: job });
    }
  }

  #wakeWhenDue(queue: QueueModel): void {
    const next = queue.nextDelayed;
    if (next === undefined) return;
    this.#world.serve(Math.max(0, next - this.#world.now), "", () => {
      this.#serveTakers(queue.name);
    });
  }

  #queue(name: string): QueueModel {
    const queue = this.queues.get(name);
    if (queue === undefined) throw new Error(`no queue ${name}`);
    return queue;
  }
}

function full(): Error {
  return new Error("OOM command not allowed when used memory > 'maxmemory'.");
}
