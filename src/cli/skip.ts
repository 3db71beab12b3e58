/** `orderwright skip`: a dead letter is given up, on somebody's word. */
import type { Command } from "commander";
import { act } from "../engine/act/act.ts";
import type { Result } from "../engine/act/action.ts";
import { letterOf, type Skipped } from "../engine/redrive.ts";
import type { DeadLetter } from "../store/dead-letter-store.ts";
import { operatorFrom, withActing } from "./acting.ts";
import { type OperatorFlags, withOperator } from "./operator.ts";
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
  const { letter, result } = await withSession(flags, async (session) => {
    const found = await letterOf(session.store, id);
    const operator = operatorFrom(flags);
    const action = { action: "discard", letter: id } as const;
    const acted = await withActing(session, (acting) => act(acting, { operator, action }));
    // It was there a moment ago: somebody else was faster.
    return { letter: found, result: acted.is === "done" ? acted.result : WAS_OPEN };
  });
  if (result.outcome === "not-skippable") process.exitCode = 1;
  if (flags.json) printJson({ letter, ...result });
  else tell(letter, result);
}

const WAS_OPEN: Result = { outcome: "was-open" };

function tell(letter: DeadLetter, { outcome, effects = [] }: Result): void {
  switch (outcome as Skipped["outcome"]) {
    case "skipped":
      print(`Left out ${effects.join(", ")}. The item delivers again.`);
      return;
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
