/** Moments and facts of the demonstration's week as a clock on the wall in New York shows them. Pure. */
import type { Fact } from "../core/clock-fact.ts";
import { ZONE } from "./demo-sla-story.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const WALL = new Intl.DateTimeFormat("en-US", {
  timeZone: ZONE,
  hourCycle: "h23",
  year: "numeric",
  month: "numeric",
  day: "numeric",
  hour: "numeric",
  minute: "numeric",
  second: "numeric",
});

/** The moment at which UTC's clock shows what New York's shows at `at`; both in ms. */
export function wallOf(at: number): number {
  const parts = WALL.formatToParts(at).map(({ type, value }) => [type, Number(value)] as const);
  const { year = 0, month = 1, day, hour, minute, second } = Object.fromEntries(parts);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** "26 14:10", with the month's name if it is not May. */
export function wallText(at: number): string {
  const date = new Date(wallOf(at));
  const month = date.toLocaleString("en-US", { month: "long", timeZone: "UTC" });
  const day = month === "May" ? `${date.getUTCDate()}` : `${date.getUTCDate()} ${month}`;
  return `${day} ${date.toISOString().slice(11, 16)}`;
}

/** "28:40". */
export function hoursText(ms: number): string {
  const minutes = String(Math.floor((ms % HOUR_MS) / MINUTE_MS)).padStart(2, "0");
  return `${Math.floor(ms / HOUR_MS)}:${minutes}`;
}

const INSTANTS = new Set(["at", "dueAt", "until", "date", "predictedAt", "committedAt", "nextAt"]);

/** Facts whose moments, read as UTC, are New York's: the sentences of facts tell UTC. */
export function onTheWall(facts: readonly Fact[]): readonly Fact[] {
  return facts.map((fact) => {
    const fields = Object.entries(fact).map(([name, value]: [string, unknown]) => [
      name,
      INSTANTS.has(name) && typeof value === "number" ? wallOf(value) : value,
    ]);
    return Object.fromEntries(fields) as Fact;
  });
}
