/**
 * A Redis of the chaos run's own, and everything that can be done to it: a crash of its process, a
 * crash of its machine, a hang, a full memory. It keeps its port and its data over restarts.
 */
import type { RedisProxy } from "./redis-proxy.ts";

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

export async function openRedisRig(options: RedisRigOptions): Promise<RedisRig> {
  throw new Error(String(options));
}
