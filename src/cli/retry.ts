/** `orderwright retry`: what was a dead letter is tried again. */
import { accountOfChannel } from "../core/channel-name.ts";
import { type Command, InvalidArgumentError } from "commander";
import { letterOf, redrive, type Redriven, type RedriveSetting } from "../engine/redrive.ts";
import { addJobs, newJob } from "../queue/producer.ts";
import { CRM_EVENTS, openQueue } from "../queue/queues.ts";
import type { DeadLetter } from "../store/dead-letter-store.ts";
import { itemOfLetter, listDeadLetters } from "../store/dead-letter-store.ts";
import { type ReasonFlags, recordOperation, withReason } from "./operator.ts";
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
    const letters =
      id === undefined
        ? (await listDeadLetters(session.store, ALL_MAX)).filter(isOfAccount(flags.account))
        : [await letterOf(session.store, id)];
    return redriveAll(session, letters, flags);
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

async function redriveAll(
  { store, link }: Session,
  letters: readonly DeadLetter[],
  flags: ReasonFlags,
): Promise<{ readonly id: string; readonly outcome: Redriven["outcome"] }[]> {
  const { queue, close } = openQueue(CRM_EVENTS, link);
  const setting: RedriveSetting = {
    store,
    now: Date.now,
    enqueue: (data) => addJobs(queue, [newJob(data)]),
  };
  const done = [];
  try {
    for (const letter of letters) {
      const item = itemOfLetter(letter);
      const act = { action: "retry", ...(item !== undefined && { item }) };
      await recordOperation(store, flags, { ...act, detail: { letter: letter.id } });
      const { outcome } = await redrive(setting, letter);
      done.push({ id: letter.id, outcome });
    }
  } finally {
    await close();
  }
  return done;
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
