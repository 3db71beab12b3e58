/** `orderwright skip`: a dead letter is given up, on somebody's word. */
import type { Command } from "commander";
import { letterOf, skip, type Skipped } from "../engine/redrive.ts";
import { type DeadLetter, itemOfLetter } from "../store/dead-letter-store.ts";
import { type OperatorFlags, recordOperation, withOperator } from "./operator.ts";
import { complain, print, printJson } from "./output.ts";
import { type ConfigOption, newCommand, withSession } from "./session.ts";

interface SkipFlags extends ConfigOption, OperatorFlags {
  readonly reason: string;
  readonly json?: true;
}

export function skipCommand(): Command {
  return withOperator(newCommand("skip"))
    .description(
      "Leave out what a dead letter holds: a blocked push is never sent and the journal says why; an event is given up.",
    )
    .argument("<id>", "id of the dead letter, see `orderwright dead`")
    .requiredOption("--reason <text>", "why it is not needed; kept in the journal")
    .option("--json", "print one JSON document")
    .action(leaveOut);
}

async function leaveOut(id: string, flags: SkipFlags): Promise<void> {
  const { reason, json } = flags;
  const { letter, skipped } = await withSession(flags, async ({ store }) => {
    const found = await letterOf(store, id);
    const item = itemOfLetter(found);
    const act = { action: "skip", ...(item !== undefined && { item }) };
    await recordOperation(store, flags, { ...act, detail: { letter: id } });
    return { letter: found, skipped: await skip({ store, now: Date.now }, found, reason) };
  });
  if (skipped.outcome === "not-skippable") process.exitCode = 1;
  if (json) printJson({ letter, ...skipped });
  else tell(letter, skipped);
}

function tell(letter: DeadLetter, skipped: Skipped): void {
  switch (skipped.outcome) {
    case "skipped": {
      const ids = skipped.effects.map((effect) => effect.id);
      print(`Left out ${ids.join(", ")}. The item delivers again.`);
      return;
    }
    case "discarded":
      print("Given up. Its last record:");
      printJson(letter);
      return;
    case "was-open":
      print("It had been solved already.");
      return;
    case "not-skippable":
      complain("An account is not skipped: correct its API key, then retry it.");
  }
}
