/**
 * Days, weeks and months as people count them: on the wall of one zone, so a day has 23 hours when its
 * clock jumps ahead. Weeks are those of ISO 8601: they begin on Monday, and a year's first has its first
 * Thursday.
 */
import { DateTime, IANAZone } from "luxon";

export const PERIOD_UNITS = ["month", "week", "day"] as const;
export type PeriodUnit = (typeof PERIOD_UNITS)[number];

/** From (inclusive) to (exclusive), ms since the epoch. */
export interface Period {
  /** "2026-03", "2026-W10" or "2026-03-02": sorts by time within one unit. */
  readonly label: string;
  readonly from: number;
  readonly to: number;
}

const FORMATS: Readonly<Record<PeriodUnit, string>> = {
  month: "yyyy-MM",
  week: "kkkk-'W'WW",
  day: "yyyy-MM-dd",
};

/** The period that holds the instant. `zone` is an IANA name. */
export function periodOf(at: number, unit: PeriodUnit, zone: string): Period {
  const start = DateTime.fromMillis(at, { zone, locale: "en-US" }).startOf(unit);
  return {
    label: start.toFormat(FORMATS[unit]),
    from: start.toMillis(),
    to: start.plus({ [unit]: 1 }).toMillis(),
  };
}

export function isZone(name: string): boolean {
  return IANAZone.isValidZone(name);
}

/** A date ("2026-03-02", its first moment in the zone) or a date and time, as ms since the epoch. A time
 * without an offset is one of the zone. `undefined` when it is neither. */
export function instantOf(text: string, zone: string): number | undefined {
  const read = DateTime.fromISO(text, { zone });
  return read.isValid ? read.toMillis() : undefined;
}
