/** What the marketplace was last told about an item, or told us: read from the journal. */
import type { JournalEntry } from "../core/journal.ts";
import { readJournal } from "../store/item-store.ts";
import type { Store } from "../store/store.ts";
import { ITEM_STATUSES, type ItemStatus } from "../offergrid/status-update.ts";

/** The one effect of the marketplace channel. */
export const PUSH_EFFECT = "pushStatus";

/** Entries looked at, newest first. Only asked when an outcome is unknown, so it may be thorough. */
const LOOK_BACK = 200;

export async function lastKnownStatus(
  store: Store,
  itemId: string,
): Promise<ItemStatus | undefined> {
  const entries = await readJournal(store, itemId, { from: -LOOK_BACK });
  for (const entry of entries.toReversed()) {
    const status = statusTold(entry);
    const known = ITEM_STATUSES.find((each) => each === status);
    if (known !== undefined) return known;
  }
  return undefined;
}

function statusTold(entry: JournalEntry): string | undefined {
  if (entry.kind === "delivery") {
    // A reminder to an operator names the item's status as well, which the marketplace may not have yet.
    const isTold = entry.outcome === "delivered" && entry.name === PUSH_EFFECT;
    return isTold ? entry.status : undefined;
  }
  if (entry.kind !== "event" || entry.outcome !== "applied") return undefined;
  const isFromMarketplace =
    entry.event.data["origin"] === "marketplace" || entry.birth !== undefined;
  return isFromMarketplace ? entry.change?.status : undefined;
}
