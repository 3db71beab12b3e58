import { setTimeout as delay } from "node:timers/promises";

export interface Patience {
  readonly timeoutMs?: number;
  readonly everyMs?: number;
}

/**
 * Tries `assertion` until it stops throwing, and returns what it returns; after `timeoutMs` (30 s) the
 * last failure is the test's failure.
 */
export async function eventually<Result>(
  assertion: () => Result | Promise<Result>,
  { timeoutMs = 30_000, everyMs = 10 }: Patience = {},
): Promise<Result> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() >= giveUpAt) throw error;
    }
    await delay(everyMs);
  }
}
