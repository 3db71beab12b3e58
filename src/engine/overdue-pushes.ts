/**
 * Tells the clocks of items about pushes that wait for long: `push.owed` once the first effect of a lane has
 * waited for an hour, `push.settled` when that effect has left the outbox. Both are told afterwards and count
 * from when they happened: from the event's own time to the time in the journal of the push's end. So a push
 * that leaves in time, as nearly all do, costs nothing; what a lane waits for, a person's answer or the
 * marketplace's, makes no difference.
 *
 * A lane is recorded before its item's clocks are told and after, and the record goes after they heard of the
 * end. Whoever finds a record that is not up to date tells again, which the clocks do not heed; so whatever a
 * crash leaves half done, the next look ends.
 */
import { accountOfChannel } from "../core/channel-name.ts";
import type { OutboxEffect } from "../core/decision.ts";
import type { DeliveryEntry, JournalEntry } from "../core/journal.ts";
import { readJournal } from "../store/item-store.ts";
import { allShards } from "../store/keys.ts";
import {
  forgetLag,
  type OutdatedRecord,
  outdatedRecords,
  overdueLanes,
  recordLag,
  takeLook,
} from "../store/lagging-store.ts";
import { channelsOf, type LaneAddress } from "../store/outbox-store.ts";
import type { Applier } from "./apply-events.ts";
import type { Engine } from "./engine.ts";

/** Short beside the four hours in which a push should arrive, long beside any that only waits its turn. */
const OVERDUE_AFTER_MS = 60 * 60_000;

/** A push that has left is told this late at most. */
const LOOK_EVERY_MS = 60_000;

/** Items told in one look, about two seconds: timers wait behind it. The others have the next one. */
const TOLD_MAX = 4_000;

/** Newest journal entries among which the end of a push is looked for. */
const JOURNAL_READ_MAX = 32;

/** What the watch asks of the applier. */
type TellingApplier = Pick<Applier, "tellClocks">;

interface Watch {
  readonly engine: Engine;
  readonly applier: TellingApplier;
  readonly signal: AbortSignal;
  told: number;
  /** Why items could not be told. */
  readonly reasons: unknown[];
}

/**
 * Once a minute in the whole deployment, however often it is called. Resolves with the number of items told.
 * @throws AggregateError when items cannot be told; the others have been
 */
export async function watchPushes(
  engine: Engine,
  applier: TellingApplier,
  signal: AbortSignal,
): Promise<number> {
  const turn = { now: engine.now(), everyMs: LOOK_EVERY_MS };
  if (!(await takeLook(engine.store, turn))) return 0;
  return lookAtPushes(engine, applier, signal);
}

/**
 * The same at once, for whoever knows that nobody else looks. One lane list after the other, so that Redis
 * answers others in between.
 */
export async function lookAtPushes(
  engine: Engine,
  applier: TellingApplier,
  signal: AbortSignal,
): Promise<number> {
  const watch: Watch = { engine, applier, signal, told: 0, reasons: [] };
  const addresses = await pushLanes(engine);
  // Ends first: a lane whose record is gone may owe its next push for long as well.
  for (const address of addresses) await tellEnds(watch, address);
  for (const address of addresses) await tellOverdue(watch, address);
  const { told, reasons } = watch;
  if (reasons.length === 0) return told;
  throw new AggregateError(reasons, `the clocks of ${reasons.length} items do not know their push`);
}

/** When there is next somebody to tell, ms; `undefined` when nothing waits that is not told. */
export async function nextPushLook(engine: Engine): Promise<number | undefined> {
  const { store, now } = engine;
  const moments: number[] = [];
  for (const address of await pushLanes(engine)) {
    for await (const page of outdatedRecords(store, address)) {
      if (page.length > 0) moments.push(now());
    }
    for await (const page of overdueLanes(store, address, Number.MAX_SAFE_INTEGER)) {
      for (const { effect } of page) moments.push(effect.at + OVERDUE_AFTER_MS);
    }
  }
  return moments.length === 0 ? undefined : Math.min(...moments);
}

async function pushLanes({ store }: Engine): Promise<LaneAddress[]> {
  const perShard = await Promise.all(
    allShards(store.layout).map(async (shard) => {
      const channels = await channelsOf(store, shard);
      return channels
        .filter((channel) => accountOfChannel(channel) !== undefined)
        .map((channel) => ({ shard, channel }));
    }),
  );
  return perShard.flat();
}

async function tellEnds(watch: Watch, address: LaneAddress): Promise<void> {
  await forEach(watch, outdatedRecords(watch.engine.store, address), (record) =>
    bringUpToDate(watch, address.channel, record),
  );
}

async function tellOverdue(watch: Watch, address: LaneAddress): Promise<void> {
  const { store, now } = watch.engine;
  const { channel } = address;
  const lanes = overdueLanes(store, address, now() - OVERDUE_AFTER_MS);
  await forEach(watch, lanes, async (lane) => {
    const { itemId, effect } = lane;
    await recordLag(store, { itemId, channel }, { state: "telling", effectId: effect.id });
    await tellOwed(watch, channel, lane);
  });
}

/** One item that cannot be told must not keep the others waiting. */
async function forEach<Found>(
  watch: Watch,
  pages: AsyncIterable<readonly Found[]>,
  tell: (found: Found) => Promise<void>,
): Promise<void> {
  if (isOver(watch)) return;
  for await (const page of pages) {
    const results = await Promise.allSettled(page.map(tell));
    const failed = results.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
    watch.reasons.push(...failed);
    watch.told += page.length - failed.length;
    if (isOver(watch)) return;
  }
}

function isOver({ signal, told }: Watch): boolean {
  return signal.aborted || told >= TOLD_MAX;
}

async function bringUpToDate(watch: Watch, channel: string, record: OutdatedRecord): Promise<void> {
  if (record.kind === "telling") return tellOwed(watch, channel, record);
  const { engine, applier } = watch;
  const { itemId, effectId } = record;
  const journal = await readJournal(engine.store, itemId, { from: -JOURNAL_READ_MAX });
  const at = journal.findLast((entry) => isEndOf(entry, effectId))?.at ?? engine.now();
  await applier.tellClocks(itemId, { eventType: "push.settled", at });
  await forgetLag(engine.store, { itemId, channel });
}

async function tellOwed(
  { engine, applier }: Watch,
  channel: string,
  { itemId, effect }: { readonly itemId: string; readonly effect: OutboxEffect },
): Promise<void> {
  await applier.tellClocks(itemId, { eventType: "push.owed", at: factTime(effect) });
  await recordLag(engine.store, { itemId, channel }, { state: "told", effectId: effect.id });
}

/** A source whose clock is ahead must not make the wait shorter than it was. */
function factTime({ occurredAt, at }: OutboxEffect): number {
  return occurredAt === undefined ? at : Math.min(at, Date.parse(occurredAt));
}

const ENDS: readonly DeliveryEntry["outcome"][] = ["delivered", "merged", "superseded", "skipped"];

function isEndOf(entry: JournalEntry, effectId: string): boolean {
  return entry.kind === "delivery" && entry.effect === effectId && ENDS.includes(entry.outcome);
}
