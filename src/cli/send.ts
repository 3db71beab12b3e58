/** `orderwright send`: an event, or a file of them, for the front door. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { loadConfig } from "../config.ts";
import { EngineError } from "../core/errors.ts";
import { describeItem } from "../engine/describe-item.ts";
import { checkEvent, type EventSchemas, newJob } from "../queue/producer.ts";
import { answerText, exitCodeOf } from "./answer-text.ts";
import { answerTo, noAnswer, PATIENCE_MS } from "./awaited-answer.ts";
import { configuredDefinitions } from "./configured-machines.ts";
import { type EventDefaults, type EventFlags, eventFrom, hintsFor } from "./event-arguments.ts";
import { complain, print, printJson } from "./output.ts";
import { sendFile } from "./send-file.ts";
import { type ConfigOption, newCommand, type Session, withSession } from "./session.ts";

const DEFAULT_SOURCE = "orderwright/cli";

export interface SendFlags extends ConfigOption, EventFlags {
  readonly data?: string;
  readonly file?: string;
  readonly wait: boolean;
  /** Commander's name for `--unchecked`: true when the event is to be sent as it is. */
  readonly unchecked?: true;
  readonly json?: true;
}

export function sendCommand(): Command {
  return newCommand("send")
    .description("Tell an order item what happened, and hear what became of it.")
    .argument("[type]", "event type, order.accepted for one")
    .argument("[item]", "order item id")
    .option("--data <json>", "the event's data: JSON, @file, or - for stdin")
    .option("--note <text>", "the note: providerNotes, or the reason of a wait")
    .option("--order <id>", "orderId, for order.received")
    .option("--scheduled-for <time>", "date and time of the appointment, with an offset")
    .option("--meta <key=value...>", "metadata for the marketplace")
    .option("--id <id>", "event id: the same for every sending of one fact (default: a new UUID)")
    .option("--source <name>", "who tells it", DEFAULT_SOURCE)
    .option("--time <time>", "when it happened, ISO 8601 with an offset (default: now)")
    .option("--sequence <n>", "place in the source's own order for this item")
    .option("--account <name>", "provider account that the sender speaks for")
    .option("--file <ndjson>", "send many: one event a line; - for stdin")
    .option("--unchecked", "send without checking the event first")
    .option("--no-wait", "do not wait for the outcome")
    .option("--json", "print one JSON document")
    .addHelpText("after", HELP)
    .action(send);
}

const HELP = `
Exit code: 0 when the event was applied, parked or stale, 1 when it was refused.

Examples:
  orderwright send order.received ITEM-1 --order ORDER-1
  orderwright send order.accepted ITEM-1 --note "We will call within 24 hours."
  orderwright send appointment.scheduled ITEM-1 --note "Tuesday afternoon." \\
    --scheduled-for 2031-03-11T13:00:00-07:00 --meta "appointmentWindow=1-5 PM"
  orderwright send --file events.ndjson`;

async function send(
  type: string | undefined,
  item: string | undefined,
  flags: SendFlags,
): Promise<void> {
  const schemas = configuredSchemas(flags);
  if (flags.file !== undefined) {
    if (type !== undefined) throw new InvalidArgumentError("Give an event or --file, not both.");
    const { file, ...rest } = flags;
    return sendFile({ ...rest, text: readText(file), schemas, defaults, patienceMs: PATIENCE_MS });
  }
  if (type === undefined || item === undefined) {
    throw new InvalidArgumentError(
      "Name an event type and an item: orderwright send order.received ITEM-1 --order ORDER-1",
    );
  }
  const dataText = dataTextOf(flags.data);
  const args = { type, item, flags, ...(dataText !== undefined && { dataText }) };
  const event = eventFrom(args, schemas, defaults(flags.source));
  if (flags.unchecked !== true) assertValid(schemas, event);
  await withSession(flags, (session) => deliver(session, { type, item, event }, flags));
}

function defaults(source: string): EventDefaults {
  return { id: randomUUID(), source };
}

function configuredSchemas({ config }: ConfigOption): EventSchemas {
  const all = configuredDefinitions(loadConfig(process.env, config));
  return Object.assign({}, ...all.map(({ events }) => events)) as EventSchemas;
}

function assertValid(schemas: EventSchemas, event: unknown): void {
  const checked = checkEvent(schemas, event, Date.now());
  if (checked.result === "event") return;
  const { code, message } = checked.problem;
  throw new EngineError(code, [message, ...hintsFor({ code, message })].join("\n  "));
}

interface Sent {
  readonly type: string;
  readonly item: string;
  readonly event: unknown;
}

async function deliver(session: Session, sent: Sent, flags: SendFlags): Promise<void> {
  const { type, item, event } = sent;
  const answer = await answerTo(session, newJob(event), flags.wait ? "awaited" : "not-awaited");
  if (answer === "not-awaited" || answer === "none") {
    if (flags.json) printJson({ event, answer: null });
    else print(`Queued: ${type} for item ${item}.`);
    if (answer === "none") complain(noAnswer());
    return;
  }
  process.exitCode = exitCodeOf(answer);
  const described = await describeItem(session, item, Date.now());
  const allowed = described?.state?.allowed;
  if (flags.json) printJson({ event, answer, allowed: allowed ?? null });
  else print(answerText({ type, item, answer, ...(allowed !== undefined && { allowed }) }));
}

function dataTextOf(data: string | undefined): string | undefined {
  if (data === "-") return readText("-");
  return data?.startsWith("@") ? readText(data.slice(1)) : data;
}

function readText(file: string): string {
  return readFileSync(file === "-" ? process.stdin.fd : file, "utf8");
}
