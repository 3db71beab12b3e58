/**
 * The window of an appointment as people write it: "1-5 PM", "9 AM to noon", "13:00-17:00". The
 * customer stays at home for it, so it has to be readable, and to hold the time of the appointment.
 */
const DAY_MIN = 24 * 60;
const HALF_DAY_MIN = 12 * 60;

const TIME = String.raw`(noon|midnight|\d{1,2})(?::([0-5]\d))?\s*(am|pm)?`;
const WINDOW = new RegExp(
  String.raw`^(?:between\s+|from\s+)?${TIME}\s*(?:-|to|and|until)\s*${TIME}$`,
  "u",
);

/** Minutes since midnight. A window over midnight ends before it starts. */
export interface AppointmentWindow {
  readonly from: number;
  readonly until: number;
  /** Neither AM nor PM is written, so "1:00-5:00" may well mean the afternoon. */
  readonly isHalfDayOpen: boolean;
}

interface Time {
  readonly minute: number;
  readonly half: "am" | "pm" | undefined;
  /** "noon", "17", "5:00" and "5 PM" say which hour they mean; "5" alone does not. */
  readonly isClear: boolean;
}

/** Undefined when the text names no window, or one of which nobody can tell what "9-11" means. */
export function windowOf(text: string): AppointmentWindow | undefined {
  const plain = text
    .trim()
    .toLowerCase()
    .replaceAll(/[–—−]/gu, "-")
    .replaceAll(/([ap])\.m\.?/gu, "$1m");
  const found = WINDOW.exec(plain);
  if (found === null) return undefined;
  const from = timeOf(found[1], found[2], found[3]);
  const until = timeOf(found[4], found[5], found[6]);
  if (from === undefined || until === undefined) return undefined;
  if (!from.isClear && !until.isClear) return undefined;
  const isMorning = from.minute <= HALF_DAY_MIN && until.minute <= HALF_DAY_MIN;
  const isHalfDayOpen = from.half === undefined && until.half === undefined && isMorning;
  return { from: startOf(from, until), until: endOf(from, until), isHalfDayOpen };
}

/** "1-5 PM" begins in the afternoon, "9-1 PM" in the morning. */
function startOf({ half, minute }: Time, until: Time): number {
  const later = minute + HALF_DAY_MIN;
  const isAfternoon = half === undefined && until.half === "pm" && minute < HALF_DAY_MIN;
  return isAfternoon && later <= until.minute ? later : minute;
}

/** "8 AM-5" ends in the afternoon. */
function endOf(from: Time, { half, minute }: Time): number {
  const isAfternoon = half === undefined && from.half !== undefined && minute <= from.minute;
  return isAfternoon && minute < HALF_DAY_MIN ? minute + HALF_DAY_MIN : minute;
}

function timeOf(
  hour = "",
  minutes: string | undefined,
  mark: string | undefined,
): Time | undefined {
  if (hour === "noon") return { minute: HALF_DAY_MIN, half: "pm", isClear: true };
  if (hour === "midnight") return { minute: 0, half: "am", isClear: true };
  const hours = Number(hour);
  const past = Number(minutes ?? 0);
  if (mark === "am" || mark === "pm") {
    const ofDay = (hours % 12) + (mark === "pm" ? 12 : 0);
    const isHour = hours >= 1 && hours <= 12;
    return isHour ? { minute: ofDay * 60 + past, half: mark, isClear: true } : undefined;
  }
  const isClear = minutes !== undefined || hours > 12;
  return hours > 24 ? undefined : { minute: (hours % 24) * 60 + past, half: undefined, isClear };
}

/** `minute` since midnight; both ends belong to the window. */
export function isWithin(
  { from, until, isHalfDayOpen }: AppointmentWindow,
  minute: number,
): boolean {
  const holds = (at: number) =>
    from <= until ? at >= from && at <= until : at >= from || at <= until;
  return holds(minute) || (isHalfDayOpen && holds((minute + HALF_DAY_MIN) % DAY_MIN));
}
