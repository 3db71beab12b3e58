/**
 * How long the marketplace heard nothing although there was always something to tell: what a fault means
 * to those outside. Pure.
 */
import type { FaultRecord } from "../history/history.ts";

export interface Silence {
  readonly faults: number;
  /** Of the longest silence in each fault and just after it, ms. */
  readonly medianMs: number;
  readonly maxMs: number;
}

/** What a fault held up, a lease that has to end say, can begin this long after it, ms. */
const AFTER_MS = 3_000;

/** By kind of fault. `heardAt`: when each request came, ms, in order. */
export function silencesOf(
  faults: readonly FaultRecord[],
  heardAt: readonly number[],
): Readonly<Record<string, Silence>> {
  const byKind = new Map<string, number[]>();
  for (const fault of faults) {
    const lengths = byKind.get(fault.kind) ?? [];
    lengths.push(longestIn(heardAt, fault.from, fault.to + AFTER_MS));
    byKind.set(fault.kind, lengths);
  }
  return Object.fromEntries([...byKind].map(([kind, lengths]) => [kind, summaryOf(lengths)]));
}

/** The longest of the silences that begin there. */
function longestIn(heardAt: readonly number[], from: number, to: number): number {
  let longest = 0;
  for (const [index, at] of heardAt.entries()) {
    const next = heardAt[index + 1];
    if (at < from || at > to || next === undefined) continue;
    longest = Math.max(longest, next - at);
  }
  return longest;
}

function summaryOf(lengths: readonly number[]): Silence {
  const sorted = lengths.toSorted((left, right) => left - right);
  return {
    faults: lengths.length,
    medianMs: sorted[Math.floor((sorted.length - 1) / 2)] ?? 0,
    maxMs: sorted.at(-1) ?? 0,
  };
}
