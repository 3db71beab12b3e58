/**
 * Turns that one process at a time takes, and that may be put off: who polls a marketplace account.
 *
 * Always true: a turn whose holder died is free again when its lease has passed. A holder that was paused
 * for longer goes on beside its successor, so what is done in a turn must be harmless twice.
 */
import type { RedisCommands } from "./commands.ts";
import { takeLookScript } from "./scripts.ts";

export interface TurnLease {
  readonly key: string;
  readonly leaseMs: number;
}

/** False while somebody holds the turn, or it is put off. `now` in ms, by the store's clock as everywhere. */
export async function takeTurn(
  redis: RedisCommands,
  { key, leaseMs }: TurnLease,
  now: number,
): Promise<boolean> {
  return (await takeLookScript.run(redis, key, [now, leaseMs])) === 1;
}

export async function keepTurn(
  redis: RedisCommands,
  { key }: TurnLease,
  now: number,
): Promise<void> {
  await redis.set(key, now);
}

/** Nobody has the turn, nor takes it before `until`, ms. */
export async function endTurn(
  redis: RedisCommands,
  { key, leaseMs }: TurnLease,
  until: number,
): Promise<void> {
  await redis.set(key, until - leaseMs);
}

/** How often in a row turns have failed; 0 starts anew. */
export async function readFailures(redis: RedisCommands, { key }: TurnLease): Promise<number> {
  return Number((await redis.get(`${key}:failed`)) ?? 0);
}

export async function saveFailures(
  redis: RedisCommands,
  { key }: TurnLease,
  failures: number,
): Promise<void> {
  await redis.set(`${key}:failed`, failures);
}
