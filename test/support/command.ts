/** The `orderwright` command as a child process, run from source. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

export type CommandEnvironment = Readonly<Record<string, string>>;

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly child: ChildProcess;
  /** What stdout and stderr hold so far. */
  readonly output: () => { readonly stdout: string; readonly stderr: string };
  readonly ended: Promise<Ended>;
}

/** Only `env` and what any program needs: the machine's own REDIS_URL must not get in. */
export function startCommand(
  args: readonly string[],
  env: CommandEnvironment,
  input = "",
): RunningCommand {
  const child = spawn(process.execPath, ["--import", "tsx", MAIN, ...args], {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    stdio: "pipe",
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.end(input);
  return {
    child,
    output: () => ({ stdout, stderr }),
    ended: once(child, "close").then(([exitCode]) => ({
      exitCode: exitCode as number | null,
      stdout,
      stderr,
    })),
  };
}

export async function runCommand(
  args: readonly string[],
  env: CommandEnvironment,
  input = "",
): Promise<Ended> {
  return startCommand(args, env, input).ended;
}
