/**
 * Items that need a person because a promise is broken or will be, or because the sides disagree, the
 * longest first. Read from an index that each decision keeps up, so a quiet installation answers at once however many items it has.
 */
import { decodeActor, isLiving } from "../core/actor.ts";
import { divergenceOf } from "../core/attention.ts";
import type { Level } from "../core/clock-fact.ts";
import type { ItemDivergence } from "../core/definition.ts";
import { isLate, type Ledger, type OpenClock } from "../core/clock-ledger.ts";
import { ledgerOf } from "../core/item-clocks.ts";
import { loadActors } from "../store/actor-store.ts";
import type { PageQuery } from "../store/index-page.ts";
import { itemsInNeed } from "../store/item-store.ts";
import type { ReadingSide } from "./describe-item.ts";

/** A clock that runs beyond its due time. Instants are ms since the epoch. */
export interface LateClock {
  readonly clock: string;
  readonly dueAt: number;
  readonly ackUntil?: number;
  readonly snoozedUntil?: number;
}

export interface AttentionRow {
  readonly itemId: string;
  /** Since when a person should look, ms. */
  readonly since: number;
  /** Absent, as the account is, when this deployment does not have the item's machine. */
  readonly status?: string;
  readonly account?: string;
  readonly order?: string;
  /** The longest late first. */
  readonly late: readonly LateClock[];
  /** Whether the committed date will be kept; absent until that was in doubt. */
  readonly jeopardy?: { readonly level: Level; readonly since: number };
  /** The marketplace or the CRM says something else of it. */
  readonly divergence?: ItemDivergence;
}

export interface AttentionList {
  readonly items: readonly AttentionRow[];
  /** Give it back to get the next page; absent on the last one. */
  readonly next?: string;
}

export async function listAttention(
  { store, machines }: ReadingSide,
  query: PageQuery,
): Promise<AttentionList> {
  const page = await itemsInNeed(store, query);
  const texts = await loadActors(
    store,
    page.items.map(({ itemId }) => itemId),
  );
  const items = page.items.flatMap(({ itemId, since }, index): AttentionRow[] => {
    const text = texts[index];
    const actor = text === undefined ? undefined : decodeActor(itemId, text);
    if (!isLiving(actor)) return [];
    const machine = machines.byId(actor.machine, actor.version);
    const { value, context } = actor.snapshot;
    const divergence = divergenceOf(machines, actor);
    return [
      {
        itemId,
        since,
        ...(machine !== undefined && {
          status: machine.status(value),
          ...machine.attributes(context),
        }),
        ...reasonsOf(ledgerOf(actor)),
        ...(divergence !== undefined && { divergence }),
      },
    ];
  });
  return { items, ...(page.next !== undefined && { next: page.next }) };
}

function reasonsOf({ clocks, jeopardy }: Ledger): Pick<AttentionRow, "late" | "jeopardy"> {
  const late = Object.entries(clocks)
    .filter(([, clock]) => isLate(clock))
    .map(([clock, open]) => lateClock(clock, open))
    .toSorted((one, other) => one.dueAt - other.dueAt);
  if (jeopardy === undefined || jeopardy.level === "green") return { late };
  const { level, since } = jeopardy;
  return { late, jeopardy: { level, since } };
}

function lateClock(clock: string, { dueAt, ackUntil, snoozedUntil }: OpenClock): LateClock {
  return {
    clock,
    dueAt,
    ...(ackUntil !== undefined && { ackUntil }),
    ...(snoozedUntil !== undefined && { snoozedUntil }),
  };
}
