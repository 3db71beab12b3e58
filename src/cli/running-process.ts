/** A process that runs until it is told to end: what `start` and `worker` have in common. */
import type { Account } from "../config-options.ts";
import type { Config } from "../config.ts";
import { startEmbeddedRedis } from "../embedded/embedded-redis.ts";
import { createLifecycle, endOnSignals, type Lifecycle } from "../lifecycle.ts";
import { createLogger, type Logger } from "../logger.ts";
import { startSandbox } from "../offergrid/sandbox/server.ts";
import { complain } from "./output.ts";
import { assertAnswers } from "./redis-address.ts";

/** A Redis that starts beside us, in another container say, is waited for. */
const START_TIMEOUT_MS = 15_000;

export interface RunningProcess {
  readonly config: Config;
  readonly log: Logger;
  readonly lifecycle: Lifecycle;
}

/** Opens what `open` opens, and closes it again on SIGTERM or Ctrl-C, or when opening fails. */
export async function runProcess(
  config: Config,
  open: (running: RunningProcess) => Promise<void>,
): Promise<void> {
  const log = createLogger(config.logLevel);
  const lifecycle = createLifecycle({ timeoutMs: config.shutdownTimeoutMs, log });
  endOnSignals(lifecycle);
  try {
    await open({ config, log, lifecycle });
  } catch (error) {
    await lifecycle.shutdown("the start failed");
    throw error;
  }
}

/** REDIS_URL when it is set, else a Redis of our own that ends with this process. */
export async function openRedis({ config, log, lifecycle }: RunningProcess): Promise<string> {
  const { redis } = config;
  if (redis.kind === "url") {
    await assertAnswers(redis.url, START_TIMEOUT_MS);
    return redis.url;
  }
  const { dataDir, appendfsync, serverPath, install } = redis;
  const server = await startEmbeddedRedis({ dataDir, appendfsync, serverPath, install, log });
  let isAskedToStop = false;
  lifecycle.onShutdown("redis", () => {
    isAskedToStop = true;
    return server.stop();
  });
  void server.exited.then(({ code, signal }) => {
    if (isAskedToStop) return;
    // Nothing can be finished without it, and everything in hand is taken up again by the next start.
    complain(`The embedded Redis ended (${signal ?? `exit code ${code}`}). Start again to go on.`);
    process.exit(1);
  });
  return server.url;
}

export interface OpenMarketplace {
  readonly accounts: readonly Account[];
  /** Present when it is the sandbox. */
  readonly sandboxUrl?: string;
}

/** The configured accounts, else a sandbox marketplace that takes the status of any item. */
export async function openMarketplace({
  config,
  lifecycle,
}: RunningProcess): Promise<OpenMarketplace> {
  const { marketplace } = config;
  if (marketplace.kind === "live") return { accounts: marketplace.accounts };
  const sandbox = await startSandbox({ adoptUnknownItems: true });
  lifecycle.onShutdown("sandbox", () => sandbox.close());
  const account: Account = {
    name: "default",
    apiKey: "sandbox",
    baseUrl: sandbox.url,
    limitPerMinute: null,
    policy: "every",
  };
  return { accounts: [account], sandboxUrl: sandbox.url };
}
