/**
 * Walks all items and sums up their fulfilment, from their journals alone. Safe beside running workers: it
 * only reads, and an item that moves while it walks counts once, as its journal is when it is read.
 */
import { type Period, PERIOD_UNITS, type PeriodUnit, periodOf } from "../sla/period.ts";
import { ITEM_STATUSES } from "../offergrid/status-update.ts";
import { itemsByStatus, readJournal } from "../store/item-store.ts";
import type { ReadingSide } from "./describe-item.ts";
import { factsOf, type ItemFacts } from "./fulfilment-facts.ts";
import { type FulfilmentFigures, FulfilmentSum, type TimeWindow } from "./fulfilment-figures.ts";

/** Journals read together: about 10 MB of finished items. */
const PAGE_ITEMS = 1_000;

const HOUR_MS = 3_600_000;

/** Clocks of the machines that decide may differ by so much, ms. */
const CLOCK_SKEW_MS = 60_000;

/** Looks for items that moved meanwhile; each is shorter than the one before. */
const ROUNDS_MAX = 5;

export const GROUPINGS = ["account", "offer", "category", ...PERIOD_UNITS] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface FulfilmentQuery {
  readonly window: TimeWindow;
  /** A row for each value that occurs; several give a row for each combination. One period at most. */
  readonly by: readonly Grouping[];
  /** IANA name: in which days, weeks and months begin. */
  readonly zone: string;
  readonly account?: string;
}

export interface FulfilmentGroup {
  /** By grouping; `null` where the order did not say. */
  readonly key: Readonly<Partial<Record<Grouping, string | null>>>;
  readonly figures: FulfilmentFigures;
}

export interface FulfilmentReport {
  readonly total: FulfilmentFigures;
  /** Sorted by their keys; empty when nothing was to be grouped. */
  readonly groups: readonly FulfilmentGroup[];
  /** Items that were left out because their order's `metadata.test` says so. */
  readonly testItems: number;
  /** Items whose machine version this deployment does not have. */
  readonly unreadableItems: number;
}

export interface MeasureOptions {
  /** ms since the epoch. */
  readonly now: () => number;
  /** Rejects with its reason when it is aborted. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (itemsRead: number) => void;
}

/** Reads every journal: some 5,000 finished items a second. */
export async function measureFulfilment(
  reading: ReadingSide,
  query: FulfilmentQuery,
  options: MeasureOptions,
): Promise<FulfilmentReport> {
  const tally = new Tally(query);
  let read = 0;
  for await (const itemIds of pagesOf(reading, options)) {
    const journals = await Promise.all(itemIds.map((id) => readJournal(reading.store, id)));
    for (const journal of journals) tally.add(factsOf(journal, reading.machines));
    read += itemIds.length;
    options.onProgress?.(read);
  }
  return tally.report();
}

/**
 * Every item once. Items move from list to list meanwhile, and one may move from a list that is still to be
 * read into one that has been: so each round looks again at what was decided since the last one began.
 */
async function* pagesOf(
  { store }: ReadingSide,
  { now, signal }: MeasureOptions,
): AsyncGenerator<readonly string[]> {
  const seen = new Set<string>();
  let cursor: string | undefined;
  for (let round = 1, found = 1; found > 0 && round <= ROUNDS_MAX; round += 1) {
    const next = `${now() - CLOCK_SKEW_MS}|`;
    found = 0;
    for (const status of ITEM_STATUSES) {
      for (let at: string | undefined = cursor, more = true; more;) {
        signal?.throwIfAborted();
        const page = await itemsByStatus(store, status, { cursor: at, limit: PAGE_ITEMS });
        const fresh = page.items.map(({ itemId }) => itemId).filter((id) => !seen.has(id));
        for (const itemId of fresh) seen.add(itemId);
        if (fresh.length > 0) yield fresh;
        found += fresh.length;
        at = page.next;
        more = at !== undefined;
      }
    }
    cursor = next;
  }
}

/** What was read, by group. */
class Tally {
  readonly #query: FulfilmentQuery;
  readonly #total = new FulfilmentSum();
  readonly #groups = new Map<string, { key: FulfilmentGroup["key"]; sum: FulfilmentSum }>();
  readonly #periods = new Map<number, Period>();
  #testItems = 0;
  #unreadable = 0;

  constructor(query: FulfilmentQuery) {
    this.#query = query;
  }

  add(facts: ItemFacts | undefined): void {
    const { window, account, by } = this.#query;
    if (facts === undefined) this.#unreadable += 1;
    if (facts === undefined || (account ?? facts.account) !== facts.account) return;
    if (facts.isTest) {
      this.#testItems += 1;
      return;
    }
    this.#total.add(facts, window);
    if (by.length === 0) return;
    for (const { label, within } of this.#windowsOf(facts)) {
      this.#sumFor(keyOf(facts, by, label)).add(facts, within);
    }
  }

  report(): FulfilmentReport {
    const groups = [...this.#groups.values()]
      .map(({ key, sum }) => ({ key, figures: sum.figures() }))
      .toSorted((left, right) => compareKeys(left.key, right.key));
    return {
      total: this.#total.figures(),
      groups,
      testItems: this.#testItems,
      unreadableItems: this.#unreadable,
    };
  }

  /** The periods in which something happened to the item; without periods, the whole window. */
  #windowsOf(facts: ItemFacts): Iterable<{ readonly label?: string; readonly within: TimeWindow }> {
    const { window, by, zone } = this.#query;
    const unit = by.find(isPeriodUnit);
    if (unit === undefined) return [{ within: window }];
    const windows = new Map<string, { label: string; within: TimeWindow }>();
    for (const at of timesIn(facts)) {
      if (at < window.since || at >= window.until) continue;
      const { label, from, to } = this.#periodOf(at, unit, zone);
      const within = {
        since: Math.max(from, window.since),
        until: Math.min(to, window.until),
      };
      windows.set(label, { label, within });
    }
    return windows.values();
  }

  /** A calendar is slow to ask, and most facts of an hour are of one period. */
  #periodOf(at: number, unit: PeriodUnit, zone: string): Period {
    const hour = Math.floor(at / HOUR_MS);
    const known = this.#periods.get(hour);
    if (known !== undefined && at >= known.from && at < known.to) return known;
    const period = periodOf(at, unit, zone);
    this.#periods.set(hour, period);
    return period;
  }

  #sumFor(key: FulfilmentGroup["key"]): FulfilmentSum {
    const name = JSON.stringify(key);
    const group = this.#groups.get(name) ?? { key, sum: new FulfilmentSum() };
    this.#groups.set(name, group);
    return group.sum;
  }
}

function timesIn({ createdAt, steps, pushLags, setAside }: ItemFacts): readonly number[] {
  return [
    createdAt,
    ...steps.map(({ at }) => at),
    ...pushLags.map(({ deliveredAt }) => deliveredAt),
    ...setAside.map(({ at }) => at),
  ];
}

function keyOf(
  { account, offer, category }: ItemFacts,
  by: readonly Grouping[],
  label: string | undefined,
): FulfilmentGroup["key"] {
  const values = { account, offer: offer ?? null, category: category ?? null };
  return Object.fromEntries(
    by.map((name) => [name, isPeriodUnit(name) ? (label ?? null) : values[name]]),
  );
}

function isPeriodUnit(name: Grouping): name is PeriodUnit {
  return PERIOD_UNITS.some((unit) => unit === name);
}

function compareKeys(left: FulfilmentGroup["key"], right: FulfilmentGroup["key"]): number {
  const [own, other] = [Object.values(left), Object.values(right)];
  for (const [index, value] of own.entries()) {
    const [one, two] = [value ?? "", other[index] ?? ""];
    if (one !== two) return one < two ? -1 : 1;
  }
  return 0;
}
