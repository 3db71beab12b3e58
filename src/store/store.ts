/** The connection and the layout that every store function takes first. */
import type { Redis } from "ioredis";
import { EngineError } from "../core/errors.ts";
import type { RedisCommands } from "./commands.ts";
import { connect } from "./connection.ts";
import type { Layout } from "./keys.ts";
import { layoutKey } from "./keys.ts";
import { recordServer } from "./new-server.ts";
import type { SealingSide } from "./seal.ts";

export interface Store extends SealingSide {
  readonly redis: RedisCommands;
  readonly layout: Layout;
}

/** A store on a connection of its own. */
export interface ConnectedStore extends Store {
  readonly redis: Redis;
  /** How often the connection has broken. What was written before a break, Redis may have forgotten. */
  readonly breaks: () => number;
}

/** The shape of what is stored. A later version that reads it differently must migrate first. */
const STORE_FORMAT = 1;

/**
 * Connects. Whoever writes records the layout on first use; a reader leaves an empty Redis empty. Throws STORE_LAYOUT_MISMATCH when the data was
 * written with another number of shards: its items would not be found.
 */
export async function openStore(
  redisUrl: string,
  layout: Layout,
  role: "writer" | "reader" = "writer",
): Promise<ConnectedStore> {
  // Pipelining gathers what one tick of the event loop sends; BullMQ's own connections must not have it.
  const redis = connect(redisUrl, { enableAutoPipelining: true });
  let breaks = 0;
  redis.on("close", () => (breaks += 1));
  try {
    await claimLayout({ redis, layout }, role);
  } catch (error) {
    // A connection that nobody can close would keep a process alive whose start has failed.
    redis.disconnect();
    throw error;
  }
  return { redis, layout, breaks: () => breaks };
}

async function claimLayout({ redis, layout }: Store, role: "writer" | "reader"): Promise<void> {
  const key = layoutKey(layout);
  // Written once in the life of an installation: a Redis that is full must keep no worker from starting.
  const isClaimed = role === "reader" || (await redis.get(key)) !== null;
  if (!isClaimed && (await redis.setnx(key, textOf(layout))) === 1) {
    await recordServer({ redis, layout });
  }
  await assertLayout({ redis, layout });
}

function textOf({ shards }: Layout): string {
  return JSON.stringify({ format: STORE_FORMAT, shards });
}

/** @throws EngineError STORE_LAYOUT_MISMATCH */
export async function assertLayout({ redis, layout }: Store): Promise<void> {
  const ours = textOf(layout);
  const stored = (await redis.get(layoutKey(layout))) ?? ours;
  if (stored === ours) return;
  throw new EngineError(
    "STORE_LAYOUT_MISMATCH",
    `Redis holds data with layout ${stored}, and this process was configured with ${ours}. Set shards to the stored number; it is fixed for the life of the data.`,
  );
}

export async function closeStore(store: ConnectedStore): Promise<void> {
  await store.redis.quit().catch(() => store.redis.disconnect());
}

/** A Redis that is silent for as long is taken as gone, ms. */
const ANSWER_WITHIN_MS = 2_000;

/** Whether Redis is there now. */
export async function answers({ redis }: Store): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ANSWER_WITHIN_MS);
  });
  const answer = redis.time().then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([answer, silence]);
  } finally {
    clearTimeout(timer);
  }
}
