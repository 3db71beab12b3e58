/**
 * A Redis of the chaos run's own, and everything that can be done to it: a crash of its process, a
 * crash of its machine, a hang, a full memory. It keeps its port and its data over restarts.
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineError } from "../core/errors.ts";
import { type EmbeddedRedis, startEmbeddedRedis } from "../embedded/embedded-redis.ts";
import { connect } from "../store/connection.ts";
import { type AofWatch, watchAppendOnlyFile } from "./aof-watch.ts";
import { type RedisProxy, startRedisProxy } from "./redis-proxy.ts";

export interface RedisRig {
  /** Straight to Redis: for whoever observes. */
  readonly url: string;
  /** Through the proxy: for workers and producers. */
  readonly proxiedUrl: string;
  readonly proxy: RedisProxy;
  /** SIGKILL; what was acknowledged stays in the operating system's cache, as in any crash of the
   * process alone. */
  readonly kill: () => Promise<void>;
  /**
   * SIGKILL, and the end of the append-only file that no fsync had covered is cut off, as in a crash of
   * the machine. Resolves with the time since which acknowledged writes may be lost, ms since 1970;
   * everything acknowledged before survives.
   */
  readonly killAndForget: () => Promise<{ readonly lostSince: number }>;
  /** Again, on the same port and data; resolves when it answers and has loaded. */
  readonly start: () => Promise<void>;
  /** SIGSTOP: connections stay open, and nothing answers. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  /** Every write is refused with OOM until `acceptWrites`, or a restart. */
  readonly refuseWrites: () => Promise<void>;
  readonly acceptWrites: () => Promise<void>;
  /** Ends it; removes its data when it had no folder given. */
  readonly close: () => Promise<void>;
}

export interface RedisRigOptions {
  readonly appendfsync: "always" | "everysec";
  /** Where the data is kept. Default: a folder that `close` removes. */
  readonly directory?: string;
}

/** Starts both. Throws REDIS_BINARY_MISSING and REDIS_UNREACHABLE, as the embedded Redis does. */
export async function openRedisRig(options: RedisRigOptions): Promise<RedisRig> {
  const { appendfsync } = options;
  const dataDir = options.directory ?? mkdtempSync(join(tmpdir(), "orderwright-chaos-"));
  const first = await launch({ dataDir, appendfsync });
  const { port, url } = first.redis;
  const proxy = await startRedisProxy(port);
  let running: Launched | undefined = first;
  const kill = async (): Promise<Launched> => {
    const killed = alive(running);
    running = undefined;
    await end(killed);
    return killed;
  };
  return {
    url,
    proxiedUrl: `redis://127.0.0.1:${proxy.port}`,
    proxy,
    kill: async () => void (await kill()),
    killAndForget: async () => {
      const killedAt = Date.now();
      const { watch } = await kill();
      // With "always" nothing is acknowledged before an fsync covers it.
      if (appendfsync === "always") return { lostSince: killedAt };
      const { at, file, sizeBytes } = watch.covered(killedAt);
      await truncate(file, sizeBytes);
      return { lostSince: at };
    },
    start: async () => {
      running ??= await launch({ dataDir, appendfsync, port });
    },
    freeze: () => alive(running).redis.kill("SIGSTOP"),
    thaw: () => alive(running).redis.kill("SIGCONT"),
    // One byte is less than any Redis uses, and 0 is no limit.
    refuseWrites: async () => configure(url, { maxmemory: "1" }),
    acceptWrites: async () => configure(url, { maxmemory: "0" }),
    close: async () => {
      await proxy.close();
      if (running !== undefined) await kill();
      if (options.directory === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

interface Launched {
  readonly redis: EmbeddedRedis;
  readonly watch: AofWatch;
}

interface Launch {
  readonly dataDir: string;
  readonly appendfsync: RedisRigOptions["appendfsync"];
  readonly port?: number;
}

async function launch(options: Launch): Promise<Launched> {
  const redis = await startEmbeddedRedis(options);
  // A rewrite would begin a new file, and what is cut off is the end of the one file.
  await configure(redis.url, { "auto-aof-rewrite-percentage": "0" });
  const watch = await watchAppendOnlyFile(redis.url, realpathSync(options.dataDir));
  return { redis, watch };
}

async function end({ redis, watch }: Launched): Promise<void> {
  redis.kill("SIGKILL");
  await redis.exited;
  watch.stop();
}

function alive(running: Launched | undefined): Launched {
  if (running !== undefined) return running;
  throw new EngineError("REDIS_UNREACHABLE", "The chaos run's Redis was killed. Start it first.");
}

async function configure(url: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const redis = connect(url);
  try {
    for (const [name, value] of Object.entries(settings)) await redis.config("SET", name, value);
  } finally {
    redis.disconnect();
  }
}
