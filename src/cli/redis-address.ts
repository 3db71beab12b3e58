/** Which Redis a command works on, and whether it is there. */
import type { Config } from "../config.ts";
import { EngineError } from "../core/errors.ts";
import { findEmbeddedRedis } from "../embedded/embedded-redis.ts";
import { connect } from "../store/connection.ts";

const RETRY_MS = 100;

/**
 * REDIS_URL, else the embedded Redis of a running `orderwright start`.
 * @throws EngineError REDIS_UNREACHABLE when there is neither, or it does not answer in time
 */
export async function findRedis(
  { redis }: Pick<Config, "redis">,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<string> {
  if (redis.kind === "url") {
    await assertAnswers(redis.url, timeoutMs);
    return redis.url;
  }
  const found = await findEmbeddedRedis(redis.dataDir);
  if (found !== undefined) return found;
  throw new EngineError(
    "REDIS_UNREACHABLE",
    `Nothing runs on ${redis.dataDir}, and REDIS_URL is not set. Run \`npm start\` in another terminal, or set REDIS_URL.`,
  );
}

/** @throws EngineError REDIS_UNREACHABLE */
export async function assertAnswers(redisUrl: string, timeoutMs: number): Promise<void> {
  const redis = connect(redisUrl, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    retryStrategy: () => RETRY_MS,
  });
  let lastError: unknown;
  redis.on("error", (error) => (lastError = error));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), timeoutMs);
  });
  try {
    const answer = await Promise.race([redis.ping(), late]);
    if (answer === "late") throw unreachable(redisUrl, lastError);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw unreachable(redisUrl, error);
  } finally {
    clearTimeout(timer);
    redis.disconnect();
  }
}

function unreachable(redisUrl: string, cause: unknown): EngineError {
  const host = URL.canParse(redisUrl) ? new URL(redisUrl).host : "the Sentinels of REDIS_URL";
  const why = cause instanceof Error && cause.message !== "" ? ` (${cause.message})` : "";
  return new EngineError(
    "REDIS_UNREACHABLE",
    `No Redis answers at ${host}${why}. Start it, or correct REDIS_URL.`,
    { cause },
  );
}
