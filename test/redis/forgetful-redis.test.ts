/** A Redis without an fsync per write may come back with its last moments missing; workers remember them. */
import { expect, inject, onTestFinished, test } from "vitest";
import { Applier } from "../../src/engine/apply-events.ts";
import { arrived, openDeployment } from "../crash/deployment.ts";
import { cautionKey, shardOf } from "../../src/store/keys.ts";
import { readLanes } from "../../src/store/outbox-store.ts";
import { eventually } from "../support/eventually.ts";
import { orderEvent } from "../support/order-item-events.ts";

test("a worker does not build on a decision that Redis has forgotten", async () => {
  const deployment = await openDeployment({ redisUrl: inject("redisUrl") });
  onTestFinished(() => deployment.close());
  const { redis } = deployment.engine.store;
  const keysOfIt = () => redis.keys(`${deployment.config.keyPrefix}:{s*`);
  const [subject, received] = ["item-1", orderEvent("order.received")];
  const submitted = arrived(orderEvent("order.submitted", { subject }));
  const accepted = arrived(orderEvent("order.accepted", { subject }));
  const [one, other] = [
    new Applier(await deployment.openEngine()),
    new Applier(await deployment.openEngine()),
  ];

  await one.apply(arrived(received));
  const keys = await keysOfIt();
  const remembered = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
  await one.apply(accepted);

  await redis.del(...(await keysOfIt()));
  await Promise.all(keys.map((key, index) => redis.restore(key, 0, remembered[index] ?? "")));
  await other.apply(submitted);
  const again = await one.apply(accepted);

  expect(again).toMatchObject({ outcome: "applied", revision: 3 });
  await deployment.assertReplays(subject);
});

test("a cancellation that we told of and Redis forgot is not taken for the reseller's", async () => {
  const deployment = await openDeployment({ redisUrl: inject("redisUrl") });
  onTestFinished(() => deployment.close());
  const { engine, sandbox } = deployment;
  const { redis, layout } = engine.store;
  const providerNotes = "The customer moved away.";
  const [received, accepted, scheduled, cancelled] = [
    orderEvent("order.received"),
    orderEvent("order.accepted"),
    orderEvent("appointment.scheduled"),
    orderEvent("order.cancelled", { data: { providerNotes } }),
  ];
  const { subject } = received;
  await deployment.startHere();
  await deployment.send(received, accepted);
  await deployment.settled(subject, "accepted");

  const item = sandbox.market.items.get(subject);
  if (item === undefined) throw new Error("the marketplace does not know the item");
  sandbox.market.update(item, { status: "cancelled", providerNotes });
  await redis.set(cautionKey(layout, shardOf(layout, subject)), Date.now() + 60_000);
  await deployment.send(scheduled);
  await eventually(async () => {
    expect(await readLanes(engine.store, subject)).toMatchObject([{ state: "later" }]);
  });
  await deployment.send(cancelled);

  await deployment.settled(subject, "cancelled");
  expect(await deployment.journal(subject)).toContainEqual(
    expect.objectContaining({
      event: expect.objectContaining({ id: cancelled.id }),
      outcome: "applied",
    }),
  );
  expect(deployment.seen(subject)).toEqual(["accepted"]);
});

test("an item that went round since what Redis remembers is not led round again", async () => {
  const deployment = await openDeployment({ redisUrl: inject("redisUrl") });
  onTestFinished(() => deployment.close());
  const { engine, sandbox } = deployment;
  const { redis, layout } = engine.store;
  const [received, accepted, scheduled] = [
    orderEvent("order.received"),
    orderEvent("order.accepted"),
    orderEvent("appointment.scheduled"),
  ];
  const [started, failed] = [orderEvent("work.started"), orderEvent("work.failed")];
  const anew = "The customer was not at home; a second visit is agreed.";
  const rescheduled = orderEvent("appointment.rescheduled", { data: { providerNotes: anew } });
  const { subject } = received;
  await deployment.startHere();
  await deployment.send(received, accepted, scheduled);
  await deployment.settled(subject, "scheduled");

  const item = sandbox.market.items.get(subject);
  if (item === undefined) throw new Error("the marketplace does not know the item");
  const scheduledFor = "2031-03-11T16:00:00Z";
  sandbox.market.update(item, { status: "scheduled", providerNotes: anew, scheduledFor });
  await redis.set(cautionKey(layout, shardOf(layout, subject)), Date.now() + 60_000);
  await deployment.send(started);
  await eventually(async () => {
    expect(await readLanes(engine.store, subject)).toMatchObject([{ state: "later" }]);
  });
  await deployment.send(failed, rescheduled);

  await deployment.settled(subject, "scheduled");
  expect(deployment.seen(subject)).toEqual(["accepted", "scheduled"]);
});

test("of two pushes of one status the one that the item shows is taken as delivered", async () => {
  const deployment = await openDeployment({ redisUrl: inject("redisUrl") });
  onTestFinished(() => deployment.close());
  const { engine, sandbox } = deployment;
  const { redis, layout } = engine.store;
  const [received, accepted] = [orderEvent("order.received"), orderEvent("order.accepted")];
  const scheduled = orderEvent("appointment.scheduled");
  const started = orderEvent("work.started");
  const anew = { providerNotes: "The second visit has begun." };
  const { subject } = received;
  const workers = await deployment.startHere();
  await deployment.send(received, accepted);
  await deployment.settled(subject, "accepted");
  await workers.stop();

  const item = sandbox.market.items.get(subject);
  if (item === undefined) throw new Error("the marketplace does not know the item");
  sandbox.market.update(item, { status: "in_progress", ...started.data });
  await redis.set(cautionKey(layout, shardOf(layout, subject)), Date.now() + 60_000);
  const visits = [
    scheduled,
    started,
    orderEvent("work.failed"),
    orderEvent("appointment.rescheduled"),
    orderEvent("work.started", { id: "started-again", data: anew }),
  ];
  for (const event of visits) await deployment.apply(event);
  await deployment.startHere();

  await deployment.settled(subject, "in_progress");
  expect(deployment.seen(subject)).toEqual(["accepted", "failed", "scheduled", "in_progress"]);
});

test("an item that is shown at an earlier place of its way may have gone round", async () => {
  const deployment = await openDeployment({ redisUrl: inject("redisUrl") });
  onTestFinished(() => deployment.close());
  const { engine, sandbox } = deployment;
  const { redis, layout } = engine.store;
  const life = [
    orderEvent("order.received"),
    orderEvent("order.accepted"),
    orderEvent("appointment.scheduled"),
    orderEvent("work.started"),
    orderEvent("work.failed"),
  ];
  const rescheduled = orderEvent("appointment.rescheduled");
  const again = { providerNotes: "The second visit has begun." };
  const startedAgain = orderEvent("work.started", { id: "started-again", data: again });
  const { subject } = rescheduled;
  await deployment.startHere();
  await deployment.send(...life);
  await deployment.settled(subject, "failed");

  const item = sandbox.market.items.get(subject);
  if (item === undefined) throw new Error("the marketplace does not know the item");
  const told = deployment.seen(subject);
  sandbox.market.update(item, { status: "in_progress", ...again });
  await redis.set(cautionKey(layout, shardOf(layout, subject)), Date.now() + 60_000);
  await deployment.send(rescheduled);
  await eventually(async () => {
    expect(await readLanes(engine.store, subject)).toMatchObject([{ state: "later" }]);
  });
  await deployment.send(startedAgain);

  await deployment.settled(subject, "in_progress");
  expect(deployment.seen(subject)).toEqual(told);
});
