/** `orderwright start`: everything in one process, for trying it out and for one machine. */
import type { Command } from "commander";
import { startWorkers } from "../../workers/main.ts";
import { loadConfig, redactedConfig } from "../config.ts";
import { CRM_EVENTS } from "../queue/queues.ts";
import { assertTemplates } from "./auto-accept.ts";
import { configuredDefinitions } from "./configured-machines.ts";
import { openHttpApi } from "./http-api.ts";
import { print } from "./output.ts";
import {
  openMarketplace,
  openRedis,
  runProcess,
  type OpenMarketplace,
  type RunningProcess,
} from "./running-process.ts";
import { type ConfigOption, newCommand } from "./session.ts";
import { table } from "./text-layout.ts";

export function startCommand(): Command {
  return newCommand("start")
    .description(
      "Run everything in this process: the workers, the HTTP API, a Redis of our own unless REDIS_URL is set, and a sandbox marketplace unless OFFERGRID_API_KEY or OFFERGRID_ACCOUNTS is set.",
    )
    .action(start);
}

async function start(options: ConfigOption): Promise<void> {
  // A person reads this terminal; what is worth a line in production would bury the few hints here.
  const config = loadConfig(process.env, options.config, { logLevel: "warn" });
  const definitions = configuredDefinitions(config);
  assertTemplates(config, definitions);
  await runProcess(config, async (running) => {
    const redisUrl = await openRedis(running);
    const marketplace = await openMarketplace(running);
    const { accounts } = marketplace;
    await startWorkers({ ...running, redisUrl, accounts, definitions });
    const apiUrl = await openHttpApi({ ...running, redisUrl, definitions });
    print(welcome(running, { redisUrl, apiUrl, marketplace }));
  });
}

interface Places {
  readonly redisUrl: string;
  readonly apiUrl: string;
  readonly marketplace: OpenMarketplace;
}

function welcome({ config }: RunningProcess, { redisUrl, apiUrl, marketplace }: Places): string {
  const { accounts, sandboxUrl } = marketplace;
  const { redis } = redactedConfig(config);
  const places = [
    ["Redis", redis.kind === "url" ? redis.url : `${redisUrl} (embedded)`],
    ...(redis.kind === "url" ? [] : [["Data", redis.dataDir]]),
    ["Queue", `${CRM_EVENTS} (BullMQ)`],
    ["HTTP API", `${apiUrl}/v1/events`],
    [
      "Marketplace",
      sandboxUrl === undefined
        ? accounts.map(({ name, baseUrl }) => `${name}: ${baseUrl}`).join(", ")
        : `${sandboxUrl} (sandbox: nothing leaves this machine)`,
    ],
  ];
  return `Orderwright is running. Ctrl-C ends it; what it holds is kept.

${table([], places, "  ")}

Try in another terminal:

  npx orderwright send order.received ITEM-1 --order ORDER-1
  npx orderwright send order.accepted ITEM-1 --note "We will call within 24 hours."
  npx orderwright show ITEM-1
`;
}
