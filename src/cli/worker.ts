/** `orderwright worker`: the workers alone. Run as many as the load needs, on as many machines. */
import { type Command, InvalidArgumentError } from "commander";
import { startWorkers, WORKER_ROLES, type WorkerRole } from "../../workers/main.ts";
import { loadConfig, redactedConfig } from "../config.ts";
import { EngineError } from "../core/errors.ts";
import { assertTemplates } from "./auto-accept.ts";
import { configuredDefinitions } from "./configured-machines.ts";
import { openRedis, runProcess } from "./running-process.ts";
import { type ConfigOption, newCommand } from "./session.ts";

interface WorkerFlags extends ConfigOption {
  readonly only?: readonly WorkerRole[];
}

/** @param definitionsOf the machines that a configuration gives */
export function workerCommand(definitionsOf = configuredDefinitions): Command {
  return newCommand("worker")
    .description(
      "Run the workers alone, on the Redis of REDIS_URL and the marketplace accounts of OFFERGRID_*.",
    )
    .option(
      "--only <roles>",
      `what this process does of the work, separated by commas: ${WORKER_ROLES.join(", ")} (default: all)`,
      rolesOf,
    )
    .action((flags: WorkerFlags) => work(flags, definitionsOf));
}

async function work(
  options: WorkerFlags,
  definitionsOf: typeof configuredDefinitions,
): Promise<void> {
  const config = loadConfig(process.env, options.config);
  const { only: roles = WORKER_ROLES } = options;
  const { redis, marketplace } = config;
  if (redis.kind === "embedded") {
    throw new EngineError(
      "CONFIG_INVALID",
      "A worker shares its Redis with other processes: set REDIS_URL. For everything in one process run `orderwright start`.",
    );
  }
  if (marketplace.kind === "sandbox" && roles.includes("pushes")) {
    throw new EngineError(
      "CONFIG_INVALID",
      "No marketplace account is configured: set OFFERGRID_API_KEY. For the sandbox marketplace run `orderwright sandbox`, and set OFFERGRID_API_KEY=sandbox and OFFERGRID_BASE_URL to its address.",
    );
  }
  const definitions = definitionsOf(config);
  assertTemplates(config, definitions);
  await runProcess(config, async (running) => {
    const redisUrl = await openRedis(running);
    const accounts = marketplace.kind === "live" ? marketplace.accounts : [];
    await startWorkers({ ...running, redisUrl, accounts, definitions, roles });
    running.log.info({ roles, config: redactedConfig(config) }, "workers started");
  });
}

function rolesOf(text: string): readonly WorkerRole[] {
  return text.split(",").map((word) => {
    const role = WORKER_ROLES.find((known) => known === word.trim());
    if (role !== undefined) return role;
    throw new InvalidArgumentError(
      `"${word.trim()}" is none of ${WORKER_ROLES.join(", ")}. Separate them by commas.`,
    );
  });
}
