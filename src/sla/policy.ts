/**
 * The SLA policy as people write it, and the rules that it means for one item.
 *
 * A policy is one document with one version: its clocks, its calendars, its ladders. Whoever changes
 * any of them changes the version, and open clocks are then measured anew (recompute.ts). Closed
 * clocks keep the verdict that they got.
 *
 * Which rule wins: a clock begins as the policy's own; then come the exceptions that match the item,
 * first those that name a category alone, then those that name an account alone, then those that
 * name both. Each replaces the fields that it names, so the most specific one wins field by field.
 * "off" as the most specific word switches the clock off.
 */
import type { Level, Role } from "../core/clock-fact.ts";
import type { ClockScope } from "../core/clockwork.ts";
import { ALWAYS, type Calendar, isZone, type OpenCalendar, openCalendar } from "./calendar.ts";

/** What only others can end; whoever waits for his own side stays on the clock. */
export const PAUSES = ["waiting.customer", "waiting.reseller"] as const;
export type Pause = (typeof PAUSES)[number];

/** What starts or ends a clock. A re-entered status is neither entered nor left. */
export type Trigger =
  /** From a status outside the set to one inside; so a skipped status is not missed. */
  | { readonly enters: readonly string[] }
  | { readonly leaves: readonly string[] }
  | { readonly event: string }
  /** The appointment gets a date, its first or another; with `in`, only in these statuses. */
  | { readonly appointment: "dated"; readonly in?: readonly string[] };

/** When a reminder rings, and to whom; the customer is never told together with operators. */
export type Rung = { readonly to: readonly Role[] | readonly ["customer"] } & RungPlace;

/** For a duration these are open time, for a fixed date the wall's. */
export type RungPlace =
  | { readonly percent: number }
  | { readonly afterMs: number }
  | { readonly beforeMs: number };

export interface Ladder {
  readonly rungs: readonly Rung[];
  /** Absent: a breach is a fact of the journal that nobody is told. */
  readonly breach?: { readonly to: readonly Role[] };
  /** After the breach, until it ends or `timesMax` is reached. */
  readonly repeat?: {
    readonly everyMs: number;
    readonly timesMax: number;
    readonly to: readonly Role[];
  };
}

interface AnyClock {
  readonly starts: readonly Trigger[];
  /** What was owed is done. */
  readonly stops: readonly Trigger[];
  /** It is no longer owed: the clock ends without a verdict, unless it is breached. Beats `stops`. */
  readonly drops?: readonly Trigger[];
  readonly ladder: string;
}

/** So much open time for something; a pause moves the due time. */
export interface DurationClock extends AnyClock {
  readonly kind: "duration";
  readonly targetMs: number;
  /** A calendar of the policy, or "always". */
  readonly calendar: string;
  /** In place of the calendar's own zone: "item" or an IANA name. */
  readonly zone?: string;
  readonly pausesWhile?: readonly Pause[];
  /** Of one pause, by the wall; needed wherever a clock pauses. */
  readonly maxPauseMs?: number;
}

/** A date that was agreed with the customer; nothing but another date moves it. */
export interface FixedDateClock extends AnyClock {
  readonly kind: "fixed-date";
  /** From the appointment to the due time; negative is before it. */
  readonly offsetMs: number;
  /** "end": it only reminds, and its date passing is no breach. */
  readonly atDue: "breach" | "end";
}

export type Clock = DurationClock | FixedDateClock;

export interface ClockChanges {
  readonly targetMs?: number;
  readonly offsetMs?: number;
  readonly calendar?: string;
  readonly zone?: string;
  readonly pausesWhile?: readonly Pause[];
  readonly maxPauseMs?: number;
  readonly ladder?: string;
}

export interface Exception {
  readonly account?: string;
  readonly category?: string;
  readonly clocks: Readonly<Record<string, ClockChanges | "off">>;
}

export interface Stage {
  /** The first of them names the stage. */
  readonly statuses: readonly string[];
  /** Open time of the committed clock's calendar. */
  readonly needsMs: number;
  /** It ends at the appointment once that has a date. */
  readonly until?: "appointment";
}

export interface JeopardyPolicy {
  /** The duration clock whose due time is the committed date. */
  readonly committedBy: string;
  /** In the order of an item's life; an item may fall back. */
  readonly stages: readonly Stage[];
  /** Yellow when the predicted completion leaves so much open time or less. */
  readonly yellowMs: number;
  readonly redMs: number;
  readonly to: Readonly<Record<Level, readonly Role[]>>;
}

/**
 * Breaches that the marketplace is told of, as a note with an unchanged status. Absent: none is,
 * because it is not documented that the marketplace takes such a note.
 */
export interface DelayNotes {
  readonly clocks: readonly string[];
  /** Between two notes for one item. */
  readonly everyMs: number;
}

export interface Policy {
  readonly version: string;
  /** Of an item whose address tells none. */
  readonly zone: string;
  readonly calendars: Readonly<Record<string, Calendar>>;
  readonly ladders: Readonly<Record<string, Ladder>>;
  readonly clocks: Readonly<Record<string, Clock>>;
  readonly exceptions?: readonly Exception[];
  /** The calendar in which customers may be told something, or "always". Outside are quiet hours. */
  readonly customerHours: string;
  readonly jeopardy?: JeopardyPolicy;
  readonly delayNotes?: DelayNotes;
}

/** A clock as it is for one item: nothing is a name any more. */
export type ClockRule<Kind extends Clock = Clock> = Kind & {
  readonly opened: OpenCalendar;
  readonly rungs: Ladder;
};

export interface ItemRules {
  readonly version: string;
  readonly clocks: Readonly<Record<string, ClockRule>>;
  /** The same in the policy's order: every decision walks them, several times. */
  readonly inOrder: readonly (readonly [name: string, rule: ClockRule])[];
  readonly customerHours: OpenCalendar;
  readonly jeopardy?: JeopardyPolicy;
  readonly delayNotes?: DelayNotes;
}

/** A policy with its calendars kept open; shared by everybody who asks for an item's rules. */
export interface OpenPolicy {
  readonly policy: Policy;
  readonly calendars: Map<string, OpenCalendar>;
  readonly rules: Map<string, ItemRules>;
}

/** Kept rules: accounts × categories × zones that are busy at one time. Some KiB each. */
const RULES_MAX = 2000;
/** Opened calendars: more than there are zones on the wall in any one country. */
const CALENDARS_MAX = 200;

/** @param policy as policySchema returns it */
export function openPolicy(policy: Policy): OpenPolicy {
  return { policy, calendars: new Map(), rules: new Map() };
}

export function rulesFor(open: OpenPolicy, scope: ClockScope): ItemRules {
  const { account, category } = scope;
  // The name as it came: to ask whether it is a zone costs more than all the rest of a decision's clocks.
  const key = JSON.stringify([account, category, scope.zone]);
  return kept(open.rules, key, { max: RULES_MAX, make: () => resolve(open, zoned(open, scope)) });
}

/** The clock under the matching exceptions, the least specific first; undefined when switched off. */
function clockUnder(clock: Clock, changes: readonly (ClockChanges | "off")[]): Clock | undefined {
  if (changes.at(-1) === "off") return undefined;
  // The schema lets no exception name a field that the kind does not have.
  return Object.assign({}, clock, ...changes.filter((change) => change !== "off")) as Clock;
}

type ZonedScope = ClockScope & { readonly zone: string };

function zoned({ policy }: OpenPolicy, scope: ClockScope): ZonedScope {
  const isKnown = scope.zone !== undefined && isZone(scope.zone);
  return { ...scope, zone: isKnown ? scope.zone : policy.zone };
}

function resolve(open: OpenPolicy, scope: ZonedScope): ItemRules {
  const { version, clocks, customerHours, jeopardy, delayNotes } = open.policy;
  const exceptions = matching(open.policy.exceptions ?? [], scope);
  const rules: Record<string, ClockRule> = {};
  for (const [name, clock] of Object.entries(clocks)) {
    const changes = exceptions.map((exception) => exception.clocks[name]);
    const own = clockUnder(
      clock,
      changes.filter((change) => change !== undefined),
    );
    if (own !== undefined) rules[name] = ruleOf(open, own, scope.zone);
  }
  return {
    version,
    clocks: rules,
    inOrder: Object.entries(rules),
    customerHours: calendarOf(open, customerHours, { itemZone: scope.zone }),
    ...(jeopardy !== undefined && { jeopardy }),
    ...(delayNotes !== undefined && { delayNotes }),
  };
}

function matching(exceptions: readonly Exception[], scope: ClockScope): readonly Exception[] {
  return exceptions
    .filter(
      ({ account = scope.account, category = scope.category }) =>
        account === scope.account && category === scope.category,
    )
    .toSorted((one, other) => specificity(one) - specificity(other));
}

function specificity({ account, category }: Exception): number {
  return (account === undefined ? 0 : 2) + (category === undefined ? 0 : 1);
}

function ruleOf(open: OpenPolicy, clock: Clock, itemZone: string): ClockRule {
  const rungs = open.policy.ladders[clock.ladder] ?? { rungs: [] };
  if (clock.kind === "fixed-date") return { ...clock, rungs, opened: ALWAYS };
  const { calendar, zone } = clock;
  const opened = calendarOf(open, calendar, { itemZone, ...(zone !== undefined && { zone }) });
  return { ...clock, rungs, opened };
}

function calendarOf(
  open: OpenPolicy,
  name: string,
  { itemZone, zone }: { readonly itemZone: string; readonly zone?: string },
): OpenCalendar {
  const calendar = open.policy.calendars[name];
  if (calendar === undefined) return ALWAYS;
  const ruling = zone ?? calendar.zone;
  const own = ruling === "item" ? itemZone : ruling;
  const make = (): OpenCalendar => openCalendar({ ...calendar, zone: own }, own);
  return kept(open.calendars, JSON.stringify([name, own]), { max: CALENDARS_MAX, make });
}

/** The oldest falls out first; it is only made again. */
function kept<Value>(
  values: Map<string, Value>,
  key: string,
  { max, make }: { readonly max: number; readonly make: () => Value },
): Value {
  const known = values.get(key);
  if (known !== undefined) return known;
  const [oldest] = values.keys();
  if (values.size >= max && oldest !== undefined) values.delete(oldest);
  const value = make();
  values.set(key, value);
  return value;
}
