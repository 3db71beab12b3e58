/** lua/take-look.lua, lua/find-overdue.lua and lua/find-settled.lua in TypeScript. All there is is one page. */
import type { DataCommands } from "./data-commands.ts";

export function takeLook(redis: DataCommands, key: string, args: readonly string[]): number {
  const [now = "", everyMs = ""] = args;
  const last = Number(redis.get(key) ?? "0");
  if (last > Number(now) - Number(everyMs)) return 0;
  redis.set(key, now);
  return 1;
}

export function findOverdue(redis: DataCommands, p: string, args: readonly string[]): string[] {
  const [channel = "", state = "", , , latest = ""] = args;
  const key = `${p}${state}:${channel}`;
  const items = state === "blocked" ? fieldsOf(redis, key) : redis.zrevrange(key, 0, -1);
  const found = items.flatMap((item) => {
    if (redis.hexists(`${p}lagging:${channel}`, item) === 1) return [];
    const [effect] = redis.lrange(`${p}out:${channel}:${item}`, 0, 0);
    const [, decidedAt = ""] = effect?.split(" ", 2) ?? [];
    return effect !== undefined && Number(decidedAt) <= Number(latest) ? [item, effect] : [];
  });
  return ["0", ...found];
}

export function findSettled(redis: DataCommands, p: string, args: readonly string[]): string[] {
  const [channel = ""] = args;
  const lagging = `${p}lagging:${channel}`;
  const found = fieldsOf(redis, lagging).flatMap((item) => {
    const record = redis.hget(lagging, item) ?? "";
    const [effect = ""] = redis.lrange(`${p}out:${channel}:${item}`, 0, 0);
    const isFirst = effect.includes(`"id":${record.slice(record.indexOf(" ") + 1)}`);
    if (record.startsWith("told ") && isFirst) return [];
    return [item, record, isFirst ? effect : ""];
  });
  return ["0", ...found];
}

function fieldsOf(redis: DataCommands, key: string): string[] {
  return redis.hgetall(key).filter((_, index) => index % 2 === 0);
}
