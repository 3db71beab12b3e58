/** What a calendar's author is told, each fault at the place where it is corrected. */
import { describe, expect, test } from "vitest";
import { calendarSchema } from "../../src/sla/calendar-schema.ts";

const MONDAY = { mon: [["09:00", "17:00"]] };

function faultsOf(calendar: unknown): readonly string[] {
  const result = calendarSchema.safeParse(calendar);
  return (result.error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
}

describe("a calendar is accepted", () => {
  test.each([
    ["with one window", { zone: "item", weekly: MONDAY }],
    [
      "with windows that touch, in any order",
      {
        zone: "UTC",
        weekly: {
          sun: [
            ["12:00", "24:00"],
            ["00:00", "12:00"],
          ],
        },
      },
    ],
    ["with a closed weekday", { zone: "Europe/Berlin", weekly: { ...MONDAY, tue: [] } }],
    [
      "with dates of every kind",
      {
        zone: "Australia/Lord_Howe",
        weekly: MONDAY,
        holidays: ["2026-12-25", "12-25", "02-29", "2028-02-29"],
        specialDays: { "2026-12-24": [["09:00", "12:00"]], "12-31": [] },
      },
    ],
  ])("%s", (_, calendar) => {
    expect(calendarSchema.parse(calendar)).toEqual(calendar);
  });
});

describe("a fault is named", () => {
  const TIME = "must be a time HH:MM, 00:00 to 24:00";
  const END =
    "must end after it starts; over midnight, write one window until 24:00 and one from 00:00 on the next day";
  const DATE = "must be a date of the calendar, YYYY-MM-DD or for every year MM-DD";
  const ZONE = 'must be "item" or an IANA zone such as Europe/Berlin';
  const weekly = (mon: unknown): unknown => ({ zone: "UTC", weekly: { mon } });
  const holidays = (...dates: readonly string[]): unknown => ({
    zone: "UTC",
    weekly: MONDAY,
    holidays: dates,
  });

  test.each([
    ["an unknown zone", { zone: "Mars/Olympus", weekly: MONDAY }, [`zone: ${ZONE}`]],
    ["an offset as a zone", { zone: "+02:00", weekly: MONDAY }, [`zone: ${ZONE}`]],
    ["a time without its zero", weekly([["9:00", "17:00"]]), [`weekly.mon.0.0: ${TIME}`]],
    ["a 61st minute", weekly([["09:00", "09:60"]]), [`weekly.mon.0.1: ${TIME}`]],
    ["past 24:00", weekly([["09:00", "24:01"]]), [`weekly.mon.0.1: ${TIME}`]],
    ["24:00 as a start", weekly([["24:00", "24:00"]]), [`weekly.mon.0: ${END}`]],
    ["an empty window", weekly([["09:00", "09:00"]]), [`weekly.mon.0: ${END}`]],
    ["a window over midnight", weekly([["22:00", "06:00"]]), [`weekly.mon.0: ${END}`]],
    [
      "an overlap",
      weekly([
        ["12:00", "17:00"],
        ["09:00", "12:01"],
      ]),
      ["weekly.mon: must not overlap each other"],
    ],
    [
      "no open time",
      { zone: "UTC", weekly: { mon: [] } },
      ["weekly: must be open at some time of the week"],
    ],
    [
      "no open time but on special days",
      { zone: "UTC", weekly: {}, specialDays: { "2026-12-24": [["09:00", "12:00"]] } },
      ["weekly: must be open at some time of the week"],
    ],
    [
      "an unknown weekday",
      { zone: "UTC", weekly: { ...MONDAY, monday: [] } },
      ['weekly: Unrecognized key: "monday"'],
    ],
    ["an unknown key", { zone: "UTC", weekly: MONDAY, hours: {} }, [': Unrecognized key: "hours"']],
    [
      "dates that never come",
      holidays("2026-02-29", "02-30", "12-24"),
      [`holidays.0: ${DATE}`, `holidays.1: ${DATE}`],
    ],
    [
      "a date in another order",
      holidays("24-12", "24.12.2026"),
      [`holidays.0: ${DATE}`, `holidays.1: ${DATE}`],
    ],
    [
      "a special day that never comes",
      { zone: "UTC", weekly: MONDAY, specialDays: { "2026-13-01": [] } },
      [`specialDays.2026-13-01: ${DATE}`],
    ],
    [
      "a special day's hours",
      { zone: "UTC", weekly: MONDAY, specialDays: { "12-24": [["12:00", "09:00"]] } },
      [`specialDays.12-24.0: ${END}`],
    ],
    [
      "a date that is a holiday and a special day",
      { zone: "UTC", weekly: MONDAY, holidays: ["12-24"], specialDays: { "12-24": [] } },
      ["holidays.0: is also in specialDays: a date is either"],
    ],
    [
      "several at once",
      {
        zone: "nowhere",
        weekly: { mon: [["09:00", "08:00"]], tue: [["25:00", "26:00"]] },
        holidays: ["x"],
      },
      [
        `zone: ${ZONE}`,
        `weekly.mon.0: ${END}`,
        `weekly.tue.0.0: ${TIME}`,
        `weekly.tue.0.1: ${TIME}`,
        `holidays.0: ${DATE}`,
      ],
    ],
  ])("%s", (_, calendar, faults) => {
    expect(faultsOf(calendar)).toEqual(faults);
  });

  test("more than a thousand dates", () => {
    const dates = Array.from({ length: 1001 }, (_, day) =>
      new Date(day * 86_400_000).toISOString().slice(0, 10),
    );
    const specialDays = Object.fromEntries(dates.map((date) => [date, []]));
    expect(faultsOf(holidays(...dates))).toHaveLength(1);
    expect(faultsOf({ zone: "UTC", weekly: MONDAY, specialDays })).toEqual([
      "specialDays: must be at most 1000 dates",
    ]);
  });
});
