/**
 * Orderwright's workers in a process of their own, as `orderwright worker` starts them. Without PATCH the
 * same machine runs with its one announcing action taken out, as the hand-made worker leaves out its
 * request: every other guarantee stays on.
 */
import { enqueueActions } from "xstate";
import { definitions } from "../machines/registry.ts";
import { loadConfig } from "../src/config.ts";
import { createLifecycle, endOnSignals } from "../src/lifecycle.ts";
import { createLogger } from "../src/logger.ts";
import { startWorkers } from "../workers/main.ts";

// What is measured is told by events; nobody asks the marketplace beside them.
const unasked = { pollIntervalMs: 0, driftIntervalMs: 0 };
const config = loadConfig(process.env, undefined, unasked);
const log = createLogger(config.logLevel);
const lifecycle = createLifecycle({ timeoutMs: config.shutdownTimeoutMs, log });
if (config.redis.kind !== "url") throw new Error("REDIS_URL is not set.");
const accounts = config.marketplace.kind === "live" ? config.marketplace.accounts : [];
const silent = { actions: { announce: enqueueActions(() => undefined) } };

endOnSignals(lifecycle);
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
await startWorkers({
  config,
  redisUrl: config.redis.url,
  accounts,
  definitions: definitions().map((definition) =>
    accounts.length > 0
      ? definition
      : { ...definition, machine: definition.machine.provide(silent as never) },
  ),
  log,
  lifecycle,
});
