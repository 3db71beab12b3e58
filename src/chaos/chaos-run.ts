/**
 * One chaos run: a deployment of real processes is told of thousands of invented lives while faults strike
 * it, then everything is healed and comes to rest, and what happened is judged by the history checker.
 *
 *   open ──▶ faults and producers ──▶ healed, producers finish ──▶ at rest ──▶ ended ──▶ verdict
 *
 * Always true: it ends, each step at the latest with its own limit, and leaves no process behind. Its
 * folder stays only when it is asked for or when something was found.
 */
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registerMachines } from "../core/machine.ts";
import { checkHistory } from "../history/check.ts";
import type { FaultRecord, History } from "../history/history.ts";
import type { Verdict } from "../history/verdict.ts";
import { type OpenStage, openStage } from "./chaos-stage.ts";
import { collectHistory, type HistorySources } from "./collect-history.ts";
import { ALL_FAULT_KINDS, type FaultKind, type PlannedFault, planFaults } from "./fault-plan.ts";
import {
  type AskedEnding,
  isFallExcused,
  isUnclean,
  strikeAll,
  type Strikes,
} from "./fault-strikes.ts";
import { HeardNotices } from "./heard-notices.ts";
import { changePolicy, policyVersion, TESTED_POLICIES } from "./policy-change.ts";
import { Producers } from "./producers.ts";
import type { Durability } from "./redis-faults.ts";
import { seededRandom } from "./seeded-random.ts";
import { TESTED_DEFINITIONS } from "./tested-definitions.ts";
import { awaitSettled, type Settling } from "./settling.ts";
import { type Silence, silencesOf } from "./silences.ts";

export interface ChaosOptions {
  readonly seed: number;
  /** How long faults strike, ms. */
  readonly lengthMs: number;
  /** New events per second. */
  readonly rate: number;
  readonly redis: "single" | "sentinel";
  readonly appendfsync: Durability;
  /** Only these faults, as far as the Redis can suffer them; default all. */
  readonly only?: readonly FaultKind[];
  /** Keep the run's folder even when nothing was found. */
  readonly keep: boolean;
  /** Hears one line per fact. */
  readonly tell: (line: string) => void;
  /** Ends the faults and the producers early; the run still comes to its verdict. */
  readonly signal: AbortSignal;
}

export interface ChaosResult {
  readonly verdict: Verdict;
  readonly faults: readonly FaultRecord[];
  readonly silences: Readonly<Record<string, Silence>>;
  /** Requests, repeats and refused ones included. */
  readonly requests: number;
  readonly settling: Settling;
  /** What processes did that they must not do, in words. */
  readonly misbehaviour: readonly string[];
  /** The run's folder, when it was kept. */
  readonly directory?: string;
}

/** For the producers to hand over what is left, and for the deployment to do its work, ms. */
const FINISH_MS = 60_000;
const SETTLE_MS = 180_000;

/** Two looks of each process for another policy, and time to see it, ms. */
const POLICY_SEEN_MS = 6_000;

/** What was sent so long before a loss is repeated as well: clocks and fsyncs are not that exact, ms. */
const REPEAT_BEFORE_MS = 2_000;

/**
 * However wrong a process's own clock is set, it goes by Redis'. A look at that is wrong by half a round
 * trip at most, which is long only while Redis hangs, ms.
 */
const CLOCK_ERROR_MS = 1_000;

const MACHINES = registerMachines(TESTED_DEFINITIONS);

export function judge(history: History): Verdict {
  return checkHistory(history, MACHINES);
}

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const directory = mkdtempSync(join(tmpdir(), "orderwright-chaos-"));
  const logFile = createWriteStream(join(directory, "processes.log"));
  const heard = new HeardNotices();
  const log = (line: string): void => {
    heard.hear(line, Date.now());
    logFile.write(`${line}\n`);
  };
  let isWorthKeeping = true;
  try {
    const stage = await openStage({ ...options, directory, log });
    try {
      const result = await play(stage, options, { directory, heard });
      isWorthKeeping = options.keep || !isGood(result);
      return { ...result, ...(isWorthKeeping && { directory }) };
    } finally {
      await stage.close();
    }
  } finally {
    logFile.end();
    await once(logFile, "close");
    if (!isWorthKeeping) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

export function isGood({ verdict, misbehaviour }: ChaosResult): boolean {
  return verdict.violations.length === 0 && misbehaviour.length === 0;
}

interface RunPlace {
  readonly directory: string;
  readonly heard: HeardNotices;
}

async function play(
  stage: OpenStage,
  options: ChaosOptions,
  { directory, heard }: RunPlace,
): Promise<ChaosResult> {
  const { tell } = options;
  const plan = planOf(stage, options);
  tell(`${plan.length} faults are planned, and about ${options.rate} events a second.`);
  const producers = new Producers({
    lives: seededRandom(options.seed, "lives"),
    ways: seededRandom(options.seed, "ways"),
    rate: options.rate,
    doors: stage.doors,
    isBehind: stage.isBehind,
  });
  try {
    const strikes = await strike(stage, producers, { options, plan });
    const faultsEndedAt = Date.now();
    tell("The faults are over. What was sent is handed over, and everything comes to rest.");
    const ending = await comeToRest(stage, producers);
    const history = await historyOf(stage, producers, {
      faults: strikes.records,
      notices: heard.records,
      endedAt: ending.settledAt,
    });
    const heardAt = history.requests.map(({ at }) => at).filter((at) => at <= faultsEndedAt);
    const result: ChaosResult = {
      verdict: judge(history),
      faults: strikes.records,
      silences: silencesOf(strikes.records, heardAt),
      requests: history.requests.length,
      settling: ending.settling,
      misbehaviour: misbehaviourOf(stage, strikes, ending),
    };
    if (options.keep || !isGood(result)) {
      writeFileSync(join(directory, "history.json"), JSON.stringify(history));
    }
    return result;
  } finally {
    producers.stop();
  }
}

interface RunEnding {
  readonly handedOver: "acknowledged" | "late";
  readonly settling: Settling;
  /** ms. */
  readonly settledAt: number;
  readonly endings: readonly AskedEnding[];
}

/** Everything is handed over and worked off, and every process has ended. */
async function comeToRest(stage: OpenStage, producers: Producers): Promise<RunEnding> {
  const handedOver = await producers.finish(FINISH_MS);
  const first = await awaitSettled(stage.store, stage.crmEvents, SETTLE_MS);
  // A process that was cut off until now may have measured clocks by another policy than is in force, and
  // asks for a recomputation when it sees that.
  await delay(POLICY_SEEN_MS);
  const last = await awaitSettled(stage.store, stage.crmEvents, SETTLE_MS);
  const settling = { ...last, tookMs: first.tookMs };
  const from = Date.now();
  const ended = await stage.deployment.end();
  const endings = [...ended].map(([name, how]) => ({ name, how, from, to: Date.now() }));
  return { handedOver, settling, settledAt: from, endings };
}

function misbehaviourOf(
  { deployment }: OpenStage,
  { records, askedEndings }: Strikes,
  { handedOver, settling, endings }: RunEnding,
): readonly string[] {
  const fallen = deployment.fallen.filter((fall) => !isFallExcused(fall, records));
  const unclean = [...askedEndings, ...endings].filter((each) => isUnclean(each, records));
  return [
    ...(handedOver === "late" ? ["the front doors did not take every event in the end"] : []),
    ...(settling.outcome === "late" ? [`work is left: ${JSON.stringify(settling.left)}`] : []),
    ...fallen.map(({ name, at }) => `${name} ended by itself, at ${new Date(at).toISOString()}`),
    ...unclean.map(({ name, how, from, to }) => {
      const end = how.end === "exit" ? `exit code ${how.code}` : how.signal;
      return `${name} was asked to end and did so with ${end} after ${to - from} ms`;
    }),
  ];
}

function planOf({ redis }: OpenStage, { seed, lengthMs, only }: ChaosOptions): PlannedFault[] {
  const kinds = ALL_FAULT_KINDS.filter(
    (kind) =>
      (redis.kinds.includes(kind) || !isForRedis(kind)) &&
      (only === undefined || only.includes(kind)),
  );
  return planFaults(seededRandom(seed, "faults"), { lengthMs, kinds });
}

function isForRedis(kind: FaultKind): boolean {
  return kind === "kill-redis" || kind.startsWith("redis-");
}

async function strike(
  stage: OpenStage,
  producers: Producers,
  { options, plan }: { readonly options: ChaosOptions; readonly plan: readonly PlannedFault[] },
): Promise<Strikes> {
  const begunAt = performance.now();
  const { tell, signal, lengthMs, seed } = options;
  const clock = (): string => `${((performance.now() - begunAt) / 1_000).toFixed(1)} s`.padStart(8);
  const { log } = producers;
  const changing = changePolicy(stage.store, {
    policy: TESTED_POLICIES.second,
    afterMs: seededRandom(seed, "policy").between(0.3 * lengthMs, 0.7 * lengthMs),
    signal,
    onDone: () => tell(`${clock()}  another SLA policy is in force`),
  });
  const strikes = await strikeAll(stage, {
    plan,
    signal,
    lengthMs,
    onFault: ({ kind, place, lengthMs: for_ }) =>
      tell(`${clock()}  ${kind.padEnd(18)} ${place} for ${for_} ms; ${log.acknowledged} events in`),
    onOver: ({ kind, storeLostSince }) => {
      if (storeLostSince === undefined) return;
      const count = producers.repeatSince(storeLostSince - REPEAT_BEFORE_MS);
      tell(`${clock()}  ${kind.padEnd(18)} is over; producers repeat ${count} events`);
    },
  });
  await changing;
  return strikes;
}

async function historyOf(
  stage: OpenStage,
  producers: Producers,
  told: Pick<HistorySources, "faults" | "notices" | "endedAt">,
): Promise<History> {
  const { lives, log } = producers;
  const endings = new Map(lives.map(({ itemId, endsAs }) => [itemId, endsAs]));
  return collectHistory({
    store: stage.store,
    itemIds: lives.map(({ itemId }) => itemId),
    crmEvents: stage.crmEvents,
    requests: stage.market.log,
    sent: log.sent(),
    ...told,
    policyVersion: await policyVersion(stage.store),
    clockSkewMs: CLOCK_ERROR_MS,
    isEachPushed: true,
    machines: MACHINES,
    mustEndAs: (itemId) => endings.get(itemId),
  });
}
