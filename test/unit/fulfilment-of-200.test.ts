/**
 * The figures of 200 orders, beside those of a spreadsheet: one row an order, made of its number alone, and
 * columns that are counted and sorted here by other means than the product's.
 */
import { beforeAll, expect, test } from "vitest";
import type { EventType } from "../../machines/order-item/events.ts";
import { definitions } from "../../machines/registry.ts";
import { registerMachines } from "../../src/core/machine.ts";
import type { JsonObject } from "../../src/core/event.ts";
import type { FulfilmentFigures } from "../../src/engine/fulfilment-figures.ts";
import { type Grouping, measureFulfilment } from "../../src/engine/measure-fulfilment.ts";
import { handleJob } from "../../src/engine/handle-job.ts";
import { DEFAULT_CLOCKS } from "../../src/sla/clockwork.ts";
import { Timeline } from "../../src/testing/timeline.ts";
import { MarketplaceModel } from "../../src/testing/test-marketplace.ts";
import { orderEvent } from "../support/order-item-events.ts";
import { LIMITS } from "../support/small-machine.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.parse("2026-01-10T00:00:00Z");

/** Hours are since the start; absent ones never came. */
interface Row {
  readonly account: string;
  readonly offer: string;
  readonly created: number;
  readonly accepted?: number;
  readonly rejected?: number;
  readonly withdrawn?: number;
  readonly completed?: number;
  readonly active?: number;
  readonly failed?: number;
  readonly cancelled?: number;
}

function rowOf(number: number): Row {
  const created = number * 5;
  const row = { account: number % 3 === 0 ? "north" : "south", offer: `o-${number % 4}`, created };
  if (number % 20 === 3) return row;
  if (number % 50 === 11) return { ...row, withdrawn: created + 2 };
  if (number % 10 === 7) return { ...row, rejected: created + 1 + (number % 29) };
  const accepted = created + 0.5 + (number % 23);
  const taken = { ...row, accepted };
  switch (number % 9) {
    case 2:
      return { ...taken, cancelled: accepted + 10 };
    case 5:
      return { ...taken, failed: accepted + 30 };
    case 8:
      return taken;
    default: {
      const end = accepted + 20 + ((number * 7) % 90);
      return number % 2 === 0 ? { ...taken, completed: end } : { ...taken, active: end };
    }
  }
}

const ROWS = Array.from({ length: 200 }, (_, number) => rowOf(number));

type Step = readonly [type: EventType, hours: number, data?: JsonObject];

function stepsOf(row: Row): Step[] {
  const { accepted = 0, rejected, withdrawn, cancelled, failed, completed, active } = row;
  if (withdrawn !== undefined) return [["order.cancelled", withdrawn, { origin: "reseller" }]];
  if (rejected !== undefined) return [["order.rejected", rejected]];
  if (row.accepted === undefined) return [];
  const begun: Step[] = [["order.accepted", accepted]];
  if (cancelled !== undefined) return [...begun, ["order.cancelled", cancelled]];
  const end = failed ?? completed ?? active;
  if (end === undefined) return begun;
  const visit: Step[] = [...begun, ["work.started", accepted + 15]];
  if (failed !== undefined) return [...visit, ["work.failed", end]];
  return [...visit, [completed === undefined ? "service.activated" : "work.completed", end]];
}

let timeline: Timeline;

beforeAll(async () => {
  const marketplace = new MarketplaceModel(() => timeline.now);
  timeline = await Timeline.open({
    machines: registerMachines(definitions()),
    limits: LIMITS,
    clocks: DEFAULT_CLOCKS,
    dedupeForMs: HOUR_MS,
    now: START_MS + 2_000 * HOUR_MS,
    momentsMax: 10_000,
    accountOf: (name) => ({
      name,
      client: marketplace.client,
      limitPerMinute: null,
      policy: "every",
    }),
    tell: () => undefined,
  });
  const { engine, applier } = timeline;
  const timeOf = (hours: number): string => new Date(START_MS + hours * HOUR_MS).toISOString();
  await timeline.run(async () => {
    for (const [number, row] of ROWS.entries()) {
      const { account, offer: offerId } = row;
      const born = {
        account,
        offerId,
        requiresInstallation: false,
        createdAt: timeOf(row.created),
      };
      const steps: Step[] = [["order.received", row.created, born], ...stepsOf(row)];
      const subject = `order-${number}`;
      const data = steps.map(([type, hours, more = {}]) =>
        orderEvent(type, { subject, time: timeOf(hours), data: more }),
      );
      const answers = await handleJob(engine, applier, { id: subject, data, enqueuedAt: 0 });
      const wrong = answers.find(({ outcome }) => outcome !== "applied");
      if (wrong !== undefined) throw new Error(`${subject}: ${JSON.stringify(wrong)}`);
    }
  });
});

async function measured(by: readonly Grouping[] = []) {
  const window = { since: -Infinity, until: Infinity };
  const query = { window, by, zone: "UTC" };
  return measureFulfilment(timeline.engine, query, { now: timeline.engine.now });
}

/** The column without its holes. */
function column(rows: readonly Row[], read: (row: Row) => number | undefined): number[] {
  return rows.flatMap((row) => read(row) ?? []);
}

function mean(numbers: readonly number[]): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum / numbers.length;
}

/** Counts up through the sorted column until so many percent are passed. */
function percentile(numbers: readonly number[], percent: number): number | undefined {
  const left = [...numbers].sort((one, other) => one - other);
  const needed = (numbers.length * percent) / 100;
  let passed = 0;
  let last: number | undefined;
  while (passed < needed) {
    last = left.shift();
    passed += 1;
  }
  return last;
}

const endOf = ({ completed, active }: Row): number | undefined => completed ?? active;

const minus = (left: number | undefined, right: number | undefined): number | undefined =>
  left === undefined || right === undefined ? undefined : left - right;

function spreadsheet(rows: readonly Row[]) {
  const accepts = column(rows, ({ accepted, created }) => minus(accepted, created));
  const rejects = column(rows, ({ rejected, created }) => minus(rejected, created));
  const answers = [...accepts, ...rejects];
  const lives = column(rows, (row) => minus(endOf(row), row.accepted));
  const failed = column(rows, (row) => row.failed).length;
  const cancelled = column(rows, (row) => row.cancelled).length;
  const withdrawn = column(rows, (row) => row.withdrawn).length;
  return {
    received: rows.length,
    accepted: accepts.length,
    rejected: rejects.length,
    withdrawn,
    undecided: rows.length - answers.length - withdrawn,
    acceptanceRate: accepts.length / answers.length,
    acceptMean: mean(accepts),
    acceptP50: percentile(accepts, 50),
    acceptP90: percentile(accepts, 90),
    respondP50: percentile(answers, 50),
    respondP90: percentile(answers, 90),
    completed: lives.length,
    failed,
    cancelled,
    open: accepts.length - lives.length - failed - cancelled,
    completionRate: lives.length / (lives.length + failed + cancelled),
    lifeDays: mean(lives) / 24,
    lifeP50: percentile(lives, 50),
    lifeP90: percentile(lives, 90),
  };
}

/** The product's figures in the columns of the spreadsheet. */
function told(figures: FulfilmentFigures) {
  const { acceptance, timeToAccept, timeToRespond, completion, fulfilmentTime } = figures;
  const hours = (ms: number | null): number | undefined => (ms === null ? undefined : ms / HOUR_MS);
  return {
    received: figures.received,
    accepted: acceptance.accepted,
    rejected: acceptance.rejected,
    withdrawn: acceptance.withdrawn,
    undecided: acceptance.undecided,
    acceptanceRate: acceptance.rate,
    acceptMean: hours(timeToAccept.meanMs),
    acceptP50: hours(timeToAccept.p50Ms),
    acceptP90: hours(timeToAccept.p90Ms),
    respondP50: hours(timeToRespond.p50Ms),
    respondP90: hours(timeToRespond.p90Ms),
    completed: completion.completed,
    failed: completion.failed,
    cancelled: completion.cancelled,
    open: completion.open,
    completionRate: completion.rate,
    lifeDays: fulfilmentTime.meanDays,
    lifeP50: (fulfilmentTime.p50Days ?? Number.NaN) * 24,
    lifeP90: (fulfilmentTime.p90Days ?? Number.NaN) * 24,
  };
}

/** To nine places: sums may be taken in another order. */
function rounded(columns: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, value]) => [name, Math.round(Number(value) * 1e9) / 1e9]),
  );
}

test("all 200 together", async () => {
  const { total } = await measured();
  expect(rounded(told(total))).toEqual(rounded(spreadsheet(ROWS)));
});

test("each account and each offer by itself", async () => {
  const { groups } = await measured(["account", "offer"]);
  expect(groups).toHaveLength(8);
  for (const { key, figures } of groups) {
    const own = ROWS.filter(({ account, offer }) => account === key.account && offer === key.offer);
    expect(own.length).toBeGreaterThan(10);
    expect(rounded(told(figures))).toEqual(rounded(spreadsheet(own)));
  }
});

test("each month counts what happened in it", async () => {
  const { groups } = await measured(["month"]);
  const monthOf = (hours: number): string =>
    new Date(START_MS + hours * HOUR_MS).toISOString().slice(0, 7);
  const inMonth = (month: string | null | undefined, read: (row: Row) => number | undefined) =>
    column(ROWS, read).filter((hours) => monthOf(hours) === month).length;
  expect(groups.length).toBeGreaterThan(1);
  for (const { key, figures } of groups) {
    expect(figures).toMatchObject({
      received: inMonth(key.month, ({ created }) => created),
      acceptance: {
        accepted: inMonth(key.month, ({ accepted }) => accepted),
        rejected: inMonth(key.month, ({ rejected }) => rejected),
      },
      completion: { completed: inMonth(key.month, endOf) },
    });
  }
});
