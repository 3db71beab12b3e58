/**
 * Lanes whose first effect has waited for long, and which of them are recorded: of a recorded one the item's
 * clocks have been told, or are being told. Most lanes of a long outage are, and looking past them is cheap.
 *
 * Always true: a record names the effect that it is about, so it is known to be outdated once that effect is
 * settled, whatever waits behind it.
 */
import type { OutboxEffect } from "../core/decision.ts";
import { itemPrefix, lookedKey, shardPrefix } from "./keys.ts";
import type { LaneAddress } from "./outbox-store.ts";
import { findOverdueScript, findSettledScript, type Script, takeLookScript } from "./scripts.ts";
import { isKeyMissing } from "./seal.ts";
import { openEffect } from "./sealed-texts.ts";
import type { Store } from "./store.ts";

/** Lanes looked at in one call: a millisecond or two of Redis. */
const PAGE_LANES = 250;

const LANE_STATES = ["ready", "later", "leased", "blocked"] as const;

export interface OverdueLane {
  readonly itemId: string;
  /** The first of the lane. */
  readonly effect: OutboxEffect;
}

/** "telling": whoever began to tell the item's clocks may have died before they knew. */
export interface LagRecord {
  readonly state: "telling" | "told";
  readonly effectId: string;
}

export type OutdatedRecord = { readonly itemId: string } & (
  | { readonly kind: "telling"; readonly effect: OutboxEffect }
  /** The effect is not the lane's first any more. */
  | { readonly kind: "settled"; readonly effectId: string }
);

/** True for one of all who ask within an interval; times in ms. */
export async function takeLook(
  { redis, layout }: Store,
  { now, everyMs }: { readonly now: number; readonly everyMs: number },
): Promise<boolean> {
  return (await takeLookScript.run(redis, lookedKey(layout), [now, everyMs])) === 1;
}

/** Lanes without a record whose first effect was decided at `latest`, ms, or before. Pages may be empty; a
 * lane that is claimed or given back meanwhile may be missed, or come twice. */
export async function* overdueLanes(
  store: Store,
  address: LaneAddress,
  latest: number,
): AsyncGenerator<readonly OverdueLane[]> {
  for (const state of LANE_STATES) {
    const options = { before: [state], after: [latest] };
    for await (const fields of pagesOf(store, address, { script: findOverdueScript, ...options })) {
      yield inRows(fields, 2).flatMap(([itemId = "", text = ""]) => {
        const effect = openIfHeld(store, itemId, text);
        return effect === undefined ? [] : [{ itemId, effect }];
      });
    }
  }
}

/** Records that are not up to date. Pages may be empty, and a record may come twice. */
export async function* outdatedRecords(
  store: Store,
  address: LaneAddress,
): AsyncGenerator<readonly OutdatedRecord[]> {
  for await (const fields of pagesOf(store, address, { script: findSettledScript })) {
    yield inRows(fields, 3).flatMap(([itemId = "", record = "", text = ""]): OutdatedRecord[] => {
      if (text === "")
        return [{ kind: "settled", itemId, effectId: decodeRecord(record).effectId }];
      const effect = openIfHeld(store, itemId, text);
      return effect === undefined ? [] : [{ kind: "telling", itemId, effect }];
    });
  }
}

/** An item whose key is missing must not hide that the others are late. */
function openIfHeld(store: Store, itemId: string, text: string): OutboxEffect | undefined {
  try {
    return openEffect(store, itemId, text);
  } catch (error) {
    if (isKeyMissing(error)) return undefined;
    throw error;
  }
}

export async function recordLag(
  store: Store,
  { itemId, channel }: { readonly itemId: string; readonly channel: string },
  { state, effectId }: LagRecord,
): Promise<void> {
  const key = `${itemPrefix(store.layout, itemId)}lagging:${channel}`;
  // As it stands in the effect's own JSON, where the script looks for it.
  await store.redis.hset(key, itemId, `${state} ${JSON.stringify(effectId)}`);
}

export async function forgetLag(
  store: Store,
  { itemId, channel }: { readonly itemId: string; readonly channel: string },
): Promise<void> {
  await store.redis.hdel(`${itemPrefix(store.layout, itemId)}lagging:${channel}`, itemId);
}

interface PageOptions {
  readonly script: Script;
  /** Arguments before and after the page's own. */
  readonly before?: readonly string[];
  readonly after?: readonly number[];
}

async function* pagesOf(
  { redis, layout }: Store,
  { shard, channel }: LaneAddress,
  { script, before = [], after = [] }: PageOptions,
): AsyncGenerator<readonly string[]> {
  const prefix = shardPrefix(layout, shard);
  let cursor = "0";
  do {
    const args = [channel, ...before, cursor, PAGE_LANES, ...after];
    const [next = "0", ...fields] = (await script.run(redis, prefix, args)) as string[];
    yield fields;
    cursor = next;
  } while (cursor !== "0");
}

function inRows(fields: readonly string[], width: number): string[][] {
  return Array.from({ length: fields.length / width }, (_, row) =>
    fields.slice(row * width, (row + 1) * width),
  );
}

function decodeRecord(text: string): LagRecord {
  const space = text.indexOf(" ");
  return {
    state: text.slice(0, space) as LagRecord["state"],
    effectId: JSON.parse(text.slice(space + 1)) as string,
  };
}
