/** `orderwright attention`: whose promise is broken, or will be. */
import { type Command, InvalidArgumentError } from "commander";
import { listAttention } from "../engine/list-attention.ts";
import { attentionText } from "./clock-text.ts";
import { print, printJson } from "./output.ts";
import { type ConfigOption, newCommand, withStore } from "./session.ts";

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 1_000;

interface AttentionFlags extends ConfigOption {
  readonly limit: number;
  readonly cursor?: string;
  readonly json?: true;
}

export function attentionCommand(): Command {
  return newCommand("attention")
    .description(
      "List items that need a person because a clock is late, the committed date is in danger or the sides disagree, the longest first.",
    )
    .option("--limit <n>", `at most so many, up to ${LIMIT_MAX}`, limitOf, LIMIT_DEFAULT)
    .option("--cursor <cursor>", "go on where the last page ended", cursorOf)
    .option("--json", "print one JSON document")
    .action(list);
}

async function list(flags: AttentionFlags): Promise<void> {
  const { limit, cursor } = flags;
  const { items, next } = await withStore(flags, (session) =>
    listAttention(session, { limit, cursor }),
  );
  if (flags.json) {
    printJson({ items, next: next ?? null });
    return;
  }
  if (items.length > 0) print(attentionText(items, Date.now()));
  else
    print(
      "No item needs a person: no clock is late, no committed date in danger, all sides agree.",
    );
  if (next !== undefined) print(`\nMore: npx orderwright attention --cursor '${next}'`);
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw new InvalidArgumentError(`It is a number from 1 to ${LIMIT_MAX}.`);
}

function cursorOf(text: string): string {
  if (/^\d+\|/.test(text)) return text;
  throw new InvalidArgumentError("It is what the last page gave.");
}
