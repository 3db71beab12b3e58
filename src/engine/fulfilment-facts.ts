/**
 * What became of one item, and when, as its journal tells it: the base of all fulfilment figures.
 *
 * Every time is the event's own, never that of its arrival: what a CRM reports late has happened when it
 * says. A status that nobody reported but that an observed one implies was entered at some time before;
 * it counts as entered, and no duration begins or ends with it.
 */
import type { EventEntry, JournalEntry } from "../core/journal.ts";
import type { JsonObject, JsonValue } from "../core/event.ts";
import type { Machine, Machines } from "../core/machine.ts";
import { ITEM_STATUSES, type ItemStatus } from "../offergrid/status-update.ts";
import { statusOfNode } from "./active-states.ts";
import { PUSH_EFFECT } from "./marketplace-view.ts";

/** One entry into a status. */
export interface StatusStep {
  readonly status: ItemStatus;
  /** ms since the epoch. */
  readonly at: number;
  /** Nobody reported it: `at` is when it was seen to have happened. */
  readonly isImplied: boolean;
}

/** A delivered push: how long after the fact the marketplace confirmed it. */
export interface PushLag {
  readonly deliveredAt: number;
  readonly lagMs: number;
}

/** An event that was not applied when it came. */
export interface SetAside {
  readonly kind: "stale" | "parked" | "rejected";
  readonly at: number;
}

export interface ItemFacts {
  readonly account: string;
  readonly offer: string | undefined;
  readonly category: string | undefined;
  /** The order's `metadata.test` says that it is none. */
  readonly isTest: boolean;
  /** When the reseller created the order. */
  readonly createdAt: number;
  /** Nobody said when it was created: `createdAt` is when we got it, and no duration begins with it. */
  readonly isCreationUnknown: boolean;
  /** In the order in which they were decided. */
  readonly steps: readonly StatusStep[];
  readonly pushLags: readonly PushLag[];
  readonly setAside: readonly SetAside[];
}

type Applied = EventEntry & Required<Pick<EventEntry, "change">>;

/** `undefined` when the item was never announced, or its machine version is not deployed. The journal is
 * read from its beginning. */
export function factsOf(
  journal: readonly JournalEntry[],
  machines: Machines,
): ItemFacts | undefined {
  const birth = journal.find((entry) => entry.kind === "event" && entry.birth !== undefined);
  if (birth?.kind !== "event" || birth.birth === undefined) return undefined;
  const machine = machines.byId(birth.birth.machine, birth.birth.version);
  if (machine === undefined) return undefined;
  const { data } = birth.event;
  const created = dateIn(data["createdAt"]);
  return {
    account: textIn(data["account"]) ?? "default",
    offer: textIn(data["offerId"]),
    category: textIn(data["offerCategory"]),
    isTest: isTest(data["metadata"]),
    createdAt: created ?? Date.parse(birth.event.time),
    isCreationUnknown: created === undefined && birth.event.isUndated === true,
    steps: journal.flatMap((entry) => stepsOf(entry, machine)),
    pushLags: pushLagsOf(journal),
    setAside: journal.flatMap(setAsideOf),
  };
}

function stepsOf(entry: JournalEntry, machine: Machine): StatusStep[] {
  if (entry.kind === "timer" && entry.change !== undefined) {
    return pathOf(entry.change, machine).map((status) => stepTo(status, entry.dueAt));
  }
  if (!isApplied(entry)) return [];
  const at = Date.parse(entry.event.time);
  const path = pathOf(entry.change, machine);
  // A birth takes no transition into the status that it begins in.
  if (path.length === 0 && entry.birth !== undefined) {
    return ITEM_STATUSES.filter((status) => status === entry.change.status).map((status) =>
      stepTo(status, at),
    );
  }
  const isObserved = (entry.change.derived ?? []).length > 0;
  return path.map((status, index) => stepTo(status, at, isObserved && index < path.length - 1));
}

function stepTo(status: ItemStatus, at: number, isImplied = false): StatusStep {
  return { status, at, isImplied };
}

/** The statuses that were entered, in order. */
function pathOf({ taken }: Applied["change"], { machine }: Machine): ItemStatus[] {
  return taken
    .flatMap(({ targets }) => targets)
    .flatMap((target) => {
      const word = statusOfNode(machine, target);
      return ITEM_STATUSES.filter((status) => status === word);
    });
}

function pushLagsOf(journal: readonly JournalEntry[]): PushLag[] {
  const occurredAt = new Map<string, number>();
  const lags: PushLag[] = [];
  for (const entry of journal) {
    if (entry.kind === "delivery") {
      const since = occurredAt.get(entry.effect);
      if (entry.outcome !== "delivered" || since === undefined) continue;
      lags.push({ deliveredAt: entry.at, lagMs: entry.at - since });
    } else if ("change" in entry) {
      // What time brought about has happened when it was decided.
      const at = entry.kind === "event" ? Date.parse(entry.event.time) : entry.at;
      for (const { id, name } of entry.change?.effects ?? []) {
        if (name === PUSH_EFFECT) occurredAt.set(id, at);
      }
    }
  }
  return lags;
}

function isApplied(entry: JournalEntry): entry is Applied {
  return entry.kind === "event" && entry.change !== undefined;
}

function setAsideOf(entry: JournalEntry): SetAside[] {
  if (entry.kind !== "event" || entry.outcome === "applied") return [];
  return [{ kind: entry.outcome, at: Date.parse(entry.event.time) }];
}

/** Resellers' metadata is of any shape: whatever does not say no says that it is a test. */
function isTest(metadata: JsonValue | undefined): boolean {
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) return false;
  const { test } = metadata as JsonObject;
  return test !== undefined && !NO.includes(test);
}

const NO: readonly JsonValue[] = [false, null, 0, "", "0", "false", "no"];

function textIn(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function dateIn(value: JsonValue | undefined): number | undefined {
  return typeof value === "string" ? Date.parse(value) : undefined;
}
