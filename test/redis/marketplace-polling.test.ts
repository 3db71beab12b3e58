import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { pollProcessor } from "../../workers/poll.worker.ts";
import { divergenceOf } from "../../src/core/attention.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { describeItem } from "../../src/engine/describe-item.ts";
import { listAttention } from "../../src/engine/list-attention.ts";
import { pageItems } from "../../src/engine/page-items.ts";
import { watchDrift } from "../../src/engine/poll-drift.ts";
import { pollOrders } from "../../src/engine/poll-orders.ts";
import { inTurn } from "../../src/engine/poll-turn.ts";
import type { PushAccount } from "../../src/engine/push-ending.ts";
import { readDelivery } from "../../src/intake/adapter.ts";
import { marketplaceAdapter, marketplaceSchema } from "../../src/intake/marketplace.ts";
import { createLogger } from "../../src/logger.ts";
import type { ItemStatus } from "../../src/offergrid/status-update.ts";
import { addJobs } from "../../src/queue/producer.ts";
import { listDeadLetters } from "../../src/store/dead-letter-store.ts";
import { limiterKey } from "../../src/store/keys.ts";
import { limiterState, takePermits } from "../../src/store/limiter.ts";
import { runCommand } from "../support/command.ts";
import { type Harness, startHarness } from "../support/engine-harness.ts";
import { eventually } from "../support/eventually.ts";
import { addOrder, leadTo, sandboxAccount } from "../support/marketplace-orders.ts";
import { orderEvent } from "../support/order-item-events.ts";

const LIMIT = 50;

let engine: Harness;
let account: PushAccount;
const { signal } = new AbortController();

beforeAll(async () => {
  engine = await startHarness({
    redisUrl: inject("redisUrl"),
    sandbox: { adoptUnknownItems: false },
  });
  account = sandboxAccount(engine);
});

afterAll(async () => {
  await account.client.close();
  await engine.stop();
});

function order(...ids: readonly string[]): void {
  addOrder(engine, ids);
}

/** Ordered at the marketplace, announced here, and led to `status` by ordinary events. */
async function lead(subject: string, status: "pending" | "accepted" | "scheduled"): Promise<void> {
  order(subject);
  await leadTo(engine, subject, status);
}

/** Somebody, or a backup, changes the item without us. */
function change(id: string, status: ItemStatus): void {
  engine.sandbox.market.overwrite(id, { status });
}

/** What the marketplace's webhook about the new item comes to. */
function webhook(itemId: string): readonly { readonly type: string }[] {
  const config = marketplaceSchema.parse({
    kind: "offergrid",
    secrets: ["a secret of some length"],
  });
  const adapter = marketplaceAdapter(config, () => ({ outcome: "verified" }));
  const body = {
    id: `evt_${Math.random()}`,
    event: "order.created",
    timestamp: "2031-03-01T08:00:00Z",
    data: {
      orderId: `order-${itemId}`,
      itemId,
      offerId: "off-internet-1000",
      resellerTeamId: "r1",
    },
  };
  const taken = readDelivery(adapter, {
    method: "POST",
    headers: {},
    rawBody: Buffer.from(JSON.stringify(body)),
    remoteAddress: "127.0.0.1",
    nowMs: Date.parse(body.timestamp),
  });
  if (taken.outcome !== "events") throw new Error(taken.outcome);
  return taken.events;
}

const poll = () =>
  pollOrders({
    engine: engine.engine,
    account,
    signal,
    announce: (births) =>
      addJobs(
        engine.queue,
        births.map((data) => ({ id: data.id.replaceAll(":", "-"), data })),
      ),
  });

const drift = (graceMs = 0) => watchDrift({ engine: engine.engine, account, signal, graceMs });

const divergence = async (id: string) =>
  divergenceOf(engine.engine.machines, await engine.actor(id));

describe("an order that is announced by webhook and shown in the list", () => {
  test("is one birth and one journal entry, whichever road is first, each told twice", async () => {
    order("hook-first", "poll-first", "at-once");
    await engine.send(...webhook("hook-first"), ...webhook("hook-first"));
    await engine.settled("hook-first", "pending");
    await Promise.all([poll(), poll()]);
    for (const id of ["poll-first", "at-once"]) await engine.settled(id, "pending");
    await poll();
    await engine.send(...["poll-first", "poll-first", "at-once"].flatMap(webhook));
    await eventually(async () => expect(await engine.queue.getActiveCount()).toBe(0));
    await eventually(async () => expect(await engine.queue.getWaitingCount()).toBe(0));
    for (const id of ["hook-first", "poll-first", "at-once"]) {
      expect(await engine.journal(id)).toMatchObject([
        {
          kind: "event",
          outcome: "applied",
          birth: {},
          event: { id: `once:order.received:${id}` },
        },
      ]);
      await engine.assertReplays(id);
    }
    expect(await listDeadLetters(engine.engine.store, 9)).toEqual([]);
  });

  test("frees what waited for it, and an item that has come further is left alone", async () => {
    order("awaited", "further");
    change("further", "accepted");
    const serviceAddress = { city: "Reno", state: "NV", zipCode: "89501", country: "US" };
    const data = { serviceAddress };
    await engine.send(orderEvent("order.accepted", { subject: "awaited", data }));
    await eventually(async () => expect((await engine.actor("awaited"))?.parked).toHaveLength(1));
    await poll();
    await engine.settled("awaited", "accepted");
    expect(await engine.actor("further")).toBeUndefined();
  });

  test("is found in every way of paging, and what is known already is not sent again", async () => {
    const many = Array.from({ length: 130 }, (_, index) => `listed-${index}`);
    order(...many);
    for (const listPaging of ["page", "cursor", "none"] as const) {
      engine.sandbox.market.behaviour.listPaging = listPaging;
      expect((await poll()).shown).toBeGreaterThanOrEqual(many.length);
    }
    for (const id of many) await engine.settled(id, "pending");
    expect(await poll()).toMatchObject({ outcome: "done", announced: 0, refused: 0 });
  });
});

describe("a marketplace that is ill", () => {
  test("is asked once a turn, less and less often, while events are taken; nothing is lost", async () => {
    order("while-ill");
    let now = Date.now();
    const later: Engine = { ...engine.engine, now: () => now };
    const turn = {
      account: "default",
      walk: "new",
      leaseMs: 1_000,
      everyMs: 10_000,
      signal,
    } as const;
    engine.sandbox.market.behaviour.faults.push({ kind: "500-before", match: { method: "GET" } });
    const outcomes: string[] = [];
    for (let tick = 0; tick < 8; tick += 1, now += 10_000) {
      const result = await inTurn(later, turn, poll);
      outcomes.push("requests" in result ? `${result.outcome}:${result.requests}` : result.outcome);
    }
    expect(outcomes.join(" ")).toBe(
      "failed:1 not-ours failed:1 not-ours not-ours not-ours failed:1 not-ours",
    );
    await engine.send(orderEvent("order.received", { subject: "taken-meanwhile" }));
    await engine.settled("taken-meanwhile", "pending");
    engine.sandbox.market.behaviour.faults.pop();
    now += 15 * 60_000;
    expect((await inTurn(later, turn, poll)).outcome).toBe("done");
    expect((await inTurn(later, turn, poll)).outcome).toBe("done");
    await engine.settled("while-ill", "pending");
  });

  test("asks for a pause, and nobody polls until it is over", async () => {
    const fault = { kind: "429", match: { method: "GET" }, times: 1 } as const;
    engine.sandbox.market.behaviour.faults.push(fault);
    const paused = { ...account, name: "paused" };
    const result = await pollOrders({
      engine: engine.engine,
      account: paused,
      signal,
      announce: async () => undefined,
    });
    expect(result).toMatchObject({ outcome: "failed", requests: 1 });
    const { redis, layout } = engine.engine.store;
    const state = await limiterState(redis, limiterKey(layout, "paused"), null);
    expect(state.pausedUntilMs).toBeGreaterThan(0);
  });
});

test("one process polls an account at a time, and one that died in its turn has lost nothing", async () => {
  order("in-between");
  const turn = { account: "default", walk: "new", leaseMs: 60_000, everyMs: 1, signal } as const;
  const now = Date.now() + 3_600_000;
  const at = (ms: number): Engine => ({ ...engine.engine, now: () => ms });
  const died = inTurn(at(now), turn, async () => {
    expect((await inTurn(at(now), turn, poll)).outcome).toBe("not-ours");
    // The list was read, and nothing of it has reached the queue.
    await pollOrders({
      engine: engine.engine,
      account,
      signal,
      announce: () => Promise.reject(new Error("killed")),
    });
    throw new Error("not reached");
  });
  await expect(died).rejects.toThrow("killed");
  expect((await inTurn(at(now), turn, poll)).outcome).toBe("done");
  await engine.settled("in-between", "pending");
});

describe("the account's limit", () => {
  test("leaves pushes their room, however much is polled", async () => {
    const { redis, layout } = engine.engine.store;
    const key = limiterKey(layout, "busy");
    const ask = async (permits: "urgent" | "routine" | "poll" | "drift") => {
      const grant = await takePermits(redis, key, { limit: LIMIT, want: 1_000, class: permits });
      return grant.outcome === "granted" ? grant.permits : 0;
    };
    expect(await ask("drift")).toBe(20);
    expect(await ask("poll")).toBe(15);
    expect(await ask("drift")).toBe(0);
    expect(await ask("routine")).toBe(10);
    expect(await ask("urgent")).toBe(5);
  });

  test("makes a walk wait in its own class while pushes go on", async () => {
    const limited = { ...account, name: "walked", limitPerMinute: 10 };
    const stopping = new AbortController();
    const before = engine.sandbox.market.log.length;
    const walk = watchDrift({
      engine: engine.engine,
      account: limited,
      signal: stopping.signal,
      graceMs: 0,
    });
    const { redis, layout } = engine.engine.store;
    const key = limiterKey(layout, "walked");
    await eventually(async () => expect((await limiterState(redis, key, 10)).used).toBe(4));
    const push = await takePermits(redis, key, { limit: 10, want: 10, class: "routine" });
    expect(push).toMatchObject({ outcome: "granted", permits: 5 });
    stopping.abort();
    expect(await walk).toMatchObject({ outcome: "failed" });
    expect(engine.sandbox.market.log.length).toBe(before);
  });
});

describe("what the marketplace shows otherwise", () => {
  test("is repaired where one side lacks what the other has, and left alone for a while after a change", async () => {
    await lead("lost", "accepted");
    change("lost", "pending");
    await lead("cancelled", "scheduled");
    change("cancelled", "cancelled");
    expect((await drift(3_600_000)).found).toMatchObject({ "on-its-way": expect.any(Number) });
    expect((await engine.actor("cancelled"))?.snapshot?.context["status"]).toBe("scheduled");
    await drift();
    await engine.settled("cancelled", "cancelled");
    await eventually(() => expect(engine.seen("lost")).toEqual(["accepted", "accepted"]));
    const cancellation = (await engine.journal("cancelled")).findLast(
      ({ kind }) => kind === "event",
    );
    expect(cancellation).toMatchObject({
      event: { type: "order.cancelled", data: { origin: "marketplace" } },
      clocks: expect.arrayContaining([expect.objectContaining({ kind: "stopped" })]),
    });
  });

  test("and nothing explains, is flagged, asked once, shown, and cleared when both agree again", async () => {
    await lead("odd", "accepted");
    change("odd", "rejected");
    await drift();
    await drift();
    await engine.settled("odd", "accepted");
    expect(await divergence("odd")).toMatchObject({
      claims: [{ side: "marketplace", status: "rejected", source: "offergrid/default/drift" }],
    });
    const asked = () =>
      engine.notices.filter(({ itemId, name }) => itemId === "odd" && name === "askOperator");
    expect(asked()).toMatchObject([
      {
        name: "askOperator",
        params: { task: "settleDivergence", says: "rejected", status: "accepted" },
      },
    ]);
    const reading = { ...engine.engine };
    expect(await describeItem(reading, "odd", Date.now())).toMatchObject({
      divergence: { claims: [{ status: "rejected" }] },
    });
    const { items } = await listAttention(reading, { limit: 50 });
    expect(items.find(({ itemId }) => itemId === "odd")?.divergence?.claims).toHaveLength(1);
    const page = await pageItems(reading, { isDivergent: true }, { limit: 50 });
    expect(page.items.map(({ itemId }) => itemId)).toEqual(["odd"]);
    expect((await runCommand(["show", "odd"], environment())).stdout).toContain(
      'The marketplace (offergrid/default/drift) says "rejected", not "accepted"',
    );

    change("odd", "accepted");
    await drift();
    expect(await divergence("odd")).toBeUndefined();
    expect(engine.seen("odd")).toEqual(["accepted"]);
    expect(asked()).toHaveLength(1);
    const after = await listAttention(reading, { limit: 50 });
    expect(after.items.flatMap(({ divergence: still }) => still ?? [])).toEqual([]);
    await engine.assertReplays("odd");
  });

  test("is looked at before the next push: nothing is sent over what a person has not settled", async () => {
    await lead("held-back", "accepted");
    change("held-back", "rejected");
    await drift();
    await engine.send(orderEvent("appointment.scheduled", { subject: "held-back" }));
    const [letter] = await eventually(async () => {
      const letters = await listDeadLetters(engine.engine.store, 9);
      expect(letters).toMatchObject([{ problem: { code: "PUSH_DIVERGENT" } }]);
      return letters;
    });
    expect(letter).toBeDefined();
    expect(engine.seen("held-back")).toEqual(["accepted"]);
    expect(engine.sandbox.market.items.get("held-back")?.status).toBe("rejected");
  });
});

test("the worker polls by its schedule, and leaves alone what it is not configured for", async () => {
  order("by-schedule");
  const log = createLogger("silent");
  const process = pollProcessor({ log, leaseMs: 2_000 }, engine.engine, {
    accounts: [account],
    everyMs: { new: 50, drift: 0 },
    graceMs: 0,
    crmEvents: engine.queue,
    signal,
  });
  const far = { account: "default", walk: "new" };
  await eventually(async () => expect(await process({ data: far })).toBe("done"));
  await engine.settled("by-schedule", "pending");
  expect(await process({ data: { account: "default", walk: "drift" } })).toBe("not-ours");
  expect(await process({ data: { account: "another", walk: "new" } })).toBe("not-ours");
});

test("a deployment with polling on takes an order that nobody has announced", async () => {
  const polled = await startHarness({
    redisUrl: inject("redisUrl"),
    config: { pollIntervalMs: 100, driftIntervalMs: 200 },
    sandbox: { adoptUnknownItems: false },
  });
  try {
    polled.sandbox.market.add({
      id: "order-unheard",
      reseller: "team-reseller",
      items: [{ id: "unheard", account: "team-provider", offerId: "o", offerName: "O" }],
    } as never);
    await polled.settled("unheard", "pending");
    await polled.send(orderEvent("order.accepted", { subject: "unheard" }));
    await polled.settled("unheard", "accepted");
    polled.sandbox.market.overwrite("unheard", { status: "rejected" });
    await eventually(async () => {
      expect(divergenceOf(polled.engine.machines, await polled.actor("unheard"))).toBeDefined();
    });
  } finally {
    await polled.stop();
  }
});

function environment() {
  const { keyPrefix, queuePrefix } = engine.config;
  return {
    REDIS_URL: inject("redisUrl"),
    ORDERWRIGHT_KEY_PREFIX: keyPrefix,
    ORDERWRIGHT_QUEUE_PREFIX: queuePrefix,
  };
}
