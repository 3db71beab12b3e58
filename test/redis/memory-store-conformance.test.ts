/**
 * The Redis in memory is what the simulator believes in. Here the same random operations run on a store
 * over a real Redis and on one over it: every reply and all content left behind must be the same. A Lua
 * script that was changed without its port fails here. MEMORY_CONFORMANCE_RUNS asks for more runs.
 *
 * The real Redis is not waited for after each step but gets many in one pipeline, so that the test's speed
 * does not hang on the round trip; what the next step needs to know, the Redis in memory has told by then.
 */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { OutboxEffect } from "../../src/core/decision.ts";
import { type Commit, commitActors, loadActors } from "../../src/store/actor-store.ts";
import type { RedisCommands } from "../../src/store/commands.ts";
import { clearSuspect, countSuspectRun } from "../../src/store/crash-store.ts";
import {
  bury,
  type DeadLetter,
  endDeadLetter,
  findDeadLetter,
  listDeadLetters,
} from "../../src/store/dead-letter-store.ts";
import {
  countByStatus,
  dueItems,
  itemsByStatus,
  itemsOfOrder,
  readJournal,
} from "../../src/store/item-store.ts";
import { feedEnd, readFeedRecords } from "../../src/store/feed-store.ts";
import { auditKey, cautionKey, itemPrefix, limiterKey, shardOf } from "../../src/store/keys.ts";
import {
  forgetLag,
  outdatedRecords,
  overdueLanes,
  recordLag,
  takeLook,
} from "../../src/store/lagging-store.ts";
import {
  giveBackPermits,
  holdAccount,
  limiterState,
  pauseAccount,
  releaseAccount,
  takePermits,
} from "../../src/store/limiter.ts";
import type { Value } from "../../src/store/memory/keyspace.ts";
import { MemoryRedis, memoryCommands } from "../../src/store/memory/memory-redis.ts";
import { recordServer } from "../../src/store/new-server.ts";
import {
  channelsOf,
  claimLanes,
  hastenLane,
  holdsLane,
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
import type { ScriptHost } from "../../src/store/scripts.ts";
import * as scripts from "../../src/store/scripts.ts";
import { closeStore, type ConnectedStore, openStore, type Store } from "../../src/store/store.ts";

const RUNS = Number(process.env["MEMORY_CONFORMANCE_RUNS"] ?? 300);
/** Ends the search for a smaller failing run, so that what was found is told before the test times out. */
const SEARCH_MS = 30_000 + RUNS * 50;
const NOW = 1_764_000_000_000;
const HOUR_MS = 3_600_000;

/** Two that sort by bytes otherwise than by JavaScript, and some that begin alike. */
const ITEMS = ["i1", "i10", "\uFF5E", "😀"];
const CHANNELS = ["marketplace.a", "operator"];
const STATUSES = ["open", "closed"];
const LETTERS = ["letter-1", "letter-2", "letter-3"];
const MARKS = Array.from({ length: 12 }, (_, index) => `m${index}`);
const OWNERS = ["w1 lane", "w2"];
const PERMIT_LIMIT = 12;

/** What the stores were told and the one in memory has answered: it makes the next step. */
interface World {
  readonly textOf: (itemId: string) => string | undefined;
  now: number;
  revision: number;
  readonly lanes: { readonly channel: string; readonly lane: Lane }[];
  grantedIn: number;
}

interface Step {
  /** Told when the property fails. */
  readonly name: string;
  readonly detail: unknown;
  /** "one": sends all its commands at once; "more": asks again for what it has learnt. */
  readonly trips: "one" | "more";
  readonly run: (store: Store, world: World) => Promise<unknown>;
  readonly learn: (world: World, reply: unknown) => void;
}

let connected: ConnectedStore;

beforeAll(async () => {
  connected = await openStore(inject("redisUrl"), { prefix: "unused", shards: 1 }, "reader");
});

afterAll(async () => {
  await closeStore(connected);
});

const item = fc.constantFrom(...ITEMS);
const channel = fc.constantFrom(...CHANNELS);
const owner = fc.constantFrom(...OWNERS);
const letterId = fc.constantFrom(...LETTERS);
const rarely = fc.nat({ max: 6 }).map((draw) => draw === 6);
const shortly = fc.integer({ min: -40, max: 40 });
const entry = fc.constantFrom('{"type":"one"}', '{"type":"two ü"}');
const few = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(arbitrary, { maxLength: 2 });

function stepOf<Detail>(
  name: string,
  detail: fc.Arbitrary<Detail>,
  does: {
    readonly trips?: "more";
    readonly run: (store: Store, world: World, detail: Detail) => Promise<unknown>;
    readonly learn?: (world: World, reply: unknown, detail: Detail) => void;
  },
): fc.Arbitrary<Step> {
  return detail.map((chosen) => ({
    name,
    detail: chosen,
    trips: does.trips ?? "one",
    run: (store, world) => does.run(store, world, chosen),
    learn: (world, reply) => does.learn?.(world, reply, chosen),
  }));
}

const changeArbitrary = fc.record({
  itemId: item,
  opening: fc.constantFrom("present", "present", "present", "present", "part", "other", "none"),
  isForgotten: rarely,
  due: fc.option(shortly, { nil: undefined }),
  oldStatus: fc.option(fc.constantFrom(...STATUSES), { nil: undefined }),
  newStatus: fc.option(fc.constantFrom(...STATUSES), { nil: undefined }),
  decidedAt: shortly,
  order: fc.option(fc.constantFrom("o1", "o2"), { nil: undefined }),
  attention: fc.option(fc.constantFrom("none" as const, 1, 7), { nil: undefined }),
  marks: few(fc.tuple(fc.constantFrom(...MARKS), fc.constantFrom("d1 applied", "d2 parked x"))),
  answers: few(fc.tuple(fc.constantFrom(...MARKS), fc.constantFrom("applied 7", "rejected"))),
  entries: few(entry),
  effects: fc.array(fc.record({ channel, isUrgent: rarely, at: shortly }), { maxLength: 3 }),
  deadLetters: few(letterId),
  lookFirst: few(channel),
});
type Change = typeof changeArbitrary extends fc.Arbitrary<infer T> ? T : never;

function letterOf(id: string, at: number): DeadLetter {
  return { kind: "unreadable", id, at, problem: { code: "EVENT_NOT_JSON", message: "m" }, data: 1 };
}

function commitOf(change: Change, world: World): Commit {
  const { itemId, due, decidedAt, effects, deadLetters, isForgotten, ...rest } = change;
  const text = world.textOf(itemId);
  const openings = { present: text ?? "", part: (text ?? "").slice(0, 3), other: "0 x", none: "" };
  const at = world.now + decidedAt;
  return {
    ...rest,
    itemId,
    opening: openings[change.opening as keyof typeof openings],
    actorText: isForgotten ? undefined : `${world.revision} {"of":"${itemId}"}`,
    dueAt: due === undefined ? undefined : world.now + due,
    decidedAt: at,
    effects: effects.map((effect, index) => {
      const id = `${itemId}:${world.revision}:${index}`;
      const whole: OutboxEffect = { name: "push", params: {}, id, ...effect, at: at + effect.at };
      return [effect.channel, encodeEffect(whole)];
    }),
    deadLetters: deadLetters.map((id) => [id, JSON.stringify(letterOf(id, at))]),
  };
}

const commitStep = stepOf(
  "commit",
  fc.record({
    changes: fc.array(changeArbitrary, { minLength: 1, maxLength: 3 }),
    dedupeForMs: fc.constantFrom(HOUR_MS, HOUR_MS, 100 * HOUR_MS, 0),
  }),
  {
    run: (store, world, { changes, dedupeForMs }) => {
      const shard = shardOf(store.layout, changes[0]?.itemId ?? "");
      const ours = changes.filter(({ itemId }) => shardOf(store.layout, itemId) === shard);
      const commits = ours.map((change) => commitOf(change, world));
      return commitActors(store, shard, { commits, dedupeForMs });
    },
    learn: (world) => (world.revision += 1),
  },
);

const claimStep = stepOf(
  "claim",
  fc.record({
    itemId: item,
    channel,
    owner,
    leaseMs: shortly,
    want: fc.integer({ min: 0, max: 4 }),
  }),
  {
    run: (store, { now }, claim) => {
      const address = { shard: shardOf(store.layout, claim.itemId), channel: claim.channel };
      const { want, leaseMs } = claim;
      return claimLanes(store, address, {
        now,
        leaseUntil: now + leaseMs,
        owner: claim.owner,
        want,
      });
    },
    learn: (world, reply, { channel: claimed }) => {
      for (const lane of reply as Lane[]) world.lanes.unshift({ channel: claimed, lane });
    },
  },
);

const attempt = fc.option(fc.record({ made: fc.nat({ max: 12 }), outcomeUnknown: fc.boolean() }), {
  nil: undefined,
});
/** Of the lanes claimed so far, the latest come first. */
const pick = fc.nat({ max: 5 });
const endingArbitrary = fc.record({
  pick,
  verb: fc.constantFrom("done", "again", "block"),
  dropped: fc.nat({ max: 3 }),
  isOthers: rarely,
  attempt,
  notBefore: shortly,
  entries: few(entry),
  letter: letterId,
});
type Ending = typeof endingArbitrary extends fc.Arbitrary<infer T> ? T : never;

function settlementOf(ending: Ending, lane: Lane, now: number): Settlement {
  const { dropped, entries } = ending;
  const note = ending.attempt;
  const common = {
    itemId: lane.itemId,
    owner: ending.isOthers ? "somebody" : lane.owner,
    entries,
  };
  switch (ending.verb as "done" | "again" | "block") {
    case "done":
      return { ...common, verb: "done", dropped, ...(note && { attempt: note }) };
    case "again": {
      const made = note ?? { made: 0, outcomeUnknown: false };
      return {
        ...common,
        verb: "again",
        dropped,
        notBefore: now + ending.notBefore,
        attempt: made,
      };
    }
    case "block": {
      const text = JSON.stringify(letterOf(ending.letter, now));
      const deadLetter = [ending.letter, text] as const;
      return {
        ...common,
        verb: "block",
        problem: "{}",
        deadLetter,
        ...(note && { attempt: note }),
      };
    }
  }
}

/** The lanes picked, all of the first one's address. */
function picked<T extends { readonly pick: number }>(world: World, picks: readonly T[]) {
  const found = picks.flatMap((each) => {
    const claimed = world.lanes[each.pick];
    return claimed === undefined ? [] : [{ ...claimed, each }];
  });
  const [first] = found;
  if (first === undefined) return undefined;
  const address = { shard: first.lane.shard, channel: first.channel };
  const isThere = ({ lane, channel: other }: (typeof found)[number]): boolean =>
    lane.shard === address.shard && other === address.channel;
  return { address, lanes: found.filter(isThere) };
}

const settleStep = stepOf("settle", fc.array(endingArbitrary, { minLength: 1, maxLength: 3 }), {
  run: async (store, world, endings) => {
    const chosen = picked(world, endings);
    if (chosen === undefined) return undefined;
    const settlements = chosen.lanes.map(({ lane, each }) => settlementOf(each, lane, world.now));
    return settleLanes(store, chosen.address, { now: world.now, settlements });
  },
});

const renewStep = stepOf(
  "renew",
  fc.record({ picks: fc.array(fc.record({ pick }), { minLength: 1, maxLength: 3 }), for: shortly }),
  {
    run: async (store, world, { picks, for: forMs }) => {
      const chosen = picked(world, picks);
      if (chosen === undefined) return undefined;
      const lanes = chosen.lanes.map(({ lane }) => lane);
      return renewLeases(store, chosen.address, { leaseUntil: world.now + forMs, lanes });
    },
  },
);

const recoverStep = stepOf("recover", fc.record({ itemId: item, channel }), {
  run: (store, { now }, { itemId, channel: of }) =>
    recoverLanes(store, { shard: shardOf(store.layout, itemId), channel: of }, now),
});

const unblockStep = stepOf(
  "unblock",
  fc.record({ itemId: item, channel, deadLetterId: letterId, entries: few(entry) }),
  { run: (store, _world, { entries, ...lane }) => unblockLane(store, lane, { ...lane, entries }) },
);

const hastenStep = stepOf("hasten", fc.record({ pick, isMistaken: rarely, entries: few(entry) }), {
  run: async (store, world, { isMistaken, entries, ...which }) => {
    const chosen = picked(world, [which]);
    const [first] = chosen?.lanes ?? [];
    if (chosen === undefined || first === undefined) return undefined;
    const lane = { itemId: first.lane.itemId, channel: chosen.address.channel };
    const head = isMistaken ? "another" : (first.lane.effects[0]?.id ?? "");
    return hastenLane(store, lane, { first: head, entries });
  },
});

const lookStep = stepOf("look", fc.record({ itemId: item, channel, owner }), {
  trips: "more",
  run: (store, { now }, look) => {
    const shard = shardOf(store.layout, look.itemId);
    return Promise.all([
      loadActors(store, ITEMS),
      countReady(store, { shard, channel: look.channel }, now),
      holdsLane(store, look.channel, { ...look, now: () => now }),
      dueItems(store, shard, { now, limit: 3 }),
      readJournal(store, look.itemId),
      readJournal(store, look.itemId, { from: -2, to: -2 }),
      readFeedRecords(store, shard, { after: { place: 0, check: "" }, limit: 3 }),
      feedEnd(store, shard).then((end) => readFeedRecords(store, shard, { after: end, limit: 3 })),
      // Redis gives the members of a set in no order.
      channelsOf(store, shard).then((channels) => channels.toSorted()),
    ]);
  },
});

const listStep = stepOf(
  "list",
  fc.record({
    status: fc.constantFrom(...STATUSES),
    limit: fc.integer({ min: 1, max: 3 }),
    after: fc.option(fc.tuple(shortly, item), { nil: undefined }),
  }),
  {
    run: (store, { now }, { status, limit, after }) => {
      const cursor = after && `${now + after[0]}|${after[1]}`;
      return Promise.all([
        itemsByStatus(store, status, { limit, cursor }),
        countByStatus(store, STATUSES),
        itemsOfOrder(store, "o1"),
        findDeadLetter(store, "letter-1"),
      ]);
    },
  },
);

const deepLookStep = stepOf(
  "lanes and letters",
  fc.record({ itemId: item, limit: fc.integer({ min: 1, max: 3 }) }),
  {
    trips: "more",
    run: async (store, _world, { itemId, limit }) => {
      const lanes = await readLanes(store, itemId);
      return {
        lanes: lanes.toSorted((left, right) => (left.channel < right.channel ? -1 : 1)),
        letters: await listDeadLetters(store, limit),
      };
    },
  },
);

const letterStep = stepOf("letter", fc.record({ id: letterId, at: shortly, ends: fc.boolean() }), {
  run: (store, { now }, { id, at, ends }) => {
    const letter = letterOf(id, now + at);
    return ends ? endDeadLetter(store, letter) : bury(store, letter);
  },
});

async function allOf<Found extends { readonly itemId: string }>(
  pages: AsyncIterable<readonly Found[]>,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  for await (const page of pages) found.push(...page);
  return found.toSorted((left, right) => (left.itemId < right.itemId ? -1 : 1));
}

const lagStep = stepOf(
  "lag",
  fc.record({
    itemId: item,
    channel,
    state: fc.constantFrom("telling" as const, "told" as const, "told" as const),
    forMs: shortly,
    isForgotten: rarely,
  }),
  {
    trips: "more",
    run: async (store, { now }, { itemId, channel: of, state, forMs, isForgotten }) => {
      const address = { shard: shardOf(store.layout, itemId), channel: of };
      const looks = await takeLook(store, { now, everyMs: 20 });
      const overdue = await allOf(overdueLanes(store, address, now + forMs));
      const outdated = await allOf(outdatedRecords(store, address));
      for (const { itemId: late, effect } of overdue) {
        const lane = { itemId: late, channel: of };
        await recordLag(store, lane, { state, effectId: effect.id });
      }
      if (isForgotten) await forgetLag(store, { itemId, channel: of });
      return { looks, overdue, outdated };
    },
  },
);

const auditEntry = fc.constantFrom("a", "b");
const auditStep = stepOf(
  "audit",
  fc.record({
    follows: fc.constantFrom("", "a", "b"),
    entry: auditEntry,
    kept: fc.option(fc.tuple(fc.constantFrom("r1", "r2"), fc.constantFrom("said", "answer"))),
  }),
  {
    run: ({ redis, layout }, _world, { follows, entry: text, kept }) => {
      const keeping = kept === null ? [] : [...kept, "1 what", HOUR_MS];
      return scripts.appendAuditScript.run(redis, auditKey(layout), [follows, text, ...keeping]);
    },
  },
);

const suspectStep = stepOf("suspect", fc.boolean(), {
  run: (store, _world, isCleared) =>
    isCleared ? clearSuspect(store, "job") : countSuspectRun(store, "job"),
});

const cautionStep = stepOf("caution", fc.record({ itemId: item, forMs: shortly }), {
  run: async (store, { now }, { itemId, forMs }) => {
    await store.redis.set(cautionKey(store.layout, shardOf(store.layout, itemId)), now + forMs);
  },
});

const permitStep = stepOf(
  "permits",
  fc.record({
    class: fc.constantFrom("urgent" as const, "routine" as const, "poll" as const),
    want: fc.integer({ min: 1, max: 8 }),
    limit: fc.constantFrom(PERMIT_LIMIT, PERMIT_LIMIT, PERMIT_LIMIT, null),
  }),
  {
    run: ({ redis, layout }, _world, request) =>
      takePermits(redis, limiterKey(layout, "a"), request),
    learn: (world, reply) => {
      const grant = reply as Awaited<ReturnType<typeof takePermits>>;
      if (grant.outcome === "granted") world.grantedIn = grant.second;
    },
  },
);

const accountStep = stepOf(
  "account",
  fc.record({
    does: fc.constantFrom("pause", "hold", "release", "release", "give back", "state"),
    count: fc.constantFrom(1, 2, 10, 1_000, 70_000),
  }),
  {
    run: ({ redis, layout }, { grantedIn: second }, { does, count }) => {
      const key = limiterKey(layout, "a");
      if (does === "pause") return pauseAccount(redis, key, count);
      if (does === "hold") return holdAccount(redis, key, `reason ${count}`);
      if (does === "release") return releaseAccount(redis, key);
      if (does === "state") return limiterState(redis, key, PERMIT_LIMIT);
      return giveBackPermits(redis, key, { permits: (count % 5) + 1, second });
    },
  },
);

/** Within the leases and back-offs drawn above, to the end of a pause, or over the limiter's window. */
const clockStep = stepOf(
  "clock",
  fc.oneof(
    fc.nat({ max: 30 }),
    fc.constantFrom(10, 1_000, 59_000, 60_000),
    fc.nat({ max: 40_000 }),
  ),
  {
    run: async () => undefined,
    learn: (world, _reply, byMs) => (world.now += byMs),
  },
);

/** The limiter's keys are its own: a run about it alone gets further. */
const limiterStep = fc.oneof(permitStep, accountStep, clockStep);

const step = fc.oneof(
  { arbitrary: commitStep, weight: 8 },
  { arbitrary: claimStep, weight: 6 },
  { arbitrary: settleStep, weight: 6 },
  { arbitrary: permitStep, weight: 3 },
  { arbitrary: accountStep, weight: 2 },
  { arbitrary: clockStep, weight: 3 },
  { arbitrary: lookStep, weight: 2 },
  { arbitrary: listStep, weight: 2 },
  { arbitrary: deepLookStep, weight: 1 },
  { arbitrary: renewStep, weight: 3 },
  { arbitrary: recoverStep, weight: 2 },
  { arbitrary: unblockStep, weight: 2 },
  { arbitrary: hastenStep, weight: 3 },
  { arbitrary: lagStep, weight: 3 },
  { arbitrary: letterStep, weight: 1 },
  { arbitrary: suspectStep, weight: 1 },
  { arbitrary: cautionStep, weight: 1 },
  { arbitrary: auditStep, weight: 1 },
);

/** The text of each script by its SHA. */
const luaBySha = new Map<string, string>();

beforeAll(async () => {
  const host: ScriptHost = {
    evalsha: () => Promise.reject(new Error("NOSCRIPT its text is wanted")),
    eval: async (lua) => lua,
  };
  for (const script of Object.values(scripts)) {
    luaBySha.set(script.sha, String(await script.run(host, "", [])));
  }
});

/** The real Redis, but its scripts read the world's clock: its own cannot be turned. They go as text, for
 * to hear first that Redis does not know one would send it out of turn. */
function onClock(redis: RedisCommands, now: () => number): RedisCommands {
  const evalsha: RedisCommands["evalsha"] = (sha, ...call) => {
    const time = `{ "${Math.floor(now() / 1_000)}", "${(now() % 1_000) * 1_000}" }`;
    const lua = luaBySha.get(sha) ?? "";
    return redis.eval(lua.replace('redis.call("TIME")', time), ...call);
  };
  return Object.assign(Object.create(redis) as RedisCommands, { evalsha });
}

/** A reply, or that there was none: where a script fails, so must its port. */
async function replyOf(running: Promise<unknown>): Promise<unknown> {
  return running.catch((error: unknown) => ({ failed: String(error).split(":")[0] }));
}

type Kept = readonly [key: string, type: string, content: unknown, expiry: string];

/** Lives differ by an hour at least and a run is shorter, whichever clock runs. */
function expiryOf(lifeMs: number | undefined): string {
  if (lifeMs === undefined || lifeMs < 0) return "never";
  return lifeMs > HOUR_MS ? "late" : "soon";
}

function contentOf(value: Value): unknown {
  switch (value.type) {
    case "string":
    case "list":
      return value.content;
    case "hash":
      return Object.fromEntries(value.content);
    case "set":
      return [...value.content].toSorted();
    case "zset":
      return value.content.members.flatMap((member) => [
        member,
        String(value.content.scores.get(member)),
      ]);
  }
}

function keptInMemory(memory: MemoryRedis, now: number): Kept[] {
  return [...memory.snapshot().values].map(([key, value]): Kept => {
    const lifeMs = value.expiresAt === undefined ? undefined : value.expiresAt - now;
    return [key, value.type, contentOf(value), expiryOf(lifeMs)];
  });
}

async function keysOf(prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of connected.redis.scanStream({ match: `${prefix}:*`, count: 1_000 })) {
    keys.push(...(page as string[]));
  }
  return [...new Set(keys)];
}

async function keptInRedis(prefix: string): Promise<Kept[]> {
  const { redis } = connected;
  const readers: Readonly<Record<string, (key: string) => Promise<unknown>>> = {
    string: (key) => redis.get(key),
    list: (key) => redis.lrange(key, 0, -1),
    hash: (key) => redis.hgetall(key),
    set: async (key) => (await redis.smembers(key)).toSorted(),
    zset: (key) => redis.zrangebyscore(key, "-inf", "+inf", "WITHSCORES"),
  };
  const keys = await keysOf(prefix);
  return Promise.all(
    keys.map(async (key): Promise<Kept> => {
      const [type, life] = await Promise.all([redis.type(key), redis.pttl(key)]);
      return [key, type, await readers[type]?.(key), expiryOf(life)];
    }),
  );
}

function sorted(kept: readonly Kept[]): Kept[] {
  return kept.toSorted(([left], [right]) => (left < right ? -1 : 1));
}

/** Runs all steps on both and compares each reply. */
async function compare(
  steps: readonly Step[],
  {
    real,
    inMemory,
    world,
  }: { readonly real: Store; readonly inMemory: Store; readonly world: World },
): Promise<void> {
  let pending: { readonly told: string; readonly reply: Promise<unknown>; mine: unknown }[] = [];
  const catchUp = async (): Promise<void> => {
    const replies = await Promise.all(pending.map(({ reply }) => reply));
    for (const [index, { told, mine }] of pending.entries()) {
      expect({ told, reply: mine }).toEqual({ told, reply: replies[index] });
    }
    pending = [];
  };
  for (const { name, detail, trips, run, learn } of steps) {
    if (trips === "more") await catchUp();
    // Its commands leave now, in the state of the world before the step.
    const reply = replyOf(run(real, world));
    if (trips === "more") await reply;
    const mine = await replyOf(run(inMemory, world));
    pending.push({ told: `${name} ${JSON.stringify(detail)}`, reply, mine });
    learn(world, mine);
  }
  await catchUp();
}

test(
  "a store over the Redis in memory replies and keeps what one over a real Redis does",
  async () => {
    const property = fc.asyncProperty(
      fc.oneof(
        { arbitrary: fc.array(step, { minLength: 1, maxLength: 60, size: "max" }), weight: 3 },
        {
          arbitrary: fc.array(limiterStep, { minLength: 1, maxLength: 40, size: "max" }),
          weight: 1,
        },
      ),
      fc.integer({ min: 1, max: 2 }),
      async (steps, shards) => {
        const layout = { prefix: `mem${randomUUID().slice(0, 8)}`, shards };
        const memory = new MemoryRedis(() => world.now);
        const textOf = (itemId: string): string | undefined =>
          (memory.call("get", [`${itemPrefix(layout, itemId)}a:${itemId}`]) as string | null) ??
          undefined;
        const world: World = { textOf, now: NOW, revision: 1, lanes: [], grantedIn: 0 };
        const real: Store = { redis: onClock(connected.redis, () => world.now), layout };
        const carry = async (name: string, args: readonly (string | number)[]): Promise<unknown> =>
          memory.call(name, args);
        const inMemory: Store = { redis: memoryCommands(carry), layout };
        try {
          await Promise.all([recordServer(real), recordServer(inMemory)]);
          await compare(steps, { real, inMemory, world });
          const isServer = ([key]: Kept): boolean => key.endsWith("}:server");
          const kept = keptInMemory(memory, world.now).filter((each) => !isServer(each));
          const expected = (await keptInRedis(layout.prefix)).filter((each) => !isServer(each));
          expect(sorted(kept)).toEqual(sorted(expected));
        } finally {
          const keys = await keysOf(layout.prefix);
          if (keys.length > 0) await connected.redis.unlink(...keys);
        }
      },
    );
    await fc.assert(property, { numRuns: RUNS, interruptAfterTimeLimit: SEARCH_MS });
  },
  SEARCH_MS + 20_000,
);
