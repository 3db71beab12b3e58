/** What the store holds when a run is over, as the history tells it. */
import type { ArrivedEvent } from "../../src/core/arrival.ts";
import type { DeadLetterRecord, History, ItemRecord } from "../../src/history/history.ts";
import { loadActors } from "../../src/store/actor-store.ts";
import {
  type DeadLetter,
  itemOfLetter,
  listDeadLetters,
} from "../../src/store/dead-letter-store.ts";
import { readJournal } from "../../src/store/item-store.ts";
import { itemPrefix } from "../../src/store/keys.ts";
import { type MemoryRedis, memoryCommands } from "../../src/store/memory/memory-redis.ts";
import { readLanes } from "../../src/store/outbox-store.ts";
import type { Store } from "../../src/store/store.ts";
import { ITEM_STATUSES } from "../../src/offergrid/status-update.ts";
import type { ItemPlan } from "./lives.ts";
import { LAYOUT } from "./setting.ts";

const LETTERS_MAX = 10_000;

/** Every status of the simulated machines. */
const STATUSES = [...ITEM_STATUSES, "lit", "dim", "dark", "gone"];

export async function readRecords(
  memory: MemoryRedis,
  items: readonly ItemPlan[],
  isCertain: (itemId: string) => boolean,
): Promise<Pick<History, "items" | "deadLetters">> {
  const redis = memoryCommands(async (name, args) => memory.call(name, args));
  const store: Store = { redis, layout: LAYOUT };
  const letters = await listDeadLetters(store, LETTERS_MAX);
  const records = items.map(async (item): Promise<ItemRecord> => {
    const record = await readItem(store, item.itemId);
    const isEndCertain = item.endsAs !== undefined && isCertain(item.itemId);
    return { ...record, ...(isEndCertain && { mustEndAs: item.endsAs }) };
  });
  return { items: await Promise.all(records), deadLetters: letters.map(letterRecord) };
}

async function readItem(store: Store, itemId: string): Promise<ItemRecord> {
  const { redis, layout } = store;
  const prefix = itemPrefix(layout, itemId);
  const [actorText] = await loadActors(store, [itemId]);
  const attention = await redis.zscore(`${prefix}attention`, itemId);
  const due = await redis.zscore(`${prefix}due`, itemId);
  const listed = await Promise.all(
    STATUSES.map((status) => redis.zscore(`${prefix}status:${status}`, itemId)),
  );
  const lanes = await readLanes(store, itemId);
  return {
    itemId,
    ...(actorText !== undefined && { actorText }),
    journal: await readJournal(store, itemId),
    lanes: lanes.map(({ channel, state, pending }) => ({ channel, state, pending })),
    listedUnder: STATUSES.filter((_, index) => listed[index] !== null),
    ...(due !== null && { indexedDueAt: Number(due) }),
    ...(attention !== null && { attentionSince: Number(attention) }),
  };
}

function letterRecord(letter: DeadLetter): DeadLetterRecord {
  const { id, kind, problem } = letter;
  const itemId = itemOfLetter(letter);
  return {
    id,
    kind,
    code: problem.code,
    ...(itemId !== undefined && { itemId }),
    ...(letter.kind === "event" && { event: eventOf(letter.event) }),
    ...(letter.kind === "effect" && { effect: letter.effect.id }),
  };
}

function eventOf({ source, id, redrive }: ArrivedEvent): NonNullable<DeadLetterRecord["event"]> {
  return { source, id, ...(redrive !== undefined && { redrive }) };
}
