/**
 * `npm run recovery -- [--rounds N] [--items N] [--lease MS]... [--only SCENARIO] [--fsync FSYNC]
 * [--json]`: how long it takes until work goes on after the worst, with real processes under load.
 *
 *   kill -9   of one of two workers: until all that it had in hand is done by the other
 *   redis     killed and started again: from its first answer to the first commit
 *   sigterm   of one of two workers: until it has exited
 *   sigstop   of one of two workers for three leases: until all that it had in hand is done by the other
 *
 * After every round each item must have told the marketplace each status once and in order; a round where
 * one has not is reported on stderr and makes the exit code 1. Redis syncs at every write unless FSYNC is
 * "everysec": then a Redis that is killed may forget a second or two, jobs that it had taken among them, and
 * a round may never end well. `--json` prints one line.
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type InHand, RecoveryDeployment, type Worker } from "./recovery-deployment.ts";

/** Whole lives that a round begins with: seconds of work for two processes. */
const ITEMS = 600;

/** The default, and the shortest that a crowded machine bears. */
const LEASES_MS = ["6000", "2000"];

const REDIS_AWAY_MS = 2_000;

interface Round {
  readonly deployment: RecoveryDeployment;
  readonly victim: Worker;
  readonly leaseMs: number;
}

/** What was timed, and how long it took, ms. Nothing of what the victim did not have in hand. */
type Times = Readonly<Record<string, number>>;

const SCENARIOS = {
  "kill -9": afterKill,
  redis: afterRedisIsBack,
  sigterm: afterSigterm,
  sigstop: afterSigstop,
} satisfies Readonly<Record<string, (round: Round) => Promise<Times>>>;

type Scenario = keyof typeof SCENARIOS;

interface Row {
  readonly scenario: Scenario;
  readonly leaseMs: number;
  readonly timed: string;
  readonly count: number;
  readonly medianMs: number;
  readonly maxMs: number;
}

/** Stopped first, so that what it had in hand shows, and killed before it can go on. */
async function afterKill({ deployment, victim }: Round): Promise<Times> {
  const hurtAt = performance.now();
  victim.signal("SIGSTOP");
  const held = await deployment.stuck();
  victim.signal("SIGKILL");
  return takenOver(deployment, held, hurtAt);
}

async function afterRedisIsBack({ deployment }: Round): Promise<Times> {
  await deployment.killRedis();
  await delay(REDIS_AWAY_MS);
  await deployment.restartRedis();
  const backAt = performance.now();
  const before = await deployment.progress();
  return { "first commit": (await deployment.progressBeyond(before)) - backAt };
}

async function afterSigterm({ victim }: Round): Promise<Times> {
  const askedAt = performance.now();
  victim.signal("SIGTERM");
  const { code, atMs } = await victim.exited;
  if (code !== 0) throw new Error(`The worker exited with ${code}.`);
  return { exit: atMs - askedAt };
}

async function afterSigstop({ deployment, victim, leaseMs }: Round): Promise<Times> {
  const hurtAt = performance.now();
  victim.signal("SIGSTOP");
  const wakes = delay(3 * leaseMs).then(() => victim.signal("SIGCONT"));
  const times = await takenOver(deployment, await deployment.stuck(), hurtAt);
  await wakes;
  return times;
}

async function takenOver(
  deployment: RecoveryDeployment,
  { jobs, lanes }: InHand,
  hurtAt: number,
): Promise<Times> {
  const [jobsAt, lanesAt] = await Promise.all([
    deployment.jobsDone(jobs),
    deployment.lanesDone(lanes),
  ]);
  return {
    ...(jobs.length > 0 && { jobs: jobsAt - hurtAt }),
    ...(lanes.length > 0 && { lanes: lanesAt - hurtAt }),
  };
}

async function main(): Promise<void> {
  const { rounds, items, leases, only, fsync, format } = readOptions();
  const scenarios = (Object.keys(SCENARIOS) as Scenario[]).filter(
    (scenario) => only === undefined || scenario === only,
  );
  const rows: Row[] = [];
  for (const leaseMs of leases) {
    const deployment = await RecoveryDeployment.open({ leaseMs, fsync });
    try {
      for (const scenario of scenarios) {
        rows.push(...(await measure({ deployment, scenario, leaseMs, rounds, items })));
      }
    } finally {
      await deployment.close();
    }
  }
  if (format === "json") console.log(JSON.stringify(rows));
  else console.table(rows);
}

async function measure(plan: {
  readonly deployment: RecoveryDeployment;
  readonly scenario: Scenario;
  readonly leaseMs: number;
  readonly rounds: number;
  readonly items: number;
}): Promise<Row[]> {
  const { deployment, scenario, leaseMs, rounds, items } = plan;
  const times = new Map<string, number[]>();
  for (let round = 1; round <= rounds; round += 1) {
    const workers = await deployment.ensureWorkers(2);
    const victim = workers[round % workers.length];
    if (victim === undefined) throw new Error("No worker is running.");
    const adding = deployment.addLives(items, `${scenario}-${round}`);
    await deployment.busy();
    const took = await SCENARIOS[scenario]({ deployment, victim, leaseMs });
    await adding;
    for (const [timed, ms] of Object.entries(took)) {
      times.set(timed, [...(times.get(timed) ?? []), ms]);
    }
    await deployment.ensureWorkers(2);
    const faults = await deployment.settle();
    const told = Object.entries(took).map(([timed, ms]) => `${timed} ${ms.toFixed(0)} ms`);
    console.error(`${scenario}, lease ${leaseMs}, round ${round}: ${told.join(", ")}`);
    for (const fault of faults) console.error(`  WRONG: ${fault}`);
    if (faults.length > 0) process.exitCode = 1;
  }
  return [...times].map(([timed, all]) => ({ scenario, leaseMs, timed, ...spread(all) }));
}

function spread(all: readonly number[]): Pick<Row, "count" | "medianMs" | "maxMs"> {
  const sorted = all.map(Math.round).toSorted((left, right) => left - right);
  const medianMs = sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
  return { count: sorted.length, medianMs, maxMs: sorted.at(-1) ?? NaN };
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "10" },
      items: { type: "string", default: String(ITEMS) },
      lease: { type: "string", multiple: true, default: LEASES_MS },
      only: { type: "string" },
      fsync: { type: "string", default: "always" },
      json: { type: "boolean", default: false },
    },
  });
  return {
    rounds: positiveInteger("rounds", values.rounds),
    items: positiveInteger("items", values.items),
    leases: values.lease.map((text) => positiveInteger("lease", text)),
    only: values.only,
    fsync: values.fsync === "everysec" ? values.fsync : "always",
    format: values.json ? "json" : "table",
  } as const;
}

function positiveInteger(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} takes a positive whole number, not "${text}".`);
}

// An interrupted measurement must still end its children, which happens when the process exits.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

await main();
