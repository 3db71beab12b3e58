/** The HTTP API as part of a process: its own connections to the queue and the store, closed with the process. */
import type { MachineDefinition } from "../core/definition.ts";
import { registerMachines } from "../core/machine.ts";
import { openReading } from "../engine/reading.ts";
import { startHttpServer } from "../http/server.ts";
import { openIntakeQueue } from "../queue/intake-queue.ts";
import { probeKey } from "../store/keys.ts";
import { schemasOf } from "./configured-machines.ts";
import type { RunningProcess } from "./running-process.ts";

export interface HttpApiOptions extends RunningProcess {
  readonly redisUrl: string;
  readonly definitions: readonly MachineDefinition[];
}

/**
 * Resolves with the address once it listens, whether Redis is there or not.
 * @throws EngineError CONFIG_INVALID when the port is taken
 */
export async function openHttpApi(options: HttpApiOptions): Promise<string> {
  const { config, redisUrl, lifecycle } = options;
  const layout = { prefix: config.keyPrefix, shards: config.shards };
  const machines = registerMachines(options.definitions);
  const timeoutMs = config.intakeTimeoutMs;
  const queue = openIntakeQueue({
    redisUrl,
    prefix: config.queuePrefix,
    timeoutMs,
    probeKey: probeKey(layout),
  });
  lifecycle.onShutdown("intake queue", () => queue.close());
  const reading = openReading({ redisUrl, layout, machines, timeoutMs });
  lifecycle.onShutdown("reading side", async () => reading.close());
  const server = await startHttpServer(
    { ...config, queue, reading, log: options.log, schemas: schemasOf(machines) },
    { host: config.httpHost, port: config.httpPort },
  );
  lifecycle.onShutdown("HTTP API", () => server.close());
  return server.url;
}
