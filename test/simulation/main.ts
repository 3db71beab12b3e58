/**
 * The simulator's command: many runs in a few processes, or one run told in full.
 *
 *   npm run -s simulate -- --seed 1 --runs 20000 --json
 *   npm run -s simulate -- --only 4711 --trace
 *
 * Ends with 0 when nothing is wrong, with 1 when a run broke a promise, with 2 when it was called wrongly.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Call, callOf, plantOf, readCall, USAGE } from "./command-line.ts";
import { runAndJudge } from "./judgement.ts";
import { drawPlan } from "./plan.ts";
import { cutPlan, NOTHING_CUT, shrink } from "./shrinking.ts";
import { type Failure, FAILURES_MAX, type Share, sumOf, type Tally, tallyOf } from "./tally.ts";

/** Failing runs that are made small: each takes some dozen runs. */
const SHRUNK_MAX = 3;

interface Order {
  readonly share: Share;
  readonly plantName: string | undefined;
}

async function main(): Promise<number> {
  let call: Call;
  try {
    call = readCall(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  return call.only === undefined ? runMany(call) : runOne(call, call.only);
}

async function runMany(call: Call): Promise<number> {
  const { seed, runs, workers, plantName } = call;
  const shares = Array.from({ length: workers }, (_, index) => ({
    seed: seed + index,
    runs: runs - index,
    step: workers,
  }));
  const tallies = await Promise.all(shares.map((share) => runShare({ share, plantName })));
  const { failures, ...tally } = sumOf(tallies);
  const violations = await Promise.all(
    failures.slice(0, FAILURES_MAX).map(async (failure, index) => ({
      ...failure,
      again: index < SHRUNK_MAX ? await smallest(failure, plantName) : undefined,
    })),
  );
  const report = { ...tally, violations };
  process.stdout.write(`${JSON.stringify(report, null, call.isJson ? undefined : 2)}\n`);
  return violations.length === 0 ? 0 : 1;
}

/** A process of its own for each share: a run replaces the clock and the timers of its process. */
async function runShare(order: Order): Promise<Tally> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), { serialization: "advanced" });
  return new Promise((resolve, reject) => {
    child.once("message", (tally) => resolve(tally as Tally));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`a worker ended with ${String(code)}`)));
    child.send(order);
  });
}

let shrinking: Promise<unknown> = Promise.resolve();

/** One after the other: runs cannot share a process. */
async function smallest({ seed }: Failure, plantName: string | undefined): Promise<string> {
  const plan = drawPlan(seed);
  const cut = shrinking.then(() => shrink(plan, plantOf(plantName)));
  shrinking = cut;
  return callOf(plan, await cut, plantName);
}

async function runOne(
  { plantName, isTraced }: Call,
  { seed, cut }: NonNullable<Call["only"]>,
): Promise<number> {
  const plan = cutPlan(drawPlan(seed), cut);
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const plant = plantOf(plantName);
  write(JSON.stringify({ ...plan, items: plan.items.map(({ itemId }) => itemId) }));
  const { result, verdict, wrong } = await runAndJudge(plan, {
    plant,
    ...(isTraced && { trace: write }),
  });
  write(`${result.steps} steps, hash ${result.hash.toString(16)}, ${verdict.events} events`);
  for (const { rule, message } of wrong) write(`${rule}: ${message}`);
  if (wrong.length > 0 && cut === NOTHING_CUT) {
    write(`smaller: ${callOf(plan, await shrink(plan, plant), plantName)}`);
  }
  return wrong.length === 0 ? 0 : 1;
}

if (process.send === undefined) {
  process.exitCode = await main();
} else {
  process.once("message", (order: Order) => {
    void tallyOf(order.share, plantOf(order.plantName)).then((tally) =>
      process.send?.(tally, () => process.disconnect()),
    );
  });
}
