/** Open time to the instant. Every expectation was worked out by hand from the zone's published rules. */
import { describe, expect, test } from "vitest";
import {
  ALWAYS,
  addOpen,
  type Calendar,
  type Hours,
  isOpen,
  isZone,
  nextClosing,
  nextOpening,
  openBetween,
  openCalendar,
  type OpenCalendar,
} from "../../src/sla/calendar.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const UTC = "UTC";
const LOS_ANGELES = "America/Los_Angeles";
const NEW_YORK = "America/New_York";
const BERLIN = "Europe/Berlin";
const LORD_HOWE = "Australia/Lord_Howe";
const APIA = "Pacific/Apia";
const KOLKATA = "Asia/Kolkata";
const AZORES = "Atlantic/Azores";

type Dates = Pick<Calendar, "holidays" | "specialDays">;

function weekdays(hours: readonly Hours[], dates: Dates = {}): Calendar {
  const weekly = { mon: hours, tue: hours, wed: hours, thu: hours, fri: hours };
  return { zone: "item", weekly, ...dates };
}

function daily(...hours: readonly Hours[]): Calendar {
  const { weekly, zone } = weekdays(hours);
  return { zone, weekly: { ...weekly, sat: hours, sun: hours } };
}

const office = (dates: Dates = {}): Calendar => weekdays([["09:00", "17:00"]], dates);
const OFFICE = office();
const LUNCH = weekdays([
  ["09:00", "12:00"],
  ["13:00", "17:00"],
]);
const MONDAYS: readonly Hours[] = [
  ["06:00", "07:30"],
  ["10:00", "11:00"],
  ["20:00", "22:00"],
];
const SCATTERED: Calendar = { zone: "item", weekly: { mon: MONDAYS } };
const SHUFFLED: Calendar = { zone: "item", weekly: { mon: MONDAYS.toReversed() } };
const TOUCHING = weekdays([
  ["09:00", "12:00"],
  ["12:00", "17:00"],
]);
const LATE = weekdays([["18:00", "24:00"]]);
const NIGHT: Calendar = {
  zone: "item",
  weekly: { mon: [["22:00", "24:00"]], tue: [["00:00", "06:00"]] },
};
const ROUND_THE_CLOCK = daily(["00:00", "24:00"]);
const EARLY = daily(["00:00", "04:00"]);
const SATURDAY_EVENING: Calendar = { zone: "item", weekly: { sat: [["18:00", "24:00"]] } };
const SUNDAY: Calendar = { zone: "item", weekly: { sun: [["00:00", "24:00"]] } };
const HALF_DAY: readonly Hours[] = [["09:00", "12:00"]];

/** A calendar and its zone, from when, how many open milliseconds, and when they have passed. */
type Case = readonly [
  claim: string,
  calendar: Calendar,
  zone: string,
  from: string,
  openMs: number,
  due: string,
];

const ORDINARY: readonly Case[] = [
  ["two hours in the morning", OFFICE, UTC, "2026-01-05T09:30Z", 2 * HOUR, "2026-01-05T11:30Z"],
  ["overnight", OFFICE, UTC, "2026-01-05T16:00Z", 2 * HOUR, "2026-01-06T10:00Z"],
  ["ends at the closing", OFFICE, UTC, "2026-01-05T09:00Z", 8 * HOUR, "2026-01-05T17:00Z"],
  [
    "one ms past the closing",
    OFFICE,
    UTC,
    "2026-01-05T09:00Z",
    8 * HOUR + 1,
    "2026-01-06T09:00:00.001Z",
  ],
  [
    "the rest of the day is its closing",
    OFFICE,
    UTC,
    "2026-01-05T16:59Z",
    MINUTE,
    "2026-01-05T17:00Z",
  ],
  ["from the closing", OFFICE, UTC, "2026-01-05T17:00Z", HOUR, "2026-01-06T10:00Z"],
  ["from the opening", OFFICE, UTC, "2026-01-05T09:00Z", HOUR, "2026-01-05T10:00Z"],
  ["from before the opening", OFFICE, UTC, "2026-01-05T06:00Z", HOUR, "2026-01-05T10:00Z"],
  ["from after the closing", OFFICE, UTC, "2026-01-05T20:00Z", HOUR, "2026-01-06T10:00Z"],
  [
    "from a millisecond before the closing",
    OFFICE,
    UTC,
    "2026-01-05T16:59:59.999Z",
    2,
    "2026-01-06T09:00:00.001Z",
  ],
  ["over the weekend", OFFICE, UTC, "2026-01-09T16:00Z", 2 * HOUR, "2026-01-12T10:00Z"],
  ["from a Saturday", OFFICE, UTC, "2026-01-10T12:00Z", HOUR, "2026-01-12T10:00Z"],
  ["a whole week ends on Friday", OFFICE, UTC, "2026-01-05T09:00Z", 40 * HOUR, "2026-01-09T17:00Z"],
  [
    "a week and a millisecond",
    OFFICE,
    UTC,
    "2026-01-05T09:00Z",
    40 * HOUR + 1,
    "2026-01-12T09:00:00.001Z",
  ],
  [
    "24 open hours are three days",
    OFFICE,
    UTC,
    "2026-01-05T09:00Z",
    24 * HOUR,
    "2026-01-07T17:00Z",
  ],
  ["24 open hours from Thursday", OFFICE, UTC, "2026-01-08T15:00Z", 24 * HOUR, "2026-01-13T15:00Z"],
  ["nothing, while open", OFFICE, UTC, "2026-01-05T10:00Z", 0, "2026-01-05T10:00Z"],
  ["nothing, at night", OFFICE, UTC, "2026-01-05T20:00Z", 0, "2026-01-05T20:00Z"],
  ["nothing, on a Sunday", OFFICE, UTC, "2026-01-11T12:00Z", 0, "2026-01-11T12:00Z"],
  ["one ms from a Sunday", OFFICE, UTC, "2026-01-11T12:00Z", 1, "2026-01-12T09:00:00.001Z"],
  ["before 1970", OFFICE, UTC, "1969-12-31T16:00Z", 2 * HOUR, "1970-01-01T10:00Z"],
];

const WINDOWS: readonly Case[] = [
  ["over lunch", LUNCH, UTC, "2026-01-05T11:30Z", HOUR, "2026-01-05T13:30Z"],
  ["ends as lunch begins", LUNCH, UTC, "2026-01-05T11:00Z", HOUR, "2026-01-05T12:00Z"],
  ["one ms past lunch", LUNCH, UTC, "2026-01-05T11:00Z", HOUR + 1, "2026-01-05T13:00:00.001Z"],
  ["from within lunch", LUNCH, UTC, "2026-01-05T12:30Z", HOUR, "2026-01-05T14:00Z"],
  ["from the beginning of lunch", LUNCH, UTC, "2026-01-05T12:00Z", HOUR, "2026-01-05T14:00Z"],
  ["from the end of lunch", LUNCH, UTC, "2026-01-05T13:00Z", HOUR, "2026-01-05T14:00Z"],
  ["a day less lunch", LUNCH, UTC, "2026-01-05T09:00Z", 7 * HOUR, "2026-01-05T17:00Z"],
  [
    "from the afternoon over the next lunch",
    LUNCH,
    UTC,
    "2026-01-05T14:00Z",
    7 * HOUR,
    "2026-01-06T14:00Z",
  ],
  ["three windows", SCATTERED, UTC, "2026-01-05T06:00Z", 4 * HOUR, "2026-01-05T21:30Z"],
  ["one day a week", SCATTERED, UTC, "2026-01-05T06:00Z", 5 * HOUR, "2026-01-12T06:30Z"],
  ["windows in any order", SHUFFLED, UTC, "2026-01-05T06:00Z", 4 * HOUR, "2026-01-05T21:30Z"],
  ["windows that touch", TOUCHING, UTC, "2026-01-05T11:00Z", 2 * HOUR, "2026-01-05T13:00Z"],
  ["ends at 24:00", LATE, UTC, "2026-01-05T23:00Z", HOUR, "2026-01-06T00:00Z"],
  ["past 24:00", LATE, UTC, "2026-01-05T23:00Z", 2 * HOUR, "2026-01-06T19:00Z"],
  ["from 24:00", LATE, UTC, "2026-01-06T00:00Z", HOUR, "2026-01-06T19:00Z"],
  ["over midnight", NIGHT, UTC, "2026-01-05T22:00Z", 3 * HOUR, "2026-01-06T01:00Z"],
  ["the whole night", NIGHT, UTC, "2026-01-05T22:00Z", 8 * HOUR, "2026-01-06T06:00Z"],
  [
    "a night and a millisecond",
    NIGHT,
    UTC,
    "2026-01-05T22:00Z",
    8 * HOUR + 1,
    "2026-01-12T22:00:00.001Z",
  ],
  ["24/7 written out", ROUND_THE_CLOCK, UTC, "2026-01-05T00:00Z", 1000 * HOUR, "2026-02-15T16:00Z"],
];

const CHRISTMAS_EVE = office({ holidays: ["2026-12-24"] });
const EVERY_CHRISTMAS_EVE = office({ holidays: ["12-24"] });
const LEAP_HOLIDAY = office({ holidays: ["02-29"] });
const EVE_BY_DATE = office({ holidays: ["12-24"], specialDays: { "2026-12-24": HALF_DAY } });
const EVE_BY_YEAR = office({ holidays: ["2026-12-24"], specialDays: { "12-24": HALF_DAY } });
const THURSDAY_AND_FRIDAY = office({ holidays: ["2026-12-24", "2026-12-25"] });
const EVE_SHORT = office({ specialDays: { "2026-12-24": HALF_DAY } });
const EVE_ALL_DAY = office({ specialDays: { "2026-12-24": [["00:00", "24:00"]] } });
const OPEN_SATURDAY = office({ specialDays: { "2026-12-05": [["10:00", "14:00"]] } });

const DATES: readonly Case[] = [
  ["a holiday", CHRISTMAS_EVE, UTC, "2026-12-23T16:00Z", 2 * HOUR, "2026-12-25T10:00Z"],
  [
    "a holiday with its year is not yearly",
    CHRISTMAS_EVE,
    UTC,
    "2027-12-23T16:00Z",
    2 * HOUR,
    "2027-12-24T10:00Z",
  ],
  ["from within a holiday", CHRISTMAS_EVE, UTC, "2026-12-24T10:00Z", HOUR, "2026-12-25T10:00Z"],
  [
    "a yearly holiday, this year",
    EVERY_CHRISTMAS_EVE,
    UTC,
    "2026-12-23T16:00Z",
    2 * HOUR,
    "2026-12-25T10:00Z",
  ],
  [
    "a yearly holiday, next year",
    EVERY_CHRISTMAS_EVE,
    UTC,
    "2027-12-23T16:00Z",
    2 * HOUR,
    "2027-12-27T10:00Z",
  ],
  [
    "holidays before a weekend",
    THURSDAY_AND_FRIDAY,
    UTC,
    "2026-12-23T16:00Z",
    2 * HOUR,
    "2026-12-28T10:00Z",
  ],
  [
    "a holiday on a Saturday",
    office({ holidays: ["2026-12-26"] }),
    UTC,
    "2026-12-25T16:00Z",
    2 * HOUR,
    "2026-12-28T10:00Z",
  ],
  [
    "a holiday is a local day in the west",
    CHRISTMAS_EVE,
    LOS_ANGELES,
    "2026-12-23T16:30-08:00",
    HOUR,
    "2026-12-25T09:30-08:00",
  ],
  [
    "a holiday is a local day in the east",
    CHRISTMAS_EVE,
    KOLKATA,
    "2026-12-23T16:30+05:30",
    HOUR,
    "2026-12-25T09:30+05:30",
  ],
  [
    "29 February off, in a leap year",
    LEAP_HOLIDAY,
    UTC,
    "2028-02-28T16:00Z",
    2 * HOUR,
    "2028-03-01T10:00Z",
  ],
  [
    "29 February off closes no 1 March",
    LEAP_HOLIDAY,
    UTC,
    "2029-02-28T16:00Z",
    2 * HOUR,
    "2029-03-01T10:00Z",
  ],
  ["shorter special hours", EVE_SHORT, UTC, "2026-12-24T11:00Z", 2 * HOUR, "2026-12-25T10:00Z"],
  [
    "a special day ends at its closing",
    EVE_SHORT,
    UTC,
    "2026-12-24T11:00Z",
    HOUR,
    "2026-12-24T12:00Z",
  ],
  [
    "a special day opens a Saturday",
    OPEN_SATURDAY,
    UTC,
    "2026-12-04T16:00Z",
    2 * HOUR,
    "2026-12-05T11:00Z",
  ],
  [
    "a special day without hours",
    office({ specialDays: { "2026-12-24": [] } }),
    UTC,
    "2026-12-23T16:00Z",
    2 * HOUR,
    "2026-12-25T10:00Z",
  ],
  [
    "a special day round the clock",
    EVE_ALL_DAY,
    UTC,
    "2026-12-23T16:00Z",
    2 * HOUR,
    "2026-12-24T01:00Z",
  ],
  [
    "a dated special day beats a yearly holiday",
    EVE_BY_DATE,
    UTC,
    "2026-12-23T16:00Z",
    2 * HOUR,
    "2026-12-24T10:00Z",
  ],
  [
    "the yearly holiday holds in other years",
    EVE_BY_DATE,
    UTC,
    "2027-12-23T16:00Z",
    2 * HOUR,
    "2027-12-27T10:00Z",
  ],
  [
    "a dated holiday beats a yearly special day",
    EVE_BY_YEAR,
    UTC,
    "2026-12-23T16:00Z",
    2 * HOUR,
    "2026-12-25T10:00Z",
  ],
  [
    "the yearly special day holds in other years",
    EVE_BY_YEAR,
    UTC,
    "2027-12-24T11:00Z",
    2 * HOUR,
    "2027-12-27T10:00Z",
  ],
  ["29 February", OFFICE, UTC, "2028-02-28T16:00Z", 2 * HOUR, "2028-02-29T10:00Z"],
  [
    "the end of a February without it",
    OFFICE,
    UTC,
    "2026-02-27T16:00Z",
    2 * HOUR,
    "2026-03-02T10:00Z",
  ],
  ["the end of the year", OFFICE, UTC, "2026-12-31T16:00Z", 2 * HOUR, "2027-01-01T10:00Z"],
  [
    "New Year off",
    office({ holidays: ["01-01"] }),
    UTC,
    "2026-12-31T16:00Z",
    2 * HOUR,
    "2027-01-04T10:00Z",
  ],
  [
    "New Year's Eve in Kolkata",
    ROUND_THE_CLOCK,
    KOLKATA,
    "2026-12-31T23:00+05:30",
    2 * HOUR,
    "2027-01-01T01:00+05:30",
  ],
];

const opensInGap = daily(["02:30", "05:00"]);
const closesInGap = daily(["01:00", "02:30"]);
const withinGap = daily(["02:15", "02:45"]);
const opensInFold = daily(["01:30", "03:00"]);
const closesInFold = daily(["00:00", "01:30"]);
const withinFold = daily(["01:15", "01:45"]);
const overlapsInFold = daily(["01:00", "01:20"], ["01:40", "02:00"]);

const NORTH_AMERICA: readonly Case[] = [
  [
    "a weekend with a spring change",
    OFFICE,
    LOS_ANGELES,
    "2026-03-06T16:00-08:00",
    2 * HOUR,
    "2026-03-09T10:00-07:00",
  ],
  [
    "a weekend with an autumn change",
    OFFICE,
    LOS_ANGELES,
    "2026-10-30T16:00-07:00",
    2 * HOUR,
    "2026-11-02T10:00-08:00",
  ],
  [
    "the spring Sunday has 23 hours",
    ROUND_THE_CLOCK,
    LOS_ANGELES,
    "2026-03-08T00:00-08:00",
    23 * HOUR,
    "2026-03-09T00:00-07:00",
  ],
  [
    "24 hours over the gap",
    ROUND_THE_CLOCK,
    LOS_ANGELES,
    "2026-03-08T00:00-08:00",
    24 * HOUR,
    "2026-03-09T01:00-07:00",
  ],
  [
    "the autumn Sunday has 25 hours",
    ROUND_THE_CLOCK,
    LOS_ANGELES,
    "2026-11-01T00:00-07:00",
    25 * HOUR,
    "2026-11-02T00:00-08:00",
  ],
  [
    "24 hours over the fold",
    ROUND_THE_CLOCK,
    LOS_ANGELES,
    "2026-11-01T00:00-07:00",
    24 * HOUR,
    "2026-11-01T23:00-08:00",
  ],
  [
    "a window over the gap is an hour shorter",
    EARLY,
    LOS_ANGELES,
    "2026-03-08T00:00-08:00",
    3 * HOUR,
    "2026-03-08T04:00-07:00",
  ],
  [
    "its missing hour is the next day's",
    EARLY,
    LOS_ANGELES,
    "2026-03-08T00:00-08:00",
    4 * HOUR,
    "2026-03-09T01:00-07:00",
  ],
  [
    "a window over the fold is an hour longer",
    EARLY,
    LOS_ANGELES,
    "2026-11-01T00:00-07:00",
    5 * HOUR,
    "2026-11-01T04:00-08:00",
  ],
  [
    "within a window over the fold",
    EARLY,
    LOS_ANGELES,
    "2026-11-01T00:00-07:00",
    4 * HOUR,
    "2026-11-01T03:00-08:00",
  ],
  [
    "an opening in the gap is the gap's end",
    opensInGap,
    LOS_ANGELES,
    "2026-03-08T00:00-08:00",
    HOUR,
    "2026-03-08T04:00-07:00",
  ],
  [
    "and the closing stays",
    opensInGap,
    LOS_ANGELES,
    "2026-03-08T00:00-08:00",
    2 * HOUR,
    "2026-03-08T05:00-07:00",
  ],
  [
    "a closing in the gap is the gap's end",
    closesInGap,
    LOS_ANGELES,
    "2026-03-08T01:00-08:00",
    HOUR,
    "2026-03-08T03:00-07:00",
  ],
  [
    "and what is left is the next day's",
    closesInGap,
    LOS_ANGELES,
    "2026-03-08T01:00-08:00",
    1.5 * HOUR,
    "2026-03-09T01:30-07:00",
  ],
  [
    "a window within the gap does not come",
    withinGap,
    LOS_ANGELES,
    "2026-03-07T02:15-08:00",
    45 * MINUTE,
    "2026-03-09T02:30-07:00",
  ],
  [
    "an opening in the fold is the earlier",
    opensInFold,
    LOS_ANGELES,
    "2026-11-01T00:00-07:00",
    HOUR,
    "2026-11-01T01:30-08:00",
  ],
  [
    "so its window is an hour longer",
    opensInFold,
    LOS_ANGELES,
    "2026-11-01T00:00-07:00",
    2.5 * HOUR,
    "2026-11-01T03:00-08:00",
  ],
  [
    "a closing in the fold is the later",
    closesInFold,
    LOS_ANGELES,
    "2026-11-01T00:00-07:00",
    2.5 * HOUR,
    "2026-11-01T01:30-08:00",
  ],
  [
    "a window within the fold",
    withinFold,
    LOS_ANGELES,
    "2026-11-01T00:00-07:00",
    1.5 * HOUR,
    "2026-11-01T01:45-08:00",
  ],
  [
    "from within the repeated hour",
    withinFold,
    LOS_ANGELES,
    "2026-11-01T01:15-08:00",
    30 * MINUTE,
    "2026-11-01T01:45-08:00",
  ],
  [
    "windows that the fold joins count once",
    overlapsInFold,
    LOS_ANGELES,
    "2026-11-01T00:00-07:00",
    2 * HOUR,
    "2026-11-01T02:00-08:00",
  ],
  [
    "a closing at the fold's beginning is the earlier",
    daily(["00:00", "01:00"]),
    LOS_ANGELES,
    "2026-11-01T00:00-07:00",
    HOUR + 1,
    "2026-11-02T00:00:00.001-08:00",
  ],
  [
    "an opening at the fold's end is the only one",
    daily(["02:00", "03:00"]),
    LOS_ANGELES,
    "2026-11-01T00:00-07:00",
    30 * MINUTE,
    "2026-11-01T02:30-08:00",
  ],
  [
    "New York in spring",
    ROUND_THE_CLOCK,
    NEW_YORK,
    "2026-03-08T01:00-05:00",
    2 * HOUR,
    "2026-03-08T04:00-04:00",
  ],
  [
    "New York in autumn",
    ROUND_THE_CLOCK,
    NEW_YORK,
    "2026-11-01T00:30-04:00",
    2 * HOUR,
    "2026-11-01T01:30-05:00",
  ],
  [
    "New York's office in spring",
    OFFICE,
    NEW_YORK,
    "2026-03-06T16:30-05:00",
    HOUR,
    "2026-03-09T09:30-04:00",
  ],
  [
    "midnight comes twice in St. John's",
    SATURDAY_EVENING,
    "America/St_Johns",
    "2006-10-28T18:00-02:30",
    7 * HOUR,
    "2006-10-29T00:00-03:30",
  ],
];

const ELSEWHERE: readonly Case[] = [
  [
    "Berlin's office in spring",
    OFFICE,
    BERLIN,
    "2026-03-27T16:00+01:00",
    2 * HOUR,
    "2026-03-30T10:00+02:00",
  ],
  [
    "Berlin's office in autumn",
    OFFICE,
    BERLIN,
    "2026-10-23T16:00+02:00",
    2 * HOUR,
    "2026-10-26T10:00+01:00",
  ],
  [
    "Berlin's night in spring",
    EARLY,
    BERLIN,
    "2026-03-29T00:00+01:00",
    3 * HOUR,
    "2026-03-29T04:00+02:00",
  ],
  [
    "Berlin's night in autumn",
    EARLY,
    BERLIN,
    "2026-10-25T00:00+02:00",
    5 * HOUR,
    "2026-10-25T04:00+01:00",
  ],
  [
    "an opening in Berlin's fold",
    daily(["02:30", "06:00"]),
    BERLIN,
    "2026-10-25T00:00+02:00",
    HOUR,
    "2026-10-25T02:30+01:00",
  ],
  [
    "Lord Howe's spring Sunday has 23.5 hours",
    ROUND_THE_CLOCK,
    LORD_HOWE,
    "2026-10-04T00:00+10:30",
    23.5 * HOUR,
    "2026-10-05T00:00+11:00",
  ],
  [
    "Lord Howe's autumn Sunday has 24.5 hours",
    ROUND_THE_CLOCK,
    LORD_HOWE,
    "2026-04-05T00:00+11:00",
    24.5 * HOUR,
    "2026-04-06T00:00+10:30",
  ],
  [
    "a window over a half-hour gap",
    EARLY,
    LORD_HOWE,
    "2026-10-04T00:00+10:30",
    3.5 * HOUR,
    "2026-10-04T04:00+11:00",
  ],
  [
    "a window over a half-hour fold",
    EARLY,
    LORD_HOWE,
    "2026-04-05T00:00+11:00",
    4.5 * HOUR,
    "2026-04-05T04:00+10:30",
  ],
  [
    "an opening in a half-hour gap",
    daily(["02:15", "03:00"]),
    LORD_HOWE,
    "2026-10-04T00:00+10:30",
    30 * MINUTE,
    "2026-10-04T03:00+11:00",
  ],
  [
    "an opening in a half-hour fold",
    daily(["01:45", "03:00"]),
    LORD_HOWE,
    "2026-04-05T00:00+11:00",
    105 * MINUTE,
    "2026-04-05T03:00+10:30",
  ],
  [
    "Apia's skipped Friday",
    OFFICE,
    APIA,
    "2011-12-29T16:00-10:00",
    2 * HOUR,
    "2012-01-02T10:00+14:00",
  ],
  [
    "Apia's skipped day takes no time",
    ROUND_THE_CLOCK,
    APIA,
    "2011-12-29T23:00-10:00",
    2 * HOUR,
    "2011-12-31T01:00+14:00",
  ],
  [
    "24:00 before Apia's skipped day",
    daily(["18:00", "24:00"]),
    APIA,
    "2011-12-29T23:00-10:00",
    HOUR,
    "2011-12-30T00:00-10:00",
  ],
  [
    "and on after it",
    daily(["18:00", "24:00"]),
    APIA,
    "2011-12-29T23:00-10:00",
    2 * HOUR,
    "2011-12-31T19:00+14:00",
  ],
  [
    "special hours on a day that never came",
    office({ specialDays: { "2011-12-30": [["00:00", "24:00"]] } }),
    APIA,
    "2011-12-29T16:00-10:00",
    2 * HOUR,
    "2012-01-02T10:00+14:00",
  ],
  [
    "Saturday's 24:00 before a doubled midnight",
    SATURDAY_EVENING,
    AZORES,
    "2026-10-24T18:00+00:00",
    6 * HOUR,
    "2026-10-25T00:00+00:00",
  ],
  [
    "takes no hour of that Sunday",
    SATURDAY_EVENING,
    AZORES,
    "2026-10-24T18:00+00:00",
    6 * HOUR + 1,
    "2026-10-31T18:00:00.001-01:00",
  ],
  [
    "a Sunday with two midnights",
    SUNDAY,
    AZORES,
    "2026-10-25T00:00+00:00",
    25 * HOUR,
    "2026-10-26T00:00-01:00",
  ],
  [
    "a Sunday without midnight",
    SUNDAY,
    AZORES,
    "2026-03-28T12:00-01:00",
    23 * HOUR,
    "2026-03-30T00:00+00:00",
  ],
  [
    "half an hour beside UTC",
    OFFICE,
    KOLKATA,
    "2026-01-05T16:00+05:30",
    2 * HOUR,
    "2026-01-06T10:00+05:30",
  ],
  [
    "an instant written in another zone",
    OFFICE,
    KOLKATA,
    "2026-01-05T04:00Z",
    2 * HOUR,
    "2026-01-05T06:00Z",
  ],
  [
    "the weekend is local",
    OFFICE,
    KOLKATA,
    "2026-01-09T16:30+05:30",
    HOUR,
    "2026-01-12T09:30+05:30",
  ],
  [
    "three quarters beside UTC",
    OFFICE,
    "Asia/Kathmandu",
    "2026-01-05T16:00+05:45",
    2 * HOUR,
    "2026-01-06T10:00+05:45",
  ],
  [
    "the first zone of the day",
    OFFICE,
    "Pacific/Kiritimati",
    "2026-01-09T16:30+14:00",
    HOUR,
    "2026-01-12T09:30+14:00",
  ],
  [
    "the last zone of the day",
    OFFICE,
    "Pacific/Pago_Pago",
    "2026-01-09T16:30-11:00",
    HOUR,
    "2026-01-12T09:30-11:00",
  ],
];

const LONG: readonly Case[] = [
  ["52 weeks", OFFICE, UTC, "2026-01-05T09:00Z", 2080 * HOUR, "2027-01-01T17:00Z"],
  ["52 weeks and an hour", OFFICE, UTC, "2026-01-05T09:00Z", 2081 * HOUR, "2027-01-04T10:00Z"],
  ["nine years", OFFICE, UTC, "2026-01-05T09:00Z", 18_760 * HOUR, "2034-12-29T17:00Z"],
  [
    "nine years and an hour",
    OFFICE,
    LOS_ANGELES,
    "2026-01-05T09:00-08:00",
    18_761 * HOUR,
    "2035-01-01T10:00-08:00",
  ],
  [
    "a year of days and nights",
    ROUND_THE_CLOCK,
    LOS_ANGELES,
    "2026-01-05T00:00-08:00",
    365 * 24 * HOUR,
    "2027-01-05T00:00-08:00",
  ],
  [
    "half a year with its change",
    ROUND_THE_CLOCK,
    BERLIN,
    "2026-01-05T00:00+01:00",
    181 * 24 * HOUR,
    "2026-07-05T01:00+02:00",
  ],
];

const open = (calendar: Calendar, zone = UTC): OpenCalendar => openCalendar(calendar, zone);
const at = (text: string): number => {
  const instant = Date.parse(text);
  if (Number.isNaN(instant)) throw new RangeError(`${text} is no instant`);
  return instant;
};

describe.each([
  ["an ordinary week", ORDINARY],
  ["several windows a day", WINDOWS],
  ["holidays, special days, ends of months and years", DATES],
  ["clock changes in North America", NORTH_AMERICA],
  ["clocks elsewhere", ELSEWHERE],
  ["long spans", LONG],
])("open time ends when it should: %s", (_, cases) => {
  test.each(cases)("%s", (...asked) => {
    const [, calendar, zone, from, openMs, due] = asked;
    const opened = open(calendar, zone);
    const ends = addOpen(opened, at(from), openMs);
    expect(new Date(ends).toISOString()).toBe(new Date(at(due)).toISOString());
    expect(openBetween(opened, at(from), ends)).toBe(openMs);
  });
});

describe("open time between two instants", () => {
  test.each<readonly [string, Calendar, string, string, number]>([
    ["from and to in one window", OFFICE, "2026-01-05T10:00Z", "2026-01-05T11:30Z", 1.5 * HOUR],
    ["from and to in one night", OFFICE, "2026-01-05T18:00Z", "2026-01-06T08:00Z", 0],
    ["a closed weekend", OFFICE, "2026-01-09T17:00Z", "2026-01-12T09:00Z", 0],
    ["a week from Sunday to Sunday", OFFICE, "2026-01-04T00:00Z", "2026-01-11T00:00Z", 40 * HOUR],
    ["from lunch to lunch", LUNCH, "2026-01-05T12:30Z", "2026-01-06T12:30Z", 7 * HOUR],
    ["the same instant", OFFICE, "2026-01-05T10:00Z", "2026-01-05T10:00Z", 0],
    ["the wrong way round", OFFICE, "2026-01-05T11:00Z", "2026-01-05T10:00Z", 0],
    ["ten years", ROUND_THE_CLOCK, "2026-01-05T00:00Z", "2036-01-05T00:00Z", 3652 * 24 * HOUR],
  ])("%s", (...asked) => {
    const [, calendar, from, to, openMs] = asked;
    expect(openBetween(open(calendar), at(from), at(to))).toBe(openMs);
  });
});

describe("openings and closings", () => {
  test.each<readonly [string, Calendar, string, string, string]>([
    ["while open", OFFICE, "2026-01-05T10:00Z", "2026-01-05T10:00Z", "2026-01-05T17:00Z"],
    ["at the opening", OFFICE, "2026-01-05T09:00Z", "2026-01-05T09:00Z", "2026-01-05T17:00Z"],
    ["at the closing", OFFICE, "2026-01-05T17:00Z", "2026-01-06T09:00Z", "2026-01-05T17:00Z"],
    ["on a Saturday", OFFICE, "2026-01-10T10:00Z", "2026-01-12T09:00Z", "2026-01-10T10:00Z"],
    ["in lunch", LUNCH, "2026-01-05T12:30Z", "2026-01-05T13:00Z", "2026-01-05T12:30Z"],
    ["windows that touch", TOUCHING, "2026-01-05T10:00Z", "2026-01-05T10:00Z", "2026-01-05T17:00Z"],
    ["over midnight", NIGHT, "2026-01-05T23:00Z", "2026-01-05T23:00Z", "2026-01-06T06:00Z"],
    ["at midnight", NIGHT, "2026-01-06T00:00Z", "2026-01-06T00:00Z", "2026-01-06T06:00Z"],
    [
      "on a dated holiday",
      office({ holidays: ["2026-01-05"] }),
      "2026-01-05T12:00Z",
      "2026-01-06T09:00Z",
      "2026-01-05T12:00Z",
    ],
  ])("%s", (...asked) => {
    const [, calendar, now, opening, closing] = asked;
    const opened = open(calendar);
    expect(nextOpening(opened, at(now))).toBe(at(opening));
    expect(nextClosing(opened, at(now))).toBe(at(closing));
    expect(isOpen(opened, at(now))).toBe(at(now) === at(opening));
  });

  test("a calendar that never closes has no next closing", () => {
    expect(
      nextClosing(open(ROUND_THE_CLOCK, LOS_ANGELES), at("2026-01-05T00:00Z")),
    ).toBeUndefined();
    expect(nextClosing(ALWAYS, 0)).toBeUndefined();
  });

  test("a round-the-clock week that closes on one holiday closes then", () => {
    const opened = open({ ...ROUND_THE_CLOCK, holidays: ["2027-12-25"] }, BERLIN);
    const from = at("2026-01-05T00:00+01:00");
    expect(nextClosing(opened, from)).toBe(at("2027-12-25T00:00+01:00"));
    expect(nextOpening(opened, at("2027-12-25T00:00+01:00"))).toBe(at("2027-12-26T00:00+01:00"));
  });
});

describe("always open", () => {
  test("time passes as on the wall", () => {
    const from = at("2026-03-08T00:00-08:00");
    expect(addOpen(ALWAYS, from, 24 * HOUR)).toBe(from + 24 * HOUR);
    expect(openBetween(ALWAYS, from, from + 5)).toBe(5);
    expect(openBetween(ALWAYS, from, from - 5)).toBe(0);
    expect(isOpen(ALWAYS, from)).toBe(true);
    expect(nextOpening(ALWAYS, from)).toBe(from);
  });
});

describe("the zone", () => {
  test("an item's calendar follows the item's zone, a zoned one does not", () => {
    const from = at("2026-01-05T12:00Z");
    const zoned = { ...OFFICE, zone: NEW_YORK };
    expect(nextOpening(open(OFFICE, BERLIN), from)).toBe(from);
    expect(nextOpening(open(OFFICE, NEW_YORK), from)).toBe(at("2026-01-05T09:00-05:00"));
    expect(nextOpening(open(zoned, BERLIN), from)).toBe(at("2026-01-05T09:00-05:00"));
  });

  test("an item that moves keeps what has accrued and goes on by its new zone", () => {
    const [began, moved] = [at("2026-01-05T09:00+01:00"), at("2026-01-05T12:00+01:00")];
    const accruedMs = openBetween(open(OFFICE, BERLIN), began, moved);
    expect(accruedMs).toBe(3 * HOUR);
    expect(addOpen(open(OFFICE, NEW_YORK), moved, 8 * HOUR - accruedMs)).toBe(
      at("2026-01-05T14:00-05:00"),
    );
  });

  test("an unknown zone is refused", () => {
    expect(() => open(OFFICE, "Mars/Olympus")).toThrow(/CONFIG_INVALID: .*"Mars\/Olympus"/);
    expect([isZone(BERLIN), isZone("item"), isZone("+02:00"), isZone("")]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});

describe("limits", () => {
  const from = at("2026-01-05T09:00Z");
  const closed = open(office({ specialDays: {} }));

  test("a target more than ten years ahead is refused, whatever the calendar", () => {
    expect(() => addOpen(ALWAYS, from, 3654 * 24 * HOUR)).toThrow("CONFIG_INVALID");
    expect(() => addOpen(closed, from, 3654 * 24 * HOUR)).toThrow("CONFIG_INVALID");
    expect(() => openBetween(ALWAYS, from, from + 3654 * 24 * HOUR)).toThrow("CONFIG_INVALID");
    expect(() => openBetween(closed, from, from + 3654 * 24 * HOUR)).toThrow("CONFIG_INVALID");
  });

  test("a calendar whose days are all closed is given up after ten years", () => {
    const hidden = open({ zone: UTC, weekly: {}, specialDays: { "2025-01-01": HALF_DAY } });
    expect(() => nextOpening(hidden, from)).toThrow(/CONFIG_INVALID: .*does not open/);
    expect(() => addOpen(hidden, from, 1)).toThrow("CONFIG_INVALID");
    expect(nextClosing(hidden, from)).toBe(from);
  });

  test("a walk over more than its memory leaves no wrong answer behind", () => {
    const opened = open(LUNCH, LOS_ANGELES);
    for (let year = 1971; year < 2060; year += 9) {
      const now = Date.UTC(year, 0, 1);
      expect(openBetween(opened, now, addOpen(opened, now, 9000 * HOUR))).toBe(9000 * HOUR);
    }
    expect(addOpen(opened, at("2026-01-05T11:30-08:00"), HOUR)).toBe(at("2026-01-05T13:30-08:00"));
  });

  test.each([-1, 0.5, Number.NaN, Infinity])(
    "%d ms of open time is a caller's mistake",
    (openMs) => {
      expect(() => addOpen(ALWAYS, from, openMs)).toThrow(RangeError);
    },
  );

  test.each([0.5, Number.NaN, Infinity, 9e15])("%d is no instant", (instant) => {
    for (const calendar of [ALWAYS, closed]) {
      expect(() => isOpen(calendar, instant)).toThrow(RangeError);
      expect(() => addOpen(calendar, instant, 1)).toThrow(RangeError);
      expect(() => openBetween(calendar, from, instant)).toThrow(RangeError);
      expect(() => nextOpening(calendar, instant)).toThrow(RangeError);
      expect(() => nextClosing(calendar, instant)).toThrow(RangeError);
    }
  });
});
