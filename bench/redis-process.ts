/** A Redis of its own for every fsync setting: empty, on a free port, gone with the bench. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "../src/embedded/embedded-redis.ts";
import { Child } from "./child-process.ts";

export type Fsync = "everysec" | "always";

export interface RedisProcess {
  readonly url: string;
  readonly pid: number;
  flush(): Promise<void>;
  /** Bytes that Redis has allocated now. */
  usedBytes(): Promise<number>;
  stop(): Promise<void>;
}

export async function startRedis(fsync: Fsync): Promise<RedisProcess> {
  const port = await freePort();
  const dir = await mkdtemp(join(tmpdir(), "orderwright-bench-redis-"));
  const server = spawn("redis-server", argumentsOf({ fsync, port, dir }), {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const child = new Child("redis-server", server);
  await readyLineOf(server.stdout);
  const redis = new Redis(port, "127.0.0.1");
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: child.pid,
    flush: async () => void (await redis.flushall("SYNC")),
    usedBytes: async () => Number(/used_memory:(\d+)/.exec(await redis.info("memory"))?.[1]),
    stop: async () => {
      redis.disconnect();
      await child.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export async function readyLineOf(output: Readable): Promise<void> {
  let log = "";
  await new Promise<void>((resolve, reject) => {
    output.on("data", (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes("Ready to accept connections")) resolve();
    });
    output.once("end", () => reject(new Error(`redis-server did not start:\n${log}`)));
  });
}

function argumentsOf(options: { fsync: Fsync; port: number; dir: string }): readonly string[] {
  return Object.entries({
    port: String(options.port),
    bind: "127.0.0.1",
    dir: options.dir,
    save: "",
    appendonly: "yes",
    appendfsync: options.fsync,
    // The log of all rounds lands in one file. A rewrite would hit whichever round crosses the
    // threshold, and make that contestant look slow.
    "auto-aof-rewrite-percentage": "0",
    "maxmemory-policy": "noeviction",
  }).flatMap(([name, value]) => [`--${name}`, value]);
}
