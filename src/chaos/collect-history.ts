/**
 * The history of a run, read from what it left behind: the store, the front door's queue and the
 * marketplace's log. What only the run itself knows (what was sent, which faults there were) is handed
 * in. Read it when nothing is under way any more; reads travel in pipelines, some hundred items at a time.
 */
import type { Queue } from "bullmq";
import type { JsonObject } from "../core/event.ts";
import type { Machines } from "../core/machine.ts";
import { knownStatuses } from "../engine/list-items.ts";
import type {
  DeadLetterRecord,
  FaultRecord,
  History,
  ItemRecord,
  MarketRequest,
  NoticeRecord,
  SentEvent,
} from "../history/history.ts";
import type { PushLogEntry } from "../offergrid/sandbox/push-log.ts";
import { loadActors } from "../store/actor-store.ts";
import type { DeadLetter } from "../store/dead-letter-store.ts";
import { itemOfLetter, listDeadLetters } from "../store/dead-letter-store.ts";
import { itemsByStatus, readJournal } from "../store/item-store.ts";
import { itemPrefix } from "../store/keys.ts";
import { readLanes } from "../store/outbox-store.ts";
import type { Store } from "../store/store.ts";

export interface HistorySources {
  readonly store: Store;
  readonly machines: Machines;
  /** Every item that the run may have touched. */
  readonly itemIds: readonly string[];
  readonly crmEvents: Pick<Queue, "getJobCounts">;
  /** The marketplace's log, oldest first. */
  readonly requests: readonly PushLogEntry[];
  readonly sent: readonly SentEvent[];
  readonly faults: readonly FaultRecord[];
  /** What operators heard; absent when nobody listened. */
  readonly notices?: readonly NoticeRecord[];
  /** Of the SLA policy in force in every process; absent when it is not known. */
  readonly policyVersion?: string;
  /** ms. */
  readonly endedAt: number;
  /** ms. */
  readonly clockSkewMs: number;
  /** The accounts' policy is "every". */
  readonly isEachPushed: boolean;
  /** The status that an item must have; `undefined` when several are right. */
  readonly mustEndAs?: (itemId: string) => string | undefined;
}

/** Items read together. */
const TOGETHER = 250;

/** More than any run leaves; a list that is cut off would hide what the checker looks for. */
const LETTERS_MAX = 100_000;

const LANE_EFFECTS_MAX = 10_000;

const UNFINISHED = [
  "wait",
  "active",
  "delayed",
  "prioritized",
  "waiting-children",
  "failed",
] as const;

export async function collectHistory(sources: HistorySources): Promise<History> {
  const { store, sent, faults, endedAt, clockSkewMs, notices, policyVersion } = sources;
  const [items, letters, counts] = await Promise.all([
    collectItems(sources),
    listDeadLetters(store, LETTERS_MAX),
    sources.crmEvents.getJobCounts(...UNFINISHED),
  ]);
  return {
    sent,
    items,
    deadLetters: letters.map(letterRecord),
    jobsLeft: Object.values(counts).reduce((sum, count) => sum + count, 0),
    requests: sources.requests.map(marketRequest),
    faults,
    ...(notices !== undefined && { notices }),
    ...(policyVersion !== undefined && { policyVersion }),
    endedAt,
    clockSkewMs,
    isEachPushed: sources.isEachPushed,
  };
}

/** One line of the sandbox's log as the checker reads it. */
function marketRequest(entry: PushLogEntry): MarketRequest {
  const { at, itemId, idempotencyKey = "", applied, answer } = entry;
  const body = asObject(entry.body);
  const status = entry.status ?? (typeof body["status"] === "string" ? body["status"] : "");
  const answered = answer === "reset" ? "none" : answer;
  return { at, itemId, idempotencyKey, status, body, applied, answer: answered };
}

async function collectItems(sources: HistorySources): Promise<ItemRecord[]> {
  const { store, itemIds } = sources;
  const listed = await listedStatuses(store, knownStatuses(sources));
  const items: ItemRecord[] = [];
  for (let start = 0; start < itemIds.length; start += TOGETHER) {
    const chunk = itemIds.slice(start, start + TOGETHER);
    const [texts, records] = await Promise.all([
      loadActors(store, chunk),
      Promise.all(chunk.map((itemId) => collectItem(sources, itemId))),
    ]);
    for (const [index, record] of records.entries()) {
      const actorText = texts[index];
      const listedUnder = listed.get(record.itemId) ?? [];
      items.push({ ...record, listedUnder, ...(actorText !== undefined && { actorText }) });
    }
  }
  return items;
}

async function collectItem(
  { store, mustEndAs }: HistorySources,
  itemId: string,
): Promise<Omit<ItemRecord, "listedUnder" | "actorText">> {
  const prefix = itemPrefix(store.layout, itemId);
  const [journal, lanes, due, attention] = await Promise.all([
    readJournal(store, itemId),
    readLanes(store, itemId, LANE_EFFECTS_MAX),
    store.redis.zscore(`${prefix}due`, itemId),
    store.redis.zscore(`${prefix}attention`, itemId),
  ]);
  const ending = mustEndAs?.(itemId);
  return {
    itemId,
    journal,
    lanes: lanes.map(({ channel, state, pending }) => ({ channel, state, pending })),
    ...(due !== null && { indexedDueAt: Number(due) }),
    ...(attention !== null && { attentionSince: Number(attention) }),
    ...(ending !== undefined && { mustEndAs: ending }),
  };
}

/** Items per page of a status. */
const PAGE = 2_000;

async function listedStatuses(
  store: Store,
  statuses: readonly string[],
): Promise<Map<string, string[]>> {
  const listed = new Map<string, string[]>();
  for (const status of statuses) {
    for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined;) {
      const page = await itemsByStatus(store, status, { cursor, limit: PAGE });
      for (const { itemId } of page.items) {
        const known = listed.get(itemId);
        if (known === undefined) listed.set(itemId, [status]);
        else known.push(status);
      }
      cursor = page.next;
      isFirst = false;
    }
  }
  return listed;
}

function letterRecord(letter: DeadLetter): DeadLetterRecord {
  const { id, kind, problem } = letter;
  const itemId = itemOfLetter(letter);
  const record = { id, kind, code: problem.code, ...(itemId !== undefined && { itemId }) };
  if (letter.kind === "effect") return { ...record, effect: letter.effect.id };
  if (letter.kind !== "event") return record;
  const { source, id: eventId, redrive } = letter.event;
  return {
    ...record,
    event: { source, id: eventId, ...(redrive !== undefined && { redrive }) },
  };
}

function asObject(body: unknown): JsonObject {
  const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
  return isObject ? (body as JsonObject) : {};
}
