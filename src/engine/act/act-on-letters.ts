/** A dead letter is tried again, or given up. */
import { accountOfChannel } from "../../core/channel-name.ts";
import { oneLine } from "../../core/one-line.ts";
import { newJob } from "../../queue/producer.ts";
import { type DeadLetter, findDeadLetter, itemOfLetter } from "../../store/dead-letter-store.ts";
import { redrive, skip } from "../redrive.ts";
import {
  type LetterAction,
  type Operator,
  type Outcome,
  type Plan,
  type Refused,
  refused,
} from "./action.ts";
import { type Acting, findItem, mayAct, storeNow } from "./acting.ts";

export async function planLetter(
  acting: Acting,
  { action, letter: id }: LetterAction,
  operator: Operator,
): Promise<Plan | Refused> {
  const letter = await findDeadLetter(acting.store, id);
  if (letter === undefined || !mayAct(operator, await accountOfLetter(acting, letter))) {
    return unknownLetter(id);
  }
  const item = itemOfLetter(letter);
  return {
    is: "plan",
    ...(item !== undefined && { item }),
    detail: { letter: id, kind: letter.kind, code: letter.problem.code },
    run: () =>
      action === "redrive"
        ? redriveLetter(acting, letter)
        : discardLetter(acting, letter, operator),
  };
}

function unknownLetter(id: string): Refused {
  return refused(
    "unknown",
    "DEADLETTER_UNKNOWN",
    `There is no dead letter ${oneLine(id)}: it was solved, or the id is mistyped.`,
  );
}

/** Whose business it is: the item's own account, which no event can claim for itself. */
async function accountOfLetter(
  acting: Pick<Acting, "store" | "machines">,
  letter: DeadLetter,
): Promise<string | undefined> {
  if (letter.kind === "account") return letter.account;
  if (letter.kind === "effect") {
    const account = accountOfChannel(letter.channel);
    if (account !== undefined) return account;
  }
  const itemId = itemOfLetter(letter);
  if (itemId === undefined) return undefined;
  const found = await findItem(acting, itemId);
  return found.is === "living" ? found.account : undefined;
}

async function redriveLetter(acting: Acting, letter: DeadLetter): Promise<Outcome> {
  const { store, frontDoor } = acting;
  const now = await storeNow(acting);
  const enqueue = (data: unknown): Promise<void> => frontDoor.add([newJob(data)]);
  const { outcome } = await redrive({ store, enqueue, now: () => now }, letter);
  return { is: "done", result: { outcome } };
}

async function discardLetter(
  acting: Acting,
  letter: DeadLetter,
  { reason }: Operator,
): Promise<Outcome> {
  const now = await storeNow(acting);
  const skipped = await skip({ store: acting.store, now: () => now }, letter, reason);
  const effects = skipped.outcome === "skipped" && {
    effects: skipped.effects.map(({ id }) => id),
  };
  return { is: "done", result: { outcome: skipped.outcome, ...effects } };
}
