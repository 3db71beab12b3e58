/** What commands work with that look at a running installation or send to it: opened, used, closed. */
import { Command } from "commander";
import { type Config, loadConfig } from "../config.ts";
import { registerMachines } from "../core/machine.ts";
import type { ReadingSide } from "../engine/describe-item.ts";
import { readPolicyInForce } from "../engine/read-policy.ts";
import type { QueueLink } from "../queue/queues.ts";
import { clockworkOf, type PolicyClockwork } from "../sla/clockwork.ts";
import { withSeal } from "../store/seal-store.ts";
import { closeStore, type ConnectedStore, openStore } from "../store/store.ts";
import { configuredDefinitions } from "./configured-machines.ts";
import { findRedis } from "./redis-address.ts";

/** A person waits at the terminal. */
const ANSWER_TIMEOUT_MS = 3_000;

export interface StoreSession extends ReadingSide {
  readonly config: Config;
  readonly store: ConnectedStore;
  readonly link: QueueLink;
}

export interface Session extends StoreSession {
  /** By the SLA policy that was in force when the command began. */
  readonly clocks: () => PolicyClockwork;
}

export interface ConfigOption {
  readonly config?: string;
}

/** A command with what all of them share. */
export function newCommand(name: string): Command {
  return new Command(name).option(
    "--config <file>",
    "JSON file with the configuration (default: orderwright.config.json when there is one)",
  );
}

/** @throws EngineError REDIS_UNREACHABLE, CONFIG_INVALID, STORE_LAYOUT_MISMATCH, POLICY_INVALID */
export async function withSession<Result>(
  options: ConfigOption,
  use: (session: Session) => Promise<Result>,
): Promise<Result> {
  return withStore(options, async (session) => {
    const { policy } = await readPolicyInForce(session.store);
    const clocks = clockworkOf(policy);
    return use({ ...session, clocks: () => clocks });
  });
}

/**
 * Without the policy, for commands that must work when the stored one cannot be read.
 * @throws EngineError REDIS_UNREACHABLE, CONFIG_INVALID, STORE_LAYOUT_MISMATCH
 */
export async function withStore<Result>(
  options: ConfigOption,
  use: (session: StoreSession) => Promise<Result>,
): Promise<Result> {
  const config = loadConfig(process.env, options.config);
  const machines = registerMachines(configuredDefinitions(config));
  const redisUrl = await findRedis(config, { timeoutMs: ANSWER_TIMEOUT_MS });
  const layout = { prefix: config.keyPrefix, shards: config.shards };
  const store = await openStore(redisUrl, layout, "reader");
  try {
    return await use({
      config,
      machines,
      store: await withSeal(store, config.encryptionKeys, "reader"),
      link: { redisUrl, prefix: config.queuePrefix },
    });
  } finally {
    await closeStore(store);
  }
}
