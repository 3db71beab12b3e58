/** What becomes of pushes when the marketplace does not just take them, on a clock that is turned. */
import { describe, expect, test } from "vitest";
import { definitions } from "../../machines/registry.ts";
import {
  startTestEngine,
  type TestEngine,
  type TestEngineOptions,
} from "../../src/testing/test-engine.ts";
import { orderEvent } from "../support/order-item-events.ts";

type EventType = Parameters<typeof orderEvent>[0];

async function startOrders(options: Partial<TestEngineOptions> = {}): Promise<TestEngine> {
  return startTestEngine({ machines: definitions(), now: "2026-03-02T09:00:00Z", ...options });
}

async function tell(engine: TestEngine, type: EventType, subject = "item-1"): Promise<void> {
  const { time: _itsOwn, ...event } = orderEvent(type, { subject });
  await engine.send(event);
}

function pushed({ pushes }: TestEngine): string[] {
  return pushes.map(({ itemId, status, time }) => `${time.slice(11, 19)} ${itemId} ${status}`);
}

describe("a push", () => {
  test.each([
    ["a refusal of the moment", { status: 503 } as const],
    ["an update that is lost", { lost: "request" } as const],
    ["no connection", { lost: "connection" } as const],
    ["a request too many", { status: 429, retryAfterMs: 500 } as const],
  ])("is repeated after %s, and arrives once", async (_what, answer) => {
    const engine = await startOrders();
    await tell(engine, "order.received");
    engine.marketplace.answer("item-1", answer);
    await tell(engine, "order.accepted");
    expect(pushed(engine)).toEqual([]);
    expect((await engine.item("item-1"))?.lanes).toMatchObject([{ state: "later" }]);
    await engine.advance({ seconds: 1 });
    expect(engine.pushes).toMatchObject([{ itemId: "item-1", status: "accepted" }]);
  });

  test.each([
    ["fails after applying it", { status: 500, applied: true } as const],
    ["gives no answer", { lost: "answer" } as const],
  ])("is not sent again when the marketplace %s", async (_what, answer) => {
    const engine = await startOrders();
    await tell(engine, "order.received");
    engine.marketplace.answer("item-1", answer);
    await tell(engine, "order.accepted");
    await engine.advance({ minutes: 1 });
    expect(engine.marketplace.requests).toHaveLength(1);
    expect((await engine.item("item-1"))?.effects).toMatchObject([{ state: "delivered" }]);
  });

  test("that is refused waits for a person, and what comes after it waits behind it", async () => {
    const engine = await startOrders();
    await tell(engine, "order.received");
    engine.marketplace.answer("item-1", { status: 404 });
    await tell(engine, "order.accepted");
    await tell(engine, "appointment.scheduled");
    await engine.advance({ days: 1 });
    expect(engine.pushes).toEqual([]);
    const letters = await engine.deadLetters();
    expect(letters).toMatchObject([{ problem: { code: "PUSH_ITEM_NOT_FOUND" } }]);
    expect(await engine.retry(letters[0]?.id ?? "")).toEqual({ outcome: "unblocked" });
    expect(engine.pushes.map(({ status }) => status)).toEqual(["accepted", "scheduled"]);
  });

  test("meets the reseller's cancellation, and the item is cancelled", async () => {
    const engine = await startOrders();
    await tell(engine, "order.received");
    engine.marketplace.cancel("item-1");
    await tell(engine, "order.accepted");
    expect(await engine.status("item-1")).toBe("cancelled");
    expect(engine.pushes).toEqual([]);
    await engine.assertReplays("item-1");
  });
});

describe("a marketplace", () => {
  test("that is away for a night gets everything in order when it comes back", async () => {
    const engine = await startOrders();
    await tell(engine, "order.received");
    engine.marketplace.goDown({ status: 502 });
    await tell(engine, "order.accepted");
    await tell(engine, "appointment.scheduled");
    await engine.advance({ hours: 9 });
    expect(engine.pushes).toEqual([]);
    engine.marketplace.comeBack();
    await engine.advance({ minutes: 5 });
    expect(engine.pushes.map(({ status }) => status)).toEqual(["accepted", "scheduled"]);
    expect(engine.marketplace.statusOf("item-1")).toBe("scheduled");
  });

  test("that does not know the key holds the account until a person releases it", async () => {
    const engine = await startOrders();
    await tell(engine, "order.received");
    engine.marketplace.goDown({ status: 401 });
    await tell(engine, "order.accepted");
    await engine.advance({ days: 300 });
    engine.marketplace.comeBack();
    await engine.advance({ days: 1 });
    expect(engine.pushes).toEqual([]);
    await engine.retry("account:default");
    await engine.advance({ seconds: 5 });
    expect(engine.pushes).toMatchObject([{ status: "accepted" }]);
  });

  test("with a limit gets no more a minute than that", async () => {
    const engine = await startOrders({ accounts: { default: { limitPerMinute: 2 } } });
    const ids = ["item-1", "item-2", "item-3", "item-4", "item-5"];
    for (const id of ids) await tell(engine, "order.received", id);
    for (const id of ids) await tell(engine, "order.accepted", id);
    await engine.advance({ minutes: 5 });
    expect(pushed(engine)).toEqual([
      "09:00:00 item-1 accepted",
      "09:00:00 item-2 accepted",
      "09:01:01 item-3 accepted",
      "09:01:01 item-4 accepted",
      "09:02:02 item-5 accepted",
    ]);
  });

  test("may be told only the latest", async () => {
    const engine = await startOrders({ accounts: { default: { policy: "latest" } } });
    await tell(engine, "order.received");
    engine.marketplace.goDown();
    await tell(engine, "order.accepted");
    await tell(engine, "appointment.scheduled");
    engine.marketplace.comeBack();
    await engine.advance({ minutes: 5 });
    expect(engine.pushes.map(({ status }) => status)).toEqual(["scheduled"]);
  });
});
