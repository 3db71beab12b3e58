/**
 * The ledger in short: JSON without names, because a million items have one. Times within a clock
 * count from its start, and what is as usual at the end of a list is left out. An open clock takes
 * some 30 to 60 bytes.
 */
import { EngineError } from "./errors.ts";
import type { Level } from "./clock-fact.ts";
import type { Ledger, OpenClock, Phase } from "./clock-ledger.ts";

/** Raised when the shape changes; an older shape is then still read. */
const FORMAT = 1;

const BREACHES = ["none", "seen", "told"] as const;

/** Started; due after that, what the target differs from it; since; accrued, epoch, marks, breach, phase, acknowledged, snoozed. */
type PackedClock = readonly [
  startedAt: number,
  due: number,
  targetBeyond: number,
  since: number,
  accruedMs: number,
  epoch: number,
  markMs: number,
  customerMarkMs: number,
  breach: number,
  phase: 0 | 1 | readonly [on: string, endsAt: number],
  ackUntil: number,
  snoozedUntil: number,
];
const CLOCK_LENGTH = 12;

interface PackedRest {
  readonly next?: number;
  readonly wait?: readonly [on: string, since: number];
  readonly date?: number;
  readonly stage?: readonly [name: string, sinceMs: number];
  readonly level?: readonly [level: Level, changes: number, since: number];
  readonly noted?: number;
}

export type PackedLedger = readonly [
  format: 1,
  policy: string,
  clocks: Readonly<Record<string, readonly unknown[]>>,
  closed: Readonly<Record<string, number>>,
  rest: PackedRest,
];

/** Plain JSON, to stand inside other JSON. */
export function packLedger(ledger: Ledger): PackedLedger {
  const { policy, clocks, closed, nextAt, wait, appointmentAt, stage, jeopardy } = ledger;
  const packed = Object.entries(clocks).map(([name, clock]) => [name, trimmed(packClock(clock))]);
  return [
    FORMAT,
    policy,
    Object.fromEntries(packed) as Record<string, readonly unknown[]>,
    closed,
    {
      ...(nextAt !== undefined && { next: nextAt }),
      ...(wait !== undefined && { wait: [wait.on, wait.since] }),
      ...(appointmentAt !== undefined && { date: appointmentAt }),
      ...(stage !== undefined && { stage: [stage.name, stage.sinceMs] }),
      ...(jeopardy !== undefined && { level: [jeopardy.level, jeopardy.changes, jeopardy.since] }),
      ...(ledger.delayNotedAt !== undefined && { noted: ledger.delayNotedAt }),
    },
  ];
}

/**
 * Read for every decision, so only its frame is checked: what is in it was written by packLedger.
 * @throws EngineError STORE_CORRUPT when it is not what packLedger made
 */
export function unpackLedger(stored: unknown): Ledger {
  if (!isPacked(stored)) {
    throw new EngineError("STORE_CORRUPT", "The stored clocks are of another shape.");
  }
  const [, policy, clocks, closed, rest] = stored;
  const { next, wait, date, stage, level, noted } = rest;
  const opened = Object.entries(clocks).map(([name, clock]) => [name, unpackClock(padded(clock))]);
  return {
    policy,
    clocks: Object.fromEntries(opened) as Record<string, OpenClock>,
    closed,
    ...(next !== undefined && { nextAt: next }),
    ...(wait !== undefined && { wait: { on: wait[0], since: wait[1] } }),
    ...(date !== undefined && { appointmentAt: date }),
    ...(stage !== undefined && { stage: { name: stage[0], sinceMs: stage[1] } }),
    ...(level !== undefined && {
      jeopardy: { level: level[0], changes: level[1], since: level[2] },
    }),
    ...(noted !== undefined && { delayNotedAt: noted }),
  };
}

function isPacked(stored: unknown): stored is PackedLedger {
  if (!Array.isArray(stored) || stored.length !== 5) return false;
  const [format, policy, clocks, closed, rest] = stored as unknown[];
  return (
    format === FORMAT &&
    typeof policy === "string" &&
    [clocks, closed, rest].every(isObject) &&
    Object.values(clocks as object).every(Array.isArray)
  );
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function packClock(clock: OpenClock): PackedClock {
  const { startedAt, dueAt, targetMs, since, accruedMs, epoch, markMs, customerMarkMs, breach } =
    clock;
  return [
    startedAt,
    dueAt - startedAt,
    targetMs - (dueAt - startedAt),
    since - startedAt,
    accruedMs,
    epoch,
    markMs,
    customerMarkMs,
    BREACHES.indexOf(breach),
    packPhase(clock.phase),
    clock.ackUntil ?? 0,
    clock.snoozedUntil ?? 0,
  ];
}

function unpackClock(packed: PackedClock): OpenClock {
  const [startedAt, due, targetBeyond, since, accruedMs, epoch, markMs, customerMarkMs] = packed;
  const [, , , , , , , , breach, phase, ackUntil, snoozedUntil] = packed;
  return {
    startedAt,
    dueAt: startedAt + due,
    targetMs: due + targetBeyond,
    since: startedAt + since,
    accruedMs,
    epoch,
    markMs,
    customerMarkMs,
    breach: BREACHES[breach] ?? "none",
    phase: unpackPhase(phase),
    ...(ackUntil !== 0 && { ackUntil }),
    ...(snoozedUntil !== 0 && { snoozedUntil }),
  };
}

function packPhase(phase: Phase): PackedClock[9] {
  if (phase.is === "paused") return [phase.on, phase.endsAt];
  return phase.is === "running" ? 0 : 1;
}

function unpackPhase(packed: PackedClock[9]): Phase {
  if (packed === 0) return { is: "running" };
  return packed === 1 ? { is: "overstayed" } : { is: "paused", on: packed[0], endsAt: packed[1] };
}

function trimmed(values: readonly unknown[]): readonly unknown[] {
  return values.slice(0, values.findLastIndex((value) => value !== 0) + 1);
}

function padded(values: readonly unknown[]): PackedClock {
  const whole = [...values];
  while (whole.length < CLOCK_LENGTH) whole.push(0);
  return whole as unknown as PackedClock;
}
