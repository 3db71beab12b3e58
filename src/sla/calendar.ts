/**
 * Open time: what an SLA clock counts while a business calendar is open.
 *
 * A calendar is opened in a zone once and then asked; every instant is in milliseconds since the
 * epoch, every amount of open time in whole milliseconds. Nothing here reads a clock or the
 * process's own zone. Opening hours are half-open: open at the opening, closed at the closing.
 *
 * For every n > 0, `addOpen(from, n)` is the first instant with `openBetween(from, it)` equal to n.
 * So open time that ends with a window ends at its closing and not at the next opening, and
 * `addOpen(from, 0)` is `from` itself, be it open or closed.
 *
 * How the hours meet the zone's clock changes is said in calendar-zone.ts. Spans are kept once
 * built, SPANS_MAX of them per opened calendar: open a calendar once per zone and share it.
 */
import { IANAZone } from "luxon";
import { EngineError } from "../core/errors.ts";
import {
  closingOf,
  type DayPlan,
  type DayWindow,
  instantAfter,
  openingAfter,
  openMsBefore,
  type OpenSpan,
  openSpan,
  SPAN_MS,
} from "./calendar-span.ts";

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** From (inclusive) to (exclusive), "HH:MM" on the wall; the end may be "24:00". */
export type Hours = readonly [from: string, to: string];

/** Opening hours as people write them; calendar-schema.ts checks them. */
export interface Calendar {
  /** An IANA name, or "item" for the zone of each item. */
  readonly zone: string;
  /** A weekday that is not named is closed. */
  readonly weekly: { readonly [Day in Weekday]?: readonly Hours[] };
  /** Closed: "2026-12-25" on that date, "12-25" every year. */
  readonly holidays?: readonly string[];
  /**
   * Other hours than the weekday's, by "2026-12-24" or "12-24"; [] is closed. A date with its year
   * beats one without, whichever of the two lists it stands in.
   */
  readonly specialDays?: Readonly<Record<string, readonly Hours[]>>;
}

/** A calendar in its zone, ready to be asked. */
export type OpenCalendar = { readonly kind: "always" } | HoursCalendar;

interface HoursCalendar {
  readonly kind: "hours";
  readonly plan: DayPlan;
  /** By number; only kept so that no span is built twice. */
  readonly spans: Map<number, OpenSpan>;
}

/** Open day and night: time passes as on the wall, and no zone matters. */
export const ALWAYS: OpenCalendar = { kind: "always" };

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Ten years, three leap days included: no promise reaches further, and every search ends there. */
const HORIZON_MS = 3653 * DAY_MS;
/** The instants that a Date can hold, less room for the horizon. */
const INSTANT_MAX = 8.6e15;
/** Nearly twice the horizon, so that no walk evicts what it needs; some 2 KiB each. */
const SPANS_MAX = 256;

/** Whether it is an IANA zone that this runtime knows. */
export function isZone(name: string): boolean {
  return IANAZone.isValidZone(name);
}

/**
 * @param itemZone the item's zone, which counts only where the calendar's zone is "item"
 * @throws EngineError CONFIG_INVALID when the zone is not known
 */
export function openCalendar(calendar: Calendar, itemZone: string): OpenCalendar {
  const zone = calendar.zone === "item" ? itemZone : calendar.zone;
  if (!isZone(zone)) {
    throw new EngineError("CONFIG_INVALID", `A calendar needs an IANA zone; "${zone}" is none.`);
  }
  const plan: DayPlan = {
    zone: IANAZone.create(zone),
    weekly: WEEKDAYS.map((day) => dayWindows(calendar.weekly[day] ?? [])),
    days: new Map([
      ...(calendar.holidays ?? []).map((date) => [date, []] as const),
      ...Object.entries(calendar.specialDays ?? {}).map(
        ([date, hours]) => [date, dayWindows(hours)] as const,
      ),
    ]),
  };
  return { kind: "hours", plan, spans: new Map() };
}

/** Open at the instant of an opening, closed at the instant of a closing. */
export function isOpen(calendar: OpenCalendar, at: number): boolean {
  checkInstant(at);
  if (calendar.kind === "always") return true;
  return closingOf(spanOf(calendar, Math.floor(at / SPAN_MS)), at) !== undefined;
}

/**
 * The instant at which `openMs` of open time have passed since `from`.
 * @throws EngineError CONFIG_INVALID when it lies more than ten years ahead
 * @throws RangeError when `openMs` is negative or not whole
 */
export function addOpen(calendar: OpenCalendar, from: number, openMs: number): number {
  checkInstant(from);
  if (!Number.isSafeInteger(openMs) || openMs < 0) {
    throw new RangeError(`Open time is a whole number of milliseconds from 0 up, not ${openMs}.`);
  }
  const at =
    openMs === 0 || calendar.kind === "always" ? from + openMs : endOfOpen(calendar, from, openMs);
  if (at > from + HORIZON_MS) throw tooFar(`${openMs} ms of open time do not end`, from);
  return at;
}

/**
 * Open milliseconds from `from` to `to`; 0 when `to` is not later.
 * @throws EngineError CONFIG_INVALID when they lie more than ten years apart
 */
export function openBetween(calendar: OpenCalendar, from: number, to: number): number {
  checkInstant(from);
  checkInstant(to);
  if (to <= from) return 0;
  if (to > from + HORIZON_MS) throw tooFar(`${new Date(to).toISOString()} is not`, from);
  if (calendar.kind === "always") return to - from;
  const first = Math.floor(from / SPAN_MS);
  const last = Math.floor(to / SPAN_MS);
  let openMs = -openMsBefore(spanOf(calendar, first), from);
  for (let index = first; index < last; index += 1) openMs += spanOf(calendar, index).openMs;
  return openMs + openMsBefore(spanOf(calendar, last), to);
}

/**
 * The first instant, `at` or later, at which the calendar is open: `at` itself while it is open.
 * @throws EngineError CONFIG_INVALID when it does not open within ten years
 */
export function nextOpening(calendar: OpenCalendar, at: number): number {
  checkInstant(at);
  if (calendar.kind === "always") return at;
  for (let index = Math.floor(at / SPAN_MS); index * SPAN_MS <= at + HORIZON_MS; index += 1) {
    const span = spanOf(calendar, index);
    if (closingOf(span, at) !== undefined) return at;
    const opening = openingAfter(span, at);
    if (opening !== undefined) return opening;
  }
  throw tooFar("The calendar does not open", at);
}

/**
 * The first instant, `at` or later, at which the calendar is closed: `at` itself while it is
 * closed; undefined when it does not close within ten years.
 */
export function nextClosing(calendar: OpenCalendar, at: number): number | undefined {
  checkInstant(at);
  if (calendar.kind === "always") return undefined;
  let instant = at;
  for (let index = Math.floor(at / SPAN_MS); index * SPAN_MS <= at + HORIZON_MS; index += 1) {
    const closes = closingOf(spanOf(calendar, index), instant);
    if (closes === undefined) return instant;
    // A stretch that reaches the span's end may go on in the next one.
    if (closes < (index + 1) * SPAN_MS) return closes;
    instant = closes;
  }
  return undefined;
}

/** "HH:MM" or "24:00" in minutes; NaN for any other text. */
export function minuteOfDay(text: string): number {
  const found = /^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/.exec(text);
  if (found === null) return Number.NaN;
  const [, hours = "24", minutes = "0"] = found;
  return Number(hours) * 60 + Number(minutes);
}

/** The first instant with `openMs` > 0 of open time since `from`; Infinity beyond the horizon. */
function endOfOpen(calendar: HoursCalendar, from: number, openMs: number): number {
  let index = Math.floor(from / SPAN_MS);
  let leftMs = openMs + openMsBefore(spanOf(calendar, index), from);
  for (; index * SPAN_MS <= from + HORIZON_MS; index += 1) {
    const span = spanOf(calendar, index);
    if (leftMs <= span.openMs) return instantAfter(span, leftMs);
    leftMs -= span.openMs;
  }
  return Infinity;
}

function spanOf({ plan, spans }: HoursCalendar, index: number): OpenSpan {
  const known = spans.get(index);
  if (known !== undefined) return known;
  const [oldest] = spans.keys();
  if (spans.size >= SPANS_MAX && oldest !== undefined) spans.delete(oldest);
  const span = openSpan(plan, index);
  spans.set(index, span);
  return span;
}

function dayWindows(hours: readonly Hours[]): readonly DayWindow[] {
  return hours.map(([from, to]) => [minuteOfDay(from) * MINUTE_MS, minuteOfDay(to) * MINUTE_MS]);
}

/** NaN would make every comparison false, and a search would end anywhere. */
function checkInstant(at: number): void {
  if (!Number.isSafeInteger(at) || Math.abs(at) > INSTANT_MAX) {
    throw new RangeError(`An instant is a whole number of milliseconds since 1970, not ${at}.`);
  }
}

function tooFar(what: string, from: number): EngineError {
  return new EngineError(
    "CONFIG_INVALID",
    `${what} within ten years of ${new Date(from).toISOString()}. ` +
      "Correct the calendar, or the target that it measures.",
  );
}
