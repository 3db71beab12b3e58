/** `orderwright dead`: what needs a person. */
import { type Command, InvalidArgumentError } from "commander";
import { listDeadLetters } from "../store/dead-letter-store.ts";
import { letterText } from "./dead-letter-text.ts";
import { print, printJson } from "./output.ts";
import { type ConfigOption, newCommand, withSession } from "./session.ts";

const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 10_000;

interface DeadFlags extends ConfigOption {
  readonly limit: number;
  readonly json?: true;
}

export function deadCommand(): Command {
  return newCommand("dead")
    .description("List dead letters, newest first: events and pushes that need a person.")
    .option("--limit <n>", `at most so many, up to ${LIMIT_MAX}`, limitOf, LIMIT_DEFAULT)
    .option("--json", "print one JSON document")
    .action(list);
}

async function list({ limit, json, ...options }: DeadFlags): Promise<void> {
  // One more than is shown tells whether there are more.
  const found = await withSession(options, ({ store }) => listDeadLetters(store, limit + 1));
  const letters = found.slice(0, limit);
  if (json) {
    printJson(letters);
    return;
  }
  if (letters.length === 0) {
    print("No dead letters.");
    return;
  }
  print(letters.map((letter) => letterText(letter, Date.now())).join("\n\n"));
  if (found.length > limit) print(`\nThere are more: --limit ${Math.min(limit * 10, LIMIT_MAX)}`);
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw new InvalidArgumentError(`It is a number from 1 to ${LIMIT_MAX}.`);
}
