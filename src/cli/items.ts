/** `orderwright items`: which items there are, and which of them somebody forgot. */
import { type Command, InvalidArgumentError } from "commander";
import { type ItemRow, type ItemsQuery, knownStatuses, listItems } from "../engine/list-items.ts";
import { print, printJson } from "./output.ts";
import { type ConfigOption, newCommand, withSession } from "./session.ts";
import { relativeText, table } from "./text-layout.ts";

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 1_000;

interface ItemsFlags extends ConfigOption, ItemsQuery {
  readonly json?: true;
}

export function itemsCommand(): Command {
  return newCommand("items")
    .description(
      "List items, the longest untouched first, and count them by status. One status can be paged through.",
    )
    .option("--status <status>", "only items of this status")
    .option("--order <id>", "only items of this order")
    .option("--limit <n>", `at most so many, up to ${LIMIT_MAX}`, limitOf, LIMIT_DEFAULT)
    .option("--cursor <cursor>", "go on where the last page ended; needs --status")
    .option("--json", "print one JSON document")
    .action(list);
}

async function list(flags: ItemsFlags): Promise<void> {
  if (flags.cursor !== undefined && flags.status === undefined) {
    throw new InvalidArgumentError("--cursor goes on within one status: give --status too.");
  }
  const { counts, items, next } = await withSession(flags, async (session) => {
    assertStatus(flags.status, knownStatuses(session));
    return listItems(session, flags);
  });
  if (flags.json) {
    printJson({ counts, items, next: next ?? null });
    return;
  }
  if (counts !== undefined) print(`${countsText(counts)}\n`);
  if (items.length === 0) print("No items.");
  else print(table(HEADINGS, items.map(cellsOf)));
  if (next !== undefined) {
    print(`\nMore: npx orderwright items --status ${flags.status} --cursor '${next}'`);
  }
}

const HEADINGS = ["ITEM", "STATUS", "SINCE", "ORDER", "ACCOUNT", "PUSHES"];

function cellsOf({ itemId, status, since, order, account, pending, isBlocked }: ItemRow): string[] {
  const pushes = pending === 0 ? "-" : `${pending} pending`;
  return [
    itemId,
    status,
    relativeText(since, Date.now()),
    order ?? "-",
    account,
    isBlocked ? `${pushes}, BLOCKED` : pushes,
  ];
}

function countsText(counts: Readonly<Record<string, number>>): string {
  const rows = Object.entries(counts).filter(([, amount]) => amount > 0);
  const total = rows.reduce((sum, [, amount]) => sum + amount, 0);
  return table(
    [],
    [...rows, ["all", total] as const].map(([status, amount]) => [status, String(amount)]),
  );
}

function assertStatus(status: string | undefined, known: readonly string[]): void {
  if (status === undefined || known.includes(status)) return;
  throw new InvalidArgumentError(`There is no status "${status}". Known: ${known.join(", ")}.`);
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw new InvalidArgumentError(`It is a number from 1 to ${LIMIT_MAX}.`);
}
