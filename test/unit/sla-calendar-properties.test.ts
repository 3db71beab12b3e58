/**
 * Open time against itself, against a count of minutes, and against the zone of the process.
 * SLA_RUNS sets the number of random cases: SLA_RUNS=100000 for the long run.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addOpen,
  type Calendar,
  isOpen,
  nextClosing,
  nextOpening,
  openBetween,
  openCalendar,
  WEEKDAYS,
} from "../../src/sla/calendar.ts";
import { digestOfAnswers, openCase, someCalendar } from "../support/sla-calendars.ts";

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
const DAY_MS = DAY_MINUTES * MINUTE_MS;
const RUNS = Number(process.env["SLA_RUNS"] ?? 2000);
/** At each place; a count of minutes is slow. */
const COUNTED_RUNS = Math.min(Math.ceil(RUNS / 100), 400);
const MS_PER_RUN = 50;
const LONG_TEST = { timeout: 60_000 + RUNS * MS_PER_RUN };

describe("properties", () => {
  test(
    "adding open time and measuring it are inverse, and the end is the first such instant",
    LONG_TEST,
    () => {
      fc.assert(
        fc.property(openCase, ({ calendar, zone, from, openMs }) => {
          const opened = openCalendar(calendar, zone);
          const due = addOpen(opened, from, openMs);
          expect(openBetween(opened, from, due)).toBe(openMs);
          expect(openBetween(opened, from, due - 1)).toBe(openMs - 1);
          expect(isOpen(opened, due - 1)).toBe(true);
          // In two steps it is the same, wherever the first one ends.
          const half = addOpen(opened, from, Math.floor(openMs / 2));
          expect(addOpen(opened, half, Math.ceil(openMs / 2))).toBe(due);
          const opening = nextOpening(opened, from);
          expect(openBetween(opened, from, opening)).toBe(0);
          const closing = nextClosing(opened, opening) ?? opening;
          expect(openBetween(opened, opening, closing)).toBe(closing - opening);
        }),
        { numRuns: RUNS },
      );
    },
  );
});

/** Where clocks change, and one place where nothing does. */
const PLACES = [
  ["America/Los_Angeles", "2026-03-08"],
  ["America/Los_Angeles", "2026-11-01"],
  ["Europe/Berlin", "2026-10-25"],
  ["Australia/Lord_Howe", "2026-04-05"],
  ["Australia/Lord_Howe", "2026-10-04"],
  ["Atlantic/Azores", "2026-10-25"],
  ["Asia/Beirut", "2021-03-28"],
  ["America/St_Johns", "2006-10-29"],
  ["Pacific/Apia", "2011-12-30"],
  ["Pacific/Kwajalein", "1969-09-30"],
  ["Asia/Kolkata", "2026-01-01"],
] as const;

describe("a count of minutes says the same", () => {
  test.each(PLACES)("%s around %s", LONG_TEST, (zone, date) => {
    const begin = Date.parse(date) - 4 * DAY_MS;
    const walls = wallsFrom(begin, 9 * DAY_MINUTES, zone);
    // Windows that began before the first minute, or end after the last, are not counted whole.
    const asked = fc.integer({ min: 2 * DAY_MINUTES, max: 7 * DAY_MINUTES });
    fc.assert(
      fc.property(someCalendar([date, date.slice(5)]), asked, asked, (calendar, one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const minutes = openMinutes(calendar, walls);
        const opened = openCalendar(calendar, zone);
        const instant = (minute: number): number => begin + minute * MINUTE_MS;
        expect(isOpen(opened, instant(from))).toBe(minutes[from] === 1);
        const open = minutes.subarray(from, to).reduce((sum, isIn) => sum + isIn, 0);
        expect(openBetween(opened, instant(from), instant(to))).toBe(open * MINUTE_MS);
        if (open === 0) return;
        const last = minutes.subarray(0, to).lastIndexOf(1);
        expect(addOpen(opened, instant(from), open * MINUTE_MS)).toBe(instant(last + 1));
      }),
      { numRuns: COUNTED_RUNS },
    );
  });
});

describe("the zone of the process", () => {
  test("changes no answer", { timeout: 120_000 }, async () => {
    const module = new URL("../support/sla-calendars.ts", import.meta.url).href;
    const script = `import { digestOfAnswers } from ${JSON.stringify(module)}; process.stdout.write(digestOfAnswers());`;
    const zones = ["UTC", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe"];
    const digests = await Promise.all(
      zones.map(async (TZ) => {
        const child = ["--import", "tsx", "--input-type=module", "--eval", script];
        const options = { env: { ...process.env, TZ }, timeout: 110_000 };
        return (await promisify(execFile)(process.execPath, child, options)).stdout;
      }),
    );
    expect(digests).toEqual(zones.map(() => digestOfAnswers()));
  });
});

/** What the zone's wall shows at each minute, as the minutes that UTC would have. */
function wallsFrom(begin: number, count: number, zone: string): readonly number[] {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  });
  return Array.from({ length: count }, (_, index) => {
    const [month, day, year, hour, minute] = format
      .format(begin + index * MINUTE_MS)
      .split(/\D+/)
      .map(Number);
    return Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute) / MINUTE_MS;
  });
}

/** 1 for each minute from the first that shows a window's start or later to the last before its end. */
function openMinutes(calendar: Calendar, walls: readonly number[]): Uint8Array {
  const minutes = new Uint8Array(walls.length);
  for (const day of new Set(walls.map((wall) => Math.floor(wall / DAY_MINUTES)))) {
    for (const [from, to] of hoursOf(calendar, day)) {
      const first = walls.findIndex((wall) => wall >= day * DAY_MINUTES + minutesOf(from));
      const last = walls.findLastIndex((wall) => wall < day * DAY_MINUTES + minutesOf(to));
      if (first >= 0) minutes.fill(1, first, last + 1);
    }
  }
  return minutes;
}

function hoursOf(calendar: Calendar, day: number): readonly (readonly [string, string])[] {
  const { weekly, holidays = [], specialDays = {} } = calendar;
  const date = new Date(day * DAY_MS);
  const [dated, yearly] = [date.toISOString().slice(0, 10), date.toISOString().slice(5, 10)];
  for (const key of [dated, yearly]) {
    const special = specialDays[key];
    if (special !== undefined) return special;
    if (holidays.includes(key)) return [];
  }
  const name = WEEKDAYS[(date.getUTCDay() + 6) % 7];
  return (name && weekly[name]) ?? [];
}

function minutesOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}
