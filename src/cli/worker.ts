/** `orderwright worker`: the workers alone. Run as many as the load needs, on as many machines. */
import type { Command } from "commander";
import { startWorkers } from "../../workers/main.ts";
import { loadConfig, redactedConfig } from "../config.ts";
import { EngineError } from "../core/errors.ts";
import { configuredDefinitions } from "./configured-machines.ts";
import { openRedis, runProcess } from "./running-process.ts";
import { type ConfigOption, newCommand } from "./session.ts";

export function workerCommand(): Command {
  return newCommand("worker")
    .description(
      "Run the workers alone, on the Redis of REDIS_URL and the marketplace accounts of OFFERGRID_*.",
    )
    .action(work);
}

async function work(options: ConfigOption): Promise<void> {
  const config = loadConfig(process.env, options.config);
  const { redis, marketplace } = config;
  if (redis.kind === "embedded") {
    throw new EngineError(
      "CONFIG_INVALID",
      "A worker shares its Redis with other processes: set REDIS_URL. For everything in one process run `orderwright start`.",
    );
  }
  if (marketplace.kind === "sandbox") {
    throw new EngineError(
      "CONFIG_INVALID",
      "No marketplace account is configured: set OFFERGRID_API_KEY. For the sandbox marketplace run `orderwright sandbox`, and set OFFERGRID_API_KEY=sandbox and OFFERGRID_BASE_URL to its address.",
    );
  }
  const definitions = configuredDefinitions(config);
  await runProcess(config, async (running) => {
    const redisUrl = await openRedis(running);
    await startWorkers({ ...running, redisUrl, accounts: marketplace.accounts, definitions });
    running.log.info({ config: redactedConfig(config) }, "workers started");
  });
}
