/**
 * Whose items are: what those are asked for who may see the items of one provider account only. Nothing
 * that is not known to be an account's is shown to it.
 */
import { decodeActor, isLiving } from "../core/actor.ts";
import { loadActors } from "../store/actor-store.ts";
import { type DeadLetter, itemOfLetter } from "../store/dead-letter-store.ts";
import type { ReadingSide } from "./describe-item.ts";

/**
 * Each item's account. `null` for one of which nobody can say: it has not begun, this deployment does not
 * have its machine, or nothing is known of it.
 */
export async function accountsOf(
  { store, machines }: ReadingSide,
  itemIds: readonly string[],
): Promise<(itemId: string) => string | null> {
  const ids = [...new Set(itemIds)];
  const texts = await loadActors(store, ids);
  const accounts = new Map<string, string>();
  for (const [index, itemId] of ids.entries()) {
    const text = texts[index];
    const actor = text === undefined ? undefined : decodeActor(itemId, text);
    if (!isLiving(actor)) continue;
    const machine = machines.byId(actor.machine, actor.version);
    if (machine === undefined) continue;
    accounts.set(itemId, machine.attributes(actor.snapshot.context).account);
  }
  return (itemId) => accounts.get(itemId) ?? null;
}

/** The letters that are about that account: about its items, or about the account as a whole. */
export async function lettersOfAccount(
  reading: ReadingSide,
  letters: readonly DeadLetter[],
  account: string,
): Promise<DeadLetter[]> {
  const itemIds = letters.map(itemOfLetter).filter((itemId) => itemId !== undefined);
  const accountOf = await accountsOf(reading, itemIds);
  return letters.filter((letter) => {
    if (letter.kind === "account") return letter.account === account;
    const itemId = itemOfLetter(letter);
    const known = itemId === undefined ? null : accountOf(itemId);
    // Before its item began, an event is of the account that it was sent for.
    const sentFor = letter.kind === "event" ? letter.event.account : undefined;
    return (known ?? sentFor) === account;
  });
}
