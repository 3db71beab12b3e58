/**
 * Whatever a stranger puts into the queue ends as a fact with a code, in the item's journal or among
 * the dead letters, and the queue goes on.
 */
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { ErrorCode } from "../../src/core/errors.ts";
import type { JsonObject } from "../../src/core/event.ts";
import { type Deployment, openDeployment } from "../crash/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { type OrderEvent, orderEvent } from "../support/order-item-events.ts";

let deployment: Deployment;

beforeAll(async () => {
  deployment = await openDeployment({ redisUrl: inject("redisUrl") });
  await deployment.startHere();
});

afterAll(async () => {
  await deployment.close();
});

/** An item that has been accepted, for a case to spoil. */
async function acceptedItem(subject: string): Promise<void> {
  await deployment.apply(orderEvent("order.received", { subject }));
  await deployment.apply(orderEvent("order.accepted", { subject }));
}

/** Codes of the dead letters that mention the case's name. */
async function buried(name: string): Promise<ErrorCode[]> {
  const letters = await deployment.deadLetters();
  return letters
    .filter((letter) => JSON.stringify(letter).includes(name))
    .map(({ problem }) => problem.code);
}

async function refused(subject: string): Promise<ErrorCode[]> {
  const entries = await deployment.journal(subject);
  return entries.flatMap((entry) =>
    entry.kind === "event" && entry.outcome === "rejected"
      ? [entry.problem?.code as ErrorCode]
      : [],
  );
}

/** The item takes the next good event, so nothing is blocked. */
async function assertGoesOn(subject: string): Promise<void> {
  const next = orderEvent("order.noted", { subject });
  await deployment.send(next);
  await eventually(async () => {
    const entries = await deployment.journal(subject);
    expect(entries.filter((entry) => entry.kind === "event").at(-1)).toMatchObject({
      outcome: "applied",
      event: { id: next.id },
    });
  });
  await deployment.assertReplays(subject);
}

function event(subject: string, type: OrderEvent["type"], data: JsonObject = {}): OrderEvent {
  return orderEvent(type, { id: `bad-${subject}`, subject, data });
}

function without(given: OrderEvent, ...fields: readonly (keyof OrderEvent)[]): object {
  return Object.fromEntries(
    Object.entries(given).filter(([name]) => !fields.includes(name as keyof OrderEvent)),
  );
}

type Case = readonly [name: string, code: ErrorCode, data: (subject: string) => unknown];

const UNREADABLE: readonly Case[] = [
  ["no JSON", "EVENT_NOT_JSON", (item) => `{"subject": ${item}`],
  ["no object", "EVENT_INVALID", (item) => [item]],
  ["a foreign envelope", "EVENT_INVALID", (item) => ({ subject: item, hello: "world" })],
  ["no id", "EVENT_INVALID", (item) => without(event(item, "order.noted"), "id")],
  [
    "an engine's type",
    "EVENT_TYPE_RESERVED",
    (item) => ({ ...event(item, "order.noted"), type: "xstate.route" }),
  ],
  ["no subject", "EVENT_SUBJECT_MISSING", (item) => without(event(item, "order.noted"), "subject")],
  [
    "a batch of 101",
    "EVENT_BATCH_TOO_LARGE",
    (item) => Array.from({ length: 101 }, () => event(item, "order.noted")),
  ],
  ["an empty batch", "EVENT_BATCH_TOO_LARGE", () => []],
  [
    "an event above 64 KiB",
    "EVENT_TOO_LARGE",
    (item) => event(item, "order.noted", { providerNotes: "x".repeat(64 * 1024) }),
  ],
  [
    "an event above 64 KiB in UTF-8",
    "EVENT_TOO_LARGE",
    (item) => event(item, "order.noted", { providerNotes: "€".repeat(22 * 1024) }),
  ],
];

const REFUSED: readonly Case[] = [
  [
    "a type that no machine knows",
    "EVENT_TYPE_UNKNOWN",
    (item) => ({ ...event(item, "order.noted"), type: "order.teleported" }),
  ],
  [
    "an event for another account's item",
    "EVENT_SUBJECT_FOREIGN",
    (item) => ({ ...event(item, "order.noted"), account: "somebody-else" }),
  ],
  ["a second birth", "ITEM_EXISTS", (item) => event(item, "order.received")],
  [
    "data of another shape",
    "EVENT_DATA_INVALID",
    (item) => event(item, "order.noted", { providerNotes: 7 }),
  ],
  [
    "an appointment without a date",
    "SCHEDULE_DATE_MISSING",
    (item) => event(item, "appointment.scheduled", { scheduledFor: undefined }),
  ],
  [
    "an appointment without an offset",
    "SCHEDULE_DATE_NAIVE",
    (item) => event(item, "appointment.scheduled", { scheduledFor: "2031-03-10T13:00:00" }),
  ],
  [
    "an appointment in the past",
    "SCHEDULE_DATE_PAST",
    (item) => event(item, "appointment.scheduled", { scheduledFor: "2020-03-10T13:00:00Z" }),
  ],
  [
    "an appointment on another weekday than its note says",
    "SCHEDULE_WEEKDAY_MISMATCH",
    (item) => event(item, "appointment.scheduled", { providerNotes: "See you on Tuesday." }),
  ],
  [
    "a rejection without a reason",
    "REASON_MISSING",
    (item) => event(item, "order.rejected", { providerNotes: undefined }),
  ],
  [
    "metadata that is no object",
    "METADATA_INVALID",
    (item) => event(item, "order.noted", { metadata: ["WO-1"] }),
  ],
  [
    "metadata with objects inside",
    "METADATA_INVALID",
    (item) => event(item, "order.noted", { metadata: { crew: { lead: "Mike" } } }),
  ],
  [
    "metadata above its limit",
    "METADATA_TOO_LARGE",
    (item) => event(item, "order.noted", { metadata: { photo: "x".repeat(9_000) } }),
  ],
];

const slug = (name: string): string => `case-${name.replaceAll(/\W+/g, "-").toLowerCase()}`;

describe("what cannot be read becomes a dead letter", () => {
  test.each(UNREADABLE)("%s: %s", async (name, code, data) => {
    const subject = slug(name);
    await acceptedItem(subject);
    const known = await deployment.deadLetters();
    await deployment.queue.add("crm", data(subject));
    await eventually(async () => {
      const letters = await deployment.deadLetters();
      const added = letters.filter(({ id }) => known.every((letter) => letter.id !== id));
      expect(added).toMatchObject([{ kind: "unreadable", problem: { code } }]);
    });
    await assertGoesOn(subject);
  });
});

describe("what its item does not take becomes a refusal in the item's journal", () => {
  test.each(REFUSED)("%s: %s", async (name, code, data) => {
    const subject = slug(name);
    await acceptedItem(subject);
    await deployment.queue.add("crm", data(subject));
    await eventually(async () => expect(await refused(subject)).toEqual([code]));
    expect(await buried(subject)).toEqual([]);
    await assertGoesOn(subject);
  });

  test("an event for a final item: ITEM_FINAL", async () => {
    const subject = "case-final";
    await deployment.apply(orderEvent("order.received", { subject }));
    await deployment.apply(orderEvent("order.rejected", { subject }));
    await deployment.send(orderEvent("order.accepted", { subject }));
    await eventually(async () => expect(await refused(subject)).toEqual(["ITEM_FINAL"]));
    await deployment.settled(subject, "rejected");
    expect(deployment.seen(subject)).toEqual(["rejected"]);
    await deployment.assertReplays(subject);
  });
});

test("a type that no machine knows, for an item that nobody knows, is a dead letter", async () => {
  const subject = "case-nobody";
  await deployment.send({ ...event(subject, "order.noted"), type: "order.teleported" });
  await eventually(async () => expect(await buried(subject)).toEqual(["EVENT_TYPE_UNKNOWN"]));
  expect(await deployment.actor(subject)).toBeUndefined();
});

test("an id that comes again with other content is a dead letter; the same content is not", async () => {
  const subject = "case-reused";
  await acceptedItem(subject);
  const first = event(subject, "order.noted", { providerNotes: "First." });
  await deployment.send(first, { ...first, time: "2031-01-01T00:00:00Z" });
  await deployment.send({ ...first, data: { providerNotes: "Other." } });
  await eventually(async () =>
    expect(await buried("bad-case-reused")).toEqual(["EVENT_ID_REUSED"]),
  );
  const entries = await deployment.journal(subject);
  expect(entries.filter((entry) => "event" in entry && entry.event.id === first.id)).toHaveLength(
    1,
  );
});

test("a bad event of a batch does not touch the good ones", async () => {
  const subject = "case-batch";
  await deployment.queue.add("crm", [
    orderEvent("order.received", { subject }),
    without(event(subject, "order.noted"), "subject"),
    orderEvent("order.accepted", { subject }),
    event(subject, "order.noted", { metadata: 7 }),
  ]);
  await deployment.settled(subject, "accepted");
  expect(await buried(subject)).toEqual(["EVENT_SUBJECT_MISSING"]);
  expect(await refused(subject)).toEqual(["METADATA_INVALID"]);
});

describe("an event for an item that nobody has announced", () => {
  test("is held, and applied when the item's order is received", async () => {
    const subject = "case-early";
    const received = orderEvent("order.received", { subject });
    await deployment.send(orderEvent("order.accepted", { subject }));
    await eventually(async () => {
      expect(await deployment.journal(subject)).toMatchObject([
        { outcome: "parked", reason: "unknown-item", problem: { code: "ITEM_UNKNOWN" } },
      ]);
    });
    await deployment.send(received);
    await deployment.settled(subject, "accepted");
    expect(deployment.seen(subject)).toEqual(["accepted"]);
    expect(await buried(subject)).toEqual([]);
    await deployment.assertReplays(subject);
  });

  test("and one that comes too early become dead letters when nothing comes for too long", async () => {
    const impatient = await openDeployment({
      redisUrl: inject("redisUrl"),
      config: { unknownItemForMs: 1, parkedForMs: 1, parkedMax: 1 },
    });
    try {
      const [unknown, early] = ["nobody-announced", "never-its-turn"];
      await impatient.apply(orderEvent("order.received", { subject: early }));
      await impatient.apply(orderEvent("work.started", { subject: early }));
      await impatient.apply(orderEvent("work.completed", { subject: early }));
      await impatient.startHere();
      await impatient.send(orderEvent("order.accepted", { subject: unknown }));
      await eventually(async () => {
        const letters = await impatient.deadLetters();
        const codes = letters.flatMap((letter) =>
          letter.kind === "event" ? [`${letter.event.type} ${letter.problem.code}`] : [],
        );
        expect(codes.toSorted()).toEqual([
          "order.accepted ITEM_UNKNOWN",
          "work.completed PARKED_FULL",
          "work.started PARKED_EXPIRED",
        ]);
      });
      expect(await impatient.actor(unknown)).toBeUndefined();
      expect(await impatient.actor(early)).toMatchObject({ parked: [] });
      await impatient.assertReplays(early);
      await impatient.assertNothingLeft();
    } finally {
      await impatient.close();
    }
  });
});
