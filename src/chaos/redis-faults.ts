/**
 * The Redis of a run with what can be done to it, by the name of the fault: either one server behind a
 * proxy, or one with a replica behind Sentinels.
 */
import { setTimeout as delay } from "node:timers/promises";
import { isFaultKind, known, type FaultKind, type PlannedFault } from "./fault-plan.ts";
import { openRedisRig, type RedisRig } from "./redis-rig.ts";
import { openSentinelRig } from "./sentinel-rig.ts";

export type Durability = "always" | "everysec";

/** What a fault did beyond its time: since when acknowledged writes are gone, ms. */
export interface RedisDamage {
  readonly storeLostSince?: number;
}

export interface TestedRedis {
  /** Straight to it, for whoever watches. */
  readonly url: string;
  /** For everybody under test. */
  readonly testedUrl: string;
  /** Faults that it can suffer. */
  readonly kinds: readonly FaultKind[];
  /** Resolves when the fault is over and Redis takes commands again. */
  readonly suffer: (fault: PlannedFault) => Promise<RedisDamage>;
  readonly close: () => Promise<void>;
}

export async function openTestedRedis(
  kind: "single" | "sentinel",
  appendfsync: Durability,
): Promise<TestedRedis> {
  return kind === "sentinel" ? openWithSentinels() : openSingle(appendfsync);
}

/** Replies lost in one fault: each severs the connection that it was for. */
const REPLIES_LOST = 6;

/** Slowest way of a command to Redis and back again, ms. */
const SLOWEST_MS = 150;

type Suffering = (rig: RedisRig, fault: PlannedFault) => Promise<RedisDamage>;

const SUFFERINGS: Readonly<Partial<Record<FaultKind, Suffering>>> = {
  "kill-redis": async (rig, { lengthMs }) => {
    await rig.kill();
    await delay(lengthMs);
    await rig.start();
    return {};
  },
  "redis-forgets": async (rig, { lengthMs }) => {
    const { lostSince } = await rig.killAndForget();
    await delay(lengthMs);
    await rig.start();
    return { storeLostSince: lostSince };
  },
  "redis-cut": async ({ proxy }, { lengthMs }) => {
    proxy.cut();
    await delay(lengthMs);
    proxy.mend();
    return {};
  },
  "redis-slow": async ({ proxy }, { lengthMs, draw }) => {
    proxy.slow(Math.ceil((draw * SLOWEST_MS) / 2));
    await delay(lengthMs);
    proxy.slow(0);
    return {};
  },
  "redis-reply-lost": async ({ proxy }, { lengthMs }) => {
    // A script is what decides: a commit, a claim, a settlement, BullMQ's taking and ending of jobs.
    proxy.dropReplies(REPLIES_LOST, ([name = ""]) => name === "evalsha" || name === "eval");
    await delay(lengthMs);
    proxy.forget();
    return {};
  },
  "redis-full": async (rig, { lengthMs }) => {
    await rig.refuseWrites();
    await delay(lengthMs);
    await rig.acceptWrites();
    return {};
  },
  "redis-frozen": async (rig, { lengthMs }) => {
    rig.freeze();
    await delay(lengthMs);
    rig.thaw();
    return {};
  },
};

async function openSingle(appendfsync: Durability): Promise<TestedRedis> {
  const rig = await openRedisRig({ appendfsync });
  const kinds = Object.keys(SUFFERINGS).filter(isFaultKind);
  return {
    url: rig.url,
    testedUrl: rig.proxiedUrl,
    // With an fsync for every write, there is nothing that it could forget.
    kinds: kinds.filter((kind) => appendfsync === "everysec" || kind !== "redis-forgets"),
    suffer: async (fault) => known(SUFFERINGS, fault)(rig, fault),
    close: () => rig.close(),
  };
}

async function openWithSentinels(): Promise<TestedRedis> {
  const rig = await openSentinelRig();
  return {
    url: rig.url,
    testedUrl: rig.url,
    kinds: ["redis-failover"],
    suffer: async ({ lengthMs }) => {
      const { lostSince } = await rig.failOver();
      await delay(lengthMs);
      await rig.healOld();
      return { storeLostSince: lostSince };
    },
    close: () => rig.close(),
  };
}
