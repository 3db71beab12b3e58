/**
 * A server process that cannot outlive the process that started it, not even a `kill -9` of it.
 *
 * A shell leaves a watcher behind and then becomes the server (exec), so the child's pid, signals and
 * exit code are the server's own. The watcher waits for the end of the shell's stdin, a pipe that
 * nothing is ever written to: the kernel closes it when the parent is gone, however it went, and the
 * watcher sends SIGTERM, then SIGCONT, without which a stopped server would never see the first. The
 * server lives in a session of its own: Ctrl-C in a terminal reaches the parent alone, which first
 * finishes its work and then stops the server.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

const WATCHED_EXEC = `
exec 3<&0 </dev/null
server=$$
( cat <&3; kill -TERM "$server"; kill -CONT "$server" ) >/dev/null 2>&1 &
exec "$@" 3<&-`;

/** A clean stop writes and syncs what is buffered; a server that takes longer hangs. */
const STOP_TIMEOUT_MS = 10_000;
const LINES_KEPT = 20;

export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SupervisedServer {
  readonly pid: number;
  /** Resolves when the process has ended, for whatever reason. Waiting for it does not keep the parent
   * alive, unless it was sent a signal. */
  readonly exited: Promise<ServerExit>;
  /** The last lines of its output. */
  readonly lastLines: () => readonly string[];
  readonly kill: (signal: NodeJS.Signals) => void;
  /** SIGTERM, and SIGKILL when that does not help in 10 s. */
  readonly stop: () => Promise<ServerExit>;
}

/** @throws Error when no shell can be started */
export async function startSupervised(
  path: string,
  args: readonly string[],
  onLine: (line: string) => void,
): Promise<SupervisedServer> {
  const child = spawn("/bin/sh", ["-c", WATCHED_EXEC, "sh", path, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  const exited = exitOf(child);
  const lines = keepLastLines(child, onLine);
  const pid = await pidOf(child);
  // Neither the process nor its pipes keep the parent alive: a parent that is done may just end.
  child.unref();
  for (const stream of child.stdio) {
    if (stream && "unref" in stream && typeof stream.unref === "function") stream.unref();
  }
  return {
    pid,
    exited,
    lastLines: () => [...lines],
    kill: (signal) => {
      // Whoever sends a signal waits for what it does.
      child.ref();
      child.kill(signal);
    },
    stop: async () => {
      child.kill("SIGTERM");
      const killer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      const exit = await exited;
      clearTimeout(killer);
      return exit;
    },
  };
}

async function pidOf(child: ChildProcess): Promise<number> {
  if (child.pid !== undefined) return child.pid;
  return new Promise((_, fail) => {
    child.once("error", fail);
  });
}

async function exitOf(child: ChildProcess): Promise<ServerExit> {
  return new Promise((done) => {
    child.once("exit", (code, signal) => {
      // Releases the watcher before the system could give the server's pid to another process.
      child.stdin?.destroy();
      done({ code, signal });
    });
  });
}

function keepLastLines(child: ChildProcess, onLine: (line: string) => void): readonly string[] {
  const lines: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    if (input === null) continue;
    createInterface({ input }).on("line", (line) => {
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
      onLine(line);
    });
  }
  return lines;
}
