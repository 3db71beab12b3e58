/** The scripts about lanes, lua/claim-lanes.lua and its neighbours, in TypeScript; settling has its own file. */
import type { DataCommands } from "./data-commands.ts";
import { tellFeed } from "./feed.ts";
import { laneScore } from "./lane-score.ts";

interface Lane {
  readonly redis: DataCommands;
  /** Of its shard's keys. */
  readonly p: string;
  readonly channel: string;
  readonly item: string;
}

/** The owner in an attempt, as the scripts match it. */
export function ownerOf(attempt: string): string | undefined {
  return /^\d+ [A-Za-z]+ (.+)$/s.exec(attempt)?.[1];
}

export function claimLanes(redis: DataCommands, p: string, args: readonly string[]): string[][] {
  const [channel = "", now = "", leaseUntil = "", owner = "", wanted = "", ...limits] = args;
  const [effectsMax = 0, cautionMs = 0] = limits.map(Number);
  const isCautious = lookAtServer(redis, p, { now: Number(now), cautionMs });
  const ready = `${p}ready:${channel}`;
  const later = `${p}later:${channel}`;
  const effectsOf = (item: string): string[] =>
    redis.lrange(`${p}out:${channel}:${item}`, 0, effectsMax - 1);

  for (const item of redis.zrangebyscore(later, "-inf", now, "LIMIT", 0, wanted)) {
    redis.zrem(later, item);
    const effects = effectsOf(item);
    if (effects.length > 0) redis.zadd(ready, laneScore(effects), item);
  }

  const popped = redis.zpopmin(ready, wanted).filter((_, index) => index % 2 === 0);
  return popped.flatMap((item) => {
    const effects = effectsOf(item);
    if (effects.length === 0) return [];
    const before = beginAttempt({ redis, p, channel, item }, { owner, isCautious });
    redis.zadd(`${p}leased:${channel}`, leaseUntil, item);
    return [[item, before, ...effects]];
  });
}

/** Whether the shard is cautious: for a while after its first claim on a new server. */
function lookAtServer(
  redis: DataCommands,
  p: string,
  { now, cautionMs }: { readonly now: number; readonly cautionMs: number },
): boolean {
  const server = /run_id:(\w+)/.exec(redis.info())?.[1] ?? "";
  if (redis.get(`${p}server`) !== server) {
    redis.set(`${p}server`, server);
    redis.set(`${p}caution`, now + cautionMs);
  }
  return Number(redis.get(`${p}caution`) ?? "0") > now;
}

/** The attempt before, as the new owner must take it. */
function beginAttempt(
  { redis, p, channel, item }: Lane,
  { owner, isCautious }: { readonly owner: string; readonly isCautious: boolean },
): string {
  let before = redis.hget(`${p}attempt:${channel}`, item) ?? "";
  const made = Number(/^\d+/.exec(before)?.[0] ?? "0");
  if (redis.hdel(`${p}look:${channel}`, item) === 1) before = `${made} begun -`;
  if (isCautious) before = `${made} forgotten -`;
  redis.hset(`${p}attempt:${channel}`, item, `${made + 1} begun ${owner}`);
  return before;
}

export function recoverLanes(redis: DataCommands, p: string, args: readonly string[]): number[] {
  const [channel = "", now = ""] = args;
  const leased = `${p}leased:${channel}`;
  const ready = `${p}ready:${channel}`;
  const lost = redis.zrangebyscore(leased, "-inf", now, "LIMIT", 0, 1_000);
  for (const item of lost) {
    redis.zrem(leased, item);
    redis.zadd(ready, 0, item);
  }
  const waiting = redis.zcount(`${p}later:${channel}`, "-inf", now);
  const work = redis.zcard(ready) + waiting > 0;
  return [lost.length, work ? 1 : 0];
}

export function renewLeases(redis: DataCommands, p: string, args: readonly string[]): number[] {
  const [channel = "", leaseUntil = ""] = args;
  const kept: number[] = [];
  for (let index = 2; index < args.length; index += 2) {
    const item = args[index] ?? "";
    const holder = redis.hget(`${p}attempt:${channel}`, item);
    const isOurs =
      holder !== null &&
      ownerOf(holder) === args[index + 1] &&
      redis.zscore(`${p}leased:${channel}`, item) !== null;
    if (isOurs) redis.zadd(`${p}leased:${channel}`, leaseUntil, item);
    kept.push(isOurs ? 1 : 0);
  }
  return kept;
}

export function unblockLane(redis: DataCommands, p: string, args: readonly string[]): number {
  const [channel = "", item = "", deadId = "", leftOut = "", ...entries] = args;
  if (redis.hdel(`${p}blocked:${channel}`, item) === 0) return 0;
  const out = `${p}out:${channel}:${item}`;
  if (leftOut !== "0") redis.ltrim(out, leftOut, -1);
  if (entries.length > 0) {
    const length = redis.rpush(`${p}j:${item}`, ...entries);
    tellFeed(redis, p, [item, `${length} ${entries.length}`]);
  }
  redis.zrem(`${p}dead`, deadId);
  redis.hdel(`${p}deadletters`, deadId);
  if (redis.llen(out) > 0) redis.zadd(`${p}ready:${channel}`, 0, item);
  return 1;
}
