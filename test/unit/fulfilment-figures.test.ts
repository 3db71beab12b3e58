import { describe, expect, test } from "vitest";
import { definitions } from "../../machines/registry.ts";
import type { EventType } from "../../machines/order-item/events.ts";
import type { Actor } from "../../src/core/actor.ts";
import { decideEvent } from "../../src/core/decide.ts";
import type { JsonObject } from "../../src/core/event.ts";
import type { JournalEntry } from "../../src/core/journal.ts";
import { registerMachines } from "../../src/core/machine.ts";
import { factsOf, type ItemFacts } from "../../src/engine/fulfilment-facts.ts";
import {
  type FulfilmentFigures,
  FulfilmentSum,
  type TimeWindow,
} from "../../src/engine/fulfilment-figures.ts";
import { orderEvent } from "../support/order-item-events.ts";

const machines = registerMachines(definitions());
const DAYS = 86_400_000;
const ARRIVED_AT = Date.parse("2026-06-01T00:00:00Z");
const limits = {
  parkedForMs: 365 * DAYS,
  unknownItemForMs: 365 * DAYS,
  parkedMax: 100,
  journalMax: 1_000,
  timersPerDecision: 100,
};

/** "03T10" is 10:00 on March 3, 2026, UTC. */
function hour(text: string): string {
  return `2026-03-${text}:00:00Z`;
}

type Told = readonly [type: EventType, at: string, data?: JsonObject];

const CREATED: Told = ["order.received", "01T00", { createdAt: hour("01T00") }];

/** The journal of an item whose events all arrive much later than they happened. */
function journalOf(...told: readonly Told[]): JournalEntry[] {
  let actor: Actor | undefined;
  return told.flatMap(([type, at, data = {}]) => {
    const event = orderEvent(type, { time: hour(at), data });
    const { decision } = decideEvent({ machines, limits, now: ARRIVED_AT }, actor, event);
    actor = decision.actor;
    return decision.entries;
  });
}

function item(...told: readonly Told[]): ItemFacts {
  const facts = factsOf(journalOf(...told), machines);
  if (facts === undefined) throw new Error("The item was not announced.");
  return facts;
}

const ALWAYS: TimeWindow = { since: -Infinity, until: Infinity };

function window(since: string, until: string): TimeWindow {
  return { since: Date.parse(hour(since)), until: Date.parse(hour(until)) };
}

function figuresOf(items: readonly ItemFacts[], within: TimeWindow = ALWAYS): FulfilmentFigures {
  const sum = new FulfilmentSum();
  for (const facts of items) sum.add(facts, within);
  return sum.figures();
}

const accepted = (at: string): ItemFacts => item(CREATED, ["order.accepted", at]);
const rejected = (at: string): ItemFacts => item(CREATED, ["order.rejected", at]);
const onSite: readonly Told[] = [
  CREATED,
  ["order.accepted", "01T02"],
  ["appointment.scheduled", "02T02"],
  ["work.started", "05T02"],
];
const failed: readonly Told[] = [...onSite, ["work.failed", "06T02"]];

describe("acceptance", () => {
  test("is accepted of accepted and rejected; nobody else counts", () => {
    const { acceptance, received } = figuresOf([
      accepted("01T02"),
      item(CREATED, ["order.submitted", "01T01"], ["order.accepted", "01T04"]),
      item(CREATED, ["order.accepted", "01T04"], ["order.cancelled", "02T00"]),
      rejected("01T06"),
      item(CREATED),
      item(CREATED, ["order.submitted", "01T01"]),
      item(CREATED, ["order.cancelled", "01T05", { origin: "reseller" }]),
    ]);
    expect(received).toBe(7);
    expect(acceptance).toEqual({
      rate: 3 / 4,
      accepted: 3,
      rejected: 1,
      undecided: 2,
      withdrawn: 1,
      isOnTarget: false,
    });
  });

  test("has no rate while nothing was decided", () => {
    const { acceptance, completion, timeToRespond } = figuresOf([item(CREATED)]);
    expect(acceptance).toMatchObject({ rate: null, isOnTarget: null, undecided: 1 });
    expect(completion).toMatchObject({ rate: null, rateWithoutCancelled: null, isOnTarget: null });
    expect(timeToRespond).toMatchObject({ n: 0, meanMs: null, p50Ms: null, isOnTarget: null });
  });

  test("counts in the window of the decision: its beginning is in it, its end is not", () => {
    const items = ["01T23", "02T00", "02T23", "03T00"].map(accepted);
    const { acceptance } = figuresOf(items, window("02T00", "03T00"));
    expect(acceptance).toMatchObject({ accepted: 2, undecided: 0 });
  });

  test("is undecided at the end of the window of its creation, whatever came later", () => {
    const { acceptance, received } = figuresOf([accepted("02T00")], window("01T00", "02T00"));
    expect(received).toBe(1);
    expect(acceptance).toMatchObject({ accepted: 0, undecided: 1 });
    const later = item(CREATED, ["order.cancelled", "02T00", { origin: "reseller" }]);
    expect(figuresOf([later], window("01T00", "02T00")).acceptance).toMatchObject({
      undecided: 1,
      withdrawn: 0,
    });
  });

  test("of just 85 % misses the target, which is above it", () => {
    const items = (yes: number, no: number): ItemFacts[] => [
      ...Array.from({ length: yes }, () => accepted("01T02")),
      ...Array.from({ length: no }, () => rejected("01T02")),
    ];
    expect(figuresOf(items(17, 3)).acceptance).toMatchObject({ rate: 0.85, isOnTarget: false });
    expect(figuresOf(items(18, 3)).acceptance.isOnTarget).toBe(true);
  });
});

describe("the time to an answer", () => {
  const HOURS = 3_600_000;

  test("runs from the order's creation at the marketplace to the first decision, in event time", () => {
    const { timeToAccept, timeToRespond } = figuresOf([
      accepted("01T01"),
      item(CREATED, ["order.submitted", "01T02"], ["order.accepted", "01T03"]),
      accepted("01T08"),
      rejected("02T01"),
    ]);
    expect(timeToAccept).toEqual({
      n: 3,
      meanMs: 4 * HOURS,
      p50Ms: 3 * HOURS,
      p90Ms: 8 * HOURS,
      p95Ms: 8 * HOURS,
      isOnTarget: true,
    });
    expect(timeToRespond).toMatchObject({
      n: 4,
      meanMs: 9.25 * HOURS,
      p50Ms: 3 * HOURS,
      p90Ms: 25 * HOURS,
      overLimit: 1,
      isOnTarget: false,
    });
  });

  test("begins with the event's own time when the order does not say when it was created", () => {
    const told = item(["order.received", "01T01"], ["order.accepted", "01T03"]);
    expect(figuresOf([told]).timeToAccept).toMatchObject({ n: 1, p50Ms: 2 * HOURS });
  });

  test("is not measured when only the arrival of the order is known", () => {
    const [birth, ...others] = journalOf(["order.received", "01T01"], ["order.accepted", "01T03"]);
    if (birth?.kind !== "event") throw new Error("An item begins with an event.");
    const undated = { ...birth, event: { ...birth.event, isUndated: true as const } };
    const facts = factsOf([undated, ...others], machines);
    expect(figuresOf(facts === undefined ? [] : [facts])).toMatchObject({
      acceptance: { accepted: 1 },
      timeToAccept: { n: 0 },
    });
  });

  test("is not measured for a decision that was only implied", () => {
    const observed = item(CREATED, ["status.observed", "02T00", { status: "in_progress" }]);
    expect(figuresOf([observed])).toMatchObject({
      acceptance: { accepted: 1 },
      timeToAccept: { n: 0 },
      completion: { open: 1 },
    });
    const seen = item(CREATED, ["status.observed", "01T02", { status: "accepted" }]);
    expect(figuresOf([seen]).timeToAccept).toMatchObject({ n: 1, p50Ms: 2 * HOURS });
  });
});

describe("completion", () => {
  test("is completed of those accepted items that came to an end", () => {
    const { completion, fulfilmentTime } = figuresOf([
      item(...onSite, ["work.completed", "08T02"], ["service.activated", "09T02"]),
      item(...onSite, ["service.activated", "11T02"]),
      item(...failed),
      item(...failed, ["order.cancelled", "07T00"]),
      item(CREATED, ["order.accepted", "01T02"], ["order.cancelled", "02T00"]),
      item(...onSite),
      rejected("01T02"),
      item(CREATED, ["order.cancelled", "01T05", { origin: "reseller" }]),
    ]);
    expect(completion).toEqual({
      rate: 2 / 5,
      rateWithoutCancelled: 2 / 3,
      completed: 2,
      failed: 1,
      cancelled: 2,
      open: 1,
      isOnTarget: false,
    });
    expect(fulfilmentTime).toEqual({
      n: 2,
      meanDays: 8.5,
      p50Days: 7,
      p90Days: 10,
      basis: { completed: 1, active: 1 },
    });
  });

  test("counts an item once that failed, was taken up again and was completed", () => {
    const again: readonly Told[] = [...failed, ["appointment.rescheduled", "07T02"]];
    const mended = item(...again, ["work.started", "09T02"], ["service.activated", "09T06"]);
    expect(figuresOf([mended]).completion).toMatchObject({ rate: 1, completed: 1, failed: 0 });
    expect(figuresOf([item(...again)]).completion).toMatchObject({ failed: 0, open: 1 });
  });

  test("is what the item had come to at the end of the window", () => {
    const story = item(
      ...failed,
      ["appointment.rescheduled", "07T02"],
      ["work.started", "09T02"],
      ["service.activated", "09T06"],
    );
    const within = (since: string, until: string) =>
      figuresOf([story], window(since, until)).completion;
    expect(within("01T00", "06T02")).toMatchObject({ open: 1, failed: 0, completed: 0 });
    expect(within("01T00", "07T00")).toMatchObject({ open: 0, failed: 1, completed: 0 });
    expect(within("01T00", "08T00")).toMatchObject({ open: 1, failed: 0, completed: 0 });
    expect(within("06T00", "07T00")).toMatchObject({ open: 0, failed: 1, completed: 0 });
    expect(within("09T06", "09T07")).toMatchObject({ open: 0, failed: 0, completed: 1 });
    expect(within("10T00", "20T00")).toMatchObject({ open: 0, failed: 0, completed: 0 });
  });

  test("ends with the first of completed and active, which is in one window only", () => {
    const both = item(...onSite, ["work.completed", "08T02"], ["service.activated", "09T02"]);
    const of = (since: string, until: string) => figuresOf([both], window(since, until));
    expect(of("08T00", "09T00").completion.completed).toBe(1);
    expect(of("09T00", "10T00").completion.completed).toBe(0);
  });

  test("of an implied acceptance counts, but takes no time", () => {
    const observed = item(CREATED, ["status.observed", "04T00", { status: "active" }]);
    expect(figuresOf([observed])).toMatchObject({
      completion: { completed: 1, rate: 1, isOnTarget: true },
      fulfilmentTime: { n: 0, meanDays: null, basis: { active: 1 } },
    });
  });
});

describe("the other figures", () => {
  test("the time to schedule ends with the first appointment", () => {
    const moved = item(...onSite.slice(0, 3), ["appointment.rescheduled", "09T00"]);
    expect(figuresOf([moved]).timeToSchedule).toMatchObject({ n: 1, p50Ms: DAYS });
  });

  test("a push lags from the fact to its confirmation; a repeat of it is not counted", () => {
    const [received, decided] = journalOf(CREATED, ["order.accepted", "01T02"]);
    if (received === undefined || decided === undefined)
      throw new Error("Two events, two entries.");
    const delivery = (effect: string, at: string, outcome: "delivered" | "failed") =>
      ({
        kind: "delivery",
        at: Date.parse(hour(at)),
        effect,
        name: "pushStatus",
        outcome,
        attempt: 1,
        status: "accepted",
      }) as const;
    const facts = factsOf(
      [
        received,
        decided,
        delivery("item-1:2:0", "01T03", "failed"),
        delivery("item-1:2:0", "01T05", "delivered"),
        delivery("item-1:2:0.2", "09T05", "delivered"),
      ],
      machines,
    );
    expect(facts?.pushLags).toEqual([
      { deliveredAt: Date.parse(hour("01T05")), lagMs: 3 * 3_600_000 },
    ]);
  });

  test("a push that time brought about lags from its decision; what takes a day is late", () => {
    const decidedAt = Date.parse(hour("02T00"));
    const note = { id: "item-1:3:0", name: "pushStatus" };
    const facts = factsOf(
      [
        ...journalOf(CREATED, ["order.accepted", "01T02"]),
        {
          kind: "clocks",
          revision: 3,
          at: decidedAt,
          clocks: [],
          change: { status: "accepted", taken: [], effects: [note] },
        },
        ...["item-1:2:0", note.id].map((effect) => ({
          kind: "delivery" as const,
          at: decidedAt + 3 * 3_600_000,
          effect,
          name: "pushStatus",
          outcome: "delivered" as const,
          attempt: 1,
        })),
      ],
      machines,
    );
    if (facts === undefined) throw new Error("The item was not announced.");
    expect(facts.pushLags.map(({ lagMs }) => lagMs / 3_600_000)).toEqual([25, 3]);
    expect(figuresOf([facts]).pushLag).toMatchObject({
      n: 2,
      p50Ms: 3 * 3_600_000,
      p95Ms: 25 * 3_600_000,
      overLimit: 1,
      isOnTarget: false,
    });
  });

  test("events that were not applied when they came are counted by kind", () => {
    const facts = item(
      CREATED,
      ["work.started", "08T00"],
      ["order.accepted", "06T00"],
      ["order.accepted", "04T00"],
      ["order.rejected", "07T00"],
    );
    expect(figuresOf([facts]).events).toEqual({ stale: 1, parked: 1, rejected: 1 });
  });

  test("the parts of two sums merge to the sum of the whole", () => {
    const items = [accepted("01T02"), rejected("01T09"), item(...failed), item(...onSite)];
    const [one, two] = [new FulfilmentSum(), new FulfilmentSum()];
    for (const [index, facts] of items.entries()) (index % 2 === 0 ? one : two).add(facts, ALWAYS);
    one.merge(two);
    expect(one.figures()).toEqual(figuresOf(items));
  });
});

test.each<readonly [value: JsonObject[string], isTest: boolean]>([
  [true, true],
  ["true", true],
  ["smoke", true],
  [1, true],
  [false, false],
  ["false", false],
  [null, false],
])("an order with metadata.test %j: is it a test? %j", (test, isTest) => {
  expect(item(["order.received", "01T00", { metadata: { test } }]).isTest).toBe(isTest);
});
