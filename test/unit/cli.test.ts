import { describe, expect, test } from "vitest";
import { eventSchemas } from "../../machines/order-item/events.ts";
import { orderItemMachine } from "../../machines/order-item/machine.ts";
import { STATUS_NAMES } from "../../machines/order-item/statuses.ts";
import { answerText, exitCodeOf } from "../../src/cli/answer-text.ts";
import { eventFrom } from "../../src/cli/event-arguments.ts";
import { journalText } from "../../src/cli/journal-text.ts";
import { relativeText, table, wrapped } from "../../src/cli/text-layout.ts";
import type { JournalEntry } from "../../src/core/journal.ts";
import { standingOf, statusWordsOf } from "../../src/engine/active-states.ts";
import { statusSince } from "../../src/engine/describe-item.ts";
import { orderEvent } from "../support/order-item-events.ts";

const SCHEMAS = eventSchemas(8 * 1024);
const DEFAULTS = { id: "id-1", source: "unused" };

describe("an event from flags", () => {
  const built = (type: string, flags: object, dataText?: string) =>
    eventFrom(
      {
        type,
        item: "item-1",
        flags: { source: "cli", ...flags },
        ...(dataText !== undefined && { dataText }),
      },
      SCHEMAS,
      DEFAULTS,
    );

  test("the note goes where its event type keeps one", () => {
    expect(built("order.accepted", { note: "Yes." })).toMatchObject({
      data: { providerNotes: "Yes." },
    });
    expect(built("wait.started", { note: "Stock." })).toMatchObject({ data: { reason: "Stock." } });
    expect(built("order.received", { note: "Ring." })).toMatchObject({ data: { notes: "Ring." } });
  });

  test("flags are laid over --data, metadata key by key", () => {
    const event = built(
      "appointment.scheduled",
      { meta: ["appointmentWindow=1-5 PM", "formula=a=b"], scheduledFor: "2031-03-11T13:00:00Z" },
      '{"providerNotes":"Set.","scheduledFor":"old","metadata":{"technicianName":"Mike"}}',
    );
    expect(event).toEqual({
      specversion: "1.0",
      id: "id-1",
      source: "cli",
      type: "appointment.scheduled",
      subject: "item-1",
      data: {
        providerNotes: "Set.",
        scheduledFor: "2031-03-11T13:00:00Z",
        metadata: { technicianName: "Mike", appointmentWindow: "1-5 PM", formula: "a=b" },
      },
    });
  });

  test("the account of a first event is also the item's", () => {
    expect(built("order.received", { account: "acme", order: "o-1" })).toMatchObject({
      account: "acme",
      data: { account: "acme", orderId: "o-1" },
    });
    expect(built("work.started", { account: "acme" })).toMatchObject({ data: {} });
  });

  test.each(["[1]", "null", "{", "text"])("--data %s is refused with an example", (text) => {
    expect(() => built("work.started", {}, text)).toThrow(/no JSON object[^]*@file\.json/);
  });
});

describe("an outcome in words", () => {
  const answer = { id: "e", source: "s", subject: "item-1", revision: 2 } as const;

  test("applied names the status and what may come next", () => {
    const text = answerText({
      type: "order.accepted",
      item: "item-1",
      answer: { ...answer, outcome: "applied", status: "accepted" },
      allowed: ["order.cancelled"],
    });
    expect(text).toBe(
      'Applied: order.accepted. Item item-1 is "accepted".\n  Next: order.cancelled',
    );
  });

  test("a refusal that names what is taken does not say it twice", () => {
    const allowed = ["order.accepted", "order.rejected"];
    const message = `Not now. Send ${allowed.join(", ")} first.`;
    const refused = {
      ...answer,
      outcome: "rejected",
      problem: { code: "EVENT_NOT_ALLOWED", message, allowed },
    } as const;
    const text = answerText({ type: "work.started", item: "item-1", answer: refused, allowed });
    expect(text.match(/order\.rejected/g)).toHaveLength(1);
    expect(exitCodeOf(refused)).toBe(1);
    expect(exitCodeOf({ ...answer, outcome: "stale" })).toBe(0);
  });
});

describe("a journal", () => {
  const change = (status: string, target?: string) => ({
    status,
    taken:
      target === undefined ? [] : [{ event: "e", source: "order-item.open", targets: [target] }],
  });
  const journal: JournalEntry[] = [
    {
      kind: "event",
      revision: 1,
      at: 0,
      event: orderEvent("order.received"),
      outcome: "applied",
      change: change("pending"),
    },
    {
      kind: "event",
      revision: 2,
      at: 1_000,
      event: orderEvent("order.accepted"),
      outcome: "applied",
      change: change("accepted", "accepted"),
    },
    {
      kind: "delivery",
      at: 2_000,
      effect: "item-1:2:0",
      name: "pushStatus",
      outcome: "delivered",
      attempt: 2,
      answer: 'status 200: {"id":"item-1"}',
      status: "accepted",
      tookMs: 5,
    },
    {
      kind: "event",
      revision: 3,
      at: 3_000,
      event: orderEvent("wait.started", { data: { on: "customer" } }),
      outcome: "applied",
      change: change("accepted", "order-item.open.waiting-customer"),
    },
    {
      kind: "timer",
      revision: 4,
      at: 4_000,
      timer: "xstate.after.contactReminder.accepted",
      token: "2.0",
      dueAt: 4_000,
      outcome: "applied",
      change: change("accepted"),
    },
  ];

  test("reads as one line an entry: when, what, from where to where, who", () => {
    expect(journalText(journal).split("\n")).toEqual([
      "  1970-01-01T00:00:00Z  order.received         begins as pending                 crm/test",
      "  1970-01-01T00:00:01Z  order.accepted         pending → accepted                crm/test",
      "  1970-01-01T00:00:02Z  → pushStatus           accepted delivered (attempt 2)    status 200, 5 ms",
      "  1970-01-01T00:00:03Z  wait.started           stays accepted; waiting-customer  crm/test",
      "  1970-01-01T00:00:04Z  timer contactReminder  rang                              the clock",
    ]);
  });

  test("a status is as old as the first of the decisions that kept it", () => {
    expect(statusSince(journal)).toBe(1_000);
    expect(statusSince([])).toBeUndefined();
  });
});

describe("where an item stands", () => {
  test("every status has its words, from the machine's own states", () => {
    const words = statusWordsOf(orderItemMachine);
    expect(words.map(({ status }) => status).toSorted()).toEqual([...STATUS_NAMES].toSorted());
    for (const { definition, action } of words) {
      expect(definition.length).toBeGreaterThan(0);
      expect(action).toBeDefined();
    }
  });

  test("regions that bear no status are told beside it", () => {
    const value = {
      open: {
        fulfilment: { accepting: "scheduled" },
        waiting: "customer",
        cancellation: "assessing",
      },
    };
    const { words, regions } = standingOf(orderItemMachine, value);
    expect(words?.status).toBe("scheduled");
    expect(regions).toMatchObject([
      { name: "waiting", state: "customer" },
      { name: "cancellation", state: "assessing" },
    ]);
    expect(standingOf(orderItemMachine, "active").regions).toEqual([]);
  });
});

describe("text for a terminal", () => {
  test("no line is wider than 100 columns, unless a word is", () => {
    const long = "word ".repeat(60).trim();
    expect(
      Math.max(
        ...table([], [["a", long]])
          .split("\n")
          .map(({ length }) => length),
      ),
    ).toBe(100);
    expect(
      wrapped(long, "    ")
        .split("\n")
        .every(({ length }) => length <= 100),
    ).toBe(true);
    expect(wrapped(`see ${"x".repeat(120)}`, "  ").split("\n")).toHaveLength(2);
  });

  test.each([
    [0, "now"],
    [-1_000, "1 s ago"],
    [90_000, "in 1 min"],
    [-7_200_000, "2 h ago"],
    [3 * 86_400_000, "in 3 d"],
  ])("%d ms from now is %s", (distanceMs, text) => {
    const now = Date.UTC(2026, 0, 1);
    expect(relativeText(now + distanceMs, now)).toBe(text);
  });
});
