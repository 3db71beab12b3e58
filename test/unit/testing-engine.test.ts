import { afterEach, describe, expect, test, vi } from "vitest";
import { setup } from "xstate";
import { definitions } from "../../machines/registry.ts";
import { startTestEngine, type TestEngine } from "../../src/testing/test-engine.ts";
import { refundDefinition } from "../fixtures/refund.ts";
import { LIFE_PUSHED, lifeOf, orderEvent } from "../support/order-item-events.ts";
import { smallDefinition } from "../support/small-machine.ts";

const NOW = "2026-03-02T09:00:00.000Z";

async function startOrders(): Promise<TestEngine> {
  return startTestEngine({ machines: definitions(), now: NOW });
}

/** Dated by the engine's clock, as a producer would that reports at once. */
function told(type: Parameters<typeof orderEvent>[0], subject: string, data = {}) {
  const { time: _atItsOwn, ...event } = orderEvent(type, { subject, data });
  return event;
}

function breaches({ notices }: TestEngine): string[] {
  return notices
    .filter(({ params }) => params["kind"] === "breach")
    .map(({ itemId, params, time }) => `${time} ${itemId} ${params["clock"] as string}`);
}

describe("the life of an order item", () => {
  test("rings each clock of thirty days in order and at its own time", async () => {
    const engine = await startOrders();
    await engine.send(told("order.received", "item-1"));
    await engine.advance({ days: 2 });
    await engine.send(told("order.accepted", "item-1"));
    await engine.advance({ days: 6 });
    const appointment = { scheduledFor: "2026-03-20T13:00:00-07:00" };
    await engine.send(told("appointment.scheduled", "item-1", appointment));
    await engine.advanceTo("2026-03-20T13:30:00-07:00");
    await engine.send(told("work.started", "item-1"));
    await engine.advance({ hours: 5 });
    await engine.send(told("work.failed", "item-1"));
    await engine.advanceTo("2026-04-01T09:00:00Z");

    expect(breaches(engine)).toEqual([
      "2026-03-03T09:00:00.000Z item-1 respond",
      "2026-03-06T09:00:00.000Z item-1 contact",
      "2026-03-09T09:00:00.000Z item-1 schedule",
      "2026-03-14T09:00:00.000Z item-1 install",
      "2026-03-21T00:30:00.000Z item-1 on-site",
      "2026-03-23T01:30:00.000Z item-1 resolution",
    ]);
    const keys = engine.notices.map(({ params }) => params["key"]);
    expect(new Set(keys).size).toBe(keys.length);
    const statuses = engine.pushes.map(({ status }) => status);
    expect(statuses).toEqual(["accepted", "scheduled", "in_progress", "failed"]);
    expect(engine.time).toBe("2026-04-01T09:00:00.000Z");
    expect(await engine.status("item-1")).toBe("failed");
    expect((await engine.item("item-1"))?.lanes).toEqual([]);
    await engine.assertReplays("item-1");
  });

  test("is the same again for the same calls", async () => {
    const live = async () => {
      const engine = await startOrders();
      engine.marketplace.answer("item-1", { status: 503 }, { lost: "answer" });
      await engine.sendAll(["item-1", "item-2"].map((id) => told("order.received", id)));
      await engine.send({ ...told("order.accepted", "item-1"), id: "e" });
      await engine.advance({ days: 30 });
      const items = await Promise.all(["item-1", "item-2"].map((id) => engine.item(id)));
      const journals = items.map((item) => item?.journal.map(({ at, kind }) => ({ at, kind })));
      return { journals, pushes: engine.pushes, notices: engine.notices };
    };
    expect(await live()).toEqual(await live());
  });

  test("takes the events of many items at one moment, in order for each", async () => {
    const engine = await startOrders();
    const ids = ["item-1", "item-2", "item-3"];
    const answers = await engine.sendAll(ids.flatMap(lifeOf));
    expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(["applied"]));
    for (const id of ids) {
      const pushed = engine.pushes.filter(({ itemId }) => itemId === id);
      expect(pushed.map(({ status }) => status)).toEqual(LIFE_PUSHED);
    }
  });
});

/** Tells again and again, each time after its own delay. */
const bell = smallDefinition(
  setup({
    types: {} as { context: { everyMs: number }; input: { everyMs: number } },
    actions: { tell: () => {} },
    delays: { pause: ({ context }) => context.everyMs },
  }).createMachine({
    context: ({ input }) => input,
    initial: "silent",
    states: {
      silent: { after: { pause: { target: "silent", reenter: true, actions: "tell" } } },
    },
  }),
  [],
);

const DAY_MS = 24 * 3_600_000;

function ringing(subject: string, everyMs: number) {
  return { type: "born", subject, data: { everyMs } };
}

/** Another source than the clerks': what they tell later does not make it stale. */
const payment = { type: "refund.paid", source: "bank", data: { paymentId: "p-1" } };

describe("time", () => {
  test("goes from one due moment to the next across items, however far it is turned", async () => {
    const engine = await startTestEngine({ machines: [bell], now: NOW });
    await engine.sendAll([ringing("three", 3 * DAY_MS), ringing("two", 2 * DAY_MS)]);
    await engine.advance({ days: 7 });
    expect(engine.notices.map(({ time, itemId }) => `${time.slice(0, 10)} ${itemId}`)).toEqual([
      "2026-03-04 two",
      "2026-03-05 three",
      "2026-03-06 two",
      "2026-03-08 three",
      "2026-03-08 two",
    ]);
  });

  test("has no longest timer", async () => {
    const engine = await startTestEngine({ machines: [bell], now: NOW });
    await engine.send(ringing("rare", 400 * DAY_MS));
    await engine.advance({ days: 399, hours: 23, minutes: 59, seconds: 59, milliseconds: 999 });
    expect(engine.notices).toEqual([]);
    await engine.advance({ milliseconds: 1 });
    expect(engine.notices).toMatchObject([{ itemId: "rare", time: "2027-04-06T09:00:00.000Z" }]);
  });

  test("stops for a machine that never comes to rest", async () => {
    const engine = await startTestEngine({ machines: [bell], now: NOW, momentsMax: 50 });
    await engine.send(ringing("endless", 1));
    await expect(engine.advance({ days: 1 })).rejects.toThrow(
      /50 times, and it is only 2026-03-02/,
    );
  });

  test("does not go back, and is written so that it is the same everywhere", async () => {
    const engine = await startTestEngine({ machines: [bell], now: NOW });
    await expect(engine.advanceTo("2026-03-02T08:59:59Z")).rejects.toThrow(/does not go back/);
    await expect(engine.advanceTo("2026-03-03T09:00")).rejects.toThrow(/offset/);
    await expect(engine.advance({ day: 1 } as object)).rejects.toThrow(/days, hours/);
    await expect(engine.advance({ days: -1 })).rejects.toThrow(/not negative/);
    await expect(engine.advance({})).rejects.toThrow(RangeError);
    await engine.advanceTo("2026-03-02T10:00:00+01:00");
    expect(engine.time).toBe(NOW);
  });

  test("ends the wait of an early event, which a person may then send again", async () => {
    const engine = await startTestEngine({ machines: [refundDefinition], now: NOW });
    const paid = { ...payment, subject: "r-1" };
    const asked = { orderId: "o-1", amountCents: 4_900, requestedBy: "ann" };
    await engine.send({ type: "refund.requested", subject: "r-1", data: asked });
    expect(await engine.send(paid)).toMatchObject({ outcome: "parked", status: "requested" });
    await engine.advance({ minutes: 15 });
    const [letter] = await engine.deadLetters();
    expect(letter).toMatchObject({ kind: "event", problem: { code: "PARKED_EXPIRED" } });
    await engine.send({ type: "refund.approved", subject: "r-1", data: { approvedBy: "bob" } });
    expect(await engine.retry(letter?.id ?? "")).toEqual({ outcome: "enqueued" });
    expect(await engine.status("r-1")).toBe("paid");
    expect(await engine.deadLetters()).toEqual([]);
    await engine.assertReplays("r-1");
  });
});

describe("an event", () => {
  test("that nobody could read is answered like any other", async () => {
    const engine = await startTestEngine({ machines: [bell], now: NOW });
    expect(await engine.send({ type: "born", subject: "{}" })).toMatchObject({
      outcome: "dead-letter",
      id: "event-1",
      subject: "{}",
      problem: { code: "EVENT_INVALID" },
    });
    expect(await engine.item("{}")).toBeUndefined();
  });

  test("that comes twice is applied once", async () => {
    const engine = await startTestEngine({ machines: [bell], now: NOW });
    const event = { ...ringing("b", DAY_MS), id: "e-1" };
    expect(await engine.send(event)).toMatchObject({ outcome: "applied", revision: 1 });
    expect(await engine.send(event)).toMatchObject({ outcome: "applied", duplicate: true });
  });

  test("has its turn, whether or not somebody waited for the call before", async () => {
    const engine = await startTestEngine({ machines: [bell], now: NOW });
    const calls = [engine.send(ringing("b", DAY_MS)), engine.advance({ days: 1 })];
    await Promise.all([...calls, engine.advance({ days: 1 })]);
    expect(engine.notices).toHaveLength(2);
  });
});

describe("beside a test's own fake timers", () => {
  afterEach(() => void vi.useRealTimers());

  test("the engine goes on, on its own clock", async () => {
    vi.useFakeTimers({ now: 0 });
    const engine = await startTestEngine({ machines: [bell], now: NOW });
    await engine.send(ringing("b", DAY_MS));
    await engine.advance({ days: 1 });
    expect(engine.notices).toMatchObject([{ itemId: "b", time: "2026-03-03T09:00:00.000Z" }]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("a definition that throws is heard of, and not tried for ever", async () => {
  const broken = {
    ...bell,
    status: (): string => {
      throw new Error("no word for it");
    },
  };
  const engine = await startTestEngine({ machines: [broken], now: NOW });
  expect(await engine.send(ringing("b", DAY_MS))).toMatchObject({
    outcome: "dead-letter",
    problem: { code: "MACHINE_FAILED" },
  });
});

test("whoever speaks for an account begins items of it, without saying so in the data", async () => {
  const engine = await startOrders();
  const { data, ...birth } = told("order.received", "item-1");
  const { account: _account, ...unsaid } = data as { readonly account?: string };
  await engine.send({ ...birth, data: unsaid, account: "north" });
  const accepted = told("order.accepted", "item-1");
  expect((await engine.send({ ...accepted, account: "north" })).outcome).toBe("applied");
  expect((await engine.item("item-1"))?.state).toMatchObject({ context: { account: "north" } });
});
