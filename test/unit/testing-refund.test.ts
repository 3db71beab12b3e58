import { expect, test } from "vitest";
import { startTestEngine } from "../../src/testing/test-engine.ts";
import { refundDefinition } from "../fixtures/refund.ts";

async function requestedRefund() {
  const engine = await startTestEngine({
    machines: [refundDefinition],
    now: "2026-03-02T09:00:00Z",
  });
  const data = { orderId: "order-1", amountCents: 4_900, requestedBy: "ann" };
  await engine.send({ type: "refund.requested", subject: "refund-1", data });
  return engine;
}

test("a refund that nobody decides is asked after once, two days later", async () => {
  const engine = await requestedRefund();
  await engine.advance({ days: 30 });
  expect(engine.notices).toMatchObject([
    { itemId: "refund-1", name: "askToDecide", time: "2026-03-04T09:00:00.000Z" },
  ]);
  expect(await engine.status("refund-1")).toBe("requested");
});

test("a refund is paid once somebody else has approved it", async () => {
  const engine = await requestedRefund();
  const approve = (approvedBy: string) =>
    engine.send({ type: "refund.approved", subject: "refund-1", data: { approvedBy } });

  expect(await approve("ann")).toMatchObject({
    outcome: "rejected",
    problem: { code: "EVENT_NOT_ALLOWED", allowed: ["refund.approved", "refund.denied"] },
  });
  expect(await approve("bob")).toMatchObject({ outcome: "applied", status: "approved" });
  await engine.send({ type: "refund.paid", subject: "refund-1", data: { paymentId: "p-1" } });

  expect(await engine.status("refund-1")).toBe("paid");
  expect(engine.notices).toMatchObject([{ name: "askToPay" }]);
  await engine.assertReplays("refund-1");
});
