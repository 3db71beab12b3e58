import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { redrive } from "../../src/engine/redrive.ts";
import { listDeadLetters } from "../../src/store/dead-letter-store.ts";
import { type Harness, startHarness } from "../support/engine-harness.ts";
import { eventually } from "../support/eventually.ts";
import { orderEvent } from "../support/order-item-events.ts";

let engine: Harness;

beforeAll(async () => {
  const config = { unknownItemForMs: 300, parkedForMs: 300 };
  engine = await startHarness({ redisUrl: inject("redisUrl"), config });
});

afterAll(async () => {
  await engine.stop();
});

test("an undated event that expired is applied when it is redriven after what it waited for", async () => {
  const subject = "redriven";
  const { time: _none, ...started } = orderEvent("work.started", { subject });
  await engine.send(orderEvent("order.received", { subject }), started);
  const letter = await eventually(async () => {
    const [found] = await listDeadLetters(engine.engine.store, 10);
    if (found === undefined) throw new Error("no dead letter yet");
    return found;
  });
  expect(letter.problem.code).toBe("PARKED_EXPIRED");
  for (const type of ["order.accepted", "appointment.scheduled"] as const) {
    const { time: _nor, ...event } = orderEvent(type, { subject });
    await engine.send(event);
  }
  await engine.settled(subject, "scheduled");

  const { store } = engine.engine;
  const enqueue = async (data: unknown) => void (await engine.queue.add("redrive", data));
  expect(await redrive({ store, enqueue, now: Date.now }, letter)).toEqual({
    outcome: "enqueued",
  });
  await engine.settled(subject, "in_progress");
  expect(engine.seen(subject)).toEqual(["accepted", "scheduled", "in_progress"]);
  expect(await listDeadLetters(store, 10)).toEqual([]);
  await engine.assertReplays(subject);
});
