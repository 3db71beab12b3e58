/**
 * How durations spread. Exact: a percentile is a duration that occurred (nearest rank), so all of them are
 * kept and sorted. A number takes 8 bytes, and a million are sorted in a tenth of a second.
 */

/** All `null` when n is 0. */
export interface Spread {
  readonly n: number;
  readonly meanMs: number | null;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p95Ms: number | null;
}

export function spreadOf(durations: readonly number[]): Spread {
  const n = durations.length;
  if (n === 0) return { n, meanMs: null, p50Ms: null, p90Ms: null, p95Ms: null };
  const sorted = Float64Array.from(durations).sort();
  // A sum of a million whole milliseconds is still an exact number.
  const sum = sorted.reduce((total, ms) => total + ms, 0);
  return {
    n,
    meanMs: sum / n,
    p50Ms: nearestRank(sorted, 50),
    p90Ms: nearestRank(sorted, 90),
    p95Ms: nearestRank(sorted, 95),
  };
}

/** The smallest value that at least so many percent do not exceed. */
function nearestRank(sorted: Float64Array, percent: number): number {
  return sorted[Math.ceil((percent * sorted.length) / 100) - 1] ?? Number.NaN;
}
