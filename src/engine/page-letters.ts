/** Dead letters in pages. */
import type { PageQuery } from "../store/index-page.ts";
import { type DeadLetterPage, pageDeadLetters } from "../store/dead-letter-store.ts";
import type { ReadingSide } from "./describe-item.ts";
import { lettersOfAccount } from "./item-accounts.ts";

/** Oldest first. With an `account`, its own letters: a page may come short, even empty, and have a `next`. */
export async function pageLetters(
  reading: ReadingSide,
  query: PageQuery,
  account?: string,
): Promise<DeadLetterPage> {
  const page = await pageDeadLetters(reading.store, query);
  if (account === undefined) return page;
  return { ...page, letters: await lettersOfAccount(reading, page.letters, account) };
}
