/**
 * A worker process that a test may kill: the real workers, and at most one crash point around them.
 * It ends with its parent, whatever the parent's end is.
 */
import { writeSync } from "node:fs";
import { definitions } from "../../machines/registry.ts";
import { createLifecycle } from "../../src/lifecycle.ts";
import { createLogger } from "../../src/logger.ts";
import { startWorkers } from "../../workers/main.ts";
import type { ChildPlan } from "./child-worker.ts";
import { armAfterStart, armBeforeStart } from "./crash-points.ts";

process.stdin.on("end", () => process.exit()).resume();

const plan = JSON.parse(process.argv[2] ?? "{}") as ChildPlan;
const { config, redisUrl, accounts, orderItem, crash } = plan;
const log = createLogger(config.logLevel);
if (crash !== undefined) armBeforeStart(crash);
const running = await startWorkers({
  config,
  redisUrl,
  accounts,
  definitions: definitions({ orderItem }),
  log,
  lifecycle: createLifecycle({ timeoutMs: 20_000, log }),
  tell: () => undefined,
});
if (crash !== undefined) armAfterStart(crash, running);
writeSync(1, "ready\n");
