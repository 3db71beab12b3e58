/**
 * The border of the business calendars: what a calendar.ts `Calendar` must be, every fault named by
 * the path to it. No message repeats a value.
 *
 * A window over midnight is refused and written as two. As one it would leave open whether a holiday
 * on its first day also closes the early hours of the next.
 */
import { z } from "zod";
import { type Calendar, type Hours, isZone, minuteOfDay, WEEKDAYS } from "./calendar.ts";

/** More than anybody's opening hours need, and few enough that a day is compiled in no time. */
const WINDOWS_PER_DAY_MAX = 24;
/** Fifty years of twenty holidays each. */
const DATES_MAX = 1000;
const A_LEAP_YEAR = 2000;

const DATE_FAULT = "must be a date of the calendar, YYYY-MM-DD or for every year MM-DD";
const ZONE_FAULT = 'must be "item" or an IANA zone such as Europe/Berlin';

const timeSchema = z
  .string()
  .refine((text) => !Number.isNaN(minuteOfDay(text)), "must be a time HH:MM, 00:00 to 24:00");

const windowSchema = z
  .tuple([timeSchema, timeSchema])
  .refine(
    ([from, to]) => !(minuteOfDay(to) <= minuteOfDay(from)),
    "must end after it starts; over midnight, write one window until 24:00 and one from 00:00 on the next day",
  );

const hoursSchema = z
  .array(windowSchema)
  .max(WINDOWS_PER_DAY_MAX)
  .refine(areApart, "must not overlap each other");

const weeklySchema = z
  .strictObject({
    mon: z.exactOptional(hoursSchema),
    tue: z.exactOptional(hoursSchema),
    wed: z.exactOptional(hoursSchema),
    thu: z.exactOptional(hoursSchema),
    fri: z.exactOptional(hoursSchema),
    sat: z.exactOptional(hoursSchema),
    sun: z.exactOptional(hoursSchema),
  })
  .refine(
    (weekly) => WEEKDAYS.some((day) => (weekly[day] ?? []).length > 0),
    "must be open at some time of the week",
  );

const datesSchema = z.array(z.string().refine(isDate, DATE_FAULT)).max(DATES_MAX);

const specialDaysSchema = z.record(z.string(), hoursSchema).superRefine((days, context) => {
  const dates = Object.keys(days);
  if (dates.length > DATES_MAX) {
    context.addIssue({ code: "custom", message: `must be at most ${DATES_MAX} dates` });
  }
  for (const date of dates.filter((key) => !isDate(key))) {
    context.addIssue({ code: "custom", path: [date], message: DATE_FAULT });
  }
});

export const calendarSchema: z.ZodType<Calendar> = z
  .strictObject({
    zone: z.string().refine((name) => name === "item" || isZone(name), ZONE_FAULT),
    weekly: weeklySchema,
    holidays: z.exactOptional(datesSchema),
    specialDays: z.exactOptional(specialDaysSchema),
  })
  .superRefine(({ holidays = [], specialDays = {} }, context) => {
    for (const [index, date] of holidays.entries()) {
      if (!Object.hasOwn(specialDays, date)) continue;
      const message = "is also in specialDays: a date is either";
      context.addIssue({ code: "custom", path: ["holidays", index], message });
    }
  });

/** Windows may touch, in any order. A time that is none compares with nothing: it has its own fault. */
function areApart(hours: readonly Hours[]): boolean {
  const windows = hours
    .map(([from, to]) => [minuteOfDay(from), minuteOfDay(to)] as const)
    .toSorted(([a], [b]) => a - b);
  return windows.every(([from], index) => !(from < (windows[index - 1]?.[1] ?? 0)));
}

/** "2026-12-24" or, for every year, "12-24"; "02-29" comes in leap years only. */
function isDate(text: string): boolean {
  const dated = text.length === "12-24".length ? `${A_LEAP_YEAR}-${text}` : text;
  return z.iso.date().safeParse(dated).success;
}
