/** `orderwright show`: everything about one item. */
import type { Command } from "commander";
import { EngineError } from "../core/errors.ts";
import { describeItem } from "../engine/describe-item.ts";
import { itemText } from "./item-text.ts";
import { print, printJson } from "./output.ts";
import { type ConfigOption, newCommand, withSession } from "./session.ts";

interface ShowFlags extends ConfigOption {
  readonly json?: true;
}

export function showCommand(): Command {
  return newCommand("show")
    .description(
      "Show one item: where it stands, what it takes next, its journal, its pushes, and what blocks it.",
    )
    .argument("<item>", "order item id")
    .option("--json", "print one JSON document")
    .action(show);
}

async function show(itemId: string, flags: ShowFlags): Promise<void> {
  const description = await withSession(flags, (session) =>
    describeItem(session, itemId, Date.now()),
  );
  if (description === undefined) {
    throw new EngineError(
      "ITEM_UNKNOWN",
      `Nothing is known of item ${itemId}. Check the id with \`orderwright items\`; an event that was refused before the item began is among \`orderwright dead\`.`,
    );
  }
  if (flags.json) printJson(description);
  else print(itemText(description));
}
