/**
 * What is wrong with a policy whose every part has its shape: names that mean nothing, fields that
 * another kind of clock has, pauses without an end, calendars that are open too seldom.
 */
import { EngineError } from "../core/errors.ts";
import { addOpen, openCalendar } from "./calendar.ts";
import type { Clock, ClockChanges, Policy } from "./policy.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** The years within which a calendar must have the open time that is asked of it. */
const REACH_DAYS = 8 * 365;
/** Any instant would do: calendars repeat. */
const REACH_FROM = Date.UTC(2026, 0, 1);

export interface Fault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const UNKNOWN_CALENDAR = 'must be a calendar of this policy or "always"';

export function faultsOf(policy: Policy): readonly Fault[] {
  const clocks = Object.entries(policy.clocks).flatMap(([key, clock]) =>
    referenceFaults(policy, { ...clock, base: clock }, ["clocks", key]),
  );
  return [
    ...clocks,
    ...exceptionFaults(policy),
    ...jeopardyFaults(policy),
    ...(isCalendar(policy, policy.customerHours)
      ? []
      : [{ path: ["customerHours"], message: UNKNOWN_CALENDAR }]),
    ...(policy.delayNotes?.clocks ?? [])
      .filter((clock) => !Object.hasOwn(policy.clocks, clock))
      .map((clock) => ({ path: ["delayNotes", "clocks"], message: `names no clock: ${clock}` })),
    ...reachFaults(policy),
  ];
}

function isCalendar(policy: Policy, calendar: string): boolean {
  return calendar === "always" || Object.hasOwn(policy.calendars, calendar);
}

type Changed = ClockChanges & { readonly base: Clock };

function referenceFaults(policy: Policy, changed: Changed, path: Fault["path"]): readonly Fault[] {
  const { base, calendar, ladder } = changed;
  const faults: Fault[] = [];
  if (calendar !== undefined && !isCalendar(policy, calendar)) {
    faults.push({ path: [...path, "calendar"], message: UNKNOWN_CALENDAR });
  }
  if (ladder !== undefined && !Object.hasOwn(policy.ladders, ladder)) {
    faults.push({ path: [...path, "ladder"], message: "must be a ladder of this policy" });
  }
  const known = base.kind === "duration" ? base.maxPauseMs : undefined;
  const pauses = (changed.pausesWhile ?? []).length > 0;
  if (pauses && (changed.maxPauseMs ?? known) === undefined) {
    faults.push({ path: [...path, "maxPauseMs"], message: "is needed: every pause has a maximum" });
  }
  return faults;
}

function exceptionFaults(policy: Policy): readonly Fault[] {
  const seen = new Set<string>();
  return (policy.exceptions ?? []).flatMap((exception, index) => {
    const { account = null, category = null } = exception;
    const key = JSON.stringify([account, category]);
    const twice = seen.has(key) ? [{ path: ["exceptions", index], message: "is there twice" }] : [];
    seen.add(key);
    const own = Object.entries(exception.clocks).flatMap(([clock, changes]) =>
      changeFaults(policy, { clock, changes }, ["exceptions", index, "clocks", clock]),
    );
    return [...twice, ...own];
  });
}

const FIELDS = {
  duration: ["targetMs", "calendar", "zone", "pausesWhile", "maxPauseMs", "ladder"],
  "fixed-date": ["offsetMs", "ladder"],
} as const;

function changeFaults(
  policy: Policy,
  { clock, changes }: { readonly clock: string; readonly changes: ClockChanges | "off" },
  path: Fault["path"],
): readonly Fault[] {
  const base = Object.hasOwn(policy.clocks, clock) ? policy.clocks[clock] : undefined;
  if (base === undefined) return [{ path, message: "must be a clock of this policy" }];
  if (changes === "off") return [];
  const fields: readonly string[] = FIELDS[base.kind];
  const foreign = Object.keys(changes)
    .filter((field) => !fields.includes(field))
    .map((field) => ({ path: [...path, field], message: `is not for a ${base.kind} clock` }));
  return [...foreign, ...referenceFaults(policy, { ...changes, base }, path)];
}

function jeopardyFaults({ jeopardy, clocks }: Policy): readonly Fault[] {
  if (jeopardy === undefined) return [];
  const { committedBy, stages, yellowMs, redMs } = jeopardy;
  const faults: Fault[] = [];
  const clock = Object.hasOwn(clocks, committedBy) ? clocks[committedBy] : undefined;
  if (clock?.kind !== "duration") {
    const path = ["jeopardy", "committedBy"];
    faults.push({ path, message: "must be a duration clock of this policy" });
  }
  const all = stages.flatMap((stage) => stage.statuses);
  if (new Set(all).size < all.length) {
    faults.push({ path: ["jeopardy", "stages"], message: "must name each status once" });
  }
  if (redMs > yellowMs) {
    faults.push({ path: ["jeopardy", "redMs"], message: "must not be more than yellowMs" });
  }
  return faults;
}

/** Without it, a clock could start that its calendar never ends, and fail its item. */
function reachFaults(policy: Policy): readonly Fault[] {
  const all = [
    ...Object.values(policy.clocks),
    ...(policy.exceptions ?? []).flatMap(({ clocks }) => Object.values(clocks)),
  ];
  const targetMs = Math.max(
    0,
    ...all.map((one) => (one !== "off" && "targetMs" in one ? (one.targetMs ?? 0) : 0)),
  );
  const repeatsMs = Object.values(policy.ladders).map(({ repeat }) =>
    repeat === undefined ? 0 : repeat.everyMs * repeat.timesMax,
  );
  const stagesMs = (policy.jeopardy?.stages ?? []).reduce((sum, { needsMs }) => sum + needsMs, 0);
  const neededMs = Math.max(targetMs + Math.max(0, ...repeatsMs), stagesMs);
  return Object.entries(policy.calendars)
    .filter(([, calendar]) => !reaches(openCalendar(calendar, "UTC"), neededMs))
    .map(([key]) => ({
      path: ["calendars", key],
      message: "is open too seldom for the longest target and its repeats within eight years",
    }));
}

function reaches(calendar: ReturnType<typeof openCalendar>, openMs: number): boolean {
  try {
    return addOpen(calendar, REACH_FROM, openMs) <= REACH_FROM + REACH_DAYS * DAY_MS;
  } catch (error) {
    if (error instanceof EngineError) return false;
    throw error;
  }
}
