/** `orderwright api`: the HTTP API alone. It needs no workers: what it takes waits in the queue. */
import type { Command } from "commander";
import { loadConfig, redactedConfig } from "../config.ts";
import { EngineError } from "../core/errors.ts";
import { configuredDefinitions } from "./configured-machines.ts";
import { openHttpApi } from "./http-api.ts";
import { print } from "./output.ts";
import { runProcess } from "./running-process.ts";
import { type ConfigOption, newCommand } from "./session.ts";

/** @param definitionsOf the machines that a configuration gives */
export function apiCommand(definitionsOf = configuredDefinitions): Command {
  return newCommand("api")
    .description(
      "Run the HTTP API alone, on the Redis of REDIS_URL. It listens whether Redis is there or not; until it is, events are answered with 503.",
    )
    .action((options: ConfigOption) => serve(options, definitionsOf));
}

async function serve(
  options: ConfigOption,
  definitionsOf: typeof configuredDefinitions,
): Promise<void> {
  const config = loadConfig(process.env, options.config);
  const { redis } = config;
  if (redis.kind === "embedded") {
    throw new EngineError(
      "CONFIG_INVALID",
      "The HTTP API shares its Redis with the workers: set REDIS_URL. For everything in one process run `orderwright start`.",
    );
  }
  const definitions = definitionsOf(config);
  await runProcess(config, async (running) => {
    const url = await openHttpApi({ ...running, redisUrl: redis.url, definitions });
    running.log.info({ config: redactedConfig(config) }, "HTTP API started");
    print(`The HTTP API is running at ${url} (Ctrl-C ends it)`);
  });
}
