/** Worker processes as children of a test: started, waited for, stopped and killed for real. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { OrderItemOptions } from "../../machines/order-item/options.ts";
import type { Account } from "../../src/config-options.ts";
import type { Config } from "../../src/config.ts";
import type { StepName } from "./crash-points.ts";

/** Where the child ends, and for which item. Work on other items does not trigger it. */
export interface CrashPoint {
  readonly step: StepName;
  readonly itemId: string;
}

/** Everything that a child needs to know, as JSON. */
export interface ChildPlan {
  readonly config: Config;
  readonly redisUrl: string;
  readonly accounts: readonly Account[];
  readonly orderItem: Partial<OrderItemOptions>;
  readonly crash: CrashPoint | undefined;
}

export interface ChildWorker {
  /** Resolves once the child has been ended by SIGKILL, with the lines that it wrote. */
  readonly died: () => Promise<readonly string[]>;
  /** Resolves once the child has written the line. */
  readonly said: (line: string) => Promise<void>;
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly kill: () => Promise<void>;
}

const ENTRY = fileURLToPath(new URL("./worker.ts", import.meta.url));

/** A child that is still there after this, ms, never reached the step where it was to die. */
const PATIENCE_MS = 30_000;

/** The child says "ready" once its workers are running, and "reached" just before it ends itself. */
export function spawnWorker(plan: ChildPlan): ChildWorker {
  return watch(spawnNode(ENTRY, JSON.stringify(plan)));
}

/** A TypeScript entry file in a Node process of its own; its log goes to ours. */
function spawnNode(entry: string, argument: string): ChildProcess {
  return spawn(process.execPath, ["--import", "tsx", entry, argument], {
    stdio: ["pipe", "pipe", "inherit"],
  });
}

function watch(process: ChildProcess): ChildWorker {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const look = (): void => {
    for (const each of waiting) each();
  };
  const exited = once(process, "exit");
  if (process.stdout === null) throw new TypeError("the child was spawned without a pipe");
  createInterface(process.stdout).on("line", (line) => {
    lines.push(line);
    look();
  });
  void exited.then(look);

  const until = (done: () => boolean, what: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        settle();
        reject(new Error(`${why} before ${what}; it wrote: ${lines.join(", ")}`));
      };
      const check = (): void => {
        if (done()) {
          settle();
          resolve();
        } else if (process.exitCode !== null || process.signalCode !== null) {
          fail(`the child ended (${process.exitCode ?? process.signalCode})`);
        }
      };
      const timer = setTimeout(() => fail(`${PATIENCE_MS} ms passed`), PATIENCE_MS);
      const settle = (): void => {
        clearTimeout(timer);
        waiting.delete(check);
      };
      waiting.add(check);
      check();
    });

  return {
    died: async () => {
      await until(() => process.signalCode === "SIGKILL", "its death");
      return lines;
    },
    said: (line) => until(() => lines.includes(line), `saying "${line}"`),
    signal: (signal) => process.kill(signal),
    kill: async () => {
      process.kill("SIGKILL");
      await exited;
    },
  };
}
