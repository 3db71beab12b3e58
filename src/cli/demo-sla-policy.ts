/**
 * The promises of the provider in the demonstration's week: one working day to make contact, five to
 * install, in office hours with a lunch break and a short Saturday. `…Ms` of these clocks are open hours.
 */
import type { Clock, Ladder, Policy } from "../sla/policy.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const BOTH = ["owner", "lead"] as const;
const OFFICE_DAY = [
  ["09:00", "12:00"],
  ["13:00", "18:00"],
] as const;
const AWAKE = [["08:00", "20:00"]] as const;
const UNDECIDED = ["pending", "submitted_to_provider"] as const;
const GIVEN_UP = [{ enters: ["rejected", "cancelled"] }] as const;

const PAUSED = { pausesWhile: ["waiting.customer"], maxPauseMs: 7 * 24 * HOUR_MS } as const;

const reminders = [
  { percent: 50, to: ["owner"] },
  { percent: 75, to: BOTH },
] as const;

/** A breach is told to both; then the lead hears of it again and again. */
function escalating(rungs: Ladder["rungs"], everyMs: number): Ladder {
  return { rungs, breach: { to: BOTH }, repeat: { everyMs, timesMax: 9, to: ["lead"] } };
}

const atAppointment = {
  kind: "fixed-date",
  starts: [{ enters: ["scheduled"] }, { appointment: "dated", in: ["scheduled"] }],
  stops: [{ leaves: ["scheduled"] }],
  drops: GIVEN_UP,
} as const satisfies Partial<Clock>;

export const POLICY: Policy = {
  version: "spring-1",
  zone: "America/New_York",
  calendars: {
    office: {
      zone: "item",
      weekly: {
        mon: OFFICE_DAY,
        tue: OFFICE_DAY,
        wed: OFFICE_DAY,
        thu: OFFICE_DAY,
        fri: OFFICE_DAY,
        sat: [["09:00", "13:00"]],
      },
      // Memorial Day.
      holidays: ["2026-05-25"],
    },
    awake: {
      zone: "item",
      weekly: {
        mon: AWAKE,
        tue: AWAKE,
        wed: AWAKE,
        thu: AWAKE,
        fri: AWAKE,
        sat: AWAKE,
        sun: AWAKE,
      },
    },
  },
  customerHours: "awake",
  ladders: {
    answer: escalating(reminders, 2 * HOUR_MS),
    goal: escalating([{ percent: 75, to: ["owner"] }], 4 * HOUR_MS),
    visit: escalating([], HOUR_MS),
    appointment: {
      rungs: [
        { beforeMs: 48 * HOUR_MS, to: ["customer"] },
        { beforeMs: 24 * HOUR_MS, to: ["customer"] },
        { beforeMs: 30 * MINUTE_MS, to: ["customer"] },
      ],
    },
  },
  clocks: {
    respond: {
      kind: "duration",
      starts: [{ enters: UNDECIDED }],
      stops: [{ leaves: UNDECIDED }],
      drops: [{ enters: ["cancelled"] }],
      targetMs: 4 * HOUR_MS,
      calendar: "office",
      ladder: "answer",
      ...PAUSED,
    },
    contact: {
      kind: "duration",
      starts: [{ enters: ["accepted"] }],
      stops: [{ leaves: ["accepted"] }],
      drops: GIVEN_UP,
      targetMs: 8 * HOUR_MS,
      calendar: "office",
      ladder: "answer",
      ...PAUSED,
    },
    install: {
      kind: "duration",
      starts: [{ enters: ["accepted"] }],
      stops: [{ enters: ["completed", "active"] }],
      drops: GIVEN_UP,
      targetMs: 40 * HOUR_MS,
      calendar: "office",
      ladder: "goal",
      ...PAUSED,
    },
    appointment: { ...atAppointment, offsetMs: 0, atDue: "end", ladder: "appointment" },
    /** The technician has an hour to come. */
    arrival: { ...atAppointment, offsetMs: HOUR_MS, atDue: "breach", ladder: "visit" },
  },
  jeopardy: {
    committedBy: "install",
    stages: [
      { statuses: ["accepted"], needsMs: 8 * HOUR_MS },
      { statuses: ["scheduled"], needsMs: 8 * HOUR_MS, until: "appointment" },
      { statuses: ["in_progress"], needsMs: 2 * HOUR_MS },
    ],
    yellowMs: 4 * HOUR_MS,
    redMs: 0,
    to: { green: ["owner"], yellow: ["owner"], red: BOTH },
  },
  delayNotes: { clocks: ["arrival", "install"], everyMs: 24 * HOUR_MS },
};

/** What the provider promises from Wednesday on: internet within three working days. */
export const FASTER_POLICY: Policy = {
  ...POLICY,
  version: "spring-2",
  exceptions: [{ category: "internet", clocks: { install: { targetMs: 24 * HOUR_MS } } }],
};
