/**
 * One limiter per marketplace account, shared by all processes through Redis: every request with
 * the account's API key takes a permit first, a push and a poll alike.
 *
 * Always true: no 60 seconds, wherever they begin, hold more permits than the limit, by Redis's
 * clock alone (take-permits.lua). What the network does to requests after their permits is not in
 * our hands, so a limit is configured a little below the marketplace's own. Lesser classes cannot
 * use the whole window, so an urgent push finds room even behind a backlog. A hold outlives every
 * process. A process that dies with permits in hand costs the account those permits for a window.
 *
 * The caller names the key, like `ow:{acct:<name>}:limit`; it is the only key that is touched.
 */
import type { RedisCommands } from "./commands.ts";
import { pauseAccountScript, takePermitsScript } from "./scripts.ts";

/** The marketplace counts by the minute. Its hourly limit is looser than 60 of its minutes. */
const WINDOW_SECONDS = 60;

/** Who asks. `urgent` may use the whole window, the others leave a share of it free. `poll` looks for what is
 * new, `drift` compares everything and is in no hurry: pushes keep half of the window beside it. */
export type PermitClass = "urgent" | "routine" | "poll" | "drift";

/** Share of the window that a class must leave to those above it, in percent. */
const RESERVE_PERCENT: Readonly<Record<PermitClass, number>> = {
  urgent: 0,
  routine: 10,
  poll: 30,
  drift: 60,
};

export interface PermitRequest {
  /** Requests per minute of the account, at least 1; null when it has no limit. */
  readonly limit: number | null;
  /** How many requests the caller has to make now, at least 1. */
  readonly want: number;
  readonly class: PermitClass;
}

export type PermitGrant =
  | {
      readonly outcome: "granted";
      /** 1 to `want`. */
      readonly permits: number;
      /** Unix second they are counted in, for `giveBackPermits`. */
      readonly second: number;
      /** Until the next permit can be had; 0 when all that were wanted are granted. */
      readonly retryAfterMs: number;
    }
  | { readonly outcome: "wait"; readonly retryAfterMs: number }
  /** Until an operator releases the account. */
  | { readonly outcome: "held"; readonly reason: string };

export interface LimiterState {
  /** Permits in the window that ends now; 0 when there is no limit, as none are counted. */
  readonly used: number;
  readonly limit: number | null;
  readonly heldReason?: string;
  /** Unix ms by Redis's clock. */
  readonly pausedUntilMs?: number;
}

/** One round trip, also for an account without a limit: a hold or a pause binds it too. */
export async function takePermits(
  redis: RedisCommands,
  key: string,
  request: PermitRequest,
): Promise<PermitGrant> {
  const reply = await runTake(redis, key, {
    ceiling: request.limit === null ? null : ceilingOf(request.limit, request.class),
    want: request.want,
  });
  const { granted: permits, second, retryAfterMs, held } = reply;
  if (held !== null) return { outcome: "held", reason: held };
  return permits === 0
    ? { outcome: "wait", retryAfterMs }
    : { outcome: "granted", permits, second, retryAfterMs };
}

/** For permits that turned out not to be needed. A request that was sent has used its permit,
 * whatever came back. */
export async function giveBackPermits(
  redis: RedisCommands,
  key: string,
  { permits, second }: { readonly permits: number; readonly second: number },
): Promise<void> {
  await redis.hincrby(key, String(second), -permits);
}

/** Nobody gets a permit for `pauseMs`, because the marketplace asked so. Returns its end, unix ms. */
export async function pauseAccount(
  redis: RedisCommands,
  key: string,
  pauseMs: number,
): Promise<number> {
  return Number(await pauseAccountScript.run(redis, key, [Math.ceil(pauseMs)]));
}

/** Nobody gets a permit until `releaseAccount`. `reason` is shown to the operator. */
export async function holdAccount(
  redis: RedisCommands,
  key: string,
  reason: string,
): Promise<void> {
  await redis.hset(key, "held", reason);
}

export async function releaseAccount(
  redis: RedisCommands,
  key: string,
): Promise<"released" | "not-held"> {
  return (await redis.hdel(key, "held")) === 1 ? "released" : "not-held";
}

export async function limiterState(
  redis: RedisCommands,
  key: string,
  limit: number | null,
): Promise<LimiterState> {
  const { used, held, pausedUntilMs } = await runTake(redis, key, { ceiling: limit, want: 0 });
  return {
    used: limit === null ? 0 : used,
    limit,
    ...(held !== null && { heldReason: held }),
    ...(pausedUntilMs > 0 && { pausedUntilMs }),
  };
}

/** Rounded in the class's favour: a limit below 10 has no reserve for routine pushes. */
function ceilingOf(limit: number, permitClass: PermitClass): number {
  return limit - Math.floor((limit * RESERVE_PERCENT[permitClass]) / 100);
}

interface TakeReply {
  readonly granted: number;
  readonly retryAfterMs: number;
  readonly used: number;
  readonly second: number;
  readonly pausedUntilMs: number;
  readonly held: string | null;
}

async function runTake(
  redis: RedisCommands,
  key: string,
  { ceiling, want }: { readonly ceiling: number | null; readonly want: number },
): Promise<TakeReply> {
  const [granted, retryAfterMs, used, second, pausedUntilMs, held] = (await takePermitsScript.run(
    redis,
    key,
    [ceiling ?? -1, want, WINDOW_SECONDS],
  )) as [number, number, number, number, number, string | null];
  return { granted, retryAfterMs, used, second, pausedUntilMs, held };
}
