/** Does to the deployment what the plan says, at its time, and records what was done. */
import { setTimeout as delay } from "node:timers/promises";
import type { FaultRecord } from "../history/history.ts";
import type { Market } from "../offergrid/sandbox/market.ts";
import { type FaultKind, known, type PlannedFault } from "./fault-plan.ts";
import { MARKET_RULES } from "./market-faults.ts";
import type { RedisDamage, TestedRedis } from "./redis-faults.ts";
import { endOf, type Fall, type TestedDeployment } from "./tested-deployment.ts";
import type { Ending, TestedProcess } from "./tested-process.ts";

/** How wrong a clock is set, ms, ahead or behind. */
const SKEW_MS = 1_500;

/** Everything that faults are done to. */
export interface FaultStage {
  readonly redis: TestedRedis;
  readonly market: Market;
  readonly deployment: TestedDeployment;
}

/** A process that was asked to end. */
export interface AskedEnding {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly how: Ending;
}

export interface Strikes {
  /** In the order in which they were over. */
  readonly records: readonly FaultRecord[];
  readonly askedEndings: readonly AskedEnding[];
}

export interface StrikesOptions {
  /** Not over before, however early the last fault is, ms. */
  readonly lengthMs: number;
  readonly plan: readonly PlannedFault[];
  readonly onFault: (fault: PlannedFault) => void;
  readonly onOver: (record: FaultRecord) => void;
  readonly signal: AbortSignal;
}

/** Resolves when the time is up and the last fault is over; aborted, no more faults begin. */
export async function strikeAll(stage: FaultStage, options: StrikesOptions): Promise<Strikes> {
  const begunAt = performance.now();
  const records: FaultRecord[] = [];
  const askedEndings: AskedEnding[] = [];
  const byPlace = new Map<string, Promise<void>>();
  const strikeOne = async (fault: PlannedFault, before: Promise<void>): Promise<void> => {
    await before;
    // On a machine that is slow to start processes a fault may have had to wait until the time was up.
    if (options.signal.aborted || performance.now() - begunAt > options.lengthMs) return;
    options.onFault(fault);
    const from = Date.now();
    const { asked, ...damage } = await strike(stage, fault);
    const record = { kind: fault.kind, from, to: Date.now(), ...damage };
    records.push(record);
    if (asked !== undefined) askedEndings.push(asked);
    options.onOver(record);
  };
  for (const fault of options.plan) {
    await pause(begunAt + fault.at - performance.now(), options.signal);
    if (options.signal.aborted) break;
    const before = byPlace.get(fault.place) ?? Promise.resolve();
    byPlace.set(fault.place, strikeOne(fault, before));
  }
  await Promise.all(byPlace.values());
  await pause(begunAt + options.lengthMs - performance.now(), options.signal);
  return { records, askedEndings };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await delay(ms, undefined, { signal }).catch(() => undefined);
}

interface Struck extends RedisDamage {
  readonly asked?: AskedEnding;
}

/** Resolves when what was broken is whole again. */
async function strike(stage: FaultStage, fault: PlannedFault): Promise<Struck> {
  const { place } = fault;
  if (place === "redis") return stage.redis.suffer(fault);
  if (place === "marketplace") return strikeMarket(stage.market, fault);
  const strikeProcess = known(PROCESS_STRIKES, fault);
  return stage.deployment.disturb(place, (process) => strikeProcess(process, fault));
}

async function strikeMarket(market: Market, fault: PlannedFault): Promise<Struck> {
  market.behaviour.faults = [...known(MARKET_RULES, fault)];
  await delay(fault.lengthMs);
  market.behaviour.faults = [];
  return {};
}

type ProcessStrike = (process: TestedProcess, fault: PlannedFault) => Promise<Struck>;

const killed: ProcessStrike = async (process, { lengthMs }) => {
  await process.kill();
  await delay(lengthMs);
  await process.start();
  return {};
};

const PROCESS_STRIKES: Readonly<Partial<Record<FaultKind, ProcessStrike>>> = {
  "kill-event-worker": killed,
  "kill-push-worker": killed,
  "kill-api": killed,
  "stop-worker": async (process, { lengthMs }) => {
    process.pause();
    await delay(lengthMs);
    process.resume();
    return {};
  },
  "clock-skew": async (process, { lengthMs, draw }) => {
    await process.kill();
    await process.start(draw < 0.5 ? -SKEW_MS : SKEW_MS);
    await delay(lengthMs);
    await process.kill();
    await process.start();
    return {};
  },
  "term-worker": async (process, { lengthMs }) => {
    const from = Date.now();
    const how = await endOf(process);
    const asked = { name: process.name, from, to: Date.now(), how };
    await delay(lengthMs);
    await process.start();
    return { asked };
  },
};

/** Ended otherwise than by exit code 0, and with a Redis that was there all the time. */
export function isUnclean({ from, to, how }: AskedEnding, faults: readonly FaultRecord[]): boolean {
  if (how.end === "exit" && how.code === 0) return false;
  return !hadRedisFault(faults, from, to);
}

/** A start that fails because of Redis is seen within this, ms. */
const FALL_SEEN_MS = 5_000;

/** Only a process that is starting may end because of Redis. */
export function isFallExcused({ at }: Fall, faults: readonly FaultRecord[]): boolean {
  return hadRedisFault(faults, at - FALL_SEEN_MS, at);
}

function hadRedisFault(faults: readonly FaultRecord[], from: number, to: number): boolean {
  return faults.some(
    (fault) => /^(kill-redis|redis-)/.test(fault.kind) && fault.from <= to && fault.to >= from,
  );
}
