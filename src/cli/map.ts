/** `orderwright map`: checks a file of webhooks, and tells what a sample would become. Sends nothing. */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { loadConfig } from "../config.ts";
import { EngineError, type Problem } from "../core/errors.ts";
import { registerMachines } from "../core/machine.ts";
import type {
  Adapter,
  Ignored,
  IntakeEvent,
  OrderWideEvent,
  Translation,
} from "../intake/adapter.ts";
import { adaptersOf, typeHints, WEBHOOKS_FILE, type Webhooks } from "../intake/webhooks.ts";
import { verifyOffergridWebhook } from "../offergrid/webhook-signature.ts";
import { checkEvent, type EventSchemas } from "../queue/producer.ts";
import { configuredDefinitions, schemasOf } from "./configured-machines.ts";
import { webhooksIn } from "./configured-webhooks.ts";
import { complain, print, printJson } from "./output.ts";
import { type ConfigOption, newCommand } from "./session.ts";
import { count } from "./text-layout.ts";

interface MapFlags extends ConfigOption {
  readonly mapping?: string;
  readonly source?: string;
  readonly try?: string;
  readonly header?: readonly string[];
  readonly json?: true;
}

export function mapCommand(): Command {
  return newCommand("map")
    .description(
      "Check a mapping file of webhooks, and tell which events a sample of one would become. Sends nothing, asks for no signature.",
    )
    .option(
      "--mapping <file>",
      `JSON file with the sources of webhooks; else ORDERWRIGHT_WEBHOOKS_FILE, else ${WEBHOOKS_FILE}`,
    )
    .option("--source <name>", "a source of the file; needed with --try when there are several")
    .option("--try <file>", "a sample of what the sender's request holds")
    .option("--header <name:value...>", "a header that comes with the sample")
    .option("--json", "print one JSON document")
    .addHelpText("after", HELP)
    .action(map);
}

const HELP = `
Exit code: 0 when the file is in order and every event of the sample would be accepted, else 1.

Examples:
  orderwright map
  orderwright map --source field-service --try sample.json
  orderwright map --source events --try data.json --header "ce-specversion: 1.0" "ce-id: 1"`;

function map(flags: MapFlags): void {
  const config = loadConfig(process.env, flags.config);
  const from = flags.mapping ?? config.webhooksFile ?? WEBHOOKS_FILE;
  const webhooks = webhooksIn(from, process.env);
  const definitions = configuredDefinitions(config);
  const schemas = schemasOf(registerMachines(definitions));
  for (const hint of typeHints(webhooks, Object.keys(schemas))) complain(`hint: ${hint}`);
  if (flags.try === undefined) {
    const sources = Object.entries(webhooks.sources).map(([name, { kind }]) => ({ name, kind }));
    if (flags.json) printJson({ sources });
    else print(`${from} is in order: ${sources.map(said).join(", ") || "no source"}.`);
    return;
  }
  const tried = tryOut(
    adapterFor(webhooks, { ...flags, mapping: from }),
    { ...flags, try: flags.try },
    schemas,
  );
  if (flags.json) printJson(tried);
  else print(textOf(tried));
  if (tried.refused > 0) process.exitCode = 1;
}

function said({ name, kind }: { readonly name: string; readonly kind: string }): string {
  return `${name} (${kind})`;
}

function adapterFor(
  webhooks: Webhooks,
  { mapping, source }: MapFlags & { readonly mapping: string },
): Adapter {
  const adapters = adaptersOf(webhooks, { verifyOffergrid: verifyOffergridWebhook });
  const [only, ...others] = adapters.keys();
  const name = source ?? (others.length === 0 ? only : undefined);
  const adapter = name === undefined ? undefined : adapters.get(name);
  if (adapter !== undefined) return adapter;
  const names = [...adapters.keys()].join(", ");
  throw new EngineError(
    "CONFIG_INVALID",
    `${mapping} has ${source === undefined ? "several sources" : `no source "${source}"`}. Name one with --source: ${names}.`,
  );
}

interface TriedEvent {
  readonly event: IntakeEvent;
  readonly problem?: Problem;
}

interface TryOut {
  readonly outcome: Translation["outcome"];
  readonly events: readonly TriedEvent[];
  readonly orderWide: readonly OrderWideEvent[];
  readonly malformed: readonly Problem[];
  readonly ignored: readonly Ignored[];
  /** Events and elements that would become dead letters. */
  readonly refused: number;
}

function tryOut(
  adapter: Adapter,
  { try: file, header }: MapFlags & { readonly try: string },
  schemas: EventSchemas,
): TryOut {
  const nowMs = Date.now();
  const translation = adapter.translate({
    method: "POST",
    headers: headersFrom(header ?? []),
    rawBody: readFileSync(file),
    remoteAddress: "127.0.0.1",
    nowMs,
  });
  const { outcome } = translation;
  const nothing = { outcome, events: [], orderWide: [], malformed: [], ignored: [], refused: 0 };
  if (translation.outcome === "ignored") return { ...nothing, ignored: translation.ignored };
  if (translation.outcome === "malformed") {
    return { ...nothing, malformed: [translation.problem], refused: 1 };
  }
  const { orderWide, ignored } = translation;
  const events = translation.events.map((event): TriedEvent => {
    const checked = checkEvent(schemas, event, nowMs);
    return checked.result === "event" ? { event } : { event, problem: checked.problem };
  });
  const malformed = translation.malformed.map(({ problem }) => problem);
  const refused = malformed.length + events.filter(({ problem }) => problem).length;
  return { outcome, events, orderWide, malformed, ignored, refused };
}

function headersFrom(lines: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    lines.map((line) => {
      const [name = "", ...value] = line.split(":");
      return [name.trim().toLowerCase(), value.join(":").trim()];
    }),
  );
}

function textOf({ events, orderWide, malformed, ignored, refused }: TryOut): string {
  const lines = [
    ...events.flatMap(({ event, problem }) => [
      JSON.stringify(event, undefined, 2),
      problem === undefined
        ? "  would be accepted."
        : `  would be a dead letter: ${problem.code}: ${problem.message}`,
    ]),
    ...orderWide.map(({ orderId, event }) => `To all items of order ${orderId}: ${event.type}.`),
    ...malformed.map(({ code, message }) => `A dead letter: ${code}: ${message}`),
    ...ignored.map(({ reason, detail }) => `Ignored, ${reason}: ${detail}`),
  ];
  const summary = `${count(events.length, "event")}, ${count(refused, "dead letter")}, ${ignored.length} ignored.`;
  return [...lines, summary].join("\n");
}
