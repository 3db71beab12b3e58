import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type Client, type OrderItemEvent, openClient } from "../../src/client.ts";
import { type Harness, startHarness } from "../support/engine-harness.ts";

let engine: Harness;
let client: Client;

beforeAll(async () => {
  engine = await startHarness({ redisUrl: inject("redisUrl") });
  client = openClient({ redisUrl: inject("redisUrl"), prefix: engine.config.queuePrefix });
});

afterAll(async () => {
  await client.close();
  await engine.stop();
});

function lifeOf(subject: string): OrderItemEvent[] {
  const source = "crm/test";
  return [
    {
      type: "order.received",
      subject,
      source,
      data: { orderId: `order-${subject}`, requiresInstallation: false },
    },
    { type: "order.accepted", subject, source, data: { providerNotes: "Accepted." } },
    { type: "work.started", subject, source, data: {} },
  ];
}

test("a sent event gets what it lacks, and is applied", async () => {
  const [received] = lifeOf("client-1");
  if (received === undefined) throw new Error("a life has a beginning");
  const sent = await client.send(received);
  expect(sent).toMatchObject({ specversion: "1.0", subject: "client-1" });
  expect(sent.id).toMatch(/^[0-9a-f-]{36}$/);
  expect(Date.parse(sent.time)).not.toBeNaN();
  await engine.settled("client-1", "pending");
});

test("events of many items reach each item in their order, though none carries a time", async () => {
  const items = Array.from({ length: 120 }, (_, index) => `client-bulk-${index}`);
  const lives = items.map(lifeOf);
  // All births first, then all acceptances: a job of 100 in this order would hold no whole life.
  const events = [0, 1, 2].flatMap((step) => lives.flatMap((life) => life[step] ?? []));
  await client.sendAll(events);
  for (const item of items) await engine.settled(item, "in_progress");
  const outcomes = await Promise.all(
    items.map(async (item) =>
      (await engine.journal(item)).flatMap((entry) =>
        entry.kind === "event" ? [entry.outcome] : [],
      ),
    ),
  );
  expect(new Set(outcomes.flat())).toEqual(new Set(["applied"]));
});

test("one faulty event keeps the whole call from being sent, and names its code", async () => {
  const life = lifeOf("client-3");
  const failed: OrderItemEvent = {
    type: "work.failed",
    subject: "client-3",
    source: "crm/test",
    data: { reasonCode: "technical" },
  };
  await expect(client.sendAll([...life, failed])).rejects.toMatchObject({
    name: "EngineError",
    code: "REASON_MISSING",
  });
  expect(await engine.queue.getJobCountByTypes("waiting", "active", "delayed")).toBe(0);
  expect(await engine.actor("client-3")).toBeUndefined();
});
