/** lua/bury.lua and lua/end-letter.lua in TypeScript. */
import type { DataCommands } from "./data-commands.ts";

export function bury(redis: DataCommands, p: string, args: readonly string[]): number {
  const [id = "", at = "", letter = ""] = args;
  redis.zadd(`${p}dead`, at, id);
  redis.hset(`${p}deadletters`, id, letter);
  return 1;
}

export function endLetter(redis: DataCommands, p: string, args: readonly string[]): number {
  const [id = ""] = args;
  redis.hdel(`${p}deadletters`, id);
  return redis.zrem(`${p}dead`, id);
}
