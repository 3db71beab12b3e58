import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { Harness } from "../support/engine-harness.ts";
import { startHarness } from "../support/engine-harness.ts";
import { eventually } from "../support/eventually.ts";
import { orderEvent } from "../support/order-item-events.ts";

let engine: Harness;

beforeAll(async () => {
  engine = await startHarness({ redisUrl: inject("redisUrl") });
});

afterAll(async () => {
  await engine.stop();
});

test("a standard installation reaches the marketplace step by step, once and in order", async () => {
  const subject = "life-1";
  await engine.send(
    orderEvent("order.received", { subject }),
    orderEvent("order.accepted", { subject }),
    orderEvent("appointment.scheduled", { subject }),
    orderEvent("work.started", { subject }),
    orderEvent("work.completed", { subject }),
    orderEvent("service.activated", { subject }),
  );
  await engine.settled(subject, "active");
  expect(engine.seen(subject)).toEqual([
    "accepted",
    "scheduled",
    "in_progress",
    "completed",
    "active",
  ]);
  await engine.assertReplays(subject);
});

test("events that come before their turn are parked and applied when it comes", async () => {
  const subject = "life-2";
  const events = [
    orderEvent("order.received", { subject }),
    orderEvent("order.accepted", { subject }),
    orderEvent("appointment.scheduled", { subject }),
    orderEvent("work.started", { subject }),
  ];
  await engine.send(...events.toReversed());
  await engine.settled(subject, "in_progress");
  expect(engine.seen(subject)).toEqual(["accepted", "scheduled", "in_progress"]);
  await engine.assertReplays(subject);
});

test("the second arrival of an event gets the first one's answer", async () => {
  const subject = "life-3";
  const event = orderEvent("order.received", { subject });
  const first = await engine.applier.apply(event as never);
  const second = await engine.applier.apply(event as never);
  expect(first).toMatchObject({ outcome: "applied", revision: 1, status: "pending" });
  expect(second).toMatchObject({ outcome: "applied", revision: 1, duplicate: true });
  expect(await engine.journal(subject)).toHaveLength(1);
});

test("an event that no later state takes is rejected with what is allowed", async () => {
  const subject = "life-4";
  await engine.send(
    orderEvent("order.received", { subject }),
    orderEvent("order.accepted", { subject }),
  );
  await engine.settled(subject, "accepted");
  await engine.send(orderEvent("order.submitted", { subject }));
  await eventually(async () => {
    expect((await engine.journal(subject)).at(-1)).toMatchObject({
      kind: "event",
      outcome: "rejected",
      problem: { code: "EVENT_NOT_ALLOWED" },
    });
  });
  await engine.assertReplays(subject);
});

test("an event without a time that came before its item's birth is applied after it", async () => {
  const subject = "life-5";
  const { time: _early, ...accepted } = orderEvent("order.accepted", { subject });
  const { time: _late, ...received } = orderEvent("order.received", { subject });
  await engine.send(accepted);
  await eventually(async () => {
    expect(await engine.journal(subject)).toHaveLength(1);
  });
  await engine.send(received);
  await engine.settled(subject, "accepted");
  expect(engine.seen(subject)).toEqual(["accepted"]);
  await engine.assertReplays(subject);
});
