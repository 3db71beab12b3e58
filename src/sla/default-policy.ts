/**
 * The policy of an installation that has none of its own: the marketplace's published figures.
 * Hours are hours of the calendar, because the marketplace names business days nowhere. `push.owed`
 * and `push.settled` are what the engine says of an item's updates to the marketplace: one that has
 * waited for an hour is owed from the time of the fact it tells, and settled when it has left.
 */
import type { Ladder, Policy } from "./policy.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const BOTH = ["owner", "lead"] as const;
const ALL_DAY = [["08:00", "21:00"]] as const;
const UNDECIDED = ["pending", "submitted_to_provider"] as const;
const PROMISED = ["accepted", "scheduled", "in_progress"] as const;
const GIVEN_UP = [{ enters: ["rejected", "cancelled"] }] as const;

/** What only the customer or the reseller can end stops the clock, for two weeks at most. */
const PAUSED = {
  pausesWhile: ["waiting.customer", "waiting.reseller"],
  maxPauseMs: 14 * DAY_MS,
} as const;

const overdue = {
  breach: { to: BOTH },
  repeat: { everyMs: 4 * HOUR_MS, timesMax: 9, to: BOTH },
} as const satisfies Partial<Ladder>;

const goal = { rungs: [{ afterMs: 4 * HOUR_MS, to: ["owner"] }], ...overdue } as const;

export const DEFAULT_POLICY: Policy = {
  version: "default-1",
  zone: "UTC",
  calendars: {
    "customer-hours": {
      zone: "item",
      weekly: {
        mon: ALL_DAY,
        tue: ALL_DAY,
        wed: ALL_DAY,
        thu: ALL_DAY,
        fri: ALL_DAY,
        sat: ALL_DAY,
        sun: ALL_DAY,
      },
    },
  },
  customerHours: "customer-hours",
  ladders: {
    default: {
      rungs: [
        { percent: 50, to: ["owner"] },
        { percent: 75, to: BOTH },
        { beforeMs: 30 * MINUTE_MS, to: BOTH },
      ],
      ...overdue,
    },
    respond: {
      rungs: [...goal.rungs, { percent: 75, to: BOTH }, { beforeMs: 30 * MINUTE_MS, to: BOTH }],
      ...overdue,
    },
    goal,
    overdue: { rungs: [], ...overdue },
    appointment: {
      rungs: [
        { beforeMs: 48 * HOUR_MS, to: ["customer"] },
        { beforeMs: 24 * HOUR_MS, to: ["customer"] },
        { beforeMs: 24 * HOUR_MS, to: ["owner"] },
        { beforeMs: 30 * MINUTE_MS, to: ["customer"] },
        { beforeMs: 30 * MINUTE_MS, to: ["owner"] },
      ],
    },
  },
  clocks: {
    /** Goal 4 hours, limit 24; a confirmed receipt does not restart it. */
    respond: {
      kind: "duration",
      starts: [{ enters: UNDECIDED }],
      stops: [{ leaves: UNDECIDED }],
      drops: [{ enters: ["cancelled"] }],
      targetMs: 24 * HOUR_MS,
      calendar: "always",
      ladder: "respond",
      ...PAUSED,
    },
    /** 24 to 48 hours: its first rung is the lower figure. */
    contact: {
      kind: "duration",
      starts: [{ enters: ["accepted"] }],
      stops: [{ leaves: ["accepted"] }],
      drops: GIVEN_UP,
      targetMs: 48 * HOUR_MS,
      calendar: "always",
      ladder: "default",
      ...PAUSED,
    },
    schedule: {
      kind: "duration",
      starts: [{ enters: ["accepted"] }],
      // By its date and not by the status: an observed appointment may still lack one.
      stops: [
        { appointment: "dated" },
        { enters: ["in_progress", "failed", "completed", "active"] },
      ],
      drops: GIVEN_UP,
      targetMs: 5 * DAY_MS,
      calendar: "always",
      ladder: "default",
      ...PAUSED,
    },
    /** Through failure and another visit: the customer has waited all the time. */
    install: {
      kind: "duration",
      starts: [{ enters: PROMISED }],
      stops: [{ enters: ["completed", "active"] }],
      drops: GIVEN_UP,
      targetMs: 10 * DAY_MS,
      calendar: "always",
      ladder: "default",
      ...PAUSED,
    },
    appointment: {
      kind: "fixed-date",
      starts: [{ enters: ["scheduled"] }, { appointment: "dated", in: ["scheduled"] }],
      stops: [{ leaves: ["scheduled"] }],
      drops: GIVEN_UP,
      offsetMs: 0,
      atDue: "end",
      ladder: "appointment",
    },
    /** Work must have started within four hours of the appointment. */
    arrival: {
      kind: "fixed-date",
      starts: [{ enters: ["scheduled"] }, { appointment: "dated", in: ["scheduled"] }],
      stops: [{ leaves: ["scheduled"] }],
      drops: GIVEN_UP,
      offsetMs: 4 * HOUR_MS,
      atDue: "breach",
      ladder: "overdue",
    },
    "on-site": {
      kind: "duration",
      starts: [{ enters: ["in_progress"] }],
      stops: [{ leaves: ["in_progress"] }],
      drops: GIVEN_UP,
      targetMs: 4 * HOUR_MS,
      calendar: "always",
      ladder: "default",
      ...PAUSED,
    },
    resolution: {
      kind: "duration",
      starts: [{ enters: ["failed"] }],
      stops: [{ leaves: ["failed"] }],
      targetMs: 48 * HOUR_MS,
      calendar: "always",
      ladder: "default",
      ...PAUSED,
    },
    /** Within hours, not days; and whoever the item waits for, the marketplace is to know. */
    "push-lag": {
      kind: "duration",
      starts: [{ event: "push.owed" }],
      stops: [{ event: "push.settled" }],
      targetMs: 24 * HOUR_MS,
      calendar: "always",
      ladder: "goal",
    },
  },
  jeopardy: {
    committedBy: "install",
    stages: [
      { statuses: ["accepted", "failed"], needsMs: 3 * DAY_MS },
      { statuses: ["scheduled"], needsMs: 3 * DAY_MS, until: "appointment" },
      { statuses: ["in_progress"], needsMs: 4 * HOUR_MS },
    ],
    yellowMs: DAY_MS,
    redMs: 0,
    to: { green: ["owner"], yellow: ["owner"], red: BOTH },
  },
};
