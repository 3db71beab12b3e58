/**
 * SLA policies under which everything that a clock can do happens within seconds: reminders at every kind
 * of place, breaches with repeats that end, pauses with a maximum, reminders to customers, jeopardy. There
 * are two, so that one can be put in the other's place while items live: it has other targets, another
 * ladder, one clock fewer and one more. And what is hours ahead by the first is near by the second, so that
 * nothing but the recomputation can make it ring.
 */
import { policySchema } from "../sla/policy-schema.ts";
import type { Clock, Ladder, Policy } from "../sla/policy.ts";

export interface TestedPolicySetting {
  /** How long ago an event happened, ms, by the time it can be told at the earliest. */
  readonly toldAfterMs: number;
}

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

const BOTH = ["owner", "lead"] as const;
const OPEN = ["pending", "submitted_to_provider"] as const;
const VISITED = ["in_progress", "failed", "completed", "active"] as const;
const GIVEN_UP = [{ enters: ["rejected", "cancelled"] }] as const;
const APPOINTED = [{ enters: ["scheduled"] }, { appointment: "dated", in: ["scheduled"] }] as const;

/** The one in force at first, and the one that takes its place. */
export function testedPolicies({ toldAfterMs }: TestedPolicySetting): {
  readonly first: Policy;
  readonly second: Policy;
} {
  const first = policyOf("tested-1", {
    ladder: {
      rungs: [
        { percent: 50, to: ["owner"] },
        { afterMs: toldAfterMs + 400, to: ["owner"] },
        { beforeMs: 300, to: BOTH },
      ],
      breach: { to: BOTH },
      repeat: { everyMs: 1.5 * SECOND_MS, timesMax: 4, to: BOTH },
    },
    clocks: clocksOf(toldAfterMs, {
      respond: 1_500,
      contact: 1_200,
      install: 4_000,
      delivery: 2 * HOUR_MS,
    }),
  });
  const { schedule: _dropped, ...others } = clocksOf(toldAfterMs, {
    respond: 900,
    contact: 2_500,
    install: 3_000,
    delivery: 3_500,
  });
  const second = policyOf("tested-2", {
    ladder: {
      rungs: [
        { percent: 75, to: BOTH },
        { beforeMs: 500, to: ["owner"] },
      ],
      breach: { to: ["lead"] },
      repeat: { everyMs: 2 * SECOND_MS, timesMax: 2, to: BOTH },
    },
    clocks: {
      ...others,
      visit: durationOf({
        starts: [{ enters: ["accepted"] }],
        stops: [{ enters: VISITED }],
        drops: GIVEN_UP,
        targetMs: toldAfterMs + 2 * SECOND_MS,
      }),
    },
  });
  return { first, second };
}

/** Targets beyond `toldAfterMs`. */
interface Targets {
  readonly respond: number;
  readonly contact: number;
  readonly install: number;
  readonly delivery: number;
}

function clocksOf(toldAfterMs: number, targets: Targets): Record<string, Clock> {
  const [respondMs, contactMs, installMs] = [
    toldAfterMs + targets.respond,
    toldAfterMs + targets.contact,
    toldAfterMs + targets.install,
  ];
  return {
    respond: durationOf({
      starts: [{ enters: OPEN }],
      stops: [{ leaves: OPEN }],
      drops: [{ enters: ["cancelled"] }],
      targetMs: respondMs,
    }),
    contact: durationOf({
      starts: [{ enters: ["accepted"] }],
      stops: [{ leaves: ["accepted"] }],
      drops: GIVEN_UP,
      targetMs: contactMs,
    }),
    schedule: durationOf({
      starts: [{ enters: ["accepted"] }],
      stops: [{ appointment: "dated" }, { enters: VISITED }],
      drops: GIVEN_UP,
      targetMs: contactMs + 800,
    }),
    install: durationOf({
      starts: [{ enters: ["accepted", "scheduled", "in_progress"] }],
      stops: [{ enters: ["completed", "active"] }],
      drops: GIVEN_UP,
      targetMs: installMs,
    }),
    delivery: {
      ...durationOf({
        starts: [{ enters: OPEN }],
        stops: [{ enters: ["completed", "active"] }],
        drops: GIVEN_UP,
        targetMs: toldAfterMs + targets.delivery,
      }),
      ladder: "short",
    },
    "on-site": durationOf({
      starts: [{ enters: ["in_progress"] }],
      stops: [{ leaves: ["in_progress"] }],
      drops: GIVEN_UP,
      targetMs: toldAfterMs + 900,
    }),
    resolution: durationOf({
      starts: [{ enters: ["failed"] }],
      stops: [{ leaves: ["failed"] }],
      targetMs: contactMs,
    }),
    ...DATE_CLOCKS,
  };
}

/** Of the appointment. */
const DATE_CLOCKS: Readonly<Record<string, Clock>> = {
  appointment: {
    kind: "fixed-date",
    starts: APPOINTED,
    stops: [{ leaves: ["scheduled"] }],
    drops: GIVEN_UP,
    offsetMs: 0,
    atDue: "end",
    ladder: "appointment",
  },
  arrival: {
    kind: "fixed-date",
    starts: APPOINTED,
    stops: [{ leaves: ["scheduled"] }],
    drops: GIVEN_UP,
    offsetMs: 800,
    atDue: "breach",
    ladder: "short",
  },
};

type Owed = Pick<Clock, "starts" | "stops" | "drops"> & { readonly targetMs: number };

function durationOf(owed: Owed): Clock {
  return {
    kind: "duration",
    ...owed,
    calendar: "office",
    pausesWhile: ["waiting.customer", "waiting.reseller"],
    // Shorter than a target that waits for its tellers, so that pauses end by themselves as well.
    maxPauseMs: owed.targetMs,
    ladder: "full",
  };
}

const EVER = [["00:00", "24:00"]] as const;
const EVERY_DAY = { mon: EVER, tue: EVER, wed: EVER, thu: EVER, fri: EVER, sat: EVER, sun: EVER };

function policyOf(
  version: string,
  { ladder, clocks }: { readonly ladder: Ladder; readonly clocks: Readonly<Record<string, Clock>> },
): Policy {
  return policySchema.parse({
    version,
    zone: "UTC",
    // A calendar and not "always", so that its arithmetic takes part.
    calendars: { office: { zone: "UTC", weekly: EVERY_DAY } },
    customerHours: "office",
    ladders: {
      full: ladder,
      short: {
        rungs: [],
        breach: { to: BOTH },
        repeat: { everyMs: SECOND_MS, timesMax: 2, to: ["lead"] },
      },
      appointment: {
        rungs: [
          { beforeMs: 1_500, to: ["customer"] },
          { beforeMs: 1_000, to: ["owner"] },
          { beforeMs: 400, to: ["customer"] },
        ],
      },
    },
    clocks,
    jeopardy: {
      committedBy: "install",
      stages: [
        { statuses: ["accepted", "failed"], needsMs: 1_500 },
        { statuses: ["scheduled"], needsMs: SECOND_MS, until: "appointment" },
        { statuses: ["in_progress"], needsMs: 500 },
      ],
      yellowMs: SECOND_MS,
      redMs: 0,
      to: { green: ["owner"], yellow: ["owner"], red: BOTH },
    },
  });
}
