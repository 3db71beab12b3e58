import { randomUUID } from "node:crypto";
import { type Config, loadConfig } from "../../src/config.ts";

/** Everything lower than the defaults, so that a test need not wait for a person's patience. */
export function testConfig(redisUrl: string, change: Partial<Config> = {}): Config {
  const id = randomUUID().slice(0, 8);
  return {
    ...loadConfig({
      REDIS_URL: redisUrl,
      ORDERWRIGHT_LOG_LEVEL: process.env["TEST_LOG"] ?? "silent",
    }),
    keyPrefix: `t${id}`,
    queuePrefix: `b${id}`,
    sweepIntervalMs: 100,
    leaseMs: 2_000,
    // Whoever wants the marketplace asked says so: most tests count what it hears.
    pollIntervalMs: 0,
    driftIntervalMs: 0,
    driftGraceMs: 0,
    ...change,
  };
}
