/**
 * One process of the deployment under test: started, killed, paused, asked to end. It always has the
 * same name and task; each start is a new process, perhaps with another clock.
 *
 *   down ──start──▶ starting ──says "started"──▶ running ──kill, term──▶ down
 *
 * Its log goes to the run's file, line by line with its name in front.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { skewArguments } from "./skewed-clock.ts";

export interface ProcessSetting {
  readonly name: string;
  /** Of the command that tested-command.ts makes. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where it runs: no configuration file lies there. */
  readonly directory: string;
  readonly log: (line: string) => void;
}

export type Ending =
  | { readonly end: "exit"; readonly code: number }
  | { readonly end: "signal"; readonly signal: string };

export interface TestedProcess {
  readonly name: string;
  /** Resolves once it says that it works, or has ended before, by itself or because it never came up.
   * `skewMs`: how wrong its clock is. */
  readonly start: (skewMs?: number) => Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  readonly kill: () => Promise<void>;
  /** SIGTERM; resolves with how it ended. After `patienceMs` it is killed. */
  readonly end: (patienceMs: number) => Promise<Ending>;
  /** SIGSTOP. */
  readonly pause: () => void;
  /** SIGCONT. */
  readonly resume: () => void;
  readonly isUp: () => boolean;
}

/** A loaded machine starts seven processes at once; and a process waits for its Redis. */
const START_TIMEOUT_MS = 60_000;

const IS_BUILT = import.meta.url.endsWith(".js");
const MAIN = fileURLToPath(new URL(`./tested-command.${IS_BUILT ? "js" : "ts"}`, import.meta.url));

export function testedProcess(setting: ProcessSetting): TestedProcess {
  let child: ChildProcess | undefined;
  const isUp = (): boolean => child !== undefined && isAlive(child);
  const signal = (name: NodeJS.Signals): void => {
    if (child !== undefined && isAlive(child)) child.kill(name);
  };
  return {
    name: setting.name,
    isUp,
    start: async (skewMs = 0) => {
      if (isUp()) return;
      child = launch(setting, skewMs);
      await untilStarted(child, setting);
    },
    kill: async () => {
      if (child === undefined) return;
      const ended = ending(child);
      signal("SIGKILL");
      await ended;
    },
    end: async (patienceMs) => {
      if (child === undefined) return { end: "exit", code: 0 };
      const ended = ending(child);
      signal("SIGTERM");
      const timer = setTimeout(() => signal("SIGKILL"), patienceMs);
      const how = await ended;
      clearTimeout(timer);
      return how;
    },
    pause: () => signal("SIGSTOP"),
    resume: () => signal("SIGCONT"),
  };
}

function launch({ name, args, env, directory, log }: ProcessSetting, skewMs: number): ChildProcess {
  const skew = skewMs === 0 ? { nodeArguments: loader(), env: {} } : skewArguments(skewMs);
  log(`${name}: started${skewMs === 0 ? "" : ` with its clock off by ${skewMs} ms`}`);
  const child = spawn(process.execPath, [...skew.nodeArguments, MAIN, ...args], {
    cwd: directory,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env, ...skew.env },
    stdio: ["ignore", "ignore", "pipe"],
    // Ctrl-C is for the run, which ends its processes itself.
    detached: true,
  });
  // However this process ends, no other may stay behind and write on.
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", (code, signal) => {
    process.off("exit", kill);
    log(`${name}: ended by ${signal ?? `exit ${code}`}`);
  });
  return child;
}

function loader(): readonly string[] {
  if (IS_BUILT) return ["--enable-source-maps"];
  return ["--import", createRequire(import.meta.url).resolve("tsx")];
}

/** Both commands log one line of info when everything of theirs is open. */
const STARTED = /"msg":"(?:workers|HTTP API) started"/;

async function untilStarted(child: ChildProcess, { name, log }: ProcessSetting): Promise<void> {
  if (child.stderr === null) throw new TypeError("the process was spawned without a pipe");
  const lines = createInterface(child.stderr);
  const started = new Promise<void>((resolve) => {
    lines.on("line", (line) => {
      log(`${name}: ${line}`);
      if (STARTED.test(line)) resolve();
    });
  });
  const patience = new AbortController();
  const late = delay(START_TIMEOUT_MS, "late", { signal: patience.signal }).catch(() => "");
  const outcome = await Promise.race([started, once(child, "exit"), late]);
  patience.abort();
  if (outcome !== "late") return;
  log(`${name}: has not started within ${START_TIMEOUT_MS / 1_000} s, and is killed`);
  child.kill("SIGKILL");
  await ending(child);
}

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function ending(child: ChildProcess): Promise<Ending> {
  if (isAlive(child)) await once(child, "exit");
  return child.signalCode === null
    ? { end: "exit", code: child.exitCode ?? 0 }
    : { end: "signal", signal: child.signalCode };
}
