/**
 * After a change of the SLA policy: every item that still has open clocks is measured anew, because
 * what is due earlier now must be due earlier, and nothing else would look at the item before.
 *
 * It walks all items and lets time act on those whose clocks were measured under another version: a
 * due look adopts the new policy, so doing it twice does nothing. It begins when every process has
 * had the time to take the policy over; one that comes late asks for another walk (policy-holder.ts).
 *
 * Items that are decided meanwhile move ahead in their lists, and not every decision adopts the
 * policy (a refusal does not). So a pass ends at the moment at which it began, and the next one
 * looks at what was decided since, until a pass finds nothing to measure.
 *
 * What a crash leaves behind: the position after the last page that was finished. The next sweep, in
 * whichever process, goes on from there. A change meanwhile begins the walk anew.
 */
import { type Actor, decodeActor } from "../core/actor.ts";
import { DEFAULT_POLICY } from "../sla/default-policy.ts";
import { loadActors } from "../store/actor-store.ts";
import { itemsAfter, type StatusList } from "../store/item-walk.ts";
import { allShards } from "../store/keys.ts";
import {
  changeOf,
  type PolicyStand,
  readPolicyStand,
  type RecomputeProgress,
  saveProgress,
  type WalkPass,
} from "../store/policy-store.ts";
import type { Applier } from "./apply-events.ts";
import type { Engine } from "./engine.ts";
import { knownStatuses } from "./list-items.ts";
import { POLICY_ADOPTED_WITHIN_MS } from "./policy-holder.ts";

/** Items looked at together. A finished page is not done again after a crash. */
const PAGE_ITEMS = 500;

/** One turn, ms: timers wait behind it, and a page more. */
const TURN_MS = 1_000;

/** Each pass is shorter than the one before; what the last one leaves, the items' next look finds. */
const PASSES_MAX = 5;

/** What the walk asks of the applier. */
type DueApplier = Pick<Applier, "applyDue">;

type Running = Extract<RecomputeProgress, { readonly state: "running" }>;

/**
 * One turn of the walk, if there is one to do. Resolves with the number of items looked at.
 * @throws AggregateError when items cannot be handled; the walk goes on behind them
 */
export async function recomputeClocks(
  engine: Engine,
  applier: DueApplier,
  signal: AbortSignal,
): Promise<number> {
  const stand = await readPolicyStand(engine.store);
  const lists = listsOf(engine);
  const begun = progressOf(engine, stand, lists);
  if (begun === undefined || signal.aborted) return 0;
  const endsAt = engine.now() + TURN_MS;
  for (let progress = begun; ;) {
    const { next, reasons } = await walkPage(engine, applier, { lists, progress });
    await saveProgress(engine.store, next);
    if (reasons.length > 0) {
      throw new AggregateError(reasons, `the clocks of ${reasons.length} items are not measured`);
    }
    const isOver = signal.aborted || engine.now() >= endsAt;
    if (next.state === "done" || isOver) return next.looks - begun.looks;
    progress = next;
  }
}

/** Nothing to do: it is done, it is too early, or this process does not have the policy yet. */
function progressOf(
  engine: Engine,
  stand: PolicyStand,
  lists: readonly StatusList[],
): Running | undefined {
  const { version = DEFAULT_POLICY.version, setAt, recompute } = stand;
  const now = engine.now();
  if (engine.clocks().policy.version !== version) return undefined;
  if (now < setAt + POLICY_ADOPTED_WITHIN_MS) return undefined;
  const change = changeOf(version, stand);
  if (recompute?.change === change) {
    if (recompute.state === "done") return undefined;
    // Another version of the program may have begun it, with other statuses.
    if (indexIn(lists, recompute) >= 0) return recompute;
  }
  const [cursor] = lists;
  const pass = { number: 1, from: 0, until: now, remeasured: 0 };
  const none = { looks: 0, remeasured: 0, at: now };
  return cursor && { change, ...none, state: "running", pass, cursor };
}

/** Final statuses too: an item that has ended may still owe the marketplace its update. */
function listsOf(engine: Engine): readonly StatusList[] {
  const shards = allShards(engine.store.layout);
  return knownStatuses(engine).flatMap((status) => shards.map((shard) => ({ status, shard })));
}

function indexIn(lists: readonly StatusList[], { cursor }: Running): number {
  return lists.findIndex(({ status, shard }) => status === cursor.status && shard === cursor.shard);
}

interface Walk {
  readonly lists: readonly StatusList[];
  readonly progress: Running;
}

async function walkPage(
  engine: Engine,
  applier: DueApplier,
  walk: Walk,
): Promise<{ readonly next: RecomputeProgress; readonly reasons: readonly unknown[] }> {
  const { cursor, pass, ...progress } = walk.progress;
  const { after = { decidedAt: pass.from, itemId: "" } } = cursor;
  const step = { after, until: pass.until, limit: PAGE_ITEMS };
  const items = await itemsAfter(engine.store, cursor, step);
  const itemIds = items.map(({ itemId }) => itemId);
  const { remeasured, reasons } = await remeasure(engine, applier, itemIds);
  const sum = {
    ...progress,
    looks: progress.looks + items.length,
    remeasured: progress.remeasured + remeasured,
    at: engine.now(),
  };
  const walked = { ...pass, remeasured: pass.remeasured + remeasured };
  const last = items.at(-1);
  const next: RecomputeProgress =
    last === undefined
      ? { ...sum, ...behindList(walk, walked, engine.now()) }
      : { ...sum, pass: walked, cursor: { ...cursor, after: last } };
  return { next, reasons };
}

/** Where it goes on when a list is at its end: in the next list, in the next pass, or nowhere. */
function behindList(
  { lists, progress }: Walk,
  pass: WalkPass,
  now: number,
): Pick<Running, "state" | "pass" | "cursor"> | { readonly state: "done" } {
  const [first] = lists;
  const following = lists[indexIn(lists, progress) + 1];
  if (following !== undefined) return { state: "running", pass, cursor: following };
  if (pass.remeasured === 0 || pass.number >= PASSES_MAX || first === undefined) {
    return { state: "done" };
  }
  const next = { number: pass.number + 1, from: pass.until, until: now, remeasured: 0 };
  return { state: "running", pass: next, cursor: first };
}

async function remeasure(
  engine: Engine,
  applier: DueApplier,
  itemIds: readonly string[],
): Promise<{ readonly remeasured: number; readonly reasons: readonly unknown[] }> {
  const texts = await loadActors(engine.store, itemIds);
  const wanted = itemIds.filter((itemId, index) => isWanted(engine, itemId, texts[index]));
  const failed = await look(applier, wanted);
  // Redis may have been away for a moment; what fails again while it answers is the item's own fault.
  const again = await look(
    applier,
    failed.map(({ itemId }) => itemId),
  );
  return {
    remeasured: wanted.length - again.length,
    reasons: again.map(({ reason }) => reason),
  };
}

/**
 * Items without open clocks keep what they have, and whoever cannot adopt the policy is left alone:
 * a look would do nothing but say that it was decided just now.
 */
function isWanted(engine: Engine, itemId: string, text: string | undefined): boolean {
  if (text === undefined) return false;
  const actor = readActor(itemId, text);
  // The look tells what is wrong with it.
  if (actor === "unreadable") return true;
  const { clocks, revision, machine, version } = actor;
  if (clocks === undefined || Object.keys(clocks.clocks).length === 0) return false;
  if (clocks.policy === engine.clocks().policy.version) return false;
  if (revision >= engine.limits.journalMax) return false;
  return engine.machines.byId(machine, version)?.clocked !== undefined;
}

/** One item that cannot be read must not end the walk. */
function readActor(itemId: string, text: string): Actor | "unreadable" {
  try {
    return decodeActor(itemId, text);
  } catch {
    return "unreadable";
  }
}

async function look(
  applier: DueApplier,
  itemIds: readonly string[],
): Promise<{ readonly itemId: string; readonly reason: unknown }[]> {
  const looks = await Promise.allSettled(itemIds.map((itemId) => applier.applyDue(itemId)));
  return looks.flatMap((each, index) =>
    each.status === "rejected" ? [{ itemId: itemIds[index] ?? "", reason: each.reason }] : [],
  );
}
