/**
 * The Redis of one demonstration: the configured one under a prefix that nobody else has, or an
 * embedded one in a temporary folder. Nothing of it is left when it is closed.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import type { RedisConfig } from "../config.ts";
import { EngineError } from "../core/errors.ts";
import { startEmbeddedRedis } from "../embedded/embedded-redis.ts";
import { assertAnswers } from "./redis-address.ts";

export interface DemoRedis {
  readonly url: string;
  /** Where it is, in a few words. */
  readonly place: string;
  /** Part of every key of the demonstration, and of no other key. */
  readonly prefix: string;
  readonly close: () => Promise<void>;
}

/** A server that is alive answers within microseconds. */
const ANSWER_TIMEOUT_MS = 3_000;
const KEYS_PER_SCAN = 1_000;

/**
 * @throws EngineError REDIS_UNREACHABLE when the configured Redis does not answer, and whatever
 *   `startEmbeddedRedis` throws
 */
export async function openDemoRedis(config: RedisConfig): Promise<DemoRedis> {
  const prefix = `demo-${randomUUID().slice(0, 8)}`;
  if (config.kind === "url") return openConfigured(config.url, prefix);
  const { serverPath, install } = config;
  const dataDir = mkdtempSync(join(tmpdir(), "orderwright-demo-"));
  const removeFolder = (): void => {
    process.off("exit", removeFolder);
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 });
  };
  // For an end without closing, when a pipe is closed early say. The server ends by itself.
  process.on("exit", removeFolder);
  try {
    const options = { dataDir, appendfsync: "no", persist: false, serverPath, install } as const;
    const redis = await startEmbeddedRedis(options);
    return {
      url: redis.url,
      place: `an embedded Redis (port ${redis.port}, temporary)`,
      prefix,
      close: async () => {
        await redis.stop();
        removeFolder();
      },
    };
  } catch (error) {
    removeFolder();
    throw error;
  }
}

async function openConfigured(url: string, prefix: string): Promise<DemoRedis> {
  await assertAnswers(url, ANSWER_TIMEOUT_MS);
  const { host } = new URL(url);
  return {
    url,
    place: `the Redis at ${host} (keys named ${prefix}, removed again)`,
    prefix,
    close: async () => removeKeys(url, prefix),
  };
}

/** Our keys begin with the prefix; BullMQ's begin with it in braces. */
async function removeKeys(url: string, prefix: string): Promise<void> {
  // Unlike the workers, this does not wait for a Redis that may come back.
  const redis = new Redis(url, { commandTimeout: ANSWER_TIMEOUT_MS, retryStrategy: () => null });
  redis.on("error", () => undefined);
  try {
    let cursor = "0";
    do {
      const page = await redis.scan(cursor, "MATCH", `*${prefix}*`, "COUNT", KEYS_PER_SCAN);
      cursor = page[0];
      await Promise.all(page[1].map((name) => redis.unlink(name)));
    } while (cursor !== "0");
  } catch (cause) {
    const message = `The keys named ${prefix} could not be removed: ${new URL(url).host} stopped answering. Remove them when it is back.`;
    throw new EngineError("REDIS_UNREACHABLE", message, { cause });
  } finally {
    redis.disconnect();
  }
}
