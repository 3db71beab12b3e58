/**
 * The deployment's clock: Redis' own, followed by every process. Leases, timers and the order of a journal
 * are compared between processes, whose clocks need not agree; one that is seconds ahead would take over
 * what another is still sending, and fire timers early.
 *
 * Between two looks the process' monotonic clock goes on from the last one, so that no step of the wall
 * clock is seen. The error is half a round trip at most, plus the drift of some seconds.
 */
import type { RedisCommands } from "./commands.ts";

export interface StoreClock {
  /** ms since the epoch, with fractions cut off. */
  readonly now: () => number;
  readonly close: () => void;
}

/** Looks at Redis' clock so often, ms. A process that was suspended is wrong for as long. */
const LOOK_EVERY_MS = 2_000;

/** What a look that took this long tells is taken as it is; a longer one only corrects what it proves, ms. */
const ROUND_TRIP_MAX_MS = 50;

/** Looks of a process that starts: over a slow connection the best of them is taken. */
const FIRST_LOOKS_MAX = 5;

interface Look {
  readonly aheadMs: number;
  readonly tookMs: number;
}

/** `elapsed` is a clock that never goes back, ms. */
export async function openStoreClock(
  redis: Pick<RedisCommands, "time">,
  elapsed: () => number = () => performance.now(),
): Promise<StoreClock> {
  let { aheadMs } = await firstLook(redis, elapsed);
  let isLooking = false;
  const lookAgain = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    try {
      const seen = await look(redis, elapsed);
      const isProven = Math.abs(seen.aheadMs - aheadMs) > seen.tookMs / 2 + ROUND_TRIP_MAX_MS;
      if (isProven || seen.tookMs <= ROUND_TRIP_MAX_MS) ({ aheadMs } = seen);
    } catch {
      // A Redis that is away is looked at next time; until then the clock goes on by itself.
    } finally {
      isLooking = false;
    }
  };
  const looks = setInterval(() => void lookAgain(), LOOK_EVERY_MS);
  looks.unref();
  return { now: () => Math.floor(elapsed() + aheadMs), close: () => clearInterval(looks) };
}

/** A process may start while Redis is away: the look that waited for it is wrong by half of the wait. */
async function firstLook(redis: Pick<RedisCommands, "time">, elapsed: () => number): Promise<Look> {
  let best = await look(redis, elapsed);
  for (let tries = 1; tries < FIRST_LOOKS_MAX && best.tookMs > ROUND_TRIP_MAX_MS; tries += 1) {
    const next = await look(redis, elapsed);
    if (next.tookMs < best.tookMs) best = next;
  }
  return best;
}

/** Redis answered somewhere between asking and hearing: the middle is wrong by half of that at most. */
async function look(redis: Pick<RedisCommands, "time">, elapsed: () => number): Promise<Look> {
  const before = elapsed();
  const [seconds, microseconds] = await redis.time();
  const after = elapsed();
  const there = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
  return { aheadMs: there - (before + after) / 2, tookMs: after - before };
}
