/**
 * Crash points, laid around the real parts from outside: each wraps what the product calls anyway (a
 * script, a Redis command, a wake-up call) and ends the process at exactly one step of one item.
 */
import { writeSync } from "node:fs";
import { Queue } from "bullmq";
import { Applier } from "../../src/engine/apply-events.ts";
import type { LaneAddress } from "../../src/store/outbox-store.ts";
import { itemPrefix, shardOf } from "../../src/store/keys.ts";
import {
  claimLanesScript,
  commitScript,
  recoverLanesScript,
  type Script,
  settleLanesScript,
} from "../../src/store/scripts.ts";
import type { RunningWorkers } from "../../workers/main.ts";
import type { CrashPoint } from "./child-worker.ts";

export type StepName = keyof typeof BEFORE_START | keyof typeof AFTER_START;

type Arguments = readonly (string | number)[];
type Parts = RunningWorkers & { readonly itemId: string };

/** Steps next to a script or a method, armed before the workers start. */
const BEFORE_START = {
  "before-commit": (itemId: string) =>
    around(commitScript, { before: (args) => args.includes(itemId) && die() }),
  "after-commit": (itemId: string) =>
    around(commitScript, { after: (args) => args.includes(itemId) && die() }),
  "after-timer-commit": (itemId: string) =>
    around(commitScript, { after: (args) => isTimerOf(itemId, args) && die() }),
  "after-claim": (itemId: string) =>
    around(claimLanesScript, { after: (_, reply) => isClaimed(itemId, reply) && die() }),
  "stop-after-claim": (itemId: string) =>
    around(claimLanesScript, { after: (_, reply) => isClaimed(itemId, reply) && halt() }),
  "before-settle": (itemId: string) =>
    around(settleLanesScript, { before: (args) => args.includes(itemId) && die() }),
  "after-settle": (itemId: string) =>
    around(settleLanesScript, { after: (args) => args.includes(itemId) && die() }),
  /** The event may be in the queue already, and a worker takes it before its start has come to an end. */
  "event-kills": (itemId: string) => {
    const apply = Reflect.get(Applier.prototype, "apply") as Applier["apply"];
    Applier.prototype.apply = function (event) {
      return event.subject === itemId ? die() : apply.call(this, event);
    };
  },
  /** Of any item: a recovery tells how many lanes it gave back, not which. */
  "after-recovery": () =>
    around(recoverLanesScript, { after: (_, reply) => (reply as number[])[0] !== 0 && die() }),
} as const;

/** Steps next to a part of the running workers, armed as soon as there is one. */
const AFTER_START = {
  "before-read": ({ engine, itemId }: Parts) => {
    const { redis, layout } = engine.store;
    const get = redis.get.bind(redis) as (key: string) => Promise<string | null>;
    const key = `${itemPrefix(layout, itemId)}a:${itemId}`;
    Object.assign(redis, { get: (asked: string) => (asked === key ? die() : get(asked)) });
  },
  "before-wake": ({ engine, itemId }: Parts) => {
    const { wake } = engine;
    const shard = shardOf(engine.store.layout, itemId);
    Object.assign(engine, {
      wake: (lane: LaneAddress) => (lane.shard === shard ? die() : wake(lane)),
    });
  },
  "after-wake": ({ engine, applier, itemId }: Parts) => {
    const { wake } = engine;
    const shard = shardOf(engine.store.layout, itemId);
    const apply = applier.apply.bind(applier);
    const additions = watchAdditions();
    let woken: Promise<unknown> | undefined;
    Object.assign(engine, {
      wake: (lane: LaneAddress) => {
        const addition = additions.during(() => wake(lane));
        if (lane.shard === shard) woken ??= addition;
      },
    });
    applier.apply = async (event) => {
      const answer = await apply(event);
      if (event.subject !== itemId || woken === undefined) return answer;
      await woken;
      return die();
    };
  },
  "before-timer-commit": ({ engine, itemId }: Parts) => {
    const { redis } = engine.store;
    const read = redis.zrangebyscore.bind(redis) as (...args: unknown[]) => Promise<string[]>;
    const zrangebyscore = async (...args: unknown[]): Promise<string[]> => {
      const due = await read(...args);
      return due.includes(itemId) ? die() : due;
    };
    Object.assign(redis, { zrangebyscore });
  },
  "after-takeover": ({ applier, itemId }: Parts) => {
    const apply = applier.apply.bind(applier);
    applier.apply = async (event) => {
      const answer = await apply(event);
      return event.id.startsWith(`cancelled-upstream:${itemId}:`) ? die() : answer;
    };
  },
} as const;

export function armBeforeStart({ step, itemId }: CrashPoint): void {
  if (isBeforeStart(step)) BEFORE_START[step](itemId);
}

export function armAfterStart({ step, itemId }: CrashPoint, running: RunningWorkers): void {
  if (!isBeforeStart(step)) AFTER_START[step]({ ...running, itemId });
}

function isBeforeStart(step: StepName): step is keyof typeof BEFORE_START {
  return step in BEFORE_START;
}

/** A whole line is written before the end, so that the test knows that the step was reached. */
function die(): never {
  writeSync(1, "reached\n");
  process.kill(process.pid, "SIGKILL");
  // The signal is on its way: nothing of this process may run on.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** The process halts here until somebody sends SIGCONT. */
function halt(): void {
  writeSync(1, "reached\n");
  process.kill(process.pid, "SIGSTOP");
}

function around(
  script: Script,
  hooks: {
    readonly before?: (args: Arguments) => unknown;
    readonly after?: (args: Arguments, reply: unknown) => unknown;
  },
): void {
  const run = script.run.bind(script);
  script.run = async (redis, key, args) => {
    hooks.before?.(args);
    const reply = await run(redis, key, args);
    hooks.after?.(args, reply);
    return reply;
  };
}

function isClaimed(itemId: string, reply: unknown): boolean {
  return (reply as string[][]).some(([claimed]) => claimed === itemId);
}

function isTimerOf(itemId: string, args: Arguments): boolean {
  return (
    args.includes(itemId) && args.some((each) => /^\{"kind":"(timer|clocks)"/.test(String(each)))
  );
}

/** Tells when the jobs that a wake-up call adds are in Redis; a call that adds none is heard at once. */
function watchAdditions(): { readonly during: (call: () => void) => Promise<unknown> } {
  const queues = Queue.prototype;
  const add: (this: Queue, ...args: Parameters<Queue["add"]>) => ReturnType<Queue["add"]> =
    Reflect.get(queues, "add");
  let addition: Promise<unknown> = Promise.resolve();
  queues.add = function (this: Queue, ...args: Parameters<Queue["add"]>) {
    const job = add.apply(this, args);
    addition = job;
    return job;
  };
  return {
    during: (call) => {
      addition = Promise.resolve();
      call();
      return addition;
    },
  };
}
