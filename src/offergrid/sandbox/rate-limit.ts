/**
 * Requests per API key and window, in the two ways such limits are commonly built. A refused
 * request does not count, so a client that waits as told always gets through.
 */
export interface RateWindow {
  /** Times of the admitted requests in the window, in ms, oldest first; at most `limit` of them. */
  readonly admittedAt: number[];
}

export interface RateRule {
  readonly limit: number;
  readonly windowMs: number;
  readonly style: "fixed" | "sliding";
}

export interface RateVerdict {
  readonly outcome: "admitted" | "limited";
  readonly remaining: number;
  /** When room comes back, in ms since the epoch. */
  readonly resetAt: number;
}

/** Counts one request at `now` (ms since the epoch) against the window of its key. */
export function countRequest(window: RateWindow, rule: RateRule, now: number): RateVerdict {
  const { admittedAt } = window;
  const fixedStart = Math.floor(now / rule.windowMs) * rule.windowMs;
  const opensAfter = rule.style === "fixed" ? fixedStart - 1 : now - rule.windowMs;
  const firstKept = admittedAt.findIndex((at) => at > opensAfter);
  admittedAt.splice(0, firstKept === -1 ? admittedAt.length : firstKept);

  const outcome = admittedAt.length < rule.limit ? "admitted" : "limited";
  if (outcome === "admitted") admittedAt.push(now);
  const windowStart = rule.style === "fixed" ? fixedStart : (admittedAt[0] ?? now);
  return {
    outcome,
    remaining: Math.max(0, rule.limit - admittedAt.length),
    resetAt: windowStart + rule.windowMs,
  };
}
