/**
 * Where a Redis is. Beside ioredis' own `redis://` and `rediss://`, an address may name Sentinels, so that
 * one text configures every kind of deployment:
 *
 *   redis+sentinel://[user:password@]host:26379,host:26379/<name of the master>[?db=0]
 */
import { Redis, type RedisOptions } from "ioredis";
import { EngineError } from "../core/errors.ts";

const SENTINEL_SCHEME = "redis+sentinel:";
const SENTINEL_PORT = 26_379;

/** Longest wait between two attempts to connect, ms: a Redis that is back is found within that. */
const RETRY_MAX_MS = 500;

/** Replies come as ioredis has always given them. */
type ConnectionOptions = Omit<RedisOptions, "replyMapping">;

/**
 * Connects, and connects again for as long as it takes; what was not answered is asked again then, so every
 * command must bear to be repeated. Throws CONFIG_INVALID for an address that names nothing.
 */
export function connect(address: string, options: ConnectionOptions = {}): Redis {
  const lasting: ConnectionOptions = {
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => Math.min(attempt * 50, RETRY_MAX_MS),
    // A Redis that reads its file says how many whole seconds that may take, at least one.
    maxLoadingRetryTime: RETRY_MAX_MS,
    // A master that became a replica refuses writes, also from inside a script: whoever is master by now
    // is asked for, and asked again.
    reconnectOnError: ({ message }) => (message.includes("READONLY") ? 2 : false),
    ...options,
  };
  const redis = address.startsWith(SENTINEL_SCHEME)
    ? new Redis({ ...lasting, ...sentinelOptions(address) })
    : new Redis(address, lasting);
  // ioredis connects again by itself; without a listener each attempt would be printed.
  redis.on("error", () => undefined);
  if (options.enableAutoPipelining === true) askAgainOneByOne(redis);
  return redis;
}

/**
 * ioredis rejects what is left of a pipeline that was half answered when the connection broke. Commands
 * that only happened to travel together are asked again like any other: without its place in the pipeline
 * a command is kept, and is then written by itself, because the pipeline would wait for all of its own.
 */
function askAgainOneByOne(redis: Redis): void {
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, pipeline) => {
    // Half a transaction must not be repeated.
    if (command.inTransaction || command.name === "exec") return send(command, pipeline);
    const isFirstTime = command.pipelineIndex !== undefined;
    delete command.pipelineIndex;
    return isFirstTime ? send(command, pipeline) : send(command);
  };
}

function sentinelOptions(address: string): ConnectionOptions {
  const parts = ADDRESS.exec(address)?.groups;
  if (parts === undefined) {
    throw new EngineError(
      "CONFIG_INVALID",
      `The Redis address "${withoutSecret(address)}" names no Sentinels. Write redis+sentinel://host:26379,host:26379/<name of the master>.`,
    );
  }
  const { username, password, hosts = "", name = "", db = "0" } = parts;
  return {
    name: decodeURIComponent(name),
    db: Number(db),
    sentinels: hosts.split(",").map(hostAndPort),
    sentinelRetryStrategy: (attempt) => Math.min(attempt * 50, RETRY_MAX_MS),
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  };
}

const ADDRESS =
  /^redis\+sentinel:\/\/(?:(?<username>[^:@/]*):(?<password>[^@/]*)@)?(?<hosts>[^/@?]+)\/(?<name>[^/?]+)(?:\?db=(?<db>\d+))?$/;

function hostAndPort(text: string): { readonly host: string; readonly port: number } {
  const colon = text.lastIndexOf(":");
  if (colon === -1) return { host: text, port: SENTINEL_PORT };
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

function withoutSecret(address: string): string {
  return address.replace(/:[^:@/]*@/, ":redacted@");
}
