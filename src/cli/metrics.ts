/** `orderwright metrics`: how well orders are fulfilled, from the journals. */
import { type Command, InvalidArgumentError } from "commander";
import {
  type FulfilmentReport,
  type Grouping,
  GROUPINGS,
  measureFulfilment,
} from "../engine/measure-fulfilment.ts";
import { TARGETS, type TimeWindow } from "../engine/fulfilment-figures.ts";
import { instantOf, isZone, PERIOD_UNITS } from "../sla/period.ts";
import { figuresText, groupsText, leftOutText } from "./metrics-text.ts";
import { complain, print, printJson } from "./output.ts";
import { type ConfigOption, newCommand, withSession } from "./session.ts";
import { timeText } from "./text-layout.ts";

/** Between lines of progress, ms. */
const PROGRESS_EVERY_MS = 2_000;

interface MetricsFlags extends ConfigOption {
  readonly since?: string;
  readonly until?: string;
  readonly zone: string;
  readonly by?: readonly Grouping[];
  readonly account?: string;
  readonly json?: true;
}

export function metricsCommand(): Command {
  return newCommand("metrics")
    .description(
      "Acceptance rate, time to accept, completion rate and fulfilment time of all items, with the marketplace's targets, exact and from their journals.",
    )
    .option("--since <date>", "only what happened from then on: a date, or a date and time")
    .option("--until <date>", "only what happened before then")
    .option("--zone <name>", "IANA time zone of dates without one, and of --by", zoneOf, "UTC")
    .option(
      "--by <groups>",
      `a row for each ${GROUPINGS.join(", ")}; several: a,b`,
      groupingsOf,
      [],
    )
    .option("--account <name>", "only this marketplace account")
    .option("--json", "print one JSON document")
    .addHelpText("after", HELP)
    .action(run);
}

const HELP = `
An item counts in the period in which the event happened that makes it count, by the event's own
time. What each figure is: docs/operations.md, "Metrics". It reads every journal.`;

async function run(flags: MetricsFlags): Promise<void> {
  const window = windowOf(flags);
  const { by = [], zone, account } = flags;
  const query = { window, by, zone, ...(account !== undefined && { account }) };
  const options = { now: Date.now, onProgress: progressTeller() };
  const report = await withSession(flags, (session) => measureFulfilment(session, query, options));
  if (flags.json) printJson(documentOf(flags, window, report));
  else print(reportText(flags, window, report));
}

function documentOf(
  { by = [], zone, account }: MetricsFlags,
  { since, until }: TimeWindow,
  report: FulfilmentReport,
): unknown {
  return {
    since: Number.isFinite(since) ? timeText(since) : null,
    until: Number.isFinite(until) ? timeText(until) : null,
    zone,
    account: account ?? null,
    by,
    targets: TARGETS,
    ...report,
  };
}

function reportText(
  { by = [], account }: MetricsFlags,
  { since, until }: TimeWindow,
  report: FulfilmentReport,
): string {
  const title = [
    account === undefined ? "All accounts" : `Account ${account}`,
    ...(Number.isFinite(since) ? [`from ${timeText(since)}`] : []),
    ...(Number.isFinite(until) ? [`until ${timeText(until)}`] : []),
  ].join(" ");
  const leftOut = leftOutText(report);
  return [
    title,
    ...(by.length > 0 && report.groups.length > 0 ? [groupsText(by, report.groups)] : []),
    ...(by.length === 0 ? [figuresText(report.total)] : []),
    ...(by.length > 0 && report.groups.length === 0 ? ["Nothing happened."] : []),
    ...(leftOut === undefined ? [] : [leftOut]),
  ].join("\n\n");
}

function progressTeller(): (itemsRead: number) => void {
  let toldAt = performance.now();
  return (itemsRead) => {
    if (performance.now() - toldAt < PROGRESS_EVERY_MS) return;
    toldAt = performance.now();
    complain(`… ${itemsRead} items read`);
  };
}

function windowOf({ since, until, zone }: MetricsFlags): TimeWindow {
  const window = {
    since: since === undefined ? -Infinity : dateOf("--since", since, zone),
    until: until === undefined ? Infinity : dateOf("--until", until, zone),
  };
  if (window.since < window.until) return window;
  throw new InvalidArgumentError("--until must be later than --since.");
}

function dateOf(option: string, text: string, zone: string): number {
  const at = instantOf(text, zone);
  if (at !== undefined) return at;
  throw new InvalidArgumentError(
    `${option}: "${text}" is no date. Write 2026-03-01 or 2026-03-01T09:00:00Z.`,
  );
}

function zoneOf(name: string): string {
  if (isZone(name)) return name;
  throw new InvalidArgumentError("It is an IANA time zone: UTC, America/Los_Angeles.");
}

function groupingsOf(text: string): readonly Grouping[] {
  const names = [...new Set(text.split(","))].map((name) => {
    const grouping = GROUPINGS.find((known) => known === name);
    if (grouping !== undefined) return grouping;
    throw new InvalidArgumentError(`"${name}" is none of ${GROUPINGS.join(", ")}.`);
  });
  if (names.filter((name) => PERIOD_UNITS.some((unit) => unit === name)).length < 2) return names;
  throw new InvalidArgumentError(`Name one of ${PERIOD_UNITS.join(", ")} only.`);
}
