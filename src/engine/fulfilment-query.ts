/** The border of questions about fulfilment, as texts. Pure. */
import { instantOf, isZone, PERIOD_UNITS } from "../sla/period.ts";
import { type FulfilmentQuery, type Grouping, GROUPINGS } from "./measure-fulfilment.ts";

export interface FulfilmentQuestion {
  /** A date, or a date and time; without an offset it is one of the zone. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** IANA name, "UTC" when absent. */
  readonly zone?: string | undefined;
  /** Groupings with commas between. */
  readonly by?: string | undefined;
  readonly account?: string | undefined;
}

export type ReadQuestion =
  | { readonly result: "query"; readonly query: FulfilmentQuery }
  /** `message` names what is wrong and what is right. */
  | { readonly result: "fault"; readonly parameter: string; readonly message: string };

export function readQuestion(question: FulfilmentQuestion): ReadQuestion {
  const { zone = "UTC", account } = question;
  if (!isZone(zone)) return fault("zone", "must be an IANA time zone: UTC, America/Los_Angeles");
  const since = instant(question.since, zone, -Infinity);
  if (since === undefined) return fault("since", NO_DATE);
  const until = instant(question.until, zone, Infinity);
  if (until === undefined) return fault("until", NO_DATE);
  if (since >= until) return fault("until", "must be later than since");
  const by = groupingsIn(question.by);
  if (by === undefined) return fault("by", `must be some of ${GROUPINGS.join(", ")}`);
  if (by.filter((name) => PERIOD_UNITS.some((unit) => unit === name)).length > 1) {
    return fault("by", `must name one of ${PERIOD_UNITS.join(", ")} only`);
  }
  const window = { since, until };
  return {
    result: "query",
    query: { window, by, zone, ...(account !== undefined && { account }) },
  };
}

const NO_DATE = "must be a date: 2026-03-01 or 2026-03-01T09:00:00Z";

function fault(parameter: string, message: string): ReadQuestion {
  return { result: "fault", parameter, message };
}

function instant(text: string | undefined, zone: string, absent: number): number | undefined {
  return text === undefined ? absent : instantOf(text, zone);
}

function groupingsIn(text: string | undefined): readonly Grouping[] | undefined {
  const names = [...new Set(text?.split(",") ?? [])];
  const known = names.flatMap((name) => GROUPINGS.find((grouping) => grouping === name) ?? []);
  return known.length === names.length ? known : undefined;
}
