/**
 * The marketplace itself, without HTTP, timers or sockets: orders, their items, what happened to
 * each, and a log of every status push. Items and orders are replaced, never altered, so one that
 * was read stays as it was read. Everything is in memory and lost with the process; the log and the
 * number of items are bounded.
 */
import { randomUUID } from "node:crypto";
import type { SandboxBehaviour } from "./behaviour.ts";
import type { ItemStatus } from "../status-update.ts";
import { isStepAllowed, isUnderway, wasAccepted } from "./item-status.ts";
import { PushLog, type PushLogEntry } from "./push-log.ts";

/** History entries kept per item: enough for any real life, bounded against a push loop. */
const HISTORY_MAX = 200;

export type Fields = Readonly<Record<string, unknown>>;

export interface HistoryEntry {
  readonly status: ItemStatus;
  /** ISO 8601, UTC. */
  readonly timestamp: string;
  /** Written by the platform or the reseller. */
  readonly notes?: string | undefined;
  readonly providerNotes?: string | undefined;
  readonly scheduledFor?: string | undefined;
  readonly metadata?: Fields | undefined;
}

export interface MarketItem {
  readonly id: string;
  readonly orderId: string;
  /** Provider team that fulfils it. */
  readonly account: string;
  readonly offerId: string;
  readonly offerName: string;
  readonly status: ItemStatus;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly providerNotes?: string | undefined;
  readonly scheduledFor?: string | undefined;
  readonly history: readonly HistoryEntry[];
}

export interface MarketOrder {
  readonly id: string;
  /** Reseller team that placed it. */
  readonly reseller: string;
  readonly createdAt: string;
  readonly itemIds: readonly string[];
  readonly customerInfo: Fields;
  readonly serviceAddress: Fields;
  readonly notes?: string | undefined;
  readonly metadata?: Fields | undefined;
}

export interface OrderDraft extends Omit<MarketOrder, "id" | "createdAt" | "itemIds"> {
  readonly id?: string | undefined;
  readonly createdAt?: string | undefined;
  readonly items: readonly ItemDraft[];
  /** Whether providers hear of it. Default: yes. */
  readonly isAnnounced?: boolean | undefined;
}

export interface ItemDraft extends Pick<MarketItem, "account" | "offerId" | "offerName"> {
  readonly id?: string | undefined;
  /** Default: pending. */
  readonly status?: ItemStatus | undefined;
}

/** What a provider may say about an item: the marketplace's UpdateItemStatusDto. */
export interface StatusUpdate {
  readonly status: ItemStatus;
  readonly providerNotes?: string | undefined;
  readonly scheduledFor?: string | undefined;
  readonly metadata?: Fields | undefined;
}

export type MarketEvent =
  | { readonly event: "order.created"; readonly item: MarketItem; readonly order: MarketOrder }
  | { readonly event: "order.cancelled"; readonly item: MarketItem; readonly reason: string };

export type AddOutcome =
  | {
      readonly outcome: "added";
      readonly order: MarketOrder;
      readonly items: readonly MarketItem[];
    }
  | { readonly outcome: "item-exists"; readonly index: number }
  | { readonly outcome: "full" };

export type UpdateOutcome =
  | { readonly outcome: "applied"; readonly item: MarketItem }
  | { readonly outcome: "ignored"; readonly item: MarketItem }
  | { readonly outcome: "same-status"; readonly item: MarketItem }
  | { readonly outcome: "illegal-step"; readonly item: MarketItem };

export type CancelOutcome =
  | { readonly outcome: "cancelled"; readonly items: readonly MarketItem[] }
  | { readonly outcome: "too-late" };

export interface MarketCounters {
  patches: number;
  applied: number;
  rateLimited: number;
  faults: number;
  webhooksDelivered: number;
  webhookAttemptsFailed: number;
  /** Given up after the last attempt, or dropped because too many were waiting. */
  webhooksLost: number;
}

export interface MarketLimits {
  readonly logLimit: number;
  readonly itemLimit: number;
}

export class Market {
  /** Live switches: assign to a field to turn one. */
  readonly behaviour: SandboxBehaviour;
  readonly pushLog: PushLog;
  readonly counters: MarketCounters = newCounters();
  readonly #items = new Map<string, MarketItem>();
  readonly #orders = new Map<string, MarketOrder>();
  readonly #listeners: ((event: MarketEvent) => void)[] = [];
  readonly #itemLimit: number;
  /** ms since the epoch. */
  readonly now: () => number;

  constructor(behaviour: SandboxBehaviour, limits: MarketLimits, now: () => number = Date.now) {
    this.behaviour = behaviour;
    this.pushLog = new PushLog(limits.logLimit);
    this.#itemLimit = limits.itemLimit;
    this.now = now;
  }

  get items(): ReadonlyMap<string, MarketItem> {
    return this.#items;
  }

  get orders(): ReadonlyMap<string, MarketOrder> {
    return this.#orders;
  }

  /** Every PATCH received, oldest first. */
  get log(): readonly PushLogEntry[] {
    return this.pushLog.entries;
  }

  /** Calls `listener` for every event that the platform tells providers. */
  listen(listener: (event: MarketEvent) => void): void {
    this.#listeners.push(listener);
  }

  /** Adds an order, or more items to the order of that id: all its items or none. */
  add(draft: OrderDraft): AddOutcome {
    if (this.#items.size + draft.items.length > this.#itemLimit) return { outcome: "full" };
    const ids = draft.items.map((item) => item.id ?? randomUUID());
    const taken = ids.findIndex((id, index) => this.#items.has(id) || ids.indexOf(id) !== index);
    if (taken !== -1) return { outcome: "item-exists", index: taken };

    const createdAt = draft.createdAt ?? this.#timestamp();
    const orderId = draft.id ?? randomUUID();
    const order = this.#orderFrom(draft, { id: orderId, createdAt, itemIds: ids });
    this.#orders.set(orderId, order);
    const items = draft.items.map((item, index): MarketItem => {
      const { status = "pending", account, offerId, offerName } = item;
      const id = ids[index] ?? randomUUID();
      const history = [{ status, timestamp: createdAt, notes: "Order created" }];
      const dates = { createdAt, updatedAt: createdAt };
      return { id, orderId, account, offerId, offerName, status, ...dates, history };
    });
    for (const item of items) this.#items.set(item.id, item);
    if (draft.isAnnounced !== false) {
      for (const item of items) this.#announce({ event: "order.created", item, order });
    }
    return { outcome: "added", order, items };
  }

  /** A provider's PATCH of an item it owns. Without `transitionChecks` any status may follow any. */
  update(item: MarketItem, update: StatusUpdate): UpdateOutcome {
    const { sameStatusPatch, transitionChecks } = this.behaviour;
    if (item.status === update.status) {
      if (sameStatusPatch === "ignore") return { outcome: "ignored", item };
      if (sameStatusPatch === "refuse409") return { outcome: "same-status", item };
    } else if (!isStepAllowed(item.status, update.status, transitionChecks)) {
      return { outcome: "illegal-step", item };
    }
    return { outcome: "applied", item: this.#move(item, update) };
  }

  /** Somebody at the marketplace changes an item behind the provider's back: no rule holds, nobody is told. */
  overwrite(itemId: string, change: Pick<HistoryEntry, "status" | "scheduledFor">): boolean {
    const item = this.#items.get(itemId);
    if (item !== undefined) this.#move(item, change);
    return item !== undefined;
  }

  /** The platform hands a pending item on; any other item has moved on already and stays. */
  submit(itemId: string): void {
    const item = this.#items.get(itemId);
    if (item?.status !== "pending") return;
    this.#move(item, { status: "submitted_to_provider", notes: "Sent to provider" });
  }

  /** The reseller cancels an order: all of its items that are underway, each announced. */
  cancel(
    order: MarketOrder,
    reason: string,
    window: SandboxBehaviour["cancelWindow"] = this.behaviour.cancelWindow,
  ): CancelOutcome {
    const items = order.itemIds.flatMap((id) => this.#items.get(id) ?? []);
    const underway = items.filter((item) => isUnderway(item.status));
    const tooLate = window === "pre-acceptance" && items.some((item) => wasAccepted(item.status));
    if (tooLate || underway.length === 0) return { outcome: "too-late" };

    const metadata = { cancelledBy: "reseller" };
    const cancelled = underway.map((item) =>
      this.#move(item, { status: "cancelled", notes: reason, metadata }),
    );
    for (const item of cancelled) this.#announce({ event: "order.cancelled", item, reason });
    return { outcome: "cancelled", items: cancelled };
  }

  /** Forgets orders, items, log and counts. Switches stay. */
  clear(): void {
    this.#items.clear();
    this.#orders.clear();
    this.pushLog.clear();
    Object.assign(this.counters, newCounters());
  }

  #orderFrom(
    draft: OrderDraft,
    made: Pick<MarketOrder, "id" | "createdAt" | "itemIds">,
  ): MarketOrder {
    const known = this.#orders.get(made.id);
    if (known) return { ...known, itemIds: [...known.itemIds, ...made.itemIds] };
    const { reseller, customerInfo, serviceAddress, notes, metadata } = draft;
    return { ...made, reseller, customerInfo, serviceAddress, notes, metadata };
  }

  #move(item: MarketItem, change: Omit<HistoryEntry, "timestamp">): MarketItem {
    const entry: HistoryEntry = { ...change, timestamp: this.#timestamp() };
    const moved: MarketItem = {
      ...item,
      status: change.status,
      updatedAt: entry.timestamp,
      providerNotes: change.providerNotes ?? item.providerNotes,
      scheduledFor: change.scheduledFor ?? item.scheduledFor,
      history: [...item.history.slice(1 - HISTORY_MAX), entry],
    };
    this.#items.set(item.id, moved);
    return moved;
  }

  #announce(event: MarketEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #timestamp(): string {
    return new Date(this.now()).toISOString();
  }
}

function newCounters(): MarketCounters {
  return {
    patches: 0,
    applied: 0,
    rateLimited: 0,
    faults: 0,
    webhooksDelivered: 0,
    webhookAttemptsFailed: 0,
    webhooksLost: 0,
  };
}
