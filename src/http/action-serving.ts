/** Puts the routes of actions onto the server: so many at a time, and a clear word when Redis is away. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { EngineError } from "../core/errors.ts";
import type { OpenActing } from "../engine/act/open-acting.ts";
import type { Answered } from "./action-answers.ts";
import { actionAsked, UnfitRequest } from "./action-request.ts";
import { ACTION_ROUTES, type ActionRoute } from "./action-routes.ts";
import { openAdmission } from "./admission.ts";
import { admitOrRefuse } from "./event-routes.ts";
import { engineProblem, type ProblemDetails, sendProblem, unavailable } from "./problem-details.ts";
import { fastifyPath } from "./route.ts";
import "./scopes.ts";

/** Actions under way at a time, each of which may wait seconds for a worker. */
const IN_FLIGHT_MAX = 64;

/** Of requests with many. */
const HEAVY_MAX = 2;

/** Bodies in memory at a time, all requests of a kind together. */
const BYTES_MAX = 16 * 1024 * 1024;

export interface ActionRoutesOptions {
  readonly acting: OpenActing;
  readonly bodyMaxBytes: number;
}

export function addActionRoutes(
  app: FastifyInstance,
  { acting, bodyMaxBytes }: ActionRoutesOptions,
): void {
  const places = openAdmission({ requestsMax: IN_FLIGHT_MAX, bytesMax: BYTES_MAX });
  const heavyPlaces = openAdmission({ requestsMax: HEAVY_MAX, bytesMax: BYTES_MAX });
  for (const route of ACTION_ROUTES) {
    const admission = route.isHeavy === true ? heavyPlaces : places;
    const options = {
      config: { scope: route.scope },
      onRequest: (request: FastifyRequest, reply: FastifyReply): Promise<void> =>
        admitOrRefuse(admission, { request, reply, bodyMaxBytes }),
    };
    app.post(fastifyPath(route), options, (request, reply) =>
      serve(route, acting, { request, reply }),
    );
  }
}

async function serve(
  route: ActionRoute,
  acting: OpenActing,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
): Promise<void> {
  try {
    await send(reply, await run(route, acting, request));
  } catch (error) {
    await sendProblem(reply, problemOf(acting, request, error));
  }
}

const AWAY =
  "Redis does not answer or takes no writes, so the action may or may not have been done. Send the same request again, with the same idempotency key: it is done once.";

async function run(
  route: ActionRoute,
  acting: OpenActing,
  request: FastifyRequest,
): Promise<Answered> {
  const asked = actionAsked(request);
  await acting.ready();
  return route.run(acting, asked);
}

async function send(reply: FastifyReply, answered: Answered): Promise<void> {
  if (answered.outcome === "problem") await sendProblem(reply, answered.problem);
  else await reply.code(answered.status).send(answered.body);
}

function problemOf(acting: OpenActing, request: FastifyRequest, error: unknown): ProblemDetails {
  if (error instanceof UnfitRequest) return error.problem;
  if (acting.isOutage(error)) return unavailable(AWAY);
  if (!(error instanceof EngineError)) throw error;
  // Many have recorded an act at once; the next time is better.
  if (error.code === "COMMIT_CONTENDED") return engineProblem(503, error);
  request.log.error({ err: error }, "action failed");
  return engineProblem(500, error);
}
