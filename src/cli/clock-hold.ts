/**
 * What `ack` and `snooze` share: an operator's word about one clock, as an event through the queue
 * like any other, so that the journal has who said it and why.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { type Role, ROLES } from "../core/clock-fact.ts";
import { EngineError } from "../core/errors.ts";
import { type Acted, act, type Order } from "../engine/act/act.ts";
import type { Refused, Result } from "../engine/act/action.ts";
import { describeItem, type ItemDescription } from "../engine/describe-item.ts";
import type { Store } from "../store/store.ts";
import { operatorFrom, withActing } from "./acting.ts";
import { noAnswer } from "./awaited-answer.ts";
import { operatorOf, withOperator } from "./operator.ts";
import { complain, print, printJson } from "./output.ts";
import { type ConfigOption, newCommand, withSession } from "./session.ts";
import { relativeText, timeText, wrapped } from "./text-layout.ts";

export interface HoldWords {
  readonly action: "acknowledge" | "snooze";
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
      holdAndTell({ ...flags, words, itemId, clock, by: operatorOf(flags) }),
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
    if (known?.state === undefined) throw unknownItem(hold.itemId);
    const until = hold.until.is === "span" ? now + hold.until.ms : hold.until.at;
    const acted = await withActing(session, (acting) => act(acting, orderOf(hold, until)));
    if (acted.is === "refused") throw new EngineError(acted.problem.code, acted.problem.message);
    if (acted.is === "pending") complain(noAnswer());
    const result = acted.is === "done" ? acted.result : undefined;
    if (result !== undefined && result.outcome !== "applied") process.exitCode = 1;
    if (hold.json) printJson({ event: eventNameOf(acted), answer: result ?? null });
    else print(holdText(hold, { until, now, known, ...(result && { answer: result }) }));
  });
}

function orderOf(hold: Hold, until: number): Order {
  const { words, itemId: item, clock, role } = hold;
  return {
    operator: operatorFrom(hold),
    action: { action: words.action, item, clock, until, role },
  };
}

function eventNameOf(acted: Exclude<Acted, Refused>): Result["event"] | null {
  return (acted.is === "done" ? acted.result.event : acted.event) ?? null;
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

interface HoldOutcome {
  readonly until: number;
  readonly now: number;
  readonly known: ItemDescription;
  /** Absent when none came in time. */
  readonly answer?: Result;
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
