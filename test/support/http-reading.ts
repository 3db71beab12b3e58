/** The HTTP API over a harness's Redis, asked in this process. */
import { definitions } from "../../machines/registry.ts";
import { eventSchemas } from "../../machines/order-item/events.ts";
import type { Config } from "../../src/config.ts";
import { registerMachines } from "../../src/core/machine.ts";
import { openReading, type Reading } from "../../src/engine/reading.ts";
import type { ServerOptions } from "../../src/http/server.ts";
import { createLogger } from "../../src/logger.ts";
import { eventually } from "./eventually.ts";
import { OPEN_DOOR } from "./open-door.ts";

export function readingOf(
  redisUrl: string,
  { keyPrefix, shards }: Pick<Config, "keyPrefix" | "shards">,
  timeoutMs = 2_000,
): Reading {
  return openReading({
    redisUrl,
    layout: { prefix: keyPrefix, shards },
    machines: registerMachines(definitions({ orderItem: {} })),
    timeoutMs,
  });
}

/** Waits until `answered` says that a question was answered with 200. */
export async function isUp(answered: () => Promise<number>): Promise<void> {
  await eventually(async () => {
    const status = await answered();
    if (status !== 200) throw new Error(`the API answers ${status}`);
  });
}

export function serverOptions(reading: Reading): ServerOptions {
  return {
    keys: OPEN_DOOR,
    reading,
    queue: { add: async () => undefined, probe: async () => undefined },
    schemas: eventSchemas(8 * 1024),
    log: createLogger(process.env["TEST_LOG"] === "debug" ? "debug" : "silent"),
    intakeTimeoutMs: 1_000,
    intakeMaxInFlight: 10,
  };
}
