import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkHistory } from "../../src/history/check.ts";
import type { History } from "../../src/history/history.ts";
import { cleanHistory, MACHINES, START_MS } from "../support/history-of-a-run.ts";
import {
  decisionsOf,
  drop,
  itemOf,
  noticeTo,
  nth,
  type Planted,
  requestsOf,
  rewind,
  sentTo,
} from "../support/history-parts.ts";

const FOUND = "found applied when the item was read";

function judge(change: (history: Planted) => void) {
  const history = cleanHistory();
  change(history);
  return checkHistory(history as History, MACHINES);
}

function deliveryOf(history: Planted, itemId: string, index: number) {
  const deliveries = itemOf(history, itemId).journal.flatMap((entry) =>
    entry.kind === "delivery" ? [entry] : [],
  );
  return nth(deliveries, index);
}

/** The last decision of "in-order" is forgotten; what it pushed has been received. */
function loseLast(history: Planted, acknowledgedAt: number): number {
  const received = history.requests;
  const { at } = nth(decisionsOf(itemOf(history, "in-order")), 5);
  rewind(history, "in-order", 5);
  history.requests = received;
  sentTo(history, "in-order", 5).acknowledgedAt = acknowledgedAt;
  return at;
}

describe("what a store forgot that was let forget its last moments", () => {
  test("an event acknowledged then and gone is counted as lost within the contract", () => {
    const verdict = judge((history) => {
      const at = loseLast(history, START_MS + 400_000);
      const storeLostSince = Math.min(at, START_MS + 400_000) - 10;
      history.faults.push({ kind: "redis-lost", from: at, to: at + 100_000, storeLostSince });
    });
    expect(verdict.violations).toEqual([]);
    expect(verdict.lostWithinContract).toBe(1);
  });

  test("an event acknowledged before that is lost all the same", () => {
    const verdict = judge((history) => {
      const at = loseLast(history, START_MS + 1);
      history.faults.push({ kind: "redis-lost", from: at, to: at, storeLostSince: at - 10 });
    });
    expect(verdict.violations.map(({ rule }) => rule)).toContain("lost");
    expect(verdict.lostWithinContract).toBe(0);
  });

  test("an event acknowledged again after the loss is promised again", () => {
    const verdict = judge((history) => {
      const at = loseLast(history, START_MS + 400_000);
      const storeLostSince = Math.min(at, START_MS + 400_000) - 10;
      const to = at + 100_000;
      history.faults.push({ kind: "redis-lost", from: at, to, storeLostSince });
      sentTo(history, "in-order", 5).lastAcknowledgedAt = to + 1;
    });
    expect(verdict.violations.map(({ rule }) => rule)).toContain("lost");
  });

  test("a letter about a marketplace that is further than the journal has its reason", () => {
    const verdict = judge((history) => {
      const at = START_MS;
      history.faults.push({ kind: "redis-lost", from: at, to: at, storeLostSince: at });
      const letter = { id: "effect:x", kind: "effect", code: "PUSH_DIVERGENT" };
      history.deadLetters.push({ ...letter, itemId: "in-order", effect: "x" });
    });
    expect(verdict.violations).toEqual([]);
  });
});

test("a notice that a killed worker, or a store that forgot it, has told again is counted", () => {
  const verdict = judge((history) => {
    const killed = noticeTo(history, "unanswered");
    history.faults.push({ kind: "kill-worker", from: killed.at, to: killed.at });
    const forgotten = noticeTo(history, "overdue");
    const { at } = forgotten;
    history.faults.push({ kind: "redis-lost", from: at, to: at, storeLostSince: at });
    history.notices?.push(
      { ...killed, at: killed.at + 5_000 },
      { ...forgotten, at: at + 5_000, effect: "overdue:9:0" },
    );
  });
  expect(verdict.violations).toEqual([]);
  expect(verdict.repeatedNotices).toBe(2);
});

const RIGHT: readonly { readonly name: string; readonly change: (history: Planted) => void }[] = [
  {
    name: "an event that was never acknowledged and never arrived",
    change: (history) => {
      rewind(history, "in-order", 5);
      delete sentTo(history, "in-order", 5).acknowledgedAt;
    },
  },
  {
    name: "an event applied at a later attempt",
    change: (history) => {
      const entry = nth(decisionsOf(itemOf(history, "in-order")), 5);
      if (entry.kind === "event") entry.event.redrive = 1;
    },
  },
  {
    name: "a cancellation that the engine found at the marketplace",
    change: (history) => {
      const entry = nth(decisionsOf(itemOf(history, "cancelled")), 2);
      if (entry.kind !== "event") return;
      drop(history.sent, sentTo(history, "cancelled", 2));
      delete entry.event.sequence;
      delete entry.event.sequencetype;
      entry.event.source = "offergrid/default";
      entry.event.id = "cancelled-upstream:cancelled:2:0";
      rewind(history, "cancelled", 3);
    },
  },
  {
    name: "a push that a later one was sent in place of, where that is allowed",
    change: (history) => {
      history.isEachPushed = false;
      deliveryOf(history, "in-order", 1).outcome = "merged";
      drop(history.requests, nth(requestsOf(history, "in-order"), 1));
    },
  },
  {
    name: "a push answered with an error and found applied afterwards",
    change: (history) => {
      nth(requestsOf(history, "in-order"), 1).answer = 500;
      deliveryOf(history, "in-order", 1).answer = FOUND;
    },
  },
  {
    name: "a push that found its item cancelled by the reseller",
    change: (history) => {
      drop(history.requests, nth(requestsOf(history, "cancelled"), 1));
      deliveryOf(history, "cancelled", 1).answer = FOUND;
    },
  },
  {
    name: "a push repeated because the marketplace's limit had turned it away",
    change: (history) => {
      const request = nth(requestsOf(history, "in-order"), 1);
      history.requests.unshift({ ...request, applied: false, answer: 429, at: request.at - 1 });
    },
  },
  {
    name: "a push repeated after a worker was killed",
    change: (history) => {
      const request = nth(requestsOf(history, "in-order"), 1);
      history.faults.push({ kind: "kill-worker", from: request.at, to: request.at });
      history.requests.push({ ...request, applied: false, at: request.at + 20_000 });
    },
  },
  {
    name: "decisions of workers whose clocks differ as far as they may",
    change: (history) => {
      history.clockSkewMs = 100_000;
      nth(decisionsOf(itemOf(history, "in-order")), 5).at -= 90_000;
      nth(requestsOf(history, "in-order"), 4).at -= 150_000;
      rewind(history, "in-order", 6);
    },
  },
  {
    name: "a clock that is past, of an item that is still told what has happened long ago",
    change: (history) => {
      rewind(history, "overdue", 1);
      history.endedAt = START_MS + 60_000 + 5_000;
      history.items = history.items.filter(({ itemId }) => itemId === "overdue");
      history.sent = history.sent.filter(({ event }) => event.subject === "overdue");
      Object.assign(history, { requests: [], faults: [], notices: [], deadLetters: [] });
    },
  },
  {
    name: "a dead letter about an event of which several outcomes are right",
    change: (history) => {
      const sent = sentTo(history, "in-order", 5);
      const event = { ...sent.event, id: "odd", sequence: "99" };
      history.sent.push({ event, sentAt: START_MS, acknowledgedAt: START_MS });
      const { source, id } = event;
      const letter = { id: "event:odd", kind: "event", code: "PARKED_FULL" };
      history.deadLetters.push({ ...letter, itemId: "in-order", event: { source, id } });
    },
  },
];

describe("a history is right", () => {
  for (const { name, change } of RIGHT) {
    test(`in spite of ${name}`, () => {
      expect(judge(change).violations).toEqual([]);
    });
  }
});

/** Places in a JSON value, each as the path that leads there. */
function placesIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    [...path, key],
    ...placesIn(inner, [...path, key]),
  ]);
}

test("no history makes the checker throw, and a decision that is nonsense is never taken for right", () => {
  const places = placesIn(cleanHistory());
  const nonsense = fc.constantFrom<unknown>(undefined, null, "", "x", -1, 1e300, [], {}, [null]);
  const property = fc.property(fc.constantFrom(...places), nonsense, (path, value) => {
    const history = cleanHistory();
    const owner = path
      .slice(0, -1)
      .reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], history);
    (owner as Record<string, unknown>)[path.at(-1) ?? ""] = value;
    const { violations } = checkHistory(history as History, MACHINES);
    const isWholeEntry = path.length === 4 && path[2] === "journal";
    return !isWholeEntry || violations.length > 0;
  });
  expect(() => fc.assert(property, { numRuns: 100 })).not.toThrow();
});
