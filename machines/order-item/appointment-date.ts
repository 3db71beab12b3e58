/**
 * The date of an appointment, as sources write it. The trap these checks exist for: a local wall
 * time labelled as UTC, or a note that names another weekday than the date. The customer reads the
 * note and the reseller's software reads the date, so both must say the same.
 */
import { z } from "zod";

const WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const WEEKDAY_IN_TEXT = new RegExp(`\\b(${WEEKDAYS.join("|")})\\b`, "giu");
const OFFSET = /(?:Z|([+-])(\d\d):(\d\d))$/u;
const MINUTE_MS = 60_000;

const zonedDate = z.iso.datetime({ offset: true });
const naiveDate = z.union([z.iso.datetime({ local: true }), z.iso.date()]);

export type DateForm = "zoned" | "naive" | "unreadable";

/** "zoned" is ISO 8601 with an offset; "naive" is a date that could mean any time zone's. */
export function dateFormOf(text: unknown): DateForm {
  if (zonedDate.safeParse(text).success) return "zoned";
  return naiveDate.safeParse(text).success ? "naive" : "unreadable";
}

/** True for an IANA zone that this runtime knows, "America/Los_Angeles". */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** ISO 8601 in UTC, without the milliseconds when there are none. Takes a "zoned" date. */
export function toUtc(date: string): string {
  return isoOf(Date.parse(date));
}

export function isoOf(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(".000Z", "Z");
}

/**
 * The weekday that the date falls on, lower case, when `note` names weekdays and none of them is it;
 * else undefined. One right name is enough: "moved from Tuesday to Wednesday" is no mistake.
 */
export function contradictedWeekday(
  note: string,
  date: string,
  zone: string | undefined,
): string | undefined {
  const named = note.match(WEEKDAY_IN_TEXT)?.map((word) => word.toLowerCase()) ?? [];
  const actual = zone === undefined ? weekdayAtOffset(date) : weekdayInZone(date, zone);
  return named.length > 0 && !named.includes(actual) ? actual : undefined;
}

function weekdayInZone(date: string, zone: string): string {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, weekday: "long" });
  return format.format(Date.parse(date)).toLowerCase();
}

/** Shifting by the date's own offset makes the UTC weekday the local one. */
function weekdayAtOffset(date: string): string {
  const [, sign, hours = "0", minutes = "0"] = OFFSET.exec(date) ?? [];
  const offsetMinutes = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -1 : 1);
  const local = new Date(Date.parse(date) + offsetMinutes * MINUTE_MS);
  return WEEKDAYS[local.getUTCDay()] ?? "";
}
