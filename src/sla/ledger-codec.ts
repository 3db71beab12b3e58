/**
 * The ledger in short: JSON without names, because a million items have one. Times within a clock
 * count from its start, and what is as usual at the end of a list is left out. An open clock takes
 * some 30 to 60 bytes.
 */
import { z } from "zod";
import { EngineError } from "../core/errors.ts";
import type { Ledger, OpenClock, Phase } from "./ledger.ts";

/** Raised when the shape changes; an older shape is then still read. */
const FORMAT = 1;

const BREACHES = ["none", "seen", "told"] as const;

const int = z.int();
const phaseSchema = z.union([z.literal([0, 1]), z.tuple([z.string(), int])]);
/** Started; due after that, what the target differs from it; since; accrued, epoch, marks, breach, phase, acknowledged, snoozed. */
const clockSchema = z.tuple([
  int,
  int,
  int,
  int,
  int,
  int.nonnegative(),
  int,
  int,
  z.literal([0, 1, 2]),
  phaseSchema,
  int,
  int,
]);
type PackedClock = z.infer<typeof clockSchema>;
const CLOCK_LENGTH = 12;

const restSchema = z.strictObject({
  next: z.exactOptional(int),
  wait: z.exactOptional(z.tuple([z.string(), int])),
  date: z.exactOptional(int),
  stage: z.exactOptional(z.tuple([z.string(), int])),
  level: z.exactOptional(z.tuple([z.enum(["green", "yellow", "red"]), int])),
  noted: z.exactOptional(int),
});

const someClocksSchema = z.record(
  z.string(),
  z.preprocess((value) => (Array.isArray(value) ? padded(value) : value), clockSchema),
);

const ledgerSchema = z.tuple([
  z.literal(FORMAT),
  z.string(),
  someClocksSchema,
  z.record(z.string(), int.nonnegative()),
  restSchema,
]);

export type PackedLedger = readonly [
  format: 1,
  policy: string,
  clocks: Readonly<Record<string, readonly unknown[]>>,
  closed: Readonly<Record<string, number>>,
  rest: z.infer<typeof restSchema>,
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
      ...(jeopardy !== undefined && { level: [jeopardy.level, jeopardy.changes] }),
      ...(ledger.delayNotedAt !== undefined && { noted: ledger.delayNotedAt }),
    },
  ];
}

/** @throws EngineError STORE_CORRUPT when it is not what packLedger made */
export function unpackLedger(stored: unknown): Ledger {
  const read = ledgerSchema.safeParse(stored);
  if (!read.success) {
    const text = `The stored clocks are not readable: ${z.prettifyError(read.error)}`;
    throw new EngineError("STORE_CORRUPT", text);
  }
  const [, policy, clocks, closed, rest] = read.data;
  const { next, wait, date, stage, level, noted } = rest;
  const opened = Object.entries(clocks).map(([name, clock]) => [name, unpackClock(clock)]);
  return {
    policy,
    clocks: Object.fromEntries(opened) as Record<string, OpenClock>,
    closed,
    ...(next !== undefined && { nextAt: next }),
    ...(wait !== undefined && { wait: { on: wait[0], since: wait[1] } }),
    ...(date !== undefined && { appointmentAt: date }),
    ...(stage !== undefined && { stage: { name: stage[0], sinceMs: stage[1] } }),
    ...(level !== undefined && { jeopardy: { level: level[0], changes: level[1] } }),
    ...(noted !== undefined && { delayNotedAt: noted }),
  };
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
    BREACHES.indexOf(breach) as 0 | 1 | 2,
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
    breach: BREACHES[breach],
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

function padded(values: readonly unknown[]): readonly unknown[] {
  const missing = Math.max(0, CLOCK_LENGTH - values.length);
  return [...values, ...Array.from({ length: missing }, () => 0)];
}
