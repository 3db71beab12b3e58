/** `orderwright sandbox`: the imitation of the Offergrid marketplace as a process of its own. */
import { Command, InvalidArgumentError } from "commander";
import { createLifecycle, endOnSignals } from "../lifecycle.ts";
import { createLogger } from "../logger.ts";
import { startSandbox } from "../offergrid/sandbox/server.ts";
import { print } from "./output.ts";

/** Nothing in the sandbox is worth waiting for. */
const SHUTDOWN_TIMEOUT_MS = 5_000;

interface SandboxFlags {
  readonly host: string;
  readonly port: number;
}

export function sandboxCommand(): Command {
  return new Command("sandbox")
    .description(
      "Run an imitation of the Offergrid marketplace that takes the status of any item. It remembers nothing after it ends.",
    )
    .option("--host <address>", "address to listen on; 0.0.0.0 lets the network in", "127.0.0.1")
    .option("--port <number>", "port to listen on; 0 takes a free one", portOf, 3000)
    .action(run);
}

async function run({ host, port }: SandboxFlags): Promise<void> {
  const lifecycle = createLifecycle({
    timeoutMs: SHUTDOWN_TIMEOUT_MS,
    log: createLogger("warn"),
  });
  endOnSignals(lifecycle);
  const sandbox = await startSandbox({ host, port, adoptUnknownItems: true });
  lifecycle.onShutdown("sandbox", () => sandbox.close());
  print(`The sandbox marketplace is running. Ctrl-C ends it.

  ${sandbox.url}

Let workers use it:

  OFFERGRID_API_KEY=sandbox OFFERGRID_BASE_URL=${sandbox.url} npx orderwright worker
`);
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("A port is a number from 0 to 65535.");
}
