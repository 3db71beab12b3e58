/** lua/feed.lua in TypeScript. */
import type { DataCommands } from "./data-commands.ts";

const FEED_RECORDS = 10_000;

/** `grown`: item and what happened to its journal, in turn. */
export function tellFeed(redis: DataCommands, p: string, grown: readonly string[]): void {
  if (grown.length === 0) return;
  redis.xadd(`${p}feed`, "MAXLEN", "~", FEED_RECORDS, "*", ...grown);
}
