/** Two values that say the same as JSON: the order of keys and absent fields do not count. */
import { isDeepStrictEqual } from "node:util";
import { canonicalText } from "../core/canonical-json.ts";

export function isSameJson(left: unknown, right: unknown): boolean {
  // Most pairs are equal as they stand, which is cheaper to see than their texts are to write.
  return isDeepStrictEqual(left, right) || canonicalText(left) === canonicalText(right);
}
