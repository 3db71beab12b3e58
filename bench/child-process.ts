/**
 * Scripts of this repository as child processes. From `dist/` they are plain Node; from source they
 * inherit tsx's loader through `process.execArgv`, so both ways run the same code.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Longer than any contestant's own deadline for draining; a worker that hangs is then killed. */
const STOP_DEADLINE_MS = 30_000;

/** Linux counts CPU time in hundredths of a second (USER_HZ), whatever the kernel's own tick. */
const TICKS_PER_SECOND = 100;

const OWN_EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf("."));

export class Child {
  readonly #name: string;
  readonly #process: ChildProcess;

  constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#process = child;
    const kill = (): void => void child.kill("SIGKILL");
    // A bench that crashes must not leave a worker or a Redis behind.
    process.once("exit", kill);
    child.once("exit", () => process.off("exit", kill));
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw new Error(`${this.#name} could not be started.`);
    return this.#process.pid;
  }

  /** The first message that the script sends to its parent. */
  async firstMessage(): Promise<unknown> {
    const gone = new AbortController();
    this.#process.once("exit", () => gone.abort());
    const [message] = (await once(this.#process, "message", { signal: gone.signal })) as [unknown];
    return message;
  }

  assertAlive(): void {
    const { exitCode, signalCode } = this.#process;
    if (exitCode === null && signalCode === null) return;
    throw new Error(`${this.#name} ended during the run (${signalCode ?? `exit ${exitCode}`}).`);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const deadline = setTimeout(() => this.#process.kill("SIGKILL"), STOP_DEADLINE_MS);
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await exited;
    clearTimeout(deadline);
  }
}

/**
 * @param script path below the root of the repository (or of dist/), without its extension.
 */
export function startScript(script: string, env: Readonly<Record<string, string>>): Child {
  const path = fileURLToPath(new URL(`../${script}${OWN_EXTENSION}`, import.meta.url));
  return new Child(
    script,
    spawn(process.execPath, [...process.execArgv, path], {
      // Not the harness's own environment: a setting of the shell must not reach a contestant.
      env: { PATH: process.env["PATH"], ...env, NODE_ENV: "production" },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    }),
  );
}

/** CPU seconds that a process has used since its start, all threads; `undefined` outside Linux. */
export function cpuSecondsOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the command's name in parentheses and may hold spaces: count from its end.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}
