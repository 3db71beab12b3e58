/** Questions about the installation as a whole. */
import { z } from "zod";
import { statusWordsOf } from "../engine/active-states.ts";
import { describePolicy } from "../engine/describe-policy.ts";
import { TARGETS } from "../engine/fulfilment-figures.ts";
import { readQuestion } from "../engine/fulfilment-query.ts";
import { type FulfilmentQuery, measureFulfilment } from "../engine/measure-fulfilment.ts";
import { pageLetters } from "../engine/page-letters.ts";
import type { Reading } from "../engine/reading.ts";
import {
  deadLettersPage,
  fulfilmentReport,
  machinesDescription,
  policyDescription,
} from "./answers.ts";
import { accountFor } from "./bound-keys.ts";
import { isPlace } from "./item-routes.ts";
import { fulfilmentQuery, pageQuery } from "./parameters.ts";
import { found, invalid, readRoute, type ReadRoute } from "./route.ts";

/** Every journal is read: some 5,000 finished items a second. */
const FULFILMENT_TIMEOUT_MS = 120_000;

const fulfilment = readRoute({
  path: "/v1/fulfilment",
  isFreeOfPersonalData: true,
  scope: "items:read",
  group: "Overview",
  summary: "How well orders are fulfilled",
  description:
    "Acceptance rate, time to accept, completion rate, fulfilment time and push lag, exact and from the journals, beside the marketplace's targets. The same as `orderwright metrics --json`. Every journal is read, some 5,000 items a second, so ask seldom: one such question is answered at a time, for two minutes at most.",
  query: fulfilmentQuery,
  timeoutMs: FULFILMENT_TIMEOUT_MS,
  isHeavy: true,
  answers: [{ status: 200, description: "The figures.", schema: fulfilmentReport }],
  answer: async (reading, { query, grant, signal }) => {
    const allowed = accountFor(grant, query.account);
    if (allowed.outcome === "problem") return allowed;
    const read = readQuestion({ ...query, account: allowed.account });
    if (read.result === "fault") {
      return { outcome: "problem", problem: invalid(`${read.parameter}: ${read.message}`) };
    }
    const report = await measureFulfilment(reading, read.query, { now: Date.now, signal });
    return found({ ...asked(read.query), targets: TARGETS, ...report });
  },
});

const deadLetters = readRoute({
  path: "/v1/dead-letters",
  scope: "items:read",
  group: "Overview",
  summary: "Events and effects that need a person, in pages",
  description:
    "The oldest first: a letter that ends while you page moves none of the others, and a new one comes at the end.",
  query: pageQuery,
  answers: [{ status: 200, description: "A page of letters.", schema: deadLettersPage }],
  answer: async (reading, { query, grant }) =>
    isPlace(query.cursor)
      ? found(await pageLetters(reading, query, grant.account))
      : { outcome: "problem", problem: invalid("cursor: must be `next` of the page before") },
});

const policy = readRoute({
  path: "/v1/policy",
  isFreeOfPersonalData: true,
  scope: "items:read",
  group: "Overview",
  summary: "The SLA policy in force",
  description: "With when it was set, and how far the open clocks are recomputed.",
  answers: [{ status: 200, description: "The policy.", schema: policyDescription }],
  answer: async ({ store }) => found(await describePolicy(store)),
});

const machines = readRoute({
  path: "/v1/machines",
  isFreeOfPersonalData: true,
  scope: "items:read",
  group: "Overview",
  summary: "The machines that this deployment runs",
  description: "Each with its statuses, and what `data` each of its event types takes.",
  answers: [{ status: 200, description: "The machines.", schema: machinesDescription }],
  answer: async (reading) => found({ machines: machinesOf(reading) }),
});

export const OVERVIEW_ROUTES: readonly ReadRoute[] = [fulfilment, deadLetters, policy, machines];

function asked({ window: { since, until }, by, zone, account }: FulfilmentQuery): object {
  return { since: iso(since), until: iso(until), zone, account: account ?? null, by };
}

function iso(at: number): string | null {
  return Number.isFinite(at) ? new Date(at).toISOString() : null;
}

function machinesOf({ machines: { all } }: Pick<Reading, "machines">): readonly object[] {
  return all.map(({ id, version, birth, machine, events }) => ({
    id,
    version,
    birth,
    statuses: statusWordsOf(machine),
    events: Object.fromEntries(
      Object.entries(events).map(([type, schema]) => [
        type,
        z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }),
      ]),
    ),
  }));
}
