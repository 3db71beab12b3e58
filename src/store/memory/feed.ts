/** lua/feed.lua and lua/read-feed.lua in TypeScript. */
import type { DataCommands } from "./data-commands.ts";

const FEED_KEPT = 10_000;
const FEED_CUT_EVERY = 1_000;

/** `grown`: item and what happened to its journal, in turn. */
export function tellFeed(redis: DataCommands, p: string, grown: readonly string[]): void {
  if (grown.length === 0) return;
  const length = redis.rpush(`${p}feed`, grown.join("\n"));
  if (length < FEED_KEPT + FEED_CUT_EVERY) return;
  redis.ltrim(`${p}feed`, -FEED_KEPT, -1);
  redis.set(`${p}feedcut`, Number(redis.get(`${p}feedcut`) ?? 0) + length - FEED_KEPT);
}

export function readFeed(
  redis: DataCommands,
  p: string,
  [place = "", most = ""]: readonly string[],
): (string | number)[] {
  const feed = `${p}feed`;
  const cut = Number(redis.get(`${p}feedcut`) ?? 0);
  const last = cut + redis.llen(feed);
  const wanted = Number(place);
  if (wanted < 0 || wanted > last || (wanted <= cut && cut > 0)) {
    return ["end", last, redis.lrange(feed, -1, -1)[0] ?? ""];
  }
  const from = wanted - cut;
  const before = from > 0 ? (redis.lrange(feed, from - 1, from - 1)[0] ?? "") : "";
  return ["read", before, ...redis.lrange(feed, from, from + Number(most) - 1)];
}
