/** lua/hasten-lane.lua in TypeScript. */
import type { DataCommands } from "./data-commands.ts";
import { tellFeed } from "./feed.ts";

export function hastenLane(redis: DataCommands, p: string, args: readonly string[]): number {
  const [channel = "", item = "", firstId = "", leftOut = "", ...entries] = args;
  const out = `${p}out:${channel}:${item}`;
  const attempts = `${p}attempt:${channel}`;
  if (idOf(redis.lrange(out, 0, 0)[0]) !== firstId) return 0;
  if (redis.zrem(`${p}later:${channel}`, item) === 0) return 0;
  if (leftOut !== "0") {
    redis.ltrim(out, leftOut, -1);
    const attempt = redis.hget(attempts, item);
    if (attempt !== null) redis.hset(attempts, item, attempt.replace(/^\d+/, "0"));
  }
  if (entries.length > 0) {
    const length = redis.rpush(`${p}j:${item}`, ...entries);
    tellFeed(redis, p, [item, `${length} ${entries.length}`]);
  }
  if (redis.llen(out) > 0) {
    redis.zadd(`${p}ready:${channel}`, 0, item);
  } else {
    redis.hdel(attempts, item);
    redis.hdel(`${p}look:${channel}`, item);
  }
  return 1;
}

function idOf(effect: string | undefined): string | undefined {
  const json = /\{.*/s.exec(effect ?? "")?.[0];
  return json === undefined ? undefined : (JSON.parse(json) as { readonly id: string }).id;
}
