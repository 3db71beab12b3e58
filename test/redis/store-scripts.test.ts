import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import type { OutboxEffect } from "../../src/core/decision.ts";
import { type Commit, commitActors, loadActors } from "../../src/store/actor-store.ts";
import { findDeadLetter, listDeadLetters } from "../../src/store/dead-letter-store.ts";
import {
  countByStatus,
  dueItems,
  itemsByStatus,
  itemsOfOrder,
} from "../../src/store/item-store.ts";
import { serverKey, shardPrefix } from "../../src/store/keys.ts";
import { recordServer } from "../../src/store/new-server.ts";
import {
  claimLanes,
  type Lane,
  readLanes,
  recoverLanes,
  renewLeases,
  type Settlement,
  settleLanes,
  unblockLane,
} from "../../src/store/outbox-store.ts";
import { countReady } from "../../src/store/lane-count.ts";
import { encodeEffect } from "../../src/store/sealed-texts.ts";
import { closeStore, type ConnectedStore, openStore } from "../../src/store/store.ts";

const DEDUPE_MS = 7 * 24 * 3_600_000;
const CHANNEL = "marketplace.default";
const ADDRESS = { shard: 0, channel: CHANNEL };
const NOW = 1_764_000_000_000;

let store: ConnectedStore;
/** Of the shard that holds everything. */
let prefix: string;

beforeAll(async () => {
  const layout = { prefix: `t${randomUUID().slice(0, 8)}`, shards: 1 };
  store = await openStore(inject("redisUrl"), layout);
  prefix = shardPrefix(layout, 0);
});

beforeEach(async () => {
  const keys = await store.redis.keys(`${prefix}*`);
  if (keys.length > 0) await store.redis.del(...keys);
  await recordServer(store);
});

afterAll(async () => {
  await closeStore(store);
});

function commitOf(itemId: string, change: Partial<Commit> = {}): Commit {
  return {
    itemId,
    opening: "",
    actorText: '1 {"machine":"m"}',
    decidedAt: NOW,
    marks: [],
    answers: [],
    entries: [],
    effects: [],
    deadLetters: [],
    lookFirst: [],
    ...change,
  };
}

const commit = (...commits: readonly Commit[]) =>
  commitActors(store, 0, { commits, dedupeForMs: DEDUPE_MS });

interface EffectWish {
  readonly at?: number;
  readonly isUrgent?: boolean;
}

function effectOf(id: string, { at = NOW, isUrgent = false }: EffectWish = {}): OutboxEffect {
  return { id, name: "pushStatus", params: {}, channel: CHANNEL, isUrgent, at };
}

let revision = 0;

/** Puts effects into an item's lane, as the next decision about it would. */
async function enqueue(itemId: string, ...effects: readonly OutboxEffect[]): Promise<void> {
  const [text] = await loadActors(store, [itemId]);
  revision += 1;
  const [result] = await commit(
    commitOf(itemId, {
      opening: text ?? "",
      actorText: `${revision} {}`,
      effects: effects.map((effect) => [CHANNEL, encodeEffect(effect)]),
    }),
  );
  expect(result).toEqual({ result: "committed" });
}

const claim = (want: number, change: { owner?: string; now?: number; leaseMs?: number } = {}) => {
  const { owner = "owner", now = NOW, leaseMs = 1_000 } = change;
  return claimLanes(store, ADDRESS, { now, leaseUntil: now + leaseMs, owner, want });
};

const settle = (...settlements: readonly Settlement[]) =>
  settleLanes(store, ADDRESS, { now: NOW, settlements });

function done({ itemId, owner }: Lane, dropped = 1, ...entries: readonly string[]): Settlement {
  return { itemId, owner, verb: "done", dropped, entries };
}

function block({ itemId, owner }: Lane): Settlement {
  const letter = { kind: "effect", id: `effect:${itemId}`, itemId, at: NOW };
  return {
    itemId,
    owner,
    verb: "block",
    problem: '{"code":"PUSH_REFUSED"}',
    deadLetter: [letter.id, JSON.stringify(letter)],
    entries: ["blocked"],
  };
}

async function only(lanes: Promise<Lane[]>): Promise<Lane> {
  const [lane, ...more] = await lanes;
  if (lane === undefined || more.length > 0) throw new Error("expected one lane");
  return lane;
}

const journalOf = (itemId: string) => store.redis.lrange(`${prefix}j:${itemId}`, 0, -1);

describe("a commit", () => {
  test("of a stale actor changes nothing and does not hold up the others of its batch", async () => {
    await commit(commitOf("stale", { actorText: "7 {}" }));
    const results = await commit(
      commitOf("first", { entries: ["one"] }),
      commitOf("stale", { opening: "6 ", actorText: "8 {}", entries: ["lost"], dueAt: 5 }),
      commitOf("last", { entries: ["one"] }),
    );
    expect(results).toEqual([
      { result: "committed" },
      { result: "stale", text: "7 {}" },
      { result: "committed" },
    ]);
    expect(await loadActors(store, ["stale"])).toEqual(["7 {}"]);
    expect(await journalOf("stale")).toEqual([]);
    expect(await dueItems(store, 0, { now: NOW, limit: 10 })).toEqual([]);
    expect(await journalOf("last")).toEqual(["one"]);
  });

  test("is stale when the actor exists and none was read, and when it is gone", async () => {
    await commit(commitOf("known"));
    const results = await commit(commitOf("known"), commitOf("gone", { opening: "1 " }));
    expect(results).toEqual([
      { result: "stale", text: '1 {"machine":"m"}' },
      { result: "stale", text: undefined },
    ]);
  });

  test("is not stale because another revision begins with the same digits", async () => {
    await commit(commitOf("long", { actorText: "12 {}" }));
    expect(await commit(commitOf("long", { opening: "1 " }))).toMatchObject([{ result: "stale" }]);
    expect(await commit(commitOf("long", { opening: "12 " }))).toEqual([{ result: "committed" }]);
  });

  test("with an event that was answered before changes nothing and tells which", async () => {
    await commit(commitOf("item", { marks: [["b", "digest applied 1"]] }));
    const [result] = await commit(
      commitOf("item", {
        opening: "1 ",
        actorText: "2 {}",
        marks: [
          ["a", "x applied 2"],
          ["b", "x applied 2"],
        ],
      }),
    );
    expect(result).toEqual({
      result: "duplicate",
      text: '1 {"machine":"m"}',
      answers: [undefined, "digest applied 1"],
    });
    expect(await store.redis.hgetall(`${prefix}seen:item`)).toEqual({ b: "digest applied 1" });
  });

  test("that answers a parked event anew keeps the digest of its content", async () => {
    await commit(commitOf("item", { marks: [["mark", "digest parked 1 ITEM_UNKNOWN"]] }));
    const answers = [
      ["mark", "applied 3"],
      ["never-seen", "applied 3"],
    ] as const;
    await commit(commitOf("item", { opening: "1 ", actorText: "3 {}", answers }));
    expect(await store.redis.hgetall(`${prefix}seen:item`)).toEqual({ mark: "digest applied 3" });
  });

  test("keeps what was answered for the set time from the last answer on", async () => {
    const seen = `${prefix}seen:item`;
    await commit(commitOf("item", { marks: [["a", "x applied 1"]] }));
    await store.redis.pexpire(seen, 1_000);
    await commit(
      commitOf("item", { opening: "1 ", actorText: "2 {}", marks: [["b", "x applied 2"]] }),
    );
    const leftMs = await store.redis.pttl(seen);
    expect(leftMs).toBeGreaterThan(DEDUPE_MS - 60_000);
    expect(leftMs).toBeLessThanOrEqual(DEDUPE_MS);
  });

  test("moves the item in the indexes of status, order and due time", async () => {
    await commit(commitOf("item", { newStatus: "pending", order: "order-1", dueAt: NOW + 5 }));
    expect(await dueItems(store, 0, { now: NOW + 5, limit: 10 })).toEqual(["item"]);
    await commit(
      commitOf("item", {
        opening: "1 ",
        actorText: "2 {}",
        oldStatus: "pending",
        newStatus: "accepted",
        decidedAt: NOW + 9,
      }),
    );
    expect(await countByStatus(store, ["pending", "accepted"])).toEqual({
      pending: 0,
      accepted: 1,
    });
    const page = await itemsByStatus(store, "accepted", { limit: 10 });
    expect(page.items).toEqual([{ itemId: "item", decidedAt: NOW + 9 }]);
    expect(await itemsOfOrder(store, "order-1")).toEqual(["item"]);
    expect(await dueItems(store, 0, { now: NOW + 5, limit: 10 })).toEqual([]);
  });

  test("can forget an item: its text, journal and due time go, its answers and dead letters stay", async () => {
    const marks = [["mark", "digest parked 1"]] as const;
    await commit(commitOf("item", { entries: ["parked"], dueAt: NOW, marks }));
    const letter = { id: "event:mark", kind: "event", at: NOW };
    const [result] = await commit(
      commitOf("item", {
        opening: '1 {"machine":"m"}',
        actorText: undefined,
        answers: [["mark", "dead-letter 2 ITEM_UNKNOWN"]],
        deadLetters: [[letter.id, JSON.stringify(letter)]],
      }),
    );
    expect(result).toEqual({ result: "committed" });
    expect(await loadActors(store, ["item"])).toEqual([undefined]);
    expect(await journalOf("item")).toEqual([]);
    expect(await dueItems(store, 0, { now: NOW, limit: 10 })).toEqual([]);
    expect(await store.redis.hget(`${prefix}seen:item`, "mark")).toBe(
      "digest dead-letter 2 ITEM_UNKNOWN",
    );
    expect(await listDeadLetters(store, 10)).toEqual([letter]);
  });

  test("works on a Redis that has forgotten the scripts", async () => {
    await store.redis.script("FLUSH");
    expect(await commit(commitOf("item"))).toEqual([{ result: "committed" }]);
  });
});

describe("a claim", () => {
  test("on another server than before begins with a look, for a while", async () => {
    await enqueue("item", effectOf("1"));
    await store.redis.set(serverKey(store.layout, 0), "the server before");
    const [lane] = await claim(1);
    expect(lane?.attempt).toEqual({ made: 0, outcomeUnknown: true, mayBeForgotten: true });
    await enqueue("soon", effectOf("2"));
    expect((await claim(1))[0]?.attempt.mayBeForgotten).toBe(true);
    await enqueue("later", effectOf("3"));
    const afterwards = { now: NOW + 3_600_000, leaseUntil: NOW + 3_700_000, owner: "o", want: 1 };
    const [later] = await claimLanes(store, ADDRESS, afterwards);
    expect(later?.attempt).toEqual({ made: 0, outcomeUnknown: false });
  });

  test("takes urgent lanes before routine ones, and the oldest first", async () => {
    await enqueue("routine-old", effectOf("1", { at: NOW - 5_000 }));
    await enqueue("urgent-new", effectOf("2", { at: NOW, isUrgent: true }));
    await enqueue("routine-new", effectOf("3", { at: NOW - 1_000 }));
    await enqueue("urgent-old", effectOf("4", { at: NOW - 2_000, isUrgent: true }));
    expect(await countReady(store, ADDRESS, NOW)).toEqual({ urgent: 2, routine: 2 });
    expect((await claim(3)).map(({ itemId }) => itemId)).toEqual([
      "urgent-old",
      "urgent-new",
      "routine-old",
    ]);
  });

  test("takes a whole lane forward when an urgent effect waits in it", async () => {
    await enqueue("early", effectOf("1", { at: NOW - 5_000 }));
    await enqueue("drawn", effectOf("2", { at: NOW }));
    await enqueue("drawn", effectOf("3", { at: NOW, isUrgent: true }));
    const [first, second] = await claim(2);
    expect(first?.effects.map(({ id }) => id)).toEqual(["2", "3"]);
    if (first !== undefined) await settle({ ...done(first), entries: [] });
    await enqueue("also", effectOf("4", { at: NOW - 9_000 }));
    // The urgent one is still to come, so the lane stays in front.
    expect((await claim(1))[0]?.itemId).toBe("drawn");
    expect(second?.itemId).toBe("early");
  });

  test("marks the attempt as begun, so that the next owner knows of it", async () => {
    await enqueue("item", effectOf("1"));
    const lane = await only(claim(1));
    expect(lane.attempt).toEqual({ made: 0, outcomeUnknown: false });
    expect(await claim(1)).toEqual([]);
    expect(await readLanes(store, "item")).toMatchObject([
      { state: "leased", until: NOW + 1_000, pending: [{ id: "1" }] },
    ]);
    expect(await recoverLanes(store, ADDRESS, NOW + 1_000)).toMatchObject({ recovered: 1 });
    const again = await only(claim(1, { owner: "other" }));
    expect(again.attempt).toEqual({ made: 1, outcomeUnknown: true });
  });

  test("takes a lane that waits only when its time has come", async () => {
    await enqueue("item", effectOf("1"));
    const { itemId, owner } = await only(claim(1));
    const attempt = { made: 3, outcomeUnknown: false };
    const notBefore = NOW + 500;
    await settle({ itemId, owner, verb: "again", dropped: 0, notBefore, attempt, entries: [] });
    // A new effect must not push a lane out of its back-off.
    await enqueue("item", effectOf("2", { isUrgent: true }));
    expect(await claim(1, { now: NOW + 499 })).toEqual([]);
    const lane = await only(claim(1, { now: NOW + 500 }));
    expect(lane).toMatchObject({ attempt, effects: [{ id: "1" }, { id: "2" }] });
  });
});

describe("a lease", () => {
  test("is taken back when it has ended, not before, and its lane goes first", async () => {
    await enqueue("item", effectOf("1", { at: NOW }));
    await claim(1, { leaseMs: 1_000 });
    await enqueue("urgent", effectOf("2", { at: 1, isUrgent: true }));
    expect(await recoverLanes(store, ADDRESS, NOW + 999)).toEqual({ recovered: 0, hasWork: true });
    expect(await recoverLanes(store, ADDRESS, NOW + 1_000)).toMatchObject({ recovered: 1 });
    expect((await claim(1)).map(({ itemId }) => itemId)).toEqual(["item"]);
  });

  test("is renewed by its owner alone", async () => {
    await enqueue("item", effectOf("1"));
    const lane = await only(claim(1));
    const leased = () => store.redis.zscore(`${prefix}leased:${CHANNEL}`, "item");
    await renewLeases(store, ADDRESS, {
      leaseUntil: NOW + 9_000,
      lanes: [{ ...lane, owner: "x" }],
    });
    expect(await leased()).toBe(String(NOW + 1_000));
    await renewLeases(store, ADDRESS, { leaseUntil: NOW + 9_000, lanes: [lane] });
    expect(await leased()).toBe(String(NOW + 9_000));
  });

  test("is needed to settle: a late owner of a batch changes nothing, the others do", async () => {
    await enqueue("lost", effectOf("1"));
    await enqueue("held", effectOf("2"));
    const lanes = await claim(2);
    await recoverLanes(store, ADDRESS, NOW + 1_000);
    const [first] = await claim(1, { owner: "next", now: NOW + 1_000 });
    const late = lanes.map((lane) => done(lane, 1, `by ${lane.owner}`));
    expect(await settle(...late, done(first as Lane, 1, "by next"))).toEqual([false, false, true]);
    expect(await journalOf((first as Lane).itemId)).toEqual(["by next"]);
  });
});

describe("settling", () => {
  test("drops what was merged in one write with its journal, and offers the rest", async () => {
    await enqueue("item", effectOf("1"), effectOf("2"), effectOf("3"), effectOf("4"));
    const lane = await only(claim(1));
    expect(await settle(done(lane, 3, "merged", "merged", "delivered"))).toEqual([true]);
    expect(await journalOf("item")).toEqual(["merged", "merged", "delivered"]);
    expect(await readLanes(store, "item")).toMatchObject([
      { state: "ready", pending: [{ id: "4" }] },
    ]);
    const rest = await only(claim(1));
    expect(rest.attempt).toEqual({ made: 0, outcomeUnknown: false });
  });

  test("offers an effect that was committed meanwhile, and leaves nothing behind when there is none", async () => {
    await enqueue("item", effectOf("1"));
    const lane = await only(claim(1));
    await enqueue("item", effectOf("2"));
    expect(await claim(1)).toEqual([]);
    await settle(done(lane));
    const next = await only(claim(1));
    expect(next.effects.map(({ id }) => id)).toEqual(["2"]);
    await settle(done(next));
    expect(await store.redis.keys(`${prefix}*:${CHANNEL}*`)).toEqual([]);
  });

  test("can leave word that the rest must begin with a read", async () => {
    await enqueue("item", effectOf("1"));
    const lane = await only(claim(1));
    await enqueue("item", effectOf("2"));
    const attempt = { made: 0, outcomeUnknown: true };
    await settle({ ...done(lane), verb: "done", dropped: 1, attempt });
    const next = await only(claim(1));
    expect(next).toMatchObject({ attempt, effects: [{ id: "2" }] });
    await settle({ ...done(next), verb: "done", dropped: 1, attempt });
    expect(await store.redis.keys(`${prefix}*:${CHANNEL}*`)).toEqual([]);
  });

  test("blocks a lane until a person opens it; what is committed meanwhile waits behind", async () => {
    await enqueue("item", effectOf("1"));
    await settle(block(await only(claim(1))));
    await enqueue("item", effectOf("2", { isUrgent: true }));
    expect(await claim(1)).toEqual([]);
    expect(await recoverLanes(store, ADDRESS, NOW + 9_000)).toEqual({
      recovered: 0,
      hasWork: false,
    });
    expect(await readLanes(store, "item")).toMatchObject([
      { state: "blocked", problem: '{"code":"PUSH_REFUSED"}', pending: [{ id: "1" }, { id: "2" }] },
    ]);
    expect(await findDeadLetter(store, "effect:item")).toMatchObject({ itemId: "item" });

    const lane = { itemId: "item", channel: CHANNEL };
    const retry = { deadLetterId: "effect:item", entries: [] };
    expect(await unblockLane(store, lane, retry)).toBe(true);
    expect(await unblockLane(store, lane, retry)).toBe(false);
    expect(await findDeadLetter(store, "effect:item")).toBeUndefined();
    const open = await only(claim(1));
    expect(open.effects.map(({ id }) => id)).toEqual(["1", "2"]);
  });

  test("a blocked lane can be opened without its first effect, and journals that", async () => {
    await enqueue("item", effectOf("1"), effectOf("2"));
    await settle(block(await only(claim(1))));
    const decision = { deadLetterId: "effect:item", entries: ["skipped"] };
    await unblockLane(store, { itemId: "item", channel: CHANNEL }, decision);
    expect(await journalOf("item")).toEqual(["blocked", "skipped"]);
    expect((await only(claim(1))).effects.map(({ id }) => id)).toEqual(["2"]);
  });
});
