/** Faults planted in a clean history, one at a time: each must be found under its own name. */
import { checkHistory } from "../../src/history/check.ts";
import type { History } from "../../src/history/history.ts";
import type { Rule } from "../../src/history/verdict.ts";
import { cleanHistory, MACHINES, START_MS } from "./history-of-a-run.ts";
import {
  decisionsOf,
  type Delivered,
  deliveriesOf,
  drop,
  eventsOf,
  itemOf,
  nth,
  type Planted,
  type PlantedFault,
  renumber,
  repeat,
  requestsOf,
  rewind,
  sentTo,
  swapEvents,
  timerOf,
} from "./history-parts.ts";
import { PLANTED_CLOCK_FAULTS } from "./planted-clock-faults.ts";

export const PLANTED_FAULTS: readonly PlantedFault[] = [
  ...PLANTED_CLOCK_FAULTS,
  {
    name: "an acknowledged event that nobody has ever seen again",
    rule: "lost",
    plant: (history) => {
      const sent = sentTo(history, "in-order", 5);
      history.sent.push({ ...sent, event: { ...sent.event, id: "gone", sequence: "7" } });
    },
  },
  {
    name: "an item that the store has lost",
    rule: "lost",
    plant: (history) => {
      const item = itemOf(history, "in-order");
      drop(history.items, item);
    },
  },
  {
    name: "the last decision missing from journal and actor",
    rule: "lost",
    plant: (history) => rewind(history, "in-order", 5),
  },
  {
    name: "an event applied by two decisions",
    rule: "applied-twice",
    plant: (history) => {
      const item = itemOf(history, "in-order");
      item.journal.push({ ...nth(eventsOf(item), 5), revision: 7 });
    },
  },
  {
    name: "an event decided upon again as if it were new",
    rule: "applied-twice",
    plant: (history) => {
      const item = itemOf(history, "in-order");
      const { event, at } = nth(eventsOf(item), 2);
      const problem = { code: "EVENT_STALE", message: "Behind." } as const;
      item.journal.push({ kind: "event", event, at, revision: 7, outcome: "stale", problem });
    },
  },
  {
    name: "a parked event that left the parked ones twice",
    rule: "applied-twice",
    plant: (history) => {
      const item = itemOf(history, "scrambled");
      const retried = nth(
        eventsOf(item).filter((entry) => entry.retried === true),
        0,
      );
      item.journal.push({ ...retried, outcome: "stale", revision: 10 });
    },
  },
  {
    name: "two numbered events applied the wrong way round",
    rule: "out-of-order",
    plant: (history) => swapEvents(itemOf(history, "in-order"), 2, 3),
  },
  {
    name: "two dated events applied the wrong way round",
    rule: "out-of-order",
    plant: (history) => swapEvents(itemOf(history, "by-time"), 2, 3),
  },
  {
    name: "a number jumped over",
    rule: "out-of-order",
    plant: (history) => {
      const item = itemOf(history, "in-order");
      drop(item.journal, nth(eventsOf(item), 3));
      renumber(item);
    },
  },
  {
    name: "a decision missing from the middle of a journal",
    rule: "journal-broken",
    plant: (history) => {
      const item = itemOf(history, "by-time");
      drop(item.journal, nth(eventsOf(item), 3));
    },
  },
  {
    name: "two decisions with one revision",
    rule: "journal-broken",
    plant: (history) => {
      nth(decisionsOf(itemOf(history, "in-order")), 4).revision = 4;
    },
  },
  {
    name: "a decision taken before the one that it follows",
    rule: "journal-broken",
    plant: (history) => {
      nth(decisionsOf(itemOf(history, "in-order")), 4).at -= 3_600_000;
    },
  },
  {
    name: "a delivery of an effect that no decision had put out",
    rule: "journal-broken",
    plant: (history) => {
      const { journal } = itemOf(history, "in-order");
      const [delivery] = journal.splice(2, 1);
      if (delivery !== undefined) journal.unshift(delivery);
    },
  },
  {
    name: "an effect that ended twice",
    rule: "journal-broken",
    plant: (history) => {
      const item = itemOf(history, "in-order");
      item.journal.push({ ...nth(deliveriesOf(item), 4) });
    },
  },
  {
    name: "a journal entry that is no entry",
    rule: "journal-broken",
    plant: (history) => {
      (itemOf(history, "in-order").journal as unknown[])[2] = null;
    },
  },
  {
    name: "one byte of a stored actor changed",
    rule: "replay-differs",
    plant: (history) => {
      const item = itemOf(history, "in-order");
      item.actorText = item.actorText?.replace('"accountNumber"', '"accountnumber"') ?? "";
    },
  },
  {
    name: "a journal that leaves out an effect of a decision",
    rule: "replay-differs",
    plant: (history) => {
      const { change } = nth(eventsOf(itemOf(history, "in-order")), 1);
      delete change?.effects;
    },
  },
  {
    name: "a stored actor without a journal",
    rule: "replay-differs",
    plant: (history) => {
      itemOf(history, "unanswered").journal = [];
    },
  },
  {
    name: "a decision about an event that nobody sent",
    rule: "invented",
    plant: (history) => drop(history.sent, sentTo(history, "in-order", 2)),
  },
  {
    name: "a decision about an event with other data than was sent",
    rule: "invented",
    plant: (history) => {
      sentTo(history, "in-order", 2).event.data = { providerNotes: "Something else." };
    },
  },
  {
    name: "a decision about an event of another type than was sent",
    rule: "invented",
    plant: (history) => {
      sentTo(history, "in-order", 3).event.type = "work.completed";
    },
  },
  {
    name: "an upstream cancellation found with an effect that never was",
    rule: "invented",
    plant: (history) => {
      const item = itemOf(history, "cancelled");
      const entry = nth(eventsOf(item), 2);
      drop(history.sent, sentTo(history, "cancelled", 2));
      Object.assign(entry.event, { source: "offergrid/default", id: "cancelled-upstream:x:9:0" });
    },
  },
  {
    name: "an event rejected that had to be applied",
    rule: "wrong-outcome",
    plant: (history) => {
      const entry = nth(eventsOf(itemOf(history, "in-order")), 5);
      entry.outcome = "rejected";
    },
  },
  {
    name: "an item that ended in another status than it had to",
    rule: "wrong-outcome",
    plant: (history) => {
      itemOf(history, "in-order").mustEndAs = "cancelled";
    },
  },
  {
    name: "an effect that has left the outbox without an end",
    rule: "effect-lost",
    plant: (history) => {
      const item = itemOf(history, "in-order");
      drop(item.journal, nth(deliveriesOf(item), 1));
    },
  },
  {
    name: "an operator's notice that was never given",
    rule: "effect-lost",
    plant: (history) => {
      const item = itemOf(history, "unanswered");
      drop(item.journal, nth(deliveriesOf(item), 0));
    },
  },
  {
    name: "a push told delivered that the marketplace never got",
    rule: "effect-not-delivered",
    plant: (history) => drop(history.requests, nth(requestsOf(history, "in-order"), 2)),
  },
  {
    name: "a push told delivered that the marketplace refused",
    rule: "effect-not-delivered",
    plant: (history) => {
      Object.assign(nth(requestsOf(history, "in-order"), 2), { applied: false, answer: 500 });
    },
  },
  {
    name: "a push told found at the marketplace, which never showed it",
    rule: "effect-not-delivered",
    plant: (history) => {
      drop(history.requests, nth(requestsOf(history, "in-order"), 2));
      nth(deliveriesOf(itemOf(history, "in-order")), 2).answer =
        "found applied when the item was read";
    },
  },
  {
    name: "two pushes applied the wrong way round",
    rule: "effects-out-of-order",
    plant: (history) => {
      const [one, other] = [1, 2].map((index) => nth(requestsOf(history, "in-order"), index));
      if (one === undefined || other === undefined) return;
      one.at = other.at + 1;
      history.requests.sort((left, right) => left.at - right.at);
    },
  },
  {
    name: "a push that was taken for another of the same status",
    rule: "effect-not-delivered",
    plant: (history) => {
      const item = itemOf(history, "in-order");
      const delivered = item.journal.filter(
        (entry): entry is Delivered => entry.kind === "delivery" && entry.outcome === "delivered",
      );
      const [one, other] = [nth(delivered, 1), nth(delivered, 2)];
      one.outcome = "merged";
      one.status = String(other.status);
      history.requests = history.requests.filter(
        ({ idempotencyKey }) => idempotencyKey !== one.effect,
      );
    },
  },
  {
    name: "a push applied twice, although a fault explains why it was sent twice",
    rule: "duplicate-status-change",
    plant: (history) => {
      const { at } = nth(requestsOf(history, "in-order"), 1);
      history.faults.push({ kind: "kill-worker", from: at, to: at });
      repeat(history, "in-order", { index: 1 });
    },
  },
  {
    name: "a push said again after the store forgot it",
    rule: "duplicate-status-change",
    plant: (history) => {
      const { at } = nth(requestsOf(history, "in-order"), 1);
      history.faults.push({ kind: "redis-lost", from: at, to: at, storeLostSince: at });
      const forgotten = { index: 1, idempotencyKey: "in-order:99:0" };
      repeat(history, "in-order", forgotten);
    },
  },
  {
    name: "a push sent twice without any fault",
    rule: "unexplained-duplicate",
    plant: (history) => repeat(history, "in-order", { index: 1, applied: false }),
  },
  {
    name: "a push sent twice long after the last fault",
    rule: "unexplained-duplicate",
    plant: (history) => {
      history.faults.push({
        kind: "kill-worker",
        from: START_MS - 900_000,
        to: START_MS - 800_000,
      });
      repeat(history, "in-order", { index: 1, applied: false });
    },
  },
  {
    name: "a push sent twice while another item's marketplace was at fault",
    rule: "unexplained-duplicate",
    plant: (history) => {
      const { at } = nth(requestsOf(history, "in-order"), 1);
      history.faults.push({ kind: "market-slow", itemId: "by-time", from: at, to: at });
      repeat(history, "in-order", { index: 1, applied: false });
    },
  },
  {
    name: "an unanswered push repeated with no fault on record",
    rule: "unexplained-duplicate",
    plant: (history) => {
      history.faults = history.faults.filter(({ itemId }) => itemId !== "answer-lost");
    },
  },
  {
    name: "a push of which no journal tells",
    rule: "unexplained-push",
    plant: (history) => repeat(history, "in-order", { idempotencyKey: "in-order:77:0" }),
  },
  {
    name: "a push about an item that nobody knows",
    rule: "unexplained-push",
    plant: (history) => repeat(history, "in-order", { itemId: "stranger" }),
  },
  {
    name: "a push sent before it was decided",
    rule: "unexplained-push",
    plant: (history) => {
      nth(requestsOf(history, "in-order"), 2).at -= 120_000;
    },
  },
  {
    name: "a push with another status than the journal tells",
    rule: "unexplained-push",
    plant: (history) => {
      nth(requestsOf(history, "in-order"), 2).status = "completed";
    },
  },
  {
    name: "a forgotten push long before the store forgot anything",
    rule: "unexplained-push",
    plant: (history) => {
      const { at } = nth(requestsOf(history, "in-order"), 4);
      history.faults.push({ kind: "redis-lost", from: at, to: at, storeLostSince: at });
      repeat(history, "in-order", { idempotencyKey: "in-order:77:0" });
    },
  },
  {
    name: "a timer that fired before it was due",
    rule: "timer-early",
    plant: (history) => {
      const timer = timerOf(itemOf(history, "lamp"));
      timer.at = timer.dueAt - 1;
    },
  },
  {
    name: "a timer that was due an hour before the end",
    rule: "timer-forgotten",
    plant: (history) => rewind(history, "lamp", 1),
  },
  {
    name: "a timer that fired twice for one visit",
    rule: "timer-doubled",
    plant: (history) => {
      const item = itemOf(history, "lamp");
      item.journal.push({ ...timerOf(item), revision: 4 });
    },
  },
  {
    name: "a job that nobody finished",
    rule: "stuck",
    plant: (history) => {
      history.jobsLeft = 1;
    },
  },
  {
    name: "a lane that still waits for its next attempt",
    rule: "stuck",
    plant: (history) => {
      nth(itemOf(history, "refused").lanes, 0).state = "later";
    },
  },
  {
    name: "a blocked lane of which no person was told",
    rule: "stuck",
    plant: (history) => {
      history.deadLetters = [];
    },
  },
  {
    name: "an event still parked when everything is over",
    rule: "stuck",
    plant: (history) => rewind(history, "scrambled", 6),
  },
  {
    name: "an item listed under two statuses",
    rule: "index-differs",
    plant: (history) => itemOf(history, "in-order").listedUnder.push("completed"),
  },
  {
    name: "an item listed nowhere",
    rule: "index-differs",
    plant: (history) => {
      itemOf(history, "in-order").listedUnder = [];
    },
  },
  {
    name: "a timer that the store will never let fire",
    rule: "index-differs",
    plant: (history) => {
      delete itemOf(history, "unanswered").indexedDueAt;
    },
  },
  {
    name: "a timer that the store will let fire an hour late",
    rule: "index-differs",
    plant: (history) => {
      const item = itemOf(history, "unanswered");
      item.indexedDueAt = (item.indexedDueAt ?? 0) + 3_600_000;
    },
  },
  {
    name: "an effect that became a dead letter although nobody refused it",
    rule: "needless-dead-letter",
    plant: (history) => {
      history.faults = history.faults.filter(({ kind }) => kind !== "market-refusal");
    },
  },
  {
    name: "a dead letter about an event that had to be applied",
    rule: "needless-dead-letter",
    plant: (history) => {
      const { source, id } = sentTo(history, "in-order", 3).event;
      const event = { source, id };
      history.deadLetters.push({ id: "event:x", kind: "event", code: "JOURNAL_FULL", event });
    },
  },
  {
    name: "a dead letter about a job that killed its worker",
    rule: "needless-dead-letter",
    plant: (history) => {
      history.deadLetters.push({ id: "job:1", kind: "unreadable", code: "JOB_CRASHED_WORKER" });
    },
  },
  {
    name: "a dead letter about a timer",
    rule: "needless-dead-letter",
    plant: (history) => {
      const letter = { id: "timer:x", kind: "timer", code: "MACHINE_FAILED" };
      history.deadLetters.push({ ...letter, itemId: "unanswered" });
    },
  },
];

/** Whether the checker reports the fault under the rule that it breaks. */
function isFound({ rule, plant }: PlantedFault): boolean {
  return rulesBrokenBy(plant).includes(rule);
}

export function rulesBrokenBy(plant: (history: Planted) => void): Rule[] {
  const history = cleanHistory();
  plant(history);
  const { violations } = checkHistory(history as History, MACHINES);
  return [...new Set(violations.map((violation) => violation.rule))];
}

/** For whoever reports how good the checker is. */
export function countFound(): { readonly found: number; readonly planted: number } {
  return { found: PLANTED_FAULTS.filter(isFound).length, planted: PLANTED_FAULTS.length };
}
