/**
 * What the marketplace can tell about the pushes it got: a pure reading of the request log, used to
 * show that updates arrived once and in order.
 */
import type { ItemStatus } from "../status-update.ts";
import { isStepBack } from "./item-status.ts";
import type { PushLogEntry } from "./push-log.ts";

export interface PushReport {
  /** PATCH requests received. */
  readonly pushes: number;
  /** Those that changed an item. */
  readonly applied: number;
  /** Applied although the same item had already taken the same idempotency key. */
  readonly duplicates: number;
  /** Applied although the item was already further along. */
  readonly outOfOrder: number;
  /** Applied without an idempotency key: duplicates among these cannot be seen. */
  readonly withoutKey: number;
  /** Per item, the statuses applied, in order of arrival. */
  readonly sequences: ReadonlyMap<string, readonly ItemStatus[]>;
  /** Items whose sequence is not the expected one; empty when nothing was expected. */
  readonly mismatches: readonly Mismatch[];
}

export interface Mismatch {
  readonly itemId: string;
  readonly expected: readonly ItemStatus[];
  readonly got: readonly ItemStatus[];
}

/** `expected` names the exact sequence per item; items it does not name are not judged. */
export function pushReport(
  log: Iterable<PushLogEntry>,
  expected: ReadonlyMap<string, readonly ItemStatus[]> = new Map(),
): PushReport {
  const sequences = new Map<string, ItemStatus[]>();
  const keysSeen = new Map<string, Set<string>>();
  const counts = { pushes: 0, applied: 0, duplicates: 0, outOfOrder: 0, withoutKey: 0 };
  for (const entry of log) {
    counts.pushes += 1;
    if (!entry.applied || entry.status === undefined) continue;
    counts.applied += 1;
    const sequence = entryOf(sequences, entry.itemId, () => []);
    const last = sequence.at(-1);
    if (last !== undefined && isStepBack(last, entry.status)) counts.outOfOrder += 1;
    sequence.push(entry.status);
    if (entry.idempotencyKey === undefined) {
      counts.withoutKey += 1;
      continue;
    }
    const keys = entryOf(keysSeen, entry.itemId, () => new Set<string>());
    if (keys.has(entry.idempotencyKey)) counts.duplicates += 1;
    keys.add(entry.idempotencyKey);
  }
  return { ...counts, sequences, mismatches: mismatchesOf(sequences, expected) };
}

function mismatchesOf(
  sequences: ReadonlyMap<string, readonly ItemStatus[]>,
  expected: ReadonlyMap<string, readonly ItemStatus[]>,
): readonly Mismatch[] {
  return [...expected].flatMap(([itemId, wanted]) => {
    const got = sequences.get(itemId) ?? [];
    return got.join() === wanted.join() ? [] : [{ itemId, expected: wanted, got }];
  });
}

function entryOf<V>(map: Map<string, V>, key: string, create: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const created = create();
  map.set(key, created);
  return created;
}
