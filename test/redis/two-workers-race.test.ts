import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { ArrivedEvent } from "../../src/core/arrival.ts";
import type { OutboxEffect } from "../../src/core/decision.ts";
import { Applier } from "../../src/engine/apply-events.ts";
import { FREE } from "../../src/engine/channel.ts";
import { Drains } from "../../src/engine/drain.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { delivered } from "../../src/engine/settlement.ts";
import { createLogger } from "../../src/logger.ts";
import { shardPrefix } from "../../src/store/keys.ts";
import {
  claimLanes,
  type Lane,
  readLanes,
  recoverLanes,
  renewLeases,
  settleLanes,
} from "../../src/store/outbox-store.ts";
import { arrived, type Deployment, openDeployment } from "../crash/deployment.ts";
import { orderEvent } from "../support/order-item-events.ts";

const CHANNEL = "marketplace.default";
const ADDRESS = { shard: 0, channel: CHANNEL };
const NEVER_STOPS = new AbortController().signal;

let deployment: Deployment;
let left: Engine;
let right: Engine;

beforeAll(async () => {
  // One shard, so that the two always meet.
  deployment = await openDeployment({ redisUrl: inject("redisUrl"), config: { shards: 1 } });
  left = await deployment.openEngine();
  right = await deployment.openEngine();
});

afterAll(async () => {
  await deployment.close();
});

async function born(...subjects: readonly string[]): Promise<void> {
  await Promise.all(
    subjects.map((subject) => deployment.apply(orderEvent("order.received", { subject }))),
  );
}

async function revisionsOf(itemId: string): Promise<number[]> {
  const entries = await deployment.journal(itemId);
  return entries.flatMap((entry) => (entry.kind === "delivery" ? [] : [entry.revision]));
}

describe("two workers with one item", () => {
  test("cannot both apply one event", async () => {
    const subjects = Array.from({ length: 50 }, (_, index) => `same-${index}`);
    await born(...subjects);
    const [one, two] = [new Applier(left), new Applier(right)];
    for (const subject of subjects) {
      const event = arrived(orderEvent("order.accepted", { subject }));
      const answers = await Promise.all([one.apply(event), two.apply(event)]);
      expect(answers.map(({ outcome, revision }) => [outcome, revision])).toEqual([
        ["applied", 2],
        ["applied", 2],
      ]);
      expect(answers.filter(({ duplicate }) => duplicate === true)).toHaveLength(1);
      expect(await revisionsOf(subject)).toEqual([1, 2]);
    }
  });

  test("both apply their own event, one after the other", async () => {
    const subjects = Array.from({ length: 50 }, (_, index) => `different-${index}`);
    await born(...subjects);
    const [one, two] = [new Applier(left), new Applier(right)];
    for (const subject of subjects) {
      const time = "2026-03-02T12:00:00Z";
      // Both hold revision 1 in their cache before they race for 2.
      const stale = orderEvent("order.noted", { subject, source: "crm/old", time });
      await one.apply(arrived(stale));
      await two.apply(arrived(stale));
      const answers = await Promise.all(
        [one, two].map((applier) =>
          applier.apply(arrived(orderEvent("order.noted", { subject, time }))),
        ),
      );
      expect(answers.map(({ outcome }) => outcome)).toEqual(["applied", "applied"]);
      expect(new Set(answers.map(({ revision }) => revision))).toEqual(new Set([3, 4]));
      await deployment.assertReplays(subject);
    }
  });

  test("keep one chain of revisions under 200 concurrent events", async () => {
    const subject = "chain";
    await born(subject);
    const appliers = [new Applier(left), new Applier(right)];
    const time = "2026-03-02T12:00:00Z";
    const events = Array.from({ length: 200 }, () => orderEvent("order.noted", { subject, time }));
    const answers = await Promise.all(
      // Every third event goes to both.
      events.flatMap((event, index) =>
        appliers
          .filter((_, which) => index % 3 === 0 || index % 2 === which)
          .map((applier) => applier.apply(arrived(event))),
      ),
    );
    expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(["applied"]));
    expect(answers.filter(({ duplicate }) => duplicate !== true)).toHaveLength(200);
    expect(await revisionsOf(subject)).toEqual(Array.from({ length: 201 }, (_, at) => at + 1));
    await deployment.assertReplays(subject);
  });
});

describe("a worker that remembers an item which others have forgotten", () => {
  test("does not bring its waiting events back, nor lose the new ones", async () => {
    const subject = "forgotten";
    const [old, young] = [
      await deployment.openEngine({ now: () => 1_000 }),
      await deployment.openEngine({ now: () => 1_000 + deployment.config.unknownItemForMs }),
    ];
    const [one, two] = [new Applier(old), new Applier(young)];
    const [first, second, third] = [0, 1, 2].map(() =>
      arrived(orderEvent("order.accepted", { subject })),
    ) as [ArrivedEvent, ArrivedEvent, ArrivedEvent];
    expect(await one.apply(first)).toMatchObject({ outcome: "parked", revision: 1 });
    await two.applyDue(subject);
    expect(await deployment.actor(subject)).toBeUndefined();
    expect(await two.apply(second)).toMatchObject({ outcome: "parked", revision: 1 });

    expect(await one.apply(third)).toMatchObject({ outcome: "parked", revision: 2 });
    const waiting = (await deployment.actor(subject))?.parked.map(({ event }) => event.id);
    expect(waiting).toEqual([second.id, third.id]);
    await deployment.assertReplays(subject);
  });
});

describe("two drains of one channel", () => {
  test("never have two pushes of one item in flight, and keep each item's order", async () => {
    const subjects = Array.from({ length: 30 }, (_, index) => `lane-${index}`);
    const types = ["order.received", "order.accepted", "appointment.scheduled"] as const;
    const more = ["work.started", "work.completed", "service.activated"] as const;
    const applyAll = async (wanted: readonly Parameters<typeof orderEvent>[0][]) => {
      for (const type of wanted) {
        await Promise.all(
          subjects.map((subject) => deployment.apply(orderEvent(type, { subject }))),
        );
      }
    };
    await applyAll(types);

    const inFlight = new Map<string, number>();
    const sent = new Map<string, OutboxEffect[]>();
    let mostAtOnce = 0;
    const deliver = async (lane: Lane) => {
      const { itemId } = lane;
      const now = (inFlight.get(itemId) ?? 0) + 1;
      inFlight.set(itemId, now);
      mostAtOnce = Math.max(mostAtOnce, now);
      const [effect] = lane.effects;
      if (effect === undefined) throw new TypeError("an empty lane was claimed");
      // A read of Redis is as long as a request to a marketplace at its best.
      await left.store.redis.time();
      sent.set(itemId, [...(sent.get(itemId) ?? []), effect]);
      inFlight.set(itemId, (inFlight.get(itemId) ?? 0) - 1);
      const delivery = { lane, channel: CHANNEL, effect, merged: [], startedAt: Date.now() };
      return delivered(delivery, { now: Date.now() });
    };
    const run = (engine: Engine, owner: string) =>
      new Drains().run(engine, {
        channel: CHANNEL,
        owner,
        leaseMs: 10_000,
        concurrency: 8,
        permits: FREE,
        deliver,
        log: createLogger("silent"),
        signal: NEVER_STOPS,
      });
    // New effects are committed while the old ones leave.
    const [first, second] = await Promise.all([run(left, "l"), run(right, "r"), applyAll(more)]);
    const rest = (await run(left, "l")) + (await run(right, "r"));

    expect(mostAtOnce).toBe(1);
    // The items of the other tests of this file have one push each, or none.
    expect(first + second + rest).toBeGreaterThanOrEqual(subjects.length * 5);
    for (const subject of subjects) {
      expect(sent.get(subject)?.map(({ params }) => params["status"])).toEqual([
        "accepted",
        "scheduled",
        "in_progress",
        "completed",
        "active",
      ]);
      expect(await readLanes(left.store, subject)).toEqual([]);
    }
  });
});

describe("an owner whose lease went to another", () => {
  test("settles nothing and renews nothing", async () => {
    const subject = "fenced";
    await born(subject);
    await deployment.apply(orderEvent("order.accepted", { subject }));
    const { store } = left;
    const now = Date.now();
    const late = await claimLanes(store, ADDRESS, { now, leaseUntil: now, owner: "late", want: 1 });
    expect(await recoverLanes(store, ADDRESS, now + 1)).toEqual({ recovered: 1, hasWork: true });

    const settle = (lanes: readonly Lane[]) =>
      settleLanes(store, ADDRESS, {
        now,
        settlements: lanes.map((lane) => {
          const effect = lane.effects[0] as OutboxEffect;
          const delivery = { lane, channel: CHANNEL, effect, merged: [], startedAt: now };
          return delivered(delivery, { now, answer: lane.owner });
        }),
      });
    expect(await settle(late)).toEqual([false]);

    const leaseUntil = now + 60_000;
    const present = await claimLanes(store, ADDRESS, { now, leaseUntil, owner: "new", want: 1 });
    expect(present).toMatchObject([
      { itemId: subject, attempt: { made: 1, outcomeUnknown: true } },
    ]);
    await renewLeases(store, ADDRESS, { leaseUntil: now + 120_000, lanes: late });
    const leased = `${shardPrefix(store.layout, 0)}leased:${CHANNEL}`;
    expect(await store.redis.zscore(leased, subject)).toBe(String(leaseUntil));
    expect(await settle(late)).toEqual([false]);
    expect(await settle(present)).toEqual([true]);
    const deliveries = (await deployment.journal(subject)).filter(
      ({ kind }) => kind === "delivery",
    );
    expect(deliveries).toMatchObject([{ outcome: "delivered", answer: "new" }]);
    expect(await readLanes(store, subject)).toEqual([]);
  });

  test("sends nothing when it wakes up after its lane was delivered by another", async () => {
    const deployed = await openDeployment({ redisUrl: inject("redisUrl"), config: { shards: 1 } });
    try {
      const [marked, after] = ["stopped", "afterwards"];
      const child = deployed.spawn({ step: "stop-after-claim", itemId: marked });
      await child.said("ready");
      const lifeOf = (subject: string) =>
        (["order.received", "order.accepted", "appointment.scheduled"] as const).map((type) =>
          orderEvent(type, { subject }),
        );
      await deployed.send(...lifeOf(marked));
      await child.said("reached");
      const workers = await deployed.startHere();
      await deployed.settled(marked, "scheduled");
      await workers.stop();

      child.signal("SIGCONT");
      // The same process pushes these, so whatever it still wanted to send has been sent by then.
      await deployed.send(...lifeOf(after));
      await deployed.settled(after, "scheduled");
      expect(deployed.seen(marked)).toEqual(["accepted", "scheduled"]);
      expect(deployed.sandbox.market.items.get(marked)?.status).toBe("scheduled");
      await deployed.assertReplays(marked);
      await deployed.assertNothingLeft();
    } finally {
      await deployed.close();
    }
  });
});
