/** lua/append-audit.lua in TypeScript. */
import type { DataCommands } from "./data-commands.ts";

export function appendAudit(
  redis: DataCommands,
  key: string,
  args: readonly string[],
): number | string {
  const [follows = "", entry = "", request, field = "", value = "", keptForMs = ""] = args;
  const [last = ""] = redis.lrange(key, -1, -1);
  if (last !== follows) return last;
  if (request !== undefined) {
    const kept = `${key}:{${key}}:${request}`;
    if (redis.hexists(kept, field) === 1) return 0;
    redis.hset(kept, field, value);
    redis.pexpire(kept, keptForMs);
  }
  redis.rpush(key, entry);
  return 1;
}
