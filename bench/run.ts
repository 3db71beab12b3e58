/**
 * `npm run bench -- [--items N] [--warm-up N] [--rounds N] [--json] [--only NAME]`: Orderwright against a
 * hand-made BullMQ + XState worker, same workload, same Redis, same marketplace stub.
 *
 * Take more items than a worker has jobs in flight, or two events of one item run at a time, which
 * the hand-made worker gets wrong.
 *
 * For each fsync setting a fresh Redis is started and the contestants take turns, so that a busy
 * minute of the machine hurts all of them; figures are medians over the rounds. `--json` prints one
 * line with the ratios ours ÷ hand-made. A run with a wrong result is reported on stderr and makes
 * the exit code 1: it has no speed.
 */
import { parseArgs } from "node:util";
import { handMade } from "./baselines/hand-made.ts";
import type { Contestant, Effects } from "./contestant.ts";
import { engine } from "./engine.ts";
import { measure, type Outcome } from "./measurement.ts";
import { startRedis, type Fsync, type RedisProcess } from "./redis-process.ts";
import { ratiosOf, tableOf, type Cell } from "./result-table.ts";
import { startStub, type Stub } from "./stub.ts";

const FSYNCS: readonly Fsync[] = ["everysec", "always"];
/** Whose figure over the hand-made worker's is the ratio. */
const OURS = "orderwright";

const EFFECTS: readonly Effects[] = ["with-patch", "without-patch"];

interface Options {
  readonly contestants: readonly Contestant[];
  readonly itemCount: number;
  readonly warmUpCount: number;
  readonly rounds: number;
  readonly format: "table" | "json";
}

async function main(): Promise<void> {
  const options = readOptions();
  const stub = await startStub();
  const cells: Cell[] = [];
  try {
    for (const fsync of FSYNCS) cells.push(...(await measureFsync({ fsync, stub, options })));
  } finally {
    await stub.stop();
  }
  const isRight = cells.every((cell) => cell.outcomes.every(({ outcome }) => outcome === "right"));
  if (options.format === "table") console.log(tableOf(cells));
  else if (isRight) console.log(JSON.stringify(ratiosOf(cells)));
  if (!isRight) process.exitCode = 1;
}

interface Series {
  readonly fsync: Fsync;
  readonly stub: Stub;
  readonly options: Options;
}

async function measureFsync(series: Series): Promise<Cell[]> {
  const redis = await startRedis(series.fsync);
  try {
    const cells: Cell[] = [];
    for (const effects of EFFECTS) cells.push(...(await measureRounds(series, redis, effects)));
    return cells;
  } finally {
    await redis.stop();
  }
}

async function measureRounds(
  { fsync, stub, options }: Series,
  redis: RedisProcess,
  effects: Effects,
): Promise<Cell[]> {
  const { contestants, itemCount, warmUpCount, rounds } = options;
  const outcomes = new Map<string, Outcome[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const contestant of contestants) {
      const outcome = await measure(contestant, { redis, stub, effects, itemCount, warmUpCount });
      outcomes.get(contestant.name)?.push(outcome);
      console.error(`${contestant.name}, ${fsync}, ${effects}, round ${round}: ${told(outcome)}`);
    }
  }
  return [...outcomes].map(([contestant, all]) => ({ contestant, fsync, effects, outcomes: all }));
}

function told(outcome: Outcome): string {
  if (outcome.outcome === "wrong") return `WRONG: ${outcome.faults.join("; ")}`;
  return `${outcome.eventsPerSecond.toFixed(0)} events/s`;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      items: { type: "string", default: "2000" },
      /** Items that live before those whose events are timed. */
      "warm-up": { type: "string", default: "1000" },
      rounds: { type: "string", default: "3" },
      json: { type: "boolean", default: false },
      only: { type: "string" },
      /** Jobs in flight in the hand-made worker, to measure its best figure again. */
      concurrency: { type: "string" },
    },
  });
  const contestants = [
    engine(OURS, 100),
    engine(`${OURS}, one event a job`, 1),
    handMade(values.concurrency),
  ].filter(({ name }) => values.only === undefined || values.only === name);
  if (contestants.length === 0) throw new Error(`There is no contestant "${values.only}".`);
  if (values.json && values.only !== undefined) {
    throw new Error("--json prints ratios and needs both contestants: leave --only out.");
  }
  return {
    contestants,
    itemCount: positiveInteger("items", values.items),
    warmUpCount: positiveInteger("warm-up", values["warm-up"]),
    rounds: positiveInteger("rounds", values.rounds),
    format: values.json ? "json" : "table",
  };
}

function positiveInteger(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} takes a positive whole number, not "${text}".`);
}

// An interrupted bench must still end its children, which happens when the process exits.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

await main();
