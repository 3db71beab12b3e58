/** Fulfilment figures in words: a table of one group, or a row for each of several. Pure. */
import type { Spread } from "../engine/duration-spread.ts";
import { type DaySpread, type FulfilmentFigures, TARGETS } from "../engine/fulfilment-figures.ts";
import type { FulfilmentGroup, FulfilmentReport, Grouping } from "../engine/measure-fulfilment.ts";
import { count, table } from "./text-layout.ts";

const NOTHING = "-";
const MISSED = "MISSED";

/** Everything about one group of items. */
export function figuresText(figures: FulfilmentFigures): string {
  const rows = rowsOf(figures).map(({ name, value, n, target = "", isOnTarget = null }) => [
    name,
    value,
    String(n),
    target,
    isOnTarget === false ? MISSED : "",
  ]);
  return `${table(["FIGURE", "VALUE", "N", "TARGET", ""], rows)}\n\n${countsText(figures)}`;
}

interface Row {
  readonly name: string;
  readonly value: string;
  readonly n: number;
  readonly target?: string;
  readonly isOnTarget?: boolean | null;
}

function rowsOf(figures: FulfilmentFigures): readonly Row[] {
  const { acceptance, timeToAccept, timeToRespond, completion } = figures;
  const { fulfilmentTime, timeToSchedule, pushLag } = figures;
  const answered = `p50 ≤ ${durationText(TARGETS.respondGoalMs)}, p90 ≤ ${durationText(TARGETS.respondLimitMs)}`;
  return [
    {
      name: "Acceptance rate",
      value: percentText(acceptance.rate),
      n: acceptance.accepted + acceptance.rejected,
      target: `> ${percentText(TARGETS.acceptanceRateAbove)}`,
      isOnTarget: acceptance.isOnTarget,
    },
    { name: "Time to accept", value: spreadText(timeToAccept), target: answered, ...timeToAccept },
    {
      name: "Time to respond",
      value: spreadText(timeToRespond),
      target: answered,
      ...timeToRespond,
    },
    {
      name: "Completion rate",
      value: percentText(completion.rate),
      n: endedOf(figures) + completion.cancelled,
      target: `> ${percentText(TARGETS.completionRateAbove)}`,
      isOnTarget: completion.isOnTarget,
    },
    {
      name: "  without cancelled",
      value: percentText(completion.rateWithoutCancelled),
      n: endedOf(figures),
    },
    { name: "Fulfilment time", value: daysText(fulfilmentTime), n: fulfilmentTime.n },
    {
      name: "Time to schedule",
      value: spreadText(timeToSchedule),
      target: `p90 ≤ ${durationText(TARGETS.scheduleLimitMs)}`,
      ...timeToSchedule,
    },
    {
      name: "Push lag",
      value: pushLagText(pushLag),
      target: `p95 ≤ ${durationText(TARGETS.pushGoalMs)}`,
      ...pushLag,
    },
  ];
}

function endedOf({ completion }: FulfilmentFigures): number {
  return completion.completed + completion.failed;
}

function countsText(figures: FulfilmentFigures): string {
  const { received, acceptance, completion, fulfilmentTime, timeToRespond, events } = figures;
  const { pushLag } = figures;
  const { accepted, rejected, undecided, withdrawn } = acceptance;
  const { completed, failed, cancelled, open } = completion;
  const { basis } = fulfilmentTime;
  return table(
    [],
    [
      ["Orders", `${received} received`],
      [
        "Decisions",
        `${accepted} accepted, ${rejected} rejected, ${undecided} undecided, ${withdrawn} withdrawn`,
      ],
      [
        "Late answers",
        `${timeToRespond.overLimit} after more than ${durationText(TARGETS.respondLimitMs)}`,
      ],
      ["Late pushes", `${pushLag.overLimit} after more than ${durationText(TARGETS.pushLimitMs)}`],
      [
        "Outcomes",
        `${completed} completed, ${failed} failed, ${cancelled} cancelled, ${open} open`,
      ],
      ["Completed as", `${basis.completed} completed first, ${basis.active} active at once`],
      [
        "Events set aside",
        `${events.stale} stale, ${events.parked} parked, ${events.rejected} rejected`,
      ],
    ],
  );
}

/** One row for each group; what misses its target bears an exclamation mark. */
export function groupsText(by: readonly Grouping[], groups: readonly FulfilmentGroup[]): string {
  const headings = [
    ...by.map((name) => name.toUpperCase()),
    "ACCEPTED (n)",
    "P50 TO RESPOND (n)",
    "COMPLETED (n)",
    "DAYS (n)",
    "P95 PUSH (n)",
  ];
  const rows = groups.map(({ key, figures }) => [
    ...by.map((name) => key[name] ?? NOTHING),
    ...cellsOf(figures),
  ]);
  return `${table(headings, rows)}\n\n! misses its target; --json has all figures of each row.`;
}

function cellsOf(figures: FulfilmentFigures): string[] {
  const { acceptance, timeToRespond, completion, fulfilmentTime, pushLag } = figures;
  const cell = (text: string, n: number, isOnTarget: boolean | null = null): string =>
    text === NOTHING ? NOTHING : `${text}${isOnTarget === false ? "!" : ""} (${n})`;
  return [
    cell(
      percentText(acceptance.rate),
      acceptance.accepted + acceptance.rejected,
      acceptance.isOnTarget,
    ),
    cell(durationText(timeToRespond.p50Ms), timeToRespond.n, timeToRespond.isOnTarget),
    cell(
      percentText(completion.rate),
      endedOf(figures) + completion.cancelled,
      completion.isOnTarget,
    ),
    cell(numberText(fulfilmentTime.meanDays), fulfilmentTime.n),
    cell(durationText(pushLag.p95Ms), pushLag.n, pushLag.isOnTarget),
  ];
}

/** What the figures do not tell about. */
export function leftOutText({ testItems, unreadableItems }: FulfilmentReport): string | undefined {
  const parts = [
    ...(testItems > 0 ? [count(testItems, "test item")] : []),
    ...(unreadableItems > 0
      ? [`${count(unreadableItems, "item")} of a machine version that is not deployed`]
      : []),
  ];
  return parts.length === 0 ? undefined : `Left out: ${parts.join(", ")}.`;
}

function spreadText({ n, p50Ms, p90Ms, meanMs }: Spread): string {
  if (n === 0) return NOTHING;
  return `p50 ${durationText(p50Ms)}, p90 ${durationText(p90Ms)}, mean ${durationText(meanMs)}`;
}

function pushLagText({ n, p50Ms, p95Ms }: Spread): string {
  return n === 0 ? NOTHING : `p50 ${durationText(p50Ms)}, p95 ${durationText(p95Ms)}`;
}

function daysText({ n, meanDays, p50Days, p90Days }: DaySpread): string {
  if (n === 0) return NOTHING;
  return `mean ${numberText(meanDays)} d, p50 ${numberText(p50Days)} d, p90 ${numberText(p90Days)} d`;
}

/** Rounded down: a rate that just misses its target must not look as if it met it. */
function percentText(rate: number | null): string {
  if (rate === null) return NOTHING;
  const tenths = Math.floor(rate * 1_000 + 1e-9);
  return `${tenths % 10 === 0 ? tenths / 10 : (tenths / 10).toFixed(1)} %`;
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** In the largest unit of which there are two, so that "26 h" is not "1.1 d". */
function durationText(ms: number | null): string {
  if (ms === null) return NOTHING;
  const [unit, unitMs] = UNITS.find(([, each]) => Math.abs(ms) >= 2 * each) ?? ["ms", 1];
  return `${numberText(ms / unitMs)} ${unit}`;
}

function numberText(value: number | null): string {
  if (value === null) return NOTHING;
  return value.toFixed(1).replace(/\.0$/, "");
}
