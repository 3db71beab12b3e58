/** Stretches of time, so that many moments can be asked about without looking at all of them. */

export interface Window {
  /** ms. */
  readonly from: number;
  /** ms, included. */
  readonly to: number;
}

/** Whether one of the windows meets the stretch from `from` to `to`, both included. */
export type MeetsWindow = (from: number, to: number) => boolean;

export function meetsOneOf(windows: readonly Window[]): MeetsWindow {
  const byBegin = windows.toSorted((left, right) => left.from - right.from);
  // Up to each place, how far the windows reach that have begun by then.
  const reach: number[] = [];
  for (const { to } of byBegin) reach.push(Math.max(to, reach.at(-1) ?? -Infinity));
  return (from, to) => {
    const begun = countBegun(byBegin, to);
    return begun > 0 && (reach[begun - 1] ?? -Infinity) >= from;
  };
}

function countBegun(byBegin: readonly Window[], by: number): number {
  let [low, high] = [0, byBegin.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((byBegin[middle]?.from ?? Infinity) <= by) low = middle + 1;
    else high = middle;
  }
  return low;
}
