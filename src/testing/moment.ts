/** Moments and spans of time as a test writes them. Pure. */

/** At least one unit; they add up. A day is 24 hours, wherever and whenever. */
export interface Span {
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
  readonly milliseconds?: number;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  days: 24 * 3_600_000,
  hours: 3_600_000,
  minutes: 60_000,
  seconds: 1_000,
  milliseconds: 1,
} satisfies Record<keyof Span, number>;

/** Without an offset the same text would be another moment on another machine. */
const DATED_WITH_OFFSET = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** ISO 8601 with an offset, or ms since the epoch. Throws RangeError for anything else. */
export function readMoment(moment: string | number): number {
  const isText = typeof moment === "string";
  const at = isText && DATED_WITH_OFFSET.test(moment) ? Date.parse(moment) : Number(moment);
  // Beyond this a Date cannot be written as text.
  const isDate = Number.isSafeInteger(at) && !Number.isNaN(new Date(at).getTime());
  if (isDate && (!isText || moment.trim() !== "")) return at;
  throw new RangeError(
    `"${moment}" is no moment: write "2026-03-02T09:00:00Z", with an offset, or milliseconds since the epoch.`,
  );
}

/** In ms. Throws RangeError for a unit that is not known, and for a span that is not some milliseconds. */
export function readSpan(span: Span): number {
  const units = Object.entries(span as Readonly<Record<string, number | undefined>>);
  let spanMs = 0;
  for (const [unit, count = 0] of units) spanMs += (UNIT_MS[unit] ?? Number.NaN) * count;
  if (units.length > 0 && Number.isSafeInteger(spanMs) && spanMs >= 0) return spanMs;
  throw new RangeError(
    `${JSON.stringify(span)} is no span of time: write { days: 3, hours: 2 }, out of ${Object.keys(UNIT_MS).join(", ")}, whole milliseconds that are not negative.`,
  );
}

export function isoOf(at: number): string {
  return new Date(at).toISOString();
}
