/**
 * Compares what we hold with what the marketplace shows, explains each difference, and repairs what is
 * safe when it is asked to.
 *
 * Always true: a difference is judged on the single item as it is read now, with our side read before
 * and after it; what is different only because something happened while we looked is no difference.
 * Lists only say where to look. Nothing is written without `repair`. Every request has a permit of the
 * class that gives way to pushes.
 *
 * Memory: a page of items at a time, and the ids that the lists of one account have shown.
 */
import { decodeActor, isLiving } from "../core/actor.ts";
import type { Machines } from "../core/machine.ts";
import { OPEN_STATUSES, type ShownItem } from "../offergrid/item-listing.ts";
import { loadActors } from "../store/actor-store.ts";
import { itemsByStatus } from "../store/item-store.ts";
import type { PermitClass } from "../store/limiter.ts";
import { statusWordsOf } from "./active-states.ts";
import type { Engine } from "./engine.ts";
import { PUSH_EFFECT } from "./push.ts";
import type { PushAccount } from "./push-ending.ts";
import { type Difference, explain, type Theirs } from "./reconcile-explain.ts";
import { settleDivergence } from "./reconcile-divergence.ts";
import { type OursRead, readOurs } from "./reconcile-ours.ts";
import { type Found, repair, type Repair } from "./reconcile-repair.ts";
import { AccountClosed, askItem, type Asking, askList } from "./reconcile-theirs.ts";

/** Items of ours that are read together. */
const PAGE = 100;

/** Looks at an item that moves each time; then it is on its way, and the next run sees where to. */
const LOOKS_MAX = 3;

export interface ReconcileSetting {
  readonly engine: Engine;
  /** The accounts that are asked, one after the other. */
  readonly accounts: readonly PushAccount[];
  /** Ends the run after the item in hand; what was found until then stands. */
  readonly signal: AbortSignal;
  /** Whose share of the accounts' limits is used. Default: "poll". */
  readonly permits?: PermitClass;
  /** Told after every item. */
  readonly onProgress?: (progress: ReconcileProgress) => void;
}

/** What is adopted by each kind of repair; nothing at all is done without one. */
const ADOPTED = { none: undefined, safe: "none", new: "new", adopt: "all" } as const;

export interface ReconcileProgress {
  readonly account: string;
  /** Items compared, of all accounts. */
  readonly compared: number;
}

export interface ReconcileOptions {
  /** Only these; without it all that are open here or there. */
  readonly items?: readonly string[];
  /** "safe": everything but what nobody has announced here; "new": orders that stand at their beginning as
   * well; "adopt": those that have come further too. */
  readonly repair: keyof typeof ADOPTED;
  /** "flag": what a person has to settle becomes a fact of the item, and a person is asked. */
  readonly divergences?: "report" | "flag";
  /** A difference of an item to which something happened less than so long ago is on its way, ms: the
   * marketplace may show a while what it was told to forget. Default: 0. */
  readonly graceMs?: number;
}

export type Finding =
  | (Difference & { readonly repair?: Repair })
  /** The account could not be asked, or not to the end. */
  | { readonly kind: "account-unread"; readonly account: string; readonly sentence: string };

/**
 * Everything that is not the same on both sides. Ends early, without an error, when it is aborted.
 * @throws EngineError STORE_CORRUPT; the store's error when it cannot be reached
 */
export async function* reconcile(
  setting: ReconcileSetting,
  options: ReconcileOptions,
): AsyncGenerator<Finding> {
  const run = new Run(setting, options);
  for (const account of setting.accounts) {
    try {
      yield* options.items === undefined
        ? run.wholeAccount(account)
        : run.someItems(account, options.items);
    } catch (error) {
      if (setting.signal.aborted) return;
      if (!(error instanceof AccountClosed)) throw error;
      yield accountUnread(account.name, `cannot be asked: ${error.message}`);
    }
  }
  yield* run.leftOver();
}

class Run {
  readonly #setting: ReconcileSetting;
  readonly #options: ReconcileOptions;
  /** Named items that no account has answered for. */
  readonly #unclaimed: Set<string>;
  #compared = 0;

  constructor(setting: ReconcileSetting, options: ReconcileOptions) {
    this.#setting = setting;
    this.#options = options;
    this.#unclaimed = new Set(options.items);
  }

  async *wholeAccount(account: PushAccount): AsyncGenerator<Finding> {
    const asking = this.#asking(account);
    const seen = new Set<string>();
    for (const status of OPEN_STATUSES) {
      for await (const answer of askList(asking, status)) {
        if (answer.outcome === "broken-off") {
          const what = `list of "${status}" items ended early: ${answer.answer}`;
          yield accountUnread(account.name, what);
          continue;
        }
        for (const item of answer.page.items) {
          if (seen.has(item.id)) continue;
          // What is the same needs no request, and so meets no other look at the signal.
          asking.signal.throwIfAborted();
          seen.add(item.id);
          yield* this.#found(await this.#compareListed(asking, item));
        }
      }
    }
    for await (const itemId of openItems(this.#setting.engine, account.name)) {
      if (seen.has(itemId)) continue;
      seen.add(itemId);
      yield* this.#found(await this.#compare(asking, itemId));
    }
  }

  async *someItems(account: PushAccount, items: readonly string[]): AsyncGenerator<Finding> {
    const asking = this.#asking(account);
    for (const itemId of items) {
      const { ours } = await this.#readOurs(itemId);
      if (ours.state === "known" && ours.account !== account.name) continue;
      const found = await this.#compare(asking, itemId);
      // Another account may know it.
      if (ours.state === "unknown" && found.looked.theirs.state === "none") continue;
      this.#unclaimed.delete(itemId);
      yield* this.#found(found);
    }
  }

  /** Named items whose account is not among those that were asked, or that nobody knows. */
  async *leftOver(): AsyncGenerator<Finding> {
    for (const itemId of this.#unclaimed) {
      const { ours } = await this.#readOurs(itemId);
      const asked = this.#setting.accounts.map(({ name }) => name).join(", ");
      const sentence =
        ours.state === "known"
          ? `It belongs to account ${ours.account}, which was not asked.`
          : `Nothing is known of it, here or by account ${asked}.`;
      const account = ours.state === "known" ? ours.account : asked;
      yield { kind: "unread", itemId, account, sentence };
    }
  }

  #asking(account: PushAccount): Asking {
    const { engine, signal, permits } = this.#setting;
    return { store: engine.store, account, signal, permits };
  }

  async #readOurs(itemId: string): Promise<OursRead> {
    const { engine } = this.#setting;
    return readOurs(engine, itemId, engine.now());
  }

  /** A list may be seconds old: it settles what is the same, and nothing else. */
  async #compareListed(asking: Asking, item: ShownItem): Promise<Found> {
    const read = await this.#readOurs(item.id);
    const found = foundOf(asking, item.id, { read, theirs: { state: "shown", item } });
    const { kind } = found.difference;
    if (kind === "same" || kind === "on-its-way" || kind === "left-out") return found;
    return this.#compare(asking, item.id);
  }

  async #compare(asking: Asking, itemId: string): Promise<Found> {
    let before = await this.#readOurs(itemId);
    for (let looks = 1; ; looks += 1) {
      const theirs = await askItem(asking, itemId);
      const read = await this.#readOurs(itemId);
      const found = foundOf(asking, itemId, { read, theirs });
      if (read.mark === before.mark) return found;
      if (looks === LOOKS_MAX) return { ...found, difference: movingOf(found.difference) };
      before = read;
    }
  }

  async *#found(found: Found): AsyncGenerator<Finding> {
    const { onProgress } = this.#setting;
    const { difference } = found;
    this.#compared += 1;
    onProgress?.({ account: difference.account, compared: this.#compared });
    const { divergences, graceMs = 0 } = this.#options;
    if (isFresh(found, this.#setting.engine.now() - graceMs)) {
      yield freshOf(difference);
      return;
    }
    const settled = divergences === "flag" ? await this.#settle(found) : undefined;
    if (difference.kind === "same") return;
    const done = settled ?? (await this.#repair(found));
    yield { ...difference, ...(done !== undefined && { repair: done }) };
  }

  #settle(found: Found): Promise<Repair | undefined> {
    return settleDivergence(this.#setting.engine, found);
  }

  async #repair(found: Found): Promise<Repair | undefined> {
    const { repair: wanted } = this.#options;
    const adopt = ADOPTED[wanted];
    return adopt === undefined ? undefined : repair(this.#setting.engine, found, { adopt });
  }
}

function foundOf(
  { account }: Asking,
  itemId: string,
  { read, theirs }: { readonly read: OursRead; readonly theirs: Theirs },
): Found {
  const looked = { itemId, account: account.name, ours: read.ours, theirs };
  return { looked, read, difference: explain(looked) };
}

function movingOf({ itemId, account }: Difference): Difference {
  const sentence = "It moved each time that we looked. The next run will see where to.";
  return { kind: "on-its-way", itemId, account, sentence };
}

/** Moved after `since`, so that what is different may be no difference in a moment. */
function isFresh({ difference, looked: { ours } }: Found, since: number): boolean {
  return difference.kind !== "same" && ours.state === "known" && ours.movedAt > since;
}

function freshOf({ itemId, account, ours, theirs }: Difference): Difference {
  return {
    kind: "on-its-way",
    itemId,
    account,
    ...(ours !== undefined && { ours }),
    ...(theirs !== undefined && { theirs }),
    sentence:
      "Something happened to it just now. The next look will see what the marketplace made of it.",
  };
}

function accountUnread(account: string, what: string): Finding {
  return { kind: "account-unread", account, sentence: `Account ${account}: ${what}.` };
}

/** Items of the account that have not ended here. One that moves while they are walked may come twice. */
async function* openItems({ store, machines }: Engine, account: string): AsyncGenerator<string> {
  for (const status of openStatuses(machines)) {
    let cursor: string | undefined;
    do {
      const page = await itemsByStatus(store, status, { cursor, limit: PAGE });
      const ids = page.items.map(({ itemId }) => itemId);
      const texts = await loadActors(store, ids);
      for (const [index, itemId] of ids.entries()) {
        if (isToldOf(machines, { itemId, text: texts[index], account })) yield itemId;
      }
      cursor = page.next;
    } while (cursor !== undefined);
  }
}

/** Whether the item is open, and its status is the marketplace's business. */
function isToldOf(
  machines: Machines,
  item: { readonly itemId: string; readonly text: string | undefined; readonly account: string },
): boolean {
  const actor = item.text === undefined ? undefined : decodeActor(item.itemId, item.text);
  const machine = actor && machines.byId(actor.machine, actor.version);
  if (machine === undefined || !isLiving(actor) || actor.snapshot.status !== "active") return false;
  const isPushed = machine.effects[PUSH_EFFECT] !== undefined;
  return isPushed && machine.attributes(actor.snapshot.context).account === item.account;
}

function openStatuses(machines: Machines): readonly string[] {
  const statuses = machines.all.flatMap(({ machine }) => {
    const ends = Object.values(machine.root.states).filter(({ type }) => type === "final");
    const ended = new Set(ends.flatMap(({ meta }) => (meta as { status?: unknown })?.status ?? []));
    return statusWordsOf(machine).flatMap(({ status }) => (ended.has(status) ? [] : [status]));
  });
  return [...new Set(statuses)];
}
