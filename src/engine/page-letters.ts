/** Dead letters in pages. */
import type { PageQuery } from "../store/index-page.ts";
import { type DeadLetterPage, pageDeadLetters } from "../store/dead-letter-store.ts";
import type { ReadingSide } from "./describe-item.ts";

/** Oldest first. */
export async function pageLetters(
  { store }: Pick<ReadingSide, "store">,
  query: PageQuery,
): Promise<DeadLetterPage> {
  return pageDeadLetters(store, query);
}
