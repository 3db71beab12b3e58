/** How a signature that came is compared with the one that it should be. */
import { timingSafeEqual } from "node:crypto";

/**
 * As texts, so that no second spelling of the same bytes passes. Takes as long for a signature that is
 * nearly right as for one that is quite wrong.
 */
export function isSameText(given: string, expected: string): boolean {
  const left = Buffer.from(given);
  const right = Buffer.from(expected);
  // timingSafeEqual throws on unequal lengths, which would tell a stranger more than "no".
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Whether one of the signatures that came is one of those that the active secrets make. */
export function isAnySame(given: readonly string[], expected: readonly string[]): boolean {
  return expected.some((right) => given.some((left) => isSameText(left, right)));
}
