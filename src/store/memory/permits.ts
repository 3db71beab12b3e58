/** lua/take-permits.lua and lua/pause-account.lua in TypeScript. */
import type { DataCommands } from "./data-commands.ts";

/** What the account's hash says of the window that ends now. */
interface Account {
  readonly held: string | null;
  readonly pausedUntilMs: number;
  readonly used: number;
  /** Permits granted by second. */
  readonly counts: Map<number, number>;
}

interface Clock {
  readonly now: number;
  readonly nowMs: number;
}

interface Wish {
  readonly ceiling: number;
  readonly want: number;
  readonly window: number;
}

/** Granted, retryAfterMs, used, second, pausedUntilMs, held. */
type Grant = [number, number, number, number, number, string | null];

export function takePermits(redis: DataCommands, key: string, args: readonly string[]): Grant {
  const [ceiling, want, window] = args.map(Number);
  const wish = { ceiling: ceiling ?? 0, want: want ?? 0, window: window ?? 0 };
  const clock = readClock(redis);
  const account = readAccount({ redis, key }, clock, wish.window);
  const { held, pausedUntilMs, counts } = account;

  const granted = grantOf(account, wish);
  const isCounted = granted > 0 && wish.ceiling >= 0;
  const used = account.used + (isCounted ? granted : 0);
  if (isCounted) {
    const count = (counts.get(clock.now) ?? 0) + granted;
    counts.set(clock.now, count);
    redis.hset(key, String(clock.now), count);
  }
  const retryAfterMs = granted < wish.want ? waitOf({ ...account, used }, clock, wish) : 0;
  return [granted, retryAfterMs, used, clock.now, pausedUntilMs, held];
}

export function pauseAccount(redis: DataCommands, key: string, args: readonly string[]): number {
  const { nowMs } = readClock(redis);
  const earlierMs = Number(redis.hget(key, "pausedUntilMs") ?? 0);
  const untilMs = Math.max(earlierMs, nowMs + Number(args[0]));
  redis.hset(key, "pausedUntilMs", untilMs);
  return untilMs;
}

function readClock(redis: DataCommands): Clock {
  const [seconds, microseconds] = redis.time();
  const now = Number(seconds);
  return { now, nowMs: now * 1_000 + Math.floor(Number(microseconds) / 1_000) };
}

function readAccount(
  { redis, key }: { readonly redis: DataCommands; readonly key: string },
  { now, nowMs }: Clock,
  window: number,
): Account {
  const fields = redis.hgetall(key);
  const counts = new Map<number, number>();
  const expired: string[] = [];
  let held: string | null = null;
  let pausedUntilMs = 0;
  let used = 0;
  for (let index = 0; index < fields.length; index += 2) {
    const [name = "", value = ""] = fields.slice(index, index + 2);
    const second = Number(name);
    if (name === "held") {
      held = value;
    } else if (name === "pausedUntilMs") {
      pausedUntilMs = Number(value);
    } else if (second < now - window || second > now + window) {
      expired.push(name);
    } else {
      counts.set(second, Math.max(0, Number(value)));
      used += counts.get(second) ?? 0;
    }
  }
  if (pausedUntilMs !== 0 && pausedUntilMs <= nowMs) {
    pausedUntilMs = 0;
    expired.push("pausedUntilMs");
  }
  redis.hdel(key, ...expired);
  return { held, pausedUntilMs, used, counts };
}

function grantOf({ held, pausedUntilMs, used }: Account, { ceiling, want }: Wish): number {
  if (held !== null || pausedUntilMs !== 0) return 0;
  return ceiling >= 0 ? Math.min(want, Math.max(0, ceiling - used)) : want;
}

function waitOf(account: Account, { nowMs }: Clock, { ceiling, window }: Wish): number {
  const { pausedUntilMs, used, counts } = account;
  const paused = Math.max(0, pausedUntilMs - nowMs);
  let surplus = used + 1 - ceiling;
  if (ceiling < 0 || surplus <= 0) return paused;
  for (const [second, count] of [...counts].toSorted(([left], [right]) => left - right)) {
    surplus -= count;
    if (surplus <= 0) return Math.max(paused, (second + window + 1) * 1_000 - nowMs);
  }
  return paused;
}
