/** What a command is called in a trace. */
import { createHash } from "node:crypto";
import * as scripts from "../../src/store/scripts.ts";
import type { Argument, Command } from "./redis-server.ts";

const NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries(scripts).map(([name, { sha }]) => [sha, name.replace("Script", "")]),
);

export interface Called {
  readonly name: string;
  readonly args: readonly Argument[];
}

/** What a command does, in one word: a script's name, "take", "finish". */
export function commandWord(command: Command): string {
  if (command.kind !== "data") return command.kind;
  return isScript(command.name) ? scriptName(command) : command.name;
}

function isScript(name: string): boolean {
  return name === "evalsha" || name === "eval";
}

const SHAS = new Map<string, string>();

/** A Lua text is hashed once in a process. */
export function shaOf({ name, args }: Called): string {
  const text = String(args[0]);
  if (name === "evalsha") return text;
  let sha = SHAS.get(text);
  if (sha === undefined) SHAS.set(text, (sha = createHash("sha1").update(text).digest("hex")));
  return sha;
}

function scriptName(called: Called): string {
  return NAMES.get(shaOf(called)) ?? called.name;
}

/** The scripts by their names; of others, the key. */
export function commandText({ name, args }: Called): string {
  if (!isScript(name)) return `${name} ${String(args[0])}`;
  const script = scriptName({ name, args });
  switch (script) {
    case "commit":
      return `commit ${String(args[5])} on "${String(args[6]).slice(0, 8).trim()}"`;
    case "settleLanes":
      return `settleLanes ${String(args[3])} ${String(args[6])} ${String(args[8])}`;
    default:
      return `${script} ${String(args[3])}`;
  }
}
