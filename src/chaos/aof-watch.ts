/**
 * How much of the append-only file had been written when: with `appendfsync everysec`, a crash of the
 * machine may take what was written within the last second, and this remembers where that begins.
 *
 * A sample counts only when Redis had nothing left to write, because Redis answers before it writes
 * when an fsync is going on. So every write that was acknowledged before the sample is within its size.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { connect } from "../store/connection.ts";

export interface AofSample {
  /** Everything acknowledged before is in the file, ms since 1970. */
  readonly at: number;
  readonly file: string;
  readonly sizeBytes: number;
}

export interface AofWatch {
  /** The youngest sample that an fsync has covered by then; the first one when none is that old. */
  readonly covered: (at: number) => AofSample;
  readonly stop: () => void;
}

const SAMPLE_EVERY_MS = 50;
const FSYNC_EVERY_MS = 1000;

/** Resolves with the first sample taken. The server must be loaded, and rewrite no files. */
export async function watchAppendOnlyFile(url: string, dataDir: string): Promise<AofWatch> {
  const redis = connect(url);
  const end = new AbortController();
  const file = await currentFile(dataDir);
  let first: AofSample | undefined;
  while (first === undefined) first = await sample(redis, file);
  let samples: readonly [AofSample, ...AofSample[]] = [first];
  const keepSampling = async (): Promise<void> => {
    while (!end.signal.aborted) {
      await delay(SAMPLE_EVERY_MS, undefined, { signal: end.signal });
      const next = await sample(redis, file);
      if (next !== undefined) samples = withoutOlder([...samples, next], Date.now());
    }
  };
  // It ends by being stopped, or with the server, whose file is then complete.
  keepSampling().catch(() => undefined);
  return {
    covered: (at) => withoutOlder(samples, at)[0],
    stop: () => {
      end.abort();
      redis.disconnect();
    },
  };
}

type Samples = readonly [AofSample, ...AofSample[]];

/** Leaves, of those that an fsync has covered, the youngest. */
function withoutOlder(samples: Samples, at: number): Samples {
  const [, second, ...others] = samples;
  if (second === undefined || second.at > at - FSYNC_EVERY_MS) return samples;
  return withoutOlder([second, ...others], at);
}

async function sample(redis: Redis, file: string): Promise<AofSample | undefined> {
  const at = Date.now();
  const answer = await redis.info("persistence");
  if (!/^aof_buffer_length:0\r?$/m.test(answer)) return undefined;
  const { size } = await stat(file);
  return { at, file, sizeBytes: size };
}

/** Since Redis 7 the file is in parts, of which the last is written to. */
async function currentFile(dataDir: string): Promise<string> {
  const folder = join(dataDir, "appendonlydir");
  const parts = await readdir(folder).catch(() => []);
  const part = parts
    .map((name) => ({ name, number: Number(/\.(\d+)\.incr\.aof$/.exec(name)?.[1] ?? 0) }))
    .toSorted((left, right) => right.number - left.number)[0];
  return part === undefined ? join(dataDir, "appendonly.aof") : join(folder, part.name);
}
