/** `orderwright chaos`: a deployment of real processes under faults, and what it came to. */
import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { type ChaosTotals, totalsOf, violationLines } from "../chaos/chaos-report.ts";
import { type ChaosOptions, isGood, judge, runChaos } from "../chaos/chaos-run.ts";
import { ALL_FAULT_KINDS, type FaultKind, isFaultKind } from "../chaos/fault-plan.ts";
import type { History } from "../history/history.ts";
import { complain, print } from "./output.ts";
import { table } from "./text-layout.ts";

interface ChaosFlags {
  readonly seed: number;
  readonly minutes: number;
  readonly rate: number;
  readonly sentinel?: true;
  readonly aof: "always" | "everysec";
  readonly only?: readonly FaultKind[];
  readonly keep?: true;
  readonly judge?: string;
  readonly json?: true;
}

const MINUTE_MS = 60_000;

/** 128 and the number of SIGINT, as shells say it. */
const INTERRUPTED = 130;

/** Enough for 20,000 events in five minutes even while nothing gets in for part of them. */
const RATE = 120;

export function chaosCommand(): Command {
  return new Command("chaos")
    .description(
      "Run workers, API, Redis and a sandbox marketplace as real processes, tell them of thousands of invented orders, kill, pause and disturb them by a seeded plan, and judge what became of every event. Exit code 1 when a promise was broken.",
    )
    .option("--seed <number>", "repeats the plan of a run", wholeNumber, 1)
    .option("--minutes <number>", "how long faults strike; a part of a minute will do", positive, 5)
    .option("--rate <number>", "new events per second", positive, RATE)
    .option("--sentinel", "a Redis with a replica behind Sentinels, and failovers")
    .addOption(
      new Option("--aof <mode>", "when Redis writes to disk; with always it forgets nothing")
        .choices(["always", "everysec"])
        .default("everysec"),
    )
    .option(
      "--only <kinds>",
      `faults to choose from, separated by commas: ${ALL_FAULT_KINDS.join(", ")}`,
      kindsOf,
    )
    .option("--keep", "keep the run's folder, with the logs and the history")
    .option("--judge <file>", "judge the history.json of an earlier run instead of running")
    .option("--json", "one line of JSON")
    .action(chaos);
}

async function chaos(flags: ChaosFlags): Promise<void> {
  if (flags.judge !== undefined) {
    judgeFile(flags.judge);
    return;
  }
  const interruption = new AbortController();
  const interrupt = (): void => {
    // Once: the run is cut short and judged. Twice: it ends at once, and takes its processes along.
    if (interruption.signal.aborted) process.exit(INTERRUPTED);
    interruption.abort();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    const result = await runChaos(optionsOf(flags, interruption.signal));
    const totals = totalsOf(flags.seed, result);
    print(flags.json ? JSON.stringify(totals) : summaryOf(totals, flags));
    if (isGood(result)) return;
    process.exitCode = 1;
    for (const line of violationLines(result.verdict)) complain(line);
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

function optionsOf(flags: ChaosFlags, signal: AbortSignal): ChaosOptions {
  return {
    seed: flags.seed,
    lengthMs: flags.minutes * MINUTE_MS,
    rate: flags.rate,
    redis: flags.sentinel ? "sentinel" : "single",
    appendfsync: flags.aof,
    keep: flags.keep === true,
    tell: flags.json ? () => undefined : print,
    signal,
    ...(flags.only !== undefined && { only: flags.only }),
  };
}

/** Written by a run, so its shape is known. */
function judgeFile(file: string): void {
  const verdict = judge(JSON.parse(readFileSync(file, "utf8")) as History);
  const { violations, ...counts } = verdict;
  print(
    table(
      [],
      Object.entries(counts).map(([name, count]) => [name, String(count)]),
    ),
  );
  if (violations.length === 0) return;
  process.exitCode = 1;
  for (const line of violationLines(verdict)) print(line);
}

function summaryOf(totals: ChaosTotals, flags: ChaosFlags): string {
  const { faults, silences, misbehaviour, violations, directory, ...counts } = totals;
  const faultRows = Object.entries(faults).map(([kind, count]) => {
    const { medianMs = 0, maxMs = 0 } = silences[kind] ?? {};
    return [kind, String(count), `${medianMs} ms`, `${maxMs} ms`];
  });
  const parts = [
    "",
    table(["fault", "times", "marketplace silent (median)", "at most"], faultRows),
    "",
    table(
      [],
      Object.entries(counts).map(([name, count]) => [name, String(count)]),
    ),
    "",
    violations.length + misbehaviour.length === 0
      ? "Nothing lost, nothing twice, in order."
      : `Promises were broken: ${violations.length} violations.`,
    ...misbehaviour,
    ...(directory === undefined ? [] : [`Logs and history: ${directory}`]),
    `Repeat it with: orderwright chaos ${repeatArguments(flags)}`,
  ];
  return parts.join("\n");
}

function repeatArguments({ seed, minutes, sentinel, aof, only }: ChaosFlags): string {
  const words = [`--seed ${seed}`, `--minutes ${minutes}`];
  if (sentinel) words.push("--sentinel");
  if (aof !== "everysec") words.push(`--aof ${aof}`);
  if (only !== undefined) words.push(`--only ${only.join(",")}`);
  return words.join(" ");
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Write a whole number.");
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 10_000) return value;
  throw new InvalidArgumentError("Write a number above 0.");
}

function kindsOf(text: string): readonly FaultKind[] {
  return text.split(",").map((word) => {
    if (isFaultKind(word)) return word;
    throw new InvalidArgumentError(`"${word}" is none of ${ALL_FAULT_KINDS.join(", ")}.`);
  });
}
