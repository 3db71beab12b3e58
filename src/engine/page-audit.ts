/** The audit journal in pages. It only grows, so an entry keeps its place, and its number is that and one. */
import type { AuditEntry } from "../store/audit-chain.ts";
import { auditLength, readAuditRange } from "../store/audit-store.ts";
import type { ReadingSide } from "./describe-item.ts";
import { type JournalQuery, rangeOf } from "./page-journal.ts";

export interface AuditPage {
  /** Entries that the journal has now. */
  readonly length: number;
  readonly entries: readonly AuditEntry[];
  /** Give it back as `after` to get the next page; absent on the last one. */
  readonly next?: number;
}

/** What cannot be read as an entry is left out: `verifyAudit` is who tells of it. */
export async function pageAudit(
  { store }: Pick<ReadingSide, "store">,
  query: JournalQuery,
): Promise<AuditPage> {
  const length = await auditLength(store);
  const { from, to } = rangeOf(query, length);
  if (to < from) return { length, entries: [] };
  const read = await readAuditRange(store, { from, to });
  const isOldest = query.first === "oldest";
  const isMore = isOldest ? to < length - 1 : from > 0;
  return {
    length,
    entries: isOldest ? read : read.toReversed(),
    ...(isMore && { next: isOldest ? to : from }),
  };
}
