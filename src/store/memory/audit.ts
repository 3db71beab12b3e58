/** lua/append-audit.lua in TypeScript. */
import type { DataCommands } from "./data-commands.ts";

export function appendAudit(
  redis: DataCommands,
  key: string,
  args: readonly string[],
): number | string {
  const [follows = "", entry = ""] = args;
  const [last = ""] = redis.lrange(key, -1, -1);
  if (last !== follows) return last;
  redis.rpush(key, entry);
  return 1;
}
