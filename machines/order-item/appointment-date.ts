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

/** "March 10, 2031, 1:00 PM PDT", for a note that people read. */
export function longDateOf(timeMs: number, zone: string): string {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    year: "numeric",
    month: "long",
    day: "numeric",
    hour: "numeric",
    minute: "2-digit",
    timeZoneName: "short",
  });
  const parts = Object.fromEntries(
    format.formatToParts(timeMs).map((part) => [part.type, part.value]),
  );
  const { month, day, year, hour, minute, dayPeriod, timeZoneName } = parts;
  // Put together here, because the runtime's own punctuation changes with its version.
  return `${month} ${day}, ${year}, ${hour}:${minute} ${dayPeriod} ${timeZoneName}`;
}

/**
 * "13:00" where the appointment is: in the zone, or at the date's own offset. Undefined for a date in
 * UTC without a zone, which tells no local time. Takes a "zoned" date.
 */
export function localTimeOf(date: string, zone: string | undefined): string | undefined {
  if (zone === undefined) {
    const isUtc = offsetMinutesOf(date) === 0;
    return isUtc ? undefined : localDate(date).toISOString().slice(11, 16);
  }
  return timeFormatOf(zone).format(Date.parse(date));
}

/** Zones there are some hundreds; whoever writes them in more ways than that begins anew. */
const FORMATS_MAX = 1_000;

/** By zone: to make a format costs more than all other checks of an update together. */
const timeFormats = new Map<string, Intl.DateTimeFormat>();

function timeFormatOf(timeZone: string): Intl.DateTimeFormat {
  const known = timeFormats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  if (timeFormats.size >= FORMATS_MAX) timeFormats.clear();
  timeFormats.set(timeZone, format);
  return format;
}

/** Minutes since midnight of "13:00". */
export function minuteOf(time: string): number {
  const [hours = "0", minutes = "0"] = time.split(":");
  return Number(hours) * 60 + Number(minutes);
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

function weekdayAtOffset(date: string): string {
  return WEEKDAYS[localDate(date).getUTCDay()] ?? "";
}

/** Shifted by the date's own offset, so that what UTC says of it is local. */
function localDate(date: string): Date {
  return new Date(Date.parse(date) + offsetMinutesOf(date) * MINUTE_MS);
}

function offsetMinutesOf(date: string): number {
  const [, sign, hours = "0", minutes = "0"] = OFFSET.exec(date) ?? [];
  return (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -1 : 1);
}
