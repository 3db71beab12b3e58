/**
 * The Redis that the tests of the "redis" project share, started once for all of them on a folder
 * that is thrown away. Tests keep apart by key prefix; `inject("redisUrl")` gives them the address.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
// The augmentation below is resolved only in a file that imports the module.
import type {} from "vitest";
import type { TestProject } from "vitest/node";
import { type EmbeddedRedis, startEmbeddedRedis } from "../../src/embedded/embedded-redis.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly redisUrl: string;
  }
}

let running: { readonly redis: EmbeddedRedis; readonly dataDir: string } | undefined;

export async function setup(project: TestProject): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), "orderwright-test-"));
  const redis = await startEmbeddedRedis({ dataDir, appendfsync: "everysec" });
  running = { redis, dataDir };
  project.provide("redisUrl", redis.url);
}

export async function teardown(): Promise<void> {
  await running?.redis.stop();
  if (running !== undefined) rmSync(running.dataDir, { recursive: true, force: true });
}
