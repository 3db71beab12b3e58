/**
 * A store for whoever answers others while it reads: every command ends within a bounded time, whatever
 * state Redis is in. It is opened whether Redis is there or not, and is connected again by itself.
 *
 * A Redis that is silent costs the connection: what waits for it would pile up for as long as it is.
 */
import { connect } from "./connection.ts";
import type { Layout } from "./keys.ts";
import { assertLayout, type ConnectedStore } from "./store.ts";
import { takesNoWrites } from "./write-refusal.ts";

export interface ReadingStore extends ConnectedStore {
  /**
   * To be awaited before anything is read: an item is not found under another number of shards.
   * @throws EngineError STORE_LAYOUT_MISMATCH
   */
  readonly ready: () => Promise<void>;
  readonly close: () => void;
}

export interface ReadingStoreOptions {
  /** Longest wait for any answer of Redis, ms. */
  readonly timeoutMs: number;
}

export function openReadingStore(
  redisUrl: string,
  layout: Layout,
  { timeoutMs }: ReadingStoreOptions,
): ReadingStore {
  const redis = connect(redisUrl, {
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    reconnectOnError: null,
  });
  let breaks = 0;
  let isChecked = false;
  redis.on("close", () => {
    breaks += 1;
    // What answers next may be another Redis.
    isChecked = false;
  });
  return {
    redis,
    layout,
    breaks: () => breaks,
    ready: async () => {
      if (isChecked) return;
      const breaksBefore = breaks;
      await assertLayout({ redis, layout });
      isChecked = breaks === breaksBefore;
    },
    close: () => redis.disconnect(),
  };
}

/** Names and openings of what ioredis and a Redis that cannot serve say. */
const OUTAGE_NAMES = new Set(["MaxRetriesPerRequestError", "AbortError"]);
const OUTAGE_MESSAGE =
  /^(Connection is closed|Stream isn't writeable|Socket timeout|connect |read E|write E|getaddrinfo|LOADING|MASTERDOWN|CLUSTERDOWN|BUSY |All sentinels|Command timed out)/;

/** Whether the error says that Redis is away or takes no writes, rather than that something is wrong here. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (OUTAGE_NAMES.has(error.name) || OUTAGE_MESSAGE.test(error.message)) return true;
  return takesNoWrites(error);
}
