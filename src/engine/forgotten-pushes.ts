/** After Redis has forgotten: whether the marketplace has heard more of an item than the journal knows. */
import { EngineError } from "../core/errors.ts";
import type { JournalEntry } from "../core/journal.ts";
import { showsAnother } from "../offergrid/push-resolution.ts";
import type { Reply } from "../offergrid/reply.ts";
import type { StatusUpdate } from "../offergrid/status-update.ts";
import { readJournal } from "../store/item-store.ts";
import type { Engine } from "./engine.ts";
import { PUSH_EFFECT } from "./marketplace-view.ts";
import { decidedEffect } from "./reconcile-decided.ts";

/**
 * An item may come back to a status: scheduled, in progress, failed, scheduled again. One that is shown where
 * we left it, or at an earlier place of its way, may therefore have gone round since; what it was told last
 * tells the two apart.
 */
export async function isFurtherThanKnown(
  { store, machines }: Engine,
  itemId: string,
  shown: Reply,
): Promise<boolean> {
  const journal = await readJournal(store, itemId);
  const last = journal.findLast(isTelling);
  if (last?.kind !== "delivery") return false;
  try {
    const told = decidedEffect(machines, { itemId, journal }, last.effect);
    return told !== undefined && showsAnother(shown, told.params as StatusUpdate);
  } catch (error) {
    // A journal that cannot be replayed is found by others; here it only tells nothing.
    if (error instanceof EngineError) return false;
    throw error;
  }
}

function isTelling(entry: JournalEntry): boolean {
  return entry.kind === "delivery" && entry.outcome === "delivered" && entry.name === PUSH_EFFECT;
}
