/** The HTTP API as part of a process: its own connections to the queue and the store, closed with the process. */
import type { MachineDefinition } from "../core/definition.ts";
import { registerMachines } from "../core/machine.ts";
import { openActing } from "../engine/act/open-acting.ts";
import { limitsOf } from "../engine/limits.ts";
import { openReading } from "../engine/reading.ts";
import { askingFor } from "../engine/serviceability.ts";
import { tellDoor } from "../http/access.ts";
import { startHttpServer } from "../http/server.ts";
import { openIntakeQueue } from "../queue/intake-queue.ts";
import { openKeyRing } from "../store/key-ring.ts";
import { probeKey } from "../store/keys.ts";
import { schemasOf } from "./configured-machines.ts";
import { configuredWebhooks } from "./configured-webhooks.ts";
import type { RunningProcess } from "./running-process.ts";

export interface HttpApiOptions extends RunningProcess {
  readonly redisUrl: string;
  readonly definitions: readonly MachineDefinition[];
}

/**
 * Resolves with the address once it listens, whether Redis is there or not.
 * @throws EngineError CONFIG_INVALID when the port is taken, or the file of webhooks has a fault
 */
export async function openHttpApi(options: HttpApiOptions): Promise<string> {
  const { config, redisUrl, lifecycle } = options;
  const { encryptionKeys } = config;
  const layout = { prefix: config.keyPrefix, shards: config.shards };
  const machines = registerMachines(options.definitions);
  const schemas = schemasOf(machines);
  const webhooks = configuredWebhooks(options, { env: process.env, schemas });
  const timeoutMs = config.intakeTimeoutMs;
  const queue = openIntakeQueue({
    redisUrl,
    prefix: config.queuePrefix,
    timeoutMs,
    probeKey: probeKey(layout),
  });
  lifecycle.onShutdown("intake queue", () => queue.close());
  const reading = openReading({ redisUrl, layout, machines, timeoutMs, encryptionKeys });
  lifecycle.onShutdown("reading side", async () => reading.close());
  const acting = openActing({
    reading,
    queue,
    schemas,
    limits: limitsOf(config),
    asksAbout: askingFor(config.autoAccept),
    link: { redisUrl, prefix: config.queuePrefix },
    timeoutMs,
  });
  lifecycle.onShutdown("acting side", () => acting.close());
  const { log } = options;
  const keys = openKeyRing({ redisUrl, layout, timeoutMs, now: Date.now });
  lifecycle.onShutdown("API keys", async () => keys.close());
  const server = await startHttpServer(
    { ...config, keys, queue, reading, acting, webhooks, log, schemas },
    { host: config.httpHost, port: config.httpPort },
  );
  lifecycle.onShutdown("HTTP API", () => server.close());
  const told = new AbortController();
  lifecycle.onShutdown("word of the door", async () => told.abort());
  void tellDoor({ keys, log, host: config.httpHost, signal: told.signal });
  return server.url;
}
