/** lua/settle-lanes.lua in TypeScript. */
import type { DataCommands } from "./data-commands.ts";
import { tellFeed } from "./feed.ts";
import { laneScore } from "./lane-score.ts";
import { ownerOf } from "./lanes.ts";
import { readArguments, type ScriptArguments } from "./script-arguments.ts";

/** One lane's part of the arguments, in their order. */
interface LaneEnding {
  readonly item: string;
  readonly owner: string;
  readonly verb: string;
  readonly dropped: number;
  readonly note: string;
  readonly notBefore: string;
  readonly deadId: string;
  readonly deadText: string;
  readonly entries: readonly string[];
}

interface Channel {
  readonly redis: DataCommands;
  /** Of its shard's keys. */
  readonly p: string;
  readonly channel: string;
  readonly now: string;
  /** Items whose journals grew, and how, in turn. */
  readonly grown: string[];
}

export function settleLanes(redis: DataCommands, p: string, args: readonly string[]): number[] {
  const [channel = "", now = "", count] = args;
  const reader = readArguments(args, 3);
  const grown: string[] = [];
  const results = Array.from({ length: Number(count) }, () =>
    settleLane({ redis, p, channel, now, grown }, readLane(reader)),
  );
  tellFeed(redis, p, grown);
  return results;
}

/** An object's properties are evaluated in the order they are written in. */
function readLane({ take, takeList }: ScriptArguments): LaneEnding {
  return {
    item: take(),
    owner: take(),
    verb: take(),
    dropped: Number(take()),
    note: take(),
    notBefore: take(),
    deadId: take(),
    deadText: take(),
    entries: takeList(),
  };
}

function settleLane(place: Channel, lane: LaneEnding): number {
  const { redis, p, channel } = place;
  const { item, dropped, entries } = lane;
  const leased = `${p}leased:${channel}`;
  const holder = ownerOf(redis.hget(`${p}attempt:${channel}`, item) ?? "");
  if (holder !== lane.owner || redis.zscore(leased, item) === null) return 0;

  if (dropped > 0) redis.ltrim(`${p}out:${channel}:${item}`, dropped, -1);
  if (entries.length > 0) {
    place.grown.push(item, `${redis.rpush(`${p}j:${item}`, ...entries)} ${entries.length}`);
  }
  redis.zrem(leased, item);
  if (lane.verb === "again") putOff(place, lane);
  else if (lane.verb === "block") block(place, lane);
  else goOn(place, lane);
  return 1;
}

function putOff(place: Channel, { item, note, notBefore }: LaneEnding): void {
  const { redis, p, channel } = place;
  remember(place, item, note);
  redis.zadd(`${p}later:${channel}`, notBefore, item);
}

/** What "again" calls `notBefore` is the attempt to remember here. */
function block(place: Channel, lane: LaneEnding): void {
  const { redis, p, channel, now } = place;
  const { item, note, notBefore: attempt, deadId, deadText } = lane;
  remember(place, item, attempt);
  redis.hset(`${p}blocked:${channel}`, item, note);
  redis.zadd(`${p}dead`, now, deadId);
  redis.hset(`${p}deadletters`, deadId, deadText);
}

function goOn(place: Channel, { item, note }: LaneEnding): void {
  const { redis, p, channel } = place;
  const effects = redis.lrange(`${p}out:${channel}:${item}`, 0, 31);
  remember(place, item, effects.length > 0 ? note : "");
  if (effects.length > 0) redis.zadd(`${p}ready:${channel}`, laneScore(effects), item);
  else redis.hdel(`${p}look:${channel}`, item);
}

function remember({ redis, p, channel }: Channel, item: string, attempt: string): void {
  if (attempt === "") redis.hdel(`${p}attempt:${channel}`, item);
  else redis.hset(`${p}attempt:${channel}`, item, attempt);
}
