/**
 * Looks for orders that the marketplace shows and nobody has announced here: the other road beside its
 * webhooks. What is found goes into the event queue as the webhook's own event, under its identity, so the
 * two roads meet in one birth whichever is first.
 *
 * Always true: nothing is remembered between two looks. What a look that died had found is found by the
 * next one, and what it had sent is known by then, or is still in the queue under the same job id. An item
 * that has come further than its beginning is no new order, and is left to `orderwright reconcile`.
 */
import { decodeActor, isLiving } from "../core/actor.ts";
import type { ArrivedEvent } from "../core/arrival.ts";
import type { ShownItem } from "../offergrid/item-listing.ts";
import { loadActors } from "../store/actor-store.ts";
import type { Engine } from "./engine.ts";
import type { PushAccount } from "./push-ending.ts";
import { adoptionOf, INITIAL } from "./reconcile-adoption.ts";
import { AccountClosed, askList } from "./reconcile-theirs.ts";

/** Pages of one status in one look. The marketplace's list takes no "since", so all that is undecided is read
 * each time; what lies behind these pages is found by the comparison of everything. */
const PAGES_MAX = 5;

export interface PollSetting {
  readonly engine: Engine;
  readonly account: PushAccount;
  readonly signal: AbortSignal;
  /** Puts births into the event queue; harmless when they are there already. */
  readonly announce: (births: readonly ArrivedEvent[]) => Promise<void>;
}

export interface PollCounts {
  readonly requests: number;
  readonly shown: number;
  /** Births that were sent. */
  readonly announced: number;
  /** Items that make no birth. */
  readonly refused: number;
}

export type PollResult =
  | ({ readonly outcome: "done" } & PollCounts)
  /** The marketplace did not show all of it. What was found until then has been sent. */
  | ({ readonly outcome: "failed"; readonly answer: string } & PollCounts);

/** Rejects when the store or the queue cannot be reached. */
export async function pollOrders(setting: PollSetting): Promise<PollResult> {
  const counts = { requests: 0, shown: 0, announced: 0, refused: 0 };
  try {
    for (const status of ["pending", "submitted_to_provider"] as const) {
      const answer = await pollStatus(setting, status, counts);
      // The next status would fare no better.
      if (answer !== undefined) return { outcome: "failed", answer, ...counts };
    }
    return { outcome: "done", ...counts };
  } catch (error) {
    // Whoever stops the process is not to find a failed job in its log.
    if (setting.signal.aborted) return { outcome: "failed", answer: "stopped", ...counts };
    if (!(error instanceof AccountClosed)) throw error;
    return { outcome: "failed", answer: error.message, ...counts };
  }
}

type Counts = { -readonly [Name in keyof PollCounts]: number };

/** Why the list ended early, if it did. */
async function pollStatus(
  setting: PollSetting,
  status: "pending" | "submitted_to_provider",
  counts: Counts,
): Promise<string | undefined> {
  const { engine, account, signal } = setting;
  // The next look is the repeat, and it is put off when this one fails.
  const asking = { store: engine.store, account, signal, triesMax: 1 };
  let pages = 0;
  for await (const answer of askList(asking, status)) {
    counts.requests += 1;
    if (answer.outcome === "broken-off") return answer.answer;
    counts.shown += answer.page.items.length;
    await announceNew(setting, answer.page.items, counts);
    pages += 1;
    if (pages === PAGES_MAX) return undefined;
  }
  return undefined;
}

async function announceNew(
  { engine, account, announce }: PollSetting,
  items: readonly ShownItem[],
  counts: Counts,
): Promise<void> {
  const unborn = await unbornOf(engine, items);
  const births: ArrivedEvent[] = [];
  for (const { item, isAwaited } of unborn) {
    const adoption = adoptionOf(engine.machines, {
      account: account.name,
      item,
      now: engine.now(),
      isAwaited,
    });
    if (adoption.outcome === "adopt") births.push(...adoption.events);
    else counts.refused += 1;
  }
  if (births.length > 0) await announce(births);
  counts.announced += births.length;
}

interface Unborn {
  readonly item: ShownItem;
  /** Events that came for it wait for its birth. */
  readonly isAwaited: boolean;
}

async function unbornOf(
  { store }: Engine,
  items: readonly ShownItem[],
): Promise<readonly Unborn[]> {
  // A list may show what has moved on since, and a marketplace may not know its own filter.
  const initial = items.filter(({ status }) => INITIAL.includes(status));
  if (initial.length === 0) return [];
  const texts = await loadActors(
    store,
    initial.map(({ id }) => id),
  );
  return initial.flatMap((item, index): Unborn[] => {
    const text = texts[index];
    if (text === undefined) return [{ item, isAwaited: false }];
    return isLiving(decodeActor(item.id, text)) ? [] : [{ item, isAwaited: true }];
  });
}
