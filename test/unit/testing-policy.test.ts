/** A test may change the SLA policy under its items, as an operator does. */
import { expect, test } from "vitest";
import { orderItemDefinition } from "../../machines/order-item/definition.ts";
import { DEFAULT_POLICY, startTestEngine, type Policy } from "../../src/testing/test-engine.ts";

const HOUR_MS = 3_600_000;

function answeredWithin(hours: number): Policy {
  const { respond } = DEFAULT_POLICY.clocks;
  if (respond?.kind !== "duration") throw new TypeError("the default policy measures answers");
  const clocks = {
    ...DEFAULT_POLICY.clocks,
    respond: { ...respond, targetMs: hours * HOUR_MS, ladder: "overdue" },
  };
  return { ...DEFAULT_POLICY, version: `answers-${hours}h`, clocks };
}

async function twoOrders() {
  const engine = await startTestEngine({
    machines: [orderItemDefinition()],
    now: "2026-03-02T09:00:00Z",
    policy: answeredWithin(24),
  });
  const data = { orderId: "order-1" };
  await engine.send({ type: "order.received", subject: "item-1", data });
  await engine.advance({ hours: 3 });
  await engine.send({ type: "order.received", subject: "item-2", data });
  return engine;
}

test("open clocks are measured by another policy at once, and what is past is told", async () => {
  const engine = await twoOrders();
  await engine.setPolicy(answeredWithin(2));

  expect(engine.notices).toMatchObject([
    {
      itemId: "item-1",
      time: "2026-03-02T12:00:00.000Z",
      params: { clock: "respond", kind: "breach", dueAt: "2026-03-02T11:00:00.000Z" },
    },
  ]);
  const [clock] = (await engine.item("item-2"))?.clocks?.clocks ?? [];
  expect(clock?.state).toEqual({ is: "running", dueAt: Date.parse("2026-03-02T14:00:00Z") });
  await engine.assertReplays("item-1");
});

test("an item that begins later lives by the policy that is in force then", async () => {
  const engine = await twoOrders();
  await engine.setPolicy(answeredWithin(2));
  await engine.setPolicy(answeredWithin(24));
  await engine.send({ type: "order.received", subject: "item-3", data: { orderId: "order-1" } });
  const [clock] = (await engine.item("item-3"))?.clocks?.clocks ?? [];
  expect(clock?.state).toEqual({ is: "running", dueAt: Date.parse("2026-03-03T12:00:00Z") });
});

test("a policy that production would refuse is refused", async () => {
  const engine = await twoOrders();
  const other = { ...answeredWithin(5), version: "answers-24h" };
  await expect(engine.setPolicy(other)).rejects.toMatchObject({ code: "POLICY_INVALID" });
  const open = { ...answeredWithin(5), customerHours: "no such calendar" };
  await expect(engine.setPolicy(open)).rejects.toMatchObject({ code: "POLICY_INVALID" });
});
