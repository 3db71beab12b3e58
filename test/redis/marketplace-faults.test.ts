/**
 * What a sick marketplace does to the pushes: nothing is lost, nothing is sent twice, what cannot be
 * solved waits for a person, and what is well is not held up by what is not.
 */
import { afterAll, beforeAll, describe, expect, inject, test, type TestContext } from "vitest";
import type { EventType } from "../../machines/order-item/events.ts";
import type { DeliveryEntry } from "../../src/core/journal.ts";
import type { SandboxOptions } from "../../src/offergrid/sandbox/behaviour.ts";
import { limiterKey } from "../../src/store/keys.ts";
import { holdAccount, limiterState, releaseAccount } from "../../src/store/limiter.ts";
import { readLanes, unblockLane } from "../../src/store/outbox-store.ts";
import { type Deployment, type DeploymentOptions, openDeployment } from "../crash/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { orderEvent } from "../support/order-item-events.ts";
import { QUICK_POLICY } from "../support/quick-policy.ts";

type Fault = SandboxOptions["faults"][number];

/** Long enough for a busy machine, far shorter than a slow answer. */
const PUSH_TIMEOUT_MS = 500;
const SLOW_MS = 60_000;

async function deploy(
  { onTestFinished }: TestContext,
  options: Omit<DeploymentOptions, "redisUrl">,
): Promise<Deployment> {
  const deployment = await openDeployment({ redisUrl: inject("redisUrl"), ...options });
  onTestFinished(deployment.close);
  return deployment;
}

async function accept(deployment: Deployment, subject: string, account = "default"): Promise<void> {
  await deployment.apply(orderEvent("order.received", { subject, data: { account } }));
  await deployment.apply(orderEvent("order.accepted", { subject }));
}

/** Told as it happens, so that its clocks ring at once. */
async function acceptNow(deployment: Deployment, subject: string, account: string): Promise<void> {
  const time = new Date().toISOString();
  await deployment.apply(orderEvent("order.received", { subject, time, data: { account } }));
  await deployment.apply(orderEvent("order.accepted", { subject, time }));
}

async function deliveries(deployment: Deployment, itemId: string): Promise<DeliveryEntry[]> {
  const journal = await deployment.journal(itemId);
  return journal
    .filter((entry) => entry.kind === "delivery")
    .filter(({ name }) => name === "pushStatus");
}

const patches = ({ sandbox }: Deployment, itemId: string) =>
  sandbox.market.log.filter((entry) => entry.itemId === itemId);

const lane = (itemId: string, account = "default") =>
  ({ itemId, channel: `marketplace.${account}` }) as const;

describe.concurrent("a push", () => {
  const once = (itemId: string, fault: Omit<Fault, "times" | "match">): Fault => ({
    ...fault,
    times: 1,
    match: { itemId },
  });
  let deployment: Deployment;

  beforeAll(async () => {
    deployment = await openDeployment({
      redisUrl: inject("redisUrl"),
      config: { pushTimeoutMs: PUSH_TIMEOUT_MS },
      sandbox: {
        transitionChecks: "seed",
        faults: [
          once("500-before", { kind: "500-before" }),
          once("reset-before", { kind: "reset-before" }),
          once("500-after", { kind: "500-after" }),
          once("reset-after", { kind: "reset-after" }),
          once("slow", { kind: "slow", delayMs: SLOW_MS }),
          once("malformed", { kind: "malformed" }),
          once("race", { kind: "cancel-race" }),
          { kind: "404", match: { itemId: "404" }, times: 1 },
          { kind: "500-before", match: { itemId: "divergent" }, times: 1 },
        ],
      },
    });
    await deployment.startHere();
  });

  afterAll(async () => {
    await deployment.close();
  });

  test.for(["500-before", "reset-before"])(
    "that met a %s was not applied: sent again",
    async (id) => {
      await accept(deployment, id);
      await deployment.settled(id, "accepted");
      expect(patches(deployment, id)).toMatchObject([
        { applied: false },
        { applied: true, answer: 200 },
      ]);
      const [first, second] = patches(deployment, id).map(({ idempotencyKey }) => idempotencyKey);
      expect(second).toBe(first);
      expect(await deliveries(deployment, id)).toMatchObject([
        { outcome: "failed", attempt: 1 },
        { outcome: "delivered", attempt: 2 },
      ]);
      await deployment.assertReplays(id);
    },
  );

  test.for(["500-after", "reset-after", "slow"])(
    "that met a %s was applied: read, and not sent again",
    async (id) => {
      await accept(deployment, id);
      await deployment.settled(id, "accepted");
      expect(patches(deployment, id)).toMatchObject([{ applied: true }]);
      expect(await deliveries(deployment, id)).toMatchObject([
        { outcome: "failed", attempt: 1 },
        { outcome: "delivered", attempt: 2, answer: "found applied when the item was read" },
      ]);
      await deployment.assertReplays(id);
    },
  );

  test("with a malformed answer of 200 is delivered", async () => {
    await accept(deployment, "malformed");
    await deployment.settled("malformed", "accepted");
    expect(patches(deployment, "malformed")).toHaveLength(1);
  });

  test("for an item that the marketplace does not know waits for a person, with those behind it", async () => {
    const id = "404";
    await accept(deployment, id);
    await deployment.apply(orderEvent("appointment.scheduled", { subject: id }));
    await eventually(async () => {
      const [blocked] = await readLanes(deployment.engine.store, id);
      expect(blocked).toMatchObject({ state: "blocked", pending: [{}, {}] });
    });
    expect(await deployment.deadLetters()).toContainEqual(
      expect.objectContaining({
        kind: "effect",
        id: `effect:${id}:2:0`,
        problem: expect.objectContaining({ code: "PUSH_ITEM_NOT_FOUND" }),
      }),
    );
    const decision = { deadLetterId: `effect:${id}:2:0`, entries: [] };
    await unblockLane(deployment.engine.store, lane(id), decision);
    await deployment.settled(id, "scheduled");
    expect(deployment.seen(id)).toEqual(["accepted", "scheduled"]);
    await deployment.assertReplays(id);
  });

  test("that the reseller's cancellation overtook tells the machine, and nothing more is sent", async () => {
    const id = "race";
    await accept(deployment, id);
    await deployment.settled(id, "cancelled");
    expect(deployment.seen(id)).toEqual([]);
    expect((await deployment.journal(id)).at(-2)).toMatchObject({
      outcome: "applied",
      event: { type: "order.cancelled", source: "offergrid/default" },
    });
    expect(await deliveries(deployment, id)).toMatchObject([{ outcome: "superseded" }]);
    await deployment.assertReplays(id);
  });

  test("of an item that somebody else moved upstream is left to a person", async () => {
    const id = "divergent";
    deployment.sandbox.market.add({
      reseller: "team-reseller",
      customerInfo: {},
      serviceAddress: {},
      items: [
        { id, account: "team-provider", offerId: "o", offerName: "Offer", status: "in_progress" },
      ],
    });
    await accept(deployment, id);
    await eventually(async () => {
      const [blocked] = await readLanes(deployment.engine.store, id);
      expect(blocked).toMatchObject({ state: "blocked" });
    });
    expect(await deliveries(deployment, id)).toMatchObject([
      { outcome: "failed" },
      { outcome: "blocked", code: "PUSH_DIVERGENT" },
    ]);
    expect(deployment.seen(id)).toEqual([]);
  });
});

describe.concurrent("an account", () => {
  test("over its limit is left alone for as long as the marketplace asks", async (context) => {
    const faults: Fault[] = (["body", "header"] as const).map((retryAfterIn) => ({
      kind: "429",
      retryAfter: 1,
      retryAfterIn,
      match: { itemId: retryAfterIn },
      times: 1,
    }));
    const deployment = await deploy(context, { sandbox: { faults } });
    await deployment.startHere();
    for (const id of ["body", "header"]) {
      await accept(deployment, id);
      await deployment.settled(id, "accepted");
      const [refused, applied] = patches(deployment, id);
      expect([refused?.answer, applied?.answer]).toEqual([429, 200]);
      expect((applied?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(1_000);
      // The marketplace did not look at it, so it was no attempt.
      expect(await deliveries(deployment, id)).toMatchObject([
        { outcome: "delivered", attempt: 1 },
      ]);
    }
  });

  test("whose key is refused is held and released; the others and the reminders go on", async (context) => {
    const teams = ["sick-401", "sick-403", "well"].map((id) => ({
      id,
      role: "provider" as const,
      key: `key-of-${id}`,
    }));
    const deployment = await deploy(context, {
      accounts: teams.map(({ id, key }) => ({ name: id, apiKey: key })),
      // The first reminder is due while the accounts are held.
      policy: QUICK_POLICY,
      sandbox: {
        teams,
        faults: [
          { kind: "401", match: { itemId: "sick-401-1" } },
          { kind: "403", match: { itemId: "sick-403-1" } },
        ],
      },
    });
    const { store } = deployment.engine;
    const workers = await deployment.startHere();
    for (const { id } of teams) await acceptNow(deployment, `${id}-1`, id);

    const keyOf = (account: string) => limiterKey(store.layout, account);
    for (const account of ["sick-401", "sick-403"]) {
      await eventually(async () => {
        const { heldReason } = await limiterState(store.redis, keyOf(account), null);
        expect(heldReason).toContain(account);
      });
    }
    const letters = await deployment.deadLetters();
    expect(letters.map(({ id, problem }) => `${id} ${problem.code}`).toSorted()).toEqual([
      "account:sick-401 PUSH_UNAUTHORIZED",
      "account:sick-403 PUSH_FORBIDDEN",
    ]);
    for (const { id } of teams) await acceptNow(deployment, `${id}-2`, id);
    await deployment.settled("well-1", "accepted");
    await deployment.settled("well-2", "accepted");
    await eventually(() => {
      const reminded = workers.notices.map(({ itemId }) => itemId);
      expect(reminded).toEqual(
        expect.arrayContaining(teams.flatMap(({ id }) => [`${id}-1`, `${id}-2`])),
      );
    });
    // One push of each sick account went out, and none after it.
    const { market } = deployment.sandbox;
    expect(market.log.filter(({ account }) => account !== "well")).toHaveLength(2);

    market.behaviour.faults = [];
    for (const account of ["sick-401", "sick-403"]) {
      expect(await releaseAccount(store.redis, keyOf(account))).toBe("released");
    }
    for (const account of ["sick-401", "sick-403"]) {
      for (const number of [1, 2]) {
        await deployment.settled(`${account}-${number}`, "accepted");
        expect(deployment.seen(`${account}-${number}`)).toEqual(["accepted"]);
      }
    }
  });

  test("of 60 a minute is never overdrawn by two processes", async (context) => {
    const deployment = await deploy(context, {
      accounts: [{ limitPerMinute: 60 }],
      sandbox: { limitPerMinute: 60, limitStyle: "sliding" },
    });
    const items = Array.from({ length: 100 }, (_, index) => `limited-${index}`);
    await Promise.all(
      items.map(async (subject) => {
        await deployment.apply(orderEvent("order.received", { subject }));
        // Rejections are urgent, and may use the whole window.
        await deployment.apply(orderEvent("order.rejected", { subject }));
      }),
    );
    const children = [deployment.spawn(), deployment.spawn()];
    await Promise.all(children.map((child) => child.said("ready")));
    const { market } = deployment.sandbox;
    await eventually(() => expect(market.log).toHaveLength(60), { timeoutMs: 20_000 });

    // Both processes look again with every sweep; after some more of them the count still stands.
    const { redis, layout } = deployment.engine.store;
    const refusedBefore = await sweepsSeen(deployment);
    await eventually(async () =>
      expect(await sweepsSeen(deployment)).toBeGreaterThan(refusedBefore + 5),
    );
    expect(market.log).toHaveLength(60);
    expect(market.counters.rateLimited).toBe(0);
    expect(new Set(market.log.map(({ answer }) => answer))).toEqual(new Set([200]));
    expect(await limiterState(redis, limiterKey(layout, "default"), 60)).toMatchObject({
      used: 60,
    });
  });

  test("is not overdrawn by reading what was refused", async (context) => {
    const deployment = await deploy(context, {
      accounts: [{ limitPerMinute: 60 }],
      sandbox: { limitPerMinute: 60, limitStyle: "sliding", transitionChecks: "seed" },
    });
    await acceptCancelled(
      deployment,
      Array.from({ length: 50 }, (_, index) => `refused-${index}`),
    );
    await deployment.startHere();
    const { redis, layout } = deployment.engine.store;
    await eventually(async () => {
      const { used } = await limiterState(redis, limiterKey(layout, "default"), 60);
      expect(used).toBeGreaterThanOrEqual(54);
    });
    const before = await sweepsSeen(deployment);
    await eventually(async () => expect(await sweepsSeen(deployment)).toBeGreaterThan(before + 5));
    expect(deployment.sandbox.market.counters.rateLimited).toBe(0);
    expect(await deployment.deadLetters()).toEqual([]);
  });

  test("whose read of a refused item fails reads it again", async (context) => {
    const id = "unread";
    const deployment = await deploy(context, {
      sandbox: {
        transitionChecks: "seed",
        faults: [{ kind: "500-before", match: { itemId: id, method: "GET" }, times: 1 }],
      },
    });
    await acceptCancelled(deployment, [id]);
    await deployment.startHere();
    await deployment.settled(id, "cancelled");
    expect(await deployment.deadLetters()).toEqual([]);
    await deployment.assertReplays(id);
  });
});

/** Orders that their reseller has cancelled, and that we accept all the same: each PATCH is refused. */
async function acceptCancelled(deployment: Deployment, items: readonly string[]): Promise<void> {
  for (const id of items) {
    deployment.sandbox.market.add({
      reseller: "team-reseller",
      customerInfo: {},
      serviceAddress: {},
      items: [{ id, account: "team-provider", offerId: "o", offerName: "O", status: "cancelled" }],
    });
    await accept(deployment, id);
  }
}

/** The scheduler's own count of recovery sweeps: it grows only while processes work them off. */
async function sweepsSeen({ config, engine }: Deployment): Promise<number> {
  const key = `${config.queuePrefix}:orderwright-recovery:repeat:sweep`;
  return Number(await engine.store.redis.hget(key, "ic"));
}

describe.concurrent("an account that sends the latest only", () => {
  const lives: Readonly<Record<string, readonly EventType[]>> = {
    finished: [
      "order.accepted",
      "appointment.scheduled",
      "work.started",
      "work.completed",
      "service.activated",
    ],
    repaired: [
      "order.accepted",
      "appointment.scheduled",
      "work.started",
      "work.failed",
      "appointment.rescheduled",
      "work.started",
    ],
    moved: ["order.accepted", "appointment.scheduled", "appointment.rescheduled"],
    "given-up": ["order.accepted", "order.cancelled"],
  };

  test("never leaves out a failure, a cancellation or a new date", async (context) => {
    const deployment = await deploy(context, { accounts: [{ policy: "latest" }] });
    for (const [subject, types] of Object.entries(lives)) {
      await deployment.apply(orderEvent("order.received", { subject }));
      for (const type of types) await deployment.apply(orderEvent(type, { subject }));
    }
    await deployment.startHere();
    await deployment.settled("finished", "active");
    await deployment.settled("repaired", "in_progress");
    await deployment.settled("moved", "scheduled");
    await deployment.settled("given-up", "cancelled");
    expect(Object.keys(lives).map((itemId) => deployment.seen(itemId))).toEqual([
      ["scheduled", "active"],
      ["scheduled", "failed", "scheduled", "in_progress"],
      ["scheduled", "scheduled"],
      ["cancelled"],
    ]);
    const [first, second] = patches(deployment, "moved").map(({ body }) => body);
    expect(first).toMatchObject({
      scheduledFor: "2031-03-10T20:00:00Z",
      metadata: { workOrderId: "WO-1" },
    });
    expect(second).toMatchObject({ scheduledFor: "2031-03-11T16:00:00Z" });
    const outcomes = (await deliveries(deployment, "finished")).map(
      ({ outcome, status }) => `${outcome} ${status}`,
    );
    expect(outcomes).toEqual([
      "merged accepted",
      "delivered scheduled",
      "merged in_progress",
      "merged completed",
      "delivered active",
    ]);
  });

  test("sends the metadata of what it left out also when it had to look first", async (context) => {
    const id = "looked";
    const deployment = await deploy(context, {
      accounts: [{ policy: "latest" }],
      sandbox: { faults: [{ kind: "500-before", match: { itemId: id }, times: 1 }] },
    });
    await deployment.apply(orderEvent("order.received", { subject: id }));
    const metadata = { crew: "north" };
    await deployment.apply(orderEvent("order.accepted", { subject: id, data: { metadata } }));
    await deployment.apply(orderEvent("appointment.scheduled", { subject: id }));
    await deployment.startHere();
    await deployment.settled(id, "scheduled");
    const bodies = patches(deployment, id).map(({ body }) => body);
    expect(bodies).toHaveLength(2);
    expect(bodies[0]).toMatchObject({ status: "scheduled", metadata });
    expect(bodies[1]).toEqual(bodies[0]);
  });
});

test("what was committed while a cancellation was found out does not overwrite it", async (context) => {
  const id = "overtaken";
  const slowRead = { kind: "slow", delayMs: 400, match: { itemId: id, method: "GET" } } as const;
  const deployment = await deploy(context, {
    sandbox: { faults: [{ kind: "500-after", match: { itemId: id }, times: 1 }, slowRead] },
  });
  await accept(deployment, id);
  await deployment.startHere();
  const { market } = deployment.sandbox;
  await eventually(() => expect(market.counters.faults).toBe(1));
  const order = market.orders.get(market.items.get(id)?.orderId ?? "");
  if (order === undefined) throw new TypeError("the sandbox did not adopt the item");
  market.cancel(order, "Changed mind", "until-completed");
  await eventually(() => expect(market.counters.faults).toBe(2));
  // The read is under way: it will find the cancellation, and the lane grows meanwhile.
  await deployment.apply(orderEvent("appointment.scheduled", { subject: id }));

  await deployment.settled(id, "cancelled");
  expect(market.items.get(id)?.status).toBe("cancelled");
  expect(deployment.seen(id)).toEqual(["accepted"]);
  expect(await deliveries(deployment, id)).toMatchObject([
    { outcome: "failed", status: "accepted" },
    { outcome: "superseded", status: "accepted" },
    { outcome: "superseded", status: "scheduled" },
  ]);
  await deployment.assertReplays(id);
});

test("a held account holds up nothing but its own pushes for as long as it takes", async (context) => {
  const deployment = await deploy(context, {
    policy: QUICK_POLICY,
  });
  const { redis, layout } = deployment.engine.store;
  await holdAccount(redis, limiterKey(layout, "default"), "The key is being changed.");
  const { notices } = await deployment.startHere();
  const time = new Date().toISOString();
  await deployment.send(
    orderEvent("order.received", { subject: "held", time }),
    orderEvent("order.accepted", { subject: "held", time }),
    orderEvent("order.received", { subject: "waiting", time }),
  );
  await eventually(() =>
    expect(notices.filter(({ itemId }) => itemId === "waiting")).toHaveLength(2),
  );
  await eventually(async () =>
    expect(await readLanes(deployment.engine.store, "held")).toMatchObject([{ state: "ready" }]),
  );
  expect(deployment.sandbox.market.log).toEqual([]);
  await releaseAccount(redis, limiterKey(layout, "default"));
  await deployment.settled("held", "accepted");
  expect(deployment.seen("held")).toEqual(["accepted"]);
});

test("pushes that waited when the marketplace reported a cancellation are not sent over it", async (context) => {
  const deployment = await deploy(context, {});
  const { redis, layout } = deployment.engine.store;
  const { market } = deployment.sandbox;
  await holdAccount(redis, limiterKey(layout, "default"), "The key is being changed.");
  const subject = "withdrawn";
  await accept(deployment, subject);
  await deployment.apply(orderEvent("appointment.scheduled", { subject }));
  const added = market.add({
    reseller: "team-reseller",
    items: [{ id: subject, account: "team-provider", offerId: "offer-1", offerName: "Fiber 500" }],
    customerInfo: {},
    serviceAddress: {},
  });
  if (added.outcome !== "added") throw new Error(added.outcome);
  market.cancel(added.order, "The customer changed their mind.");
  const told = orderEvent("order.cancelled", { subject, data: { origin: "marketplace" } });
  expect(await deployment.apply(told)).toMatchObject({ outcome: "applied", status: "cancelled" });

  await deployment.startHere();
  await releaseAccount(redis, limiterKey(layout, "default"));
  await deployment.settled(subject, "cancelled");
  expect(deployment.seen(subject)).toEqual([]);
  expect(await deliveries(deployment, subject)).toMatchObject([
    { outcome: "superseded", status: "accepted" },
    { outcome: "superseded", status: "scheduled" },
  ]);
  await deployment.assertReplays(subject);
});
