/**
 * What `ack` and `snooze` share: an operator's word about one clock, as an event through the queue
 * like any other, so that the journal has who said it and why.
 */
import { randomUUID } from "node:crypto";
import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { type ACKNOWLEDGED, holdDataSchema, type SNOOZED } from "../core/clock-event.ts";
import { type Role, ROLES } from "../core/clock-fact.ts";
import { EngineError } from "../core/errors.ts";
import { describeItem, type ItemDescription } from "../engine/describe-item.ts";
import type { JobAnswer } from "../engine/handle-job.ts";
import { checkEvent, newJob } from "../queue/producer.ts";
import type { Store } from "../store/store.ts";
import { exitCodeOf } from "./answer-text.ts";
import { answerTo, noAnswer } from "./awaited-answer.ts";
import { operatorOf, recordOperation, withOperator } from "./operator.ts";
import { complain, print, printJson } from "./output.ts";
import { type ConfigOption, newCommand, withSession } from "./session.ts";
import { relativeText, timeText, wrapped } from "./text-layout.ts";

export interface HoldWords {
  readonly type: typeof ACKNOWLEDGED | typeof SNOOZED;
  readonly description: string;
  /** "Acknowledged". */
  readonly done: string;
  /** What is silent, as the beginning of a sentence that ends with "until then". */
  readonly silent: string;
}

/** When silence ends: so long from now, or at a moment; ms. */
export type Until =
  | { readonly is: "span"; readonly ms: number }
  | { readonly is: "moment"; readonly at: number };

interface HoldFlags extends ConfigOption {
  readonly until: Until;
  readonly reason: string;
  readonly role: Role;
  readonly by?: string;
  readonly json?: true;
}

interface Hold extends HoldFlags {
  /** Of the command. */
  readonly name: string;
  readonly words: HoldWords;
  readonly itemId: string;
  readonly clock: string;
  readonly by: string;
}

export function holdCommand(name: string, words: HoldWords): Command {
  return withOperator(newCommand(name))
    .description(words.description)
    .argument("<item>", "order item id")
    .argument("<clock>", "name of the clock, see `orderwright show`")
    .requiredOption("--until <time>", "for so long, 30m, 4h or 2d, or until a moment", untilOf)
    .requiredOption("--reason <text>", "why; kept in the journal")
    .addOption(new Option("--role <role>", "as whom").choices(ROLES).default("owner"))
    .option("--json", "print one JSON document")
    .addHelpText("after", helpOf(name))
    .action((itemId: string, clock: string, flags: HoldFlags) =>
      holdAndTell({ ...flags, name, words, itemId, clock, by: operatorOf(flags) }),
    );
}

function helpOf(name: string): string {
  return `
At most 7 days; a later word replaces an earlier one. Exit code 1 when it was refused.

Example:
  orderwright ${name} ITEM-1 respond --until 4h --reason "The provider answers this afternoon."`;
}

const SPAN = /^(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?$/;

const MINUTE_MS = 60_000;

/** "90m", "1d12h" or ISO 8601 with an offset. @throws InvalidArgumentError */
export function untilOf(text: string): Until {
  const span = SPAN.exec(text);
  if (span !== null && text !== "") {
    const [days, hours, minutes] = span.slice(1).map((digits) => Number(digits ?? 0));
    const inMinutes = (days ?? 0) * 1_440 + (hours ?? 0) * 60 + (minutes ?? 0);
    return { is: "span", ms: inMinutes * MINUTE_MS };
  }
  // Without an offset it would be another moment for somebody elsewhere.
  if (z.iso.datetime({ offset: true }).safeParse(text).success) {
    return { is: "moment", at: Date.parse(text) };
  }
  throw new InvalidArgumentError(
    "It is a span such as 30m, 4h or 2d, or a moment with an offset: 2031-03-11T13:00:00Z.",
  );
}

async function holdAndTell(hold: Hold): Promise<void> {
  await withSession(hold, async (session) => {
    const now = await storeNow(session.store);
    const known = await describeItem(session, hold.itemId, now);
    // For an item that nobody has announced the event would be a dead letter.
    if (known?.state === undefined) throw unknownItem(hold.itemId);
    const until = hold.until.is === "span" ? now + hold.until.ms : hold.until.at;
    const event = eventOf(hold, until, now);
    const { name: action, itemId: item, clock, role } = hold;
    const detail = { clock, role, until };
    await recordOperation(session.store, hold, { action, item, detail });
    const answer = await answerTo(session, newJob(event), "awaited");
    if (answer !== "none" && answer !== "not-awaited") process.exitCode = exitCodeOf(answer);
    else complain(noAnswer());
    const told = typeof answer === "string" ? undefined : answer;
    if (hold.json) printJson({ event, answer: told ?? null });
    else print(holdText(hold, { until, now, known, ...(told && { answer: told }) }));
  });
}

/** The engine measures by Redis' clock, and not by that of the operator's machine; ms. */
export async function storeNow({ redis }: Store): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
}

function unknownItem(itemId: string): EngineError {
  return new EngineError(
    "ITEM_UNKNOWN",
    `No item ${itemId} is running here. Check the id with \`orderwright attention\` or \`orderwright items\`.`,
  );
}

/** @throws EngineError EVENT_DATA_INVALID, EVENT_INVALID for what is too long */
function eventOf(hold: Hold, until: number, now: number): unknown {
  const { words, itemId, clock, by, role, reason } = hold;
  const event = {
    specversion: "1.0",
    id: randomUUID(),
    source: `operator:${by}`,
    type: words.type,
    subject: itemId,
    time: new Date(now).toISOString(),
    data: { clock, until: new Date(until).toISOString(), by, role, reason },
  };
  const checked = checkEvent({ [words.type]: holdDataSchema }, event, now);
  if (checked.result === "event") return event;
  throw new EngineError(checked.problem.code, checked.problem.message);
}

interface HoldOutcome {
  readonly until: number;
  readonly now: number;
  readonly known: ItemDescription;
  /** Absent when none came in time. */
  readonly answer?: JobAnswer;
}

function holdText({ words, itemId, clock, by }: Hold, outcome: HoldOutcome): string {
  const { until, now, known, answer } = outcome;
  if (answer === undefined) return `Queued: "${clock}" of item ${itemId}.`;
  if (answer.outcome === "applied") {
    const end = `until ${timeText(until)} (${relativeText(until, now)})`;
    return wrapped(
      `${words.done}: "${clock}" of item ${itemId}, by ${by}, ${end}. ${words.silent} until then.`,
      "",
    );
  }
  const { code, message } = answer.problem ?? { code: answer.outcome, message: "" };
  const open = known.clocks?.clocks.map((each) => each.clock) ?? [];
  const isOpen = open.length === 0 || open.includes(clock);
  return [
    wrapped(`Refused, ${code}: ${message}`.trimEnd(), ""),
    ...(isOpen ? [] : [`  Open clocks: ${open.join(", ")}`]),
  ].join("\n");
}
