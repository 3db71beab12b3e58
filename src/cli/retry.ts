/** `orderwright retry`: what was a dead letter is tried again. */
import { type Command, InvalidArgumentError } from "commander";
import { accountOfChannel } from "../core/channel-name.ts";
import { act, type Acted } from "../engine/act/act.ts";
import { letterOf, type Redriven } from "../engine/redrive.ts";
import { type DeadLetter, listDeadLetters } from "../store/dead-letter-store.ts";
import { operatorFrom, withActing } from "./acting.ts";
import { type ReasonFlags, withReason } from "./operator.ts";
import { print, printJson } from "./output.ts";
import { type ConfigOption, newCommand, type Session, withSession } from "./session.ts";
import { count } from "./text-layout.ts";

/** Letters of one run of --all; a second run takes the rest. */
const ALL_MAX = 10_000;

interface RetryFlags extends ConfigOption, ReasonFlags {
  readonly all?: true;
  readonly account?: string;
  readonly json?: true;
}

export function retryCommand(): Command {
  return withReason(newCommand("retry"))
    .description(
      "Try a dead letter again: an event goes back into the queue, a blocked item delivers again, a held account is released.",
    )
    .argument("[id]", "id of the dead letter, see `orderwright dead`")
    .option("--all", "all dead letters")
    .option("--account <name>", "with --all: only those of this marketplace account")
    .option("--json", "print one JSON document")
    .action(retry);
}

async function retry(id: string | undefined, flags: RetryFlags): Promise<void> {
  if ((id === undefined) === (flags.all === undefined)) {
    throw new InvalidArgumentError("Name one dead letter, or give --all.");
  }
  const done = await withSession(flags, async (session) => {
    if (id !== undefined) {
      await letterOf(session.store, id);
      return redriveAll(session, [id], flags);
    }
    const letters = await listDeadLetters(session.store, ALL_MAX);
    const meant = letters.filter(isOfAccount(flags.account));
    const ids = meant.map((letter) => letter.id);
    return redriveAll(session, ids, flags);
  });
  if (done.some(({ outcome }) => outcome === "not-whole")) process.exitCode = 1;
  if (flags.json) {
    printJson(done);
    return;
  }
  for (const { id: letterId, outcome } of done) print(`${letterId}: ${WORDS[outcome]}`);
  if (id === undefined) print(`Retried ${count(done.length, "dead letter")}.`);
}

const WORDS: Readonly<Record<Redriven["outcome"], string>> = {
  enqueued: "back in the queue; `orderwright show` tells what became of it.",
  unblocked: "the item delivers again.",
  "due-again": "it is tried again by itself, and tells you when it fails again.",
  released: "the account delivers again.",
  "was-open": "had been solved already.",
  "not-whole": "only its beginning was kept. Send it again from its source, then skip it here.",
};

interface Retried {
  readonly id: string;
  readonly outcome: keyof typeof WORDS;
}

async function redriveAll(
  session: Session,
  letters: readonly string[],
  flags: ReasonFlags,
): Promise<Retried[]> {
  const operator = operatorFrom(flags);
  return withActing(session, async (acting) => {
    const done: Retried[] = [];
    for (const letter of letters) {
      const acted = await act(acting, { operator, action: { action: "redrive", letter } });
      done.push({ id: letter, outcome: outcomeOf(acted) });
    }
    return done;
  });
}

function outcomeOf(acted: Acted): Retried["outcome"] {
  switch (acted.is) {
    case "done":
      return acted.result.outcome as Redriven["outcome"];
    case "pending":
      return "enqueued";
    // It was there a moment ago: somebody else was faster.
    case "refused":
      return "was-open";
  }
}

function isOfAccount(account: string | undefined): (letter: DeadLetter) => boolean {
  return (letter) => account === undefined || accountOf(letter) === account;
}

function accountOf(letter: DeadLetter): string | undefined {
  switch (letter.kind) {
    case "account":
      return letter.account;
    case "effect":
      return accountOfChannel(letter.channel);
    case "event":
      return letter.event.account;
    case "timer":
    case "unreadable":
      return undefined;
  }
}
