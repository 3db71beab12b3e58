/** The parts of a history by name, for tests that change one of them. */
import { dueAt, encodeActor } from "../../src/core/actor.ts";
import type { ClockFact, Fact } from "../../src/core/clock-fact.ts";
import { attentionSince } from "../../src/core/clock-ledger.ts";
import { replayAll } from "../../src/core/replay.ts";
import type {
  History,
  ItemRecord,
  MarketRequest,
  NoticeRecord,
  SentEvent,
} from "../../src/history/history.ts";
import type { Rule } from "../../src/history/verdict.ts";
import { MACHINES, type Plantable } from "./history-of-a-run.ts";

/** A fault to plant, and the rule under which it must be found. */
export interface PlantedFault {
  readonly name: string;
  readonly rule: Rule;
  readonly plant: (history: Planted) => void;
}

export type Planted = Plantable<History>;
type Item = Plantable<ItemRecord>;
type Entry = Item["journal"][number];
type Decided = Exclude<Entry, { kind: "delivery" }>;
type EventDecided = Extract<Entry, { kind: "event" }>;
type TimerDecided = Extract<Entry, { kind: "timer" }>;
export type Delivered = Extract<Entry, { kind: "delivery" }>;

export function itemOf(history: Planted, itemId: string): Item {
  const item = history.items.find((each) => each.itemId === itemId);
  if (item === undefined) throw new TypeError(`no item ${itemId}`);
  return item;
}

export function requestsOf(history: Planted, itemId: string): Plantable<MarketRequest>[] {
  return history.requests.filter((each) => each.itemId === itemId);
}

/** The nth event that was sent to an item, from 0. */
export function sentTo(history: Planted, itemId: string, index: number): Plantable<SentEvent> {
  return nth(
    history.sent.filter(({ event }) => event.subject === itemId),
    index,
  );
}

export function nth<Item>(items: readonly Item[], index: number): Item {
  const found = items.at(index);
  if (found === undefined) throw new TypeError(`nothing at ${index}`);
  return found;
}

export function decisionsOf(item: Item): Decided[] {
  return item.journal.filter((entry): entry is Decided => entry.kind !== "delivery");
}

export function eventsOf(item: Item): EventDecided[] {
  return item.journal.filter((entry): entry is EventDecided => entry.kind === "event");
}

export function timerOf(item: Item): TimerDecided {
  return nth(
    item.journal.filter((entry): entry is TimerDecided => entry.kind === "timer"),
    0,
  );
}

/** The nth fact of a kind in an item's journal, from 0, and the decision that has it. */
export function clockFact<Kind extends ClockFact["kind"]>(
  item: Item,
  kind: Kind,
  index = 0,
): readonly [Decided, Plantable<Extract<ClockFact, { kind: Kind }>>] {
  const found = decisionsOf(item).flatMap((entry) =>
    (entry.clocks ?? []).flatMap((fact) =>
      fact.kind === kind
        ? [[entry, fact as Plantable<Extract<ClockFact, { kind: Kind }>>] as const]
        : [],
    ),
  );
  return nth(found, index);
}

export function factsOf({ clocks = [] }: Decided): Plantable<Fact>[] {
  return clocks;
}

export function noticesOf({ notices = [] }: Planted): Plantable<NoticeRecord>[] {
  return notices;
}

export function noticeTo(history: Planted, itemId: string): Plantable<NoticeRecord> {
  return nth(
    noticesOf(history).filter((each) => each.itemId === itemId),
    0,
  );
}

export function deliveriesOf(item: Item): Delivered[] {
  return item.journal.filter((entry): entry is Delivered => entry.kind === "delivery");
}

export function drop<Item>(items: Item[], item: Item): void {
  items.splice(items.indexOf(item), 1);
}

/** The item as if only its first decisions had been taken, and everything about them delivered. */
export function rewind(history: Planted, itemId: string, decisions: number): void {
  const item = itemOf(history, itemId);
  const kept = decisionsOf(item).slice(0, decisions);
  const last = nth(kept, -1);
  const isKept = (effect: string): boolean => Number(effect.split(":")[1]) <= last.revision;
  item.journal = item.journal.filter((entry) =>
    entry.kind === "delivery" ? isKept(entry.effect) : kept.includes(entry),
  );
  history.requests = history.requests.filter(
    (request) => request.itemId !== itemId || isKept(request.idempotencyKey),
  );
  history.notices = noticesOf(history).filter(
    (notice) => notice.itemId !== itemId || isKept(notice.effect),
  );
  const actor = replayAll(MACHINES, itemId, item.journal as ItemRecord["journal"]);
  if (actor === undefined) throw new TypeError("nothing is left");
  item.actorText = encodeActor(actor);
  const due = dueAt(actor);
  delete item.indexedDueAt;
  if (due !== undefined) item.indexedDueAt = due;
  const attention = actor.clocks && attentionSince(actor.clocks);
  delete item.attentionSince;
  if (attention !== undefined) item.attentionSince = attention;
  const machine = MACHINES.byId(actor.machine, actor.version);
  item.listedUnder =
    actor.snapshot === undefined ? [] : [machine?.status(actor.snapshot.value) ?? ""];
}

/** One more request, a moment after the item's nth. */
export function repeat(
  history: Planted,
  itemId: string,
  change: Partial<MarketRequest> & { readonly index?: number } = {},
): void {
  const { index = 0, ...other } = change;
  const request = nth(requestsOf(history, itemId), index);
  const again = { ...request, ...(other as Partial<Plantable<MarketRequest>>) };
  again.at = request.at + 100;
  history.requests.splice(history.requests.indexOf(request) + 1, 0, again);
}

export function renumber(item: Item): void {
  for (const [index, entry] of decisionsOf(item).entries()) entry.revision = index + 1;
}

export function swapEvents(item: Item, left: number, right: number): void {
  const events = eventsOf(item);
  const [one, other] = [nth(events, left), nth(events, right)];
  [one.event, other.event] = [other.event, one.event];
}
