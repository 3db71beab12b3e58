/** Random calendars, zones and spans of time for whoever tests open time. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  addOpen,
  type Calendar,
  type Hours,
  isOpen,
  nextClosing,
  nextOpening,
  openBetween,
  openCalendar,
  WEEKDAYS,
} from "../../src/sla/calendar.ts";

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
const WEEK_MINUTES = 7 * DAY_MINUTES;

const ZONES = [
  "UTC",
  "America/Los_Angeles",
  "America/New_York",
  "America/St_Johns",
  "Atlantic/Azores",
  "Europe/Berlin",
  "Africa/Casablanca",
  "Asia/Beirut",
  "Asia/Kolkata",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Pacific/Kiritimati",
] as const;

/** Minutes at which clocks change, or that are a minute beside it, come as often as all others. */
const minute = fc.oneof(
  fc.constantFrom(0, 1, 60, 90, 119, 120, 121, 135, 150, 180, 1380, 1439, DAY_MINUTES),
  fc.integer({ min: 0, max: DAY_MINUTES }),
);

function timeOf(minutes: number): string {
  const two = (part: number): string => String(part).padStart(2, "0");
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** Disjoint windows of one day; some touch. */
function someHours(minLength: number): fc.Arbitrary<readonly Hours[]> {
  return fc
    .uniqueArray(minute, { minLength: minLength * 2, maxLength: 6 })
    .map((minutes) => minutes.toSorted((a, b) => a - b))
    .map((minutes) =>
      Array.from({ length: Math.floor(minutes.length / 2) }, (_, index): Hours => {
        return [timeOf(minutes[index * 2] ?? 0), timeOf(minutes[index * 2 + 1] ?? 0)];
      }),
    );
}

/** Calendars that are open on Mondays at least, with holidays and special days of these dates. */
export function someCalendar(dates: readonly string[]): fc.Arbitrary<Calendar> {
  const day = fc.oneof(someHours(0), fc.constant<readonly Hours[]>([["00:00", "24:00"]]));
  const date = fc.constantFrom(...dates);
  return fc.record({
    zone: fc.constant("item"),
    weekly: fc.record(
      {
        ...(Object.fromEntries(WEEKDAYS.map((name) => [name, day])) as Record<"tue", typeof day>),
        mon: someHours(1),
      },
      { requiredKeys: ["mon"] },
    ),
    holidays: fc.uniqueArray(date, { maxLength: 2 }),
    specialDays: fc.dictionary(date, someHours(0), { maxKeys: 2 }),
  });
}

export interface OpenCase {
  readonly calendar: Calendar;
  readonly zone: string;
  readonly from: number;
  readonly openMs: number;
}

/** Up to eight weeks of the calendar's open time, to the millisecond, 1990 to 2035. */
export const openCase: fc.Arbitrary<OpenCase> = fc
  .record({
    calendar: someCalendar(["12-24", "01-01", "02-29", "2024-02-29", "2011-12-30", "2026-03-08"]),
    zone: fc.constantFrom(...ZONES),
    from: fc.oneof(
      fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2035, 0, 1) }),
      aroundChanges(),
    ),
    share: fc.double({ min: 0, max: 8, noNaN: true }),
  })
  .map(({ share, ...rest }) => ({
    ...rest,
    openMs: 1 + Math.floor(share * weeklyMinutes(rest.calendar) * MINUTE_MS),
  }));

function aroundChanges(): fc.Arbitrary<number> {
  const change = fc.constantFrom(
    "2026-03-08",
    "2026-11-01",
    "2026-10-25",
    "2011-12-30",
    "2026-04-05",
  );
  const shift = fc.integer({ min: -2 * DAY_MINUTES, max: DAY_MINUTES });
  return fc.tuple(change, shift).map(([date, by]) => Date.parse(date) + by * MINUTE_MS);
}

function weeklyMinutes({ weekly }: Calendar): number {
  const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
  const hours = WEEKDAYS.flatMap((day) => weekly[day] ?? []);
  const total = hours.reduce((sum, [from, to]) => sum + minutesOf(to) - minutesOf(from), 0);
  return Math.min(total, WEEK_MINUTES);
}

/** The answers to the same few hundred cases, in short: for processes to compare. */
export function digestOfAnswers(): string {
  const answers = fc.sample(openCase, { seed: 20_260_308, numRuns: 300 }).map((asked) => {
    const calendar = openCalendar(asked.calendar, asked.zone);
    const due = addOpen(calendar, asked.from, asked.openMs);
    return [
      due,
      openBetween(calendar, asked.from, due + 1e9),
      isOpen(calendar, asked.from),
      nextOpening(calendar, asked.from),
      nextClosing(calendar, asked.from),
    ];
  });
  return createHash("sha256").update(JSON.stringify(answers)).digest("hex");
}
