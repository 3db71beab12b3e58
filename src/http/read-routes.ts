/**
 * Puts the reading routes onto the server. Each question has its answer in bounded time: there are so
 * many places, Redis' silence has an end, and whoever comes too late hears when to come again.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { EngineError } from "../core/errors.ts";
import type { Grant } from "../core/grant.ts";
import type { Machines } from "../core/machine.ts";
import { withoutPersonalData } from "../core/personal-data.ts";
import type { Reading } from "../engine/reading.ts";
import { grantOfRequest, mayUse } from "./access.ts";
import { type Admission, openAdmission } from "./admission.ts";
import { onceOver } from "./answer-end.ts";
import { AUDIT_ROUTE } from "./audit-route.ts";
import { ITEM_ROUTES } from "./item-routes.ts";
import { OVERVIEW_ROUTES } from "./overview-routes.ts";
import {
  codedProblem,
  engineProblem,
  type ProblemDetails,
  sendProblem,
} from "./problem-details.ts";
import { fastifyPath, type ReadRoute, type Told } from "./route.ts";
import "./scopes.ts";

export const READ_ROUTES: readonly ReadRoute[] = [...ITEM_ROUTES, ...OVERVIEW_ROUTES, AUDIT_ROUTE];

/** Questions under way at a time; a page of 200 items is some 2,000 commands to Redis. */
const IN_FLIGHT_MAX = 32;

/** Questions that read every journal. */
const HEAVY_MAX = 1;

/** Longest time for an ordinary answer, ms. */
const TIMEOUT_MS = 10_000;

export function addReadRoutes(app: FastifyInstance, reading: Reading): void {
  const places = openAdmission({ requestsMax: IN_FLIGHT_MAX, bytesMax: Infinity });
  const heavyPlaces = openAdmission({ requestsMax: HEAVY_MAX, bytesMax: Infinity });
  for (const route of READ_ROUTES) {
    const admission = route.isHeavy === true ? heavyPlaces : places;
    const options = { config: { scope: route.scope } };
    app.get(fastifyPath(route), options, (request, reply) =>
      answer({ route, reading, admission }, request, reply),
    );
  }
}

interface Serving {
  readonly route: ReadRoute;
  readonly reading: Reading;
  readonly admission: Admission;
}

async function answer(
  { route, reading, admission }: Serving,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const release = admission.admit(0);
  if (release === undefined) {
    await sendProblem(reply, notRead(BUSY));
    return;
  }
  const gone = new AbortController();
  onceOver(reply, () => gone.abort());
  const late = AbortSignal.timeout(route.timeoutMs ?? TIMEOUT_MS);
  const signal = AbortSignal.any([gone.signal, late]);
  // Its place is free when the work has ended, which may be after the answer.
  const work = ask(reading, route, { request, signal }).finally(release);
  try {
    await send(reply, await unless(signal, work));
  } catch (error) {
    if (gone.signal.aborted) return;
    await sendProblem(reply, late.aborted ? notRead(LATE) : readFault(reading, request, error));
  }
}

const BUSY =
  "As many questions of this kind are under way as are answered at a time. Ask again in a moment.";

const LATE =
  "The answer took too long. Ask again, for less: a smaller limit, or a filter with an index.";

const AWAY = "Redis does not answer. Nothing needs to be done here: ask again until it does.";

async function ask(
  reading: Reading,
  route: ReadRoute,
  { request, signal }: { readonly request: FastifyRequest; readonly signal: AbortSignal },
): Promise<Told> {
  await reading.ready();
  const { params, query } = request;
  const grant = grantOfRequest(request);
  const told = await route.run(reading, { params, query, grant, signal });
  // Here, and in no route: one that is added some day cannot forget it.
  if (told.outcome === "problem" || route.isFreeOfPersonalData === true) return told;
  return { outcome: "found", body: shownTo(grant, reading.machines, told.body) };
}

/** What items hold about people is for those who work on items, not for whoever only looks on. */
function shownTo(grant: Grant, machines: Machines, body: unknown): unknown {
  const mayOperate = mayUse(grant, "items:operate") === "allowed";
  return mayOperate ? body : withoutPersonalData(machines, body);
}

async function send(reply: FastifyReply, told: Told): Promise<void> {
  if (told.outcome === "problem") await sendProblem(reply, told.problem);
  else await reply.send(told.body);
}

/** Rejects as soon as the signal says so. */
async function unless<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** 503 while Redis is away; else the fault is on this side, and what it is stands in the log. */
export function readFault(
  reading: Pick<Reading, "isOutage">,
  request: FastifyRequest,
  error: unknown,
): ProblemDetails {
  if (reading.isOutage(error)) return notRead(AWAY);
  if (!(error instanceof EngineError)) throw error;
  request.log.error({ err: error }, "request failed");
  return engineProblem(500, error);
}

export function notRead(message: string): ProblemDetails {
  return codedProblem(503, { code: "READ_UNAVAILABLE", message });
}
