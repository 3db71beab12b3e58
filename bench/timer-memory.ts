/** Where the memory of a waiting item goes: by the kinds of keys it has, and by its clocks. */
import type { Redis } from "ioredis";
import { decodeActor } from "../src/core/actor.ts";
import { EMPTY_LEDGER } from "../src/core/clock-ledger.ts";
import { packLedger } from "../src/core/clock-ledger-codec.ts";
import { allShards, itemPrefix, type Layout, shardPrefix } from "../src/store/keys.ts";
import type { Waiting } from "./timer-population.ts";

/** Items whose own keys are weighed; they are all alike. */
const SAMPLE_ITEMS = 500;

/** Bytes of one item. */
export interface ItemMemory {
  /** All that Redis needs for it. */
  readonly total: number;
  readonly actor: number;
  readonly journal: number;
  /** Identities of its events, until they expire. */
  readonly marks: number;
  /** Its place in the index of due times. */
  readonly due: number;
  /** Its place in the index of statuses. */
  readonly status: number;
  /** The index of its order. */
  readonly order: number;
  /** The rest of the total: Redis' table of keys above all. */
  readonly table: number;
  /** Of the actor: what its ledger takes, and how many clocks are open in it. */
  readonly ledgerInActor: number;
  readonly clocks: number;
}

export async function weigh(
  { redis, layout }: { readonly redis: Redis; readonly layout: Layout },
  items: readonly Waiting[],
  usedBytes: number,
): Promise<ItemMemory> {
  const step = Math.max(1, Math.floor(items.length / SAMPLE_ITEMS));
  const sample = items.filter((_, index) => index % step === 0).map(([itemId]) => itemId);
  const perItem = async (kind: string): Promise<number> =>
    meanOf(
      await Promise.all(
        sample.map((id) => sizeOf(redis, `${itemPrefix(layout, id)}${kind}:${id}`)),
      ),
    );
  const shared = async (key: string): Promise<number> => {
    const keys = allShards(layout).map((shard) => `${shardPrefix(layout, shard)}${key}`);
    const sizes = await Promise.all(keys.map((each) => sizeOf(redis, each)));
    return sizes.reduce((sum, bytes) => sum + bytes, 0) / items.length;
  };
  const orders = await Promise.all(
    sample.map((id) => sizeOf(redis, `${itemPrefix(layout, id)}order:order-${id}`)),
  );
  const kinds = {
    actor: await perItem("a"),
    journal: await perItem("j"),
    marks: await perItem("seen"),
    due: await shared("due"),
    status: await shared("status:pending"),
    order: meanOf(orders),
  };
  const total = usedBytes / items.length;
  const known = Object.values(kinds).reduce((sum, bytes) => sum + bytes, 0);
  const clocks = await clocksOf({ redis, layout }, sample[0] ?? "");
  return { total, ...kinds, table: total - known, ...clocks };
}

async function clocksOf(
  { redis, layout }: { readonly redis: Redis; readonly layout: Layout },
  itemId: string,
): Promise<Pick<ItemMemory, "ledgerInActor" | "clocks">> {
  const text = await redis.get(`${itemPrefix(layout, itemId)}a:${itemId}`);
  const ledger = (text === null ? undefined : decodeActor(itemId, text).clocks) ?? EMPTY_LEDGER;
  return {
    clocks: Object.keys(ledger.clocks).length,
    ledgerInActor: Buffer.byteLength(JSON.stringify(packLedger(ledger))),
  };
}

/** With its key, and every element looked at. */
async function sizeOf(redis: Redis, key: string): Promise<number> {
  return (await redis.memory("USAGE", key, "SAMPLES", 0)) ?? 0;
}

function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
}
