/**
 * The machine, as far as finding and installing a server needs it. Handed in, so that a search can be
 * tried against any machine.
 */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";

/** A package manager that waits for its mirror, or for a lock that another one holds. */
const COMMAND_TIMEOUT_MS = 5 * 60_000;
/** Enough to find a command's last line of complaint. */
const OUTPUT_KEPT_CHARACTERS = 8192;

export interface CommandResult {
  /** 127 when the command does not exist or was killed, as a shell says it. */
  readonly exitCode: number;
  /** The end of stdout and stderr together. */
  readonly output: string;
}

export interface Host {
  readonly searchPath: string;
  readonly isRoot: boolean;
  readonly isExecutable: (path: string) => boolean;
  readonly run: (command: string, args: readonly string[]) => Promise<CommandResult>;
  /** Tells the person at the terminal one line. */
  readonly say: (line: string) => void;
}

export function thisHost(): Host {
  return {
    searchPath: process.env["PATH"] ?? "",
    isRoot: process.getuid?.() === 0,
    isExecutable,
    run,
    say: (line) => {
      process.stderr.write(`${line}\n`);
    },
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function run(command: string, args: readonly string[]): Promise<CommandResult> {
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: COMMAND_TIMEOUT_MS,
  });
  let output = "";
  const keep = (chunk: string): void => {
    output = (output + chunk).slice(-OUTPUT_KEPT_CHARACTERS);
  };
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  return new Promise((done) => {
    child.once("error", (error) => {
      done({ exitCode: 127, output: error.message });
    });
    child.once("close", (code) => {
      done({ exitCode: code ?? 127, output });
    });
  });
}
