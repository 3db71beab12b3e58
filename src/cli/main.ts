#!/usr/bin/env node
/**
 * The `orderwright` command. Each subcommand is one file, loaded only when it is asked for, so that a
 * quick look does not pay for a web server.
 */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { EngineError } from "../core/errors.ts";
import { complain, endQuietlyWhenPipeCloses } from "./output.ts";

interface Subcommand {
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** In the order in which a newcomer meets them. */
const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  start: {
    summary: "run everything in one process",
    load: async () => (await import("./start.ts")).startCommand(),
  },
  demo: {
    summary: "watch orders live their lives, in a minute",
    load: async () => (await import("./demonstrate.ts")).demoCommand(),
  },
  send: {
    summary: "tell an item what happened",
    load: async () => (await import("./send.ts")).sendCommand(),
  },
  show: {
    summary: "show one item: state, clocks, journal, pushes",
    load: async () => (await import("./show.ts")).showCommand(),
  },
  items: {
    summary: "list items and count them by status",
    load: async () => (await import("./items.ts")).itemsCommand(),
  },
  dead: {
    summary: "list what needs a person",
    load: async () => (await import("./dead.ts")).deadCommand(),
  },
  attention: {
    summary: "list whose promise is broken, or will be",
    load: async () => (await import("./attention.ts")).attentionCommand(),
  },
  ack: {
    summary: "take care of a late clock, and hear no repeats",
    load: async () => (await import("./acknowledge.ts")).acknowledgeCommand(),
  },
  snooze: {
    summary: "hear nothing of a clock for a while",
    load: async () => (await import("./snooze.ts")).snoozeCommand(),
  },
  retry: {
    summary: "try a dead letter again",
    load: async () => (await import("./retry.ts")).retryCommand(),
  },
  skip: {
    summary: "give a dead letter up",
    load: async () => (await import("./skip.ts")).skipCommand(),
  },
  reconcile: {
    summary: "compare with the marketplace, explain, repair",
    load: async () => (await import("./reconcile.ts")).reconcileCommand(),
  },
  metrics: {
    summary: "how well orders are fulfilled, and the targets",
    load: async () => (await import("./metrics.ts")).metricsCommand(),
  },
  policy: {
    summary: "show, check and set the SLA policy",
    load: async () => (await import("./policy.ts")).policyCommand(),
  },
  keys: {
    summary: "make, list, rotate and revoke API keys",
    load: async () => (await import("./keys.ts")).keysCommand(),
  },
  encryption: {
    summary: "seal what Redis holds of items, exchange keys",
    load: async () => (await import("./encryption.ts")).encryptionCommand(),
  },
  audit: {
    summary: "list who did what and why, and verify the list",
    load: async () => (await import("./audit.ts")).auditCommand(),
  },
  map: {
    summary: "check what webhooks of other systems would become",
    load: async () => (await import("./map.ts")).mapCommand(),
  },
  worker: {
    summary: "run the workers alone",
    load: async () => (await import("./worker.ts")).workerCommand(),
  },
  api: {
    summary: "run the HTTP API alone",
    load: async () => (await import("./api.ts")).apiCommand(),
  },
  sandbox: {
    summary: "run the imitation of the marketplace alone",
    load: async () => (await import("./sandbox.ts")).sandboxCommand(),
  },
  chaos: {
    summary: "break everything on purpose, and judge what is left",
    load: async () => (await import("./chaos.ts")).chaosCommand(),
  },
};

async function main(): Promise<void> {
  endQuietlyWhenPipeCloses();
  const words = process.argv.slice(2);
  try {
    await (await program(words)).parseAsync(words, { from: "user" });
  } catch (error) {
    process.exitCode = 1;
    complain(complaintOf(error));
  }
}

async function program(words: readonly string[]): Promise<Command> {
  const whole = new Command("orderwright")
    .description("A durable workflow engine for order items.")
    .version(packageVersion());
  const asked = words[0] === "help" ? words[1] : words[0];
  for (const [name, { summary, load }] of Object.entries(SUBCOMMANDS)) {
    if (name === asked) whole.addCommand((await load()).summary(summary));
    else whole.command(name).summary(summary);
  }
  return whole;
}

/** What a person needs to read. Only for a fault of our own that is the stack. */
function complaintOf(error: unknown): string {
  if (error instanceof EngineError) return error.message;
  if (error instanceof CommanderError) return `error: ${error.message}`;
  // The system's own errors (a port in use, a file that is not there) say what they are about.
  if (error instanceof Error && "syscall" in error) return `error: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The package is one folder further up once it is built. */
function packageVersion(): string {
  const isBuilt = import.meta.url.endsWith(".js");
  const file = new URL(isBuilt ? "../../../package.json" : "../../package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { readonly version: string };
  return version;
}

await main();
