/** The HTTP API as part of a process: its own connection to the queue, closed with the process. */
import type { MachineDefinition } from "../core/definition.ts";
import { registerMachines } from "../core/machine.ts";
import { startHttpServer } from "../http/server.ts";
import { openIntakeQueue } from "../queue/intake-queue.ts";
import type { EventSchemas } from "../queue/producer.ts";
import { probeKey } from "../store/keys.ts";
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
  const queue = openIntakeQueue({
    redisUrl,
    prefix: config.queuePrefix,
    timeoutMs: config.intakeTimeoutMs,
    probeKey: probeKey({ prefix: config.keyPrefix, shards: config.shards }),
  });
  lifecycle.onShutdown("intake queue", () => queue.close());
  const server = await startHttpServer(
    { ...config, queue, log: options.log, schemas: schemasOf(options.definitions) },
    { host: config.httpHost, port: config.httpPort },
  );
  lifecycle.onShutdown("HTTP API", () => server.close());
  return server.url;
}

/** Of a type that several versions of a machine take, the newest one's: it is listed first. */
function schemasOf(definitions: readonly MachineDefinition[]): EventSchemas {
  const { all } = registerMachines(definitions);
  return Object.assign({}, ...all.toReversed().map(({ events }) => events)) as EventSchemas;
}
