/** Every route of the HTTP API, for those who describe it. */
import { z } from "zod";
import { cloudEventSchema } from "../core/event.ts";
import { ACTION_ROUTES } from "./action-routes.ts";
import { problemDetails } from "./answers.ts";
import { FEED_ROUTE } from "./feed-route.ts";
import { READ_ROUTES } from "./read-routes.ts";
import type { Answer, RouteDescription } from "./route.ts";
import { WEBHOOK_ROUTE } from "./webhook-routes.ts";

const eventsRoute: RouteDescription = {
  method: "POST",
  path: "/v1/events",
  scope: "events:write",
  group: "Events",
  summary: "Take one event, or up to 100",
  description:
    "202 means that Redis has the accepted events. 503 means that it may have them: send the same request again, for an event is applied once, however often it arrives.",
  body: z.union([cloudEventSchema, z.array(cloudEventSchema).min(1).max(100)]),
  answers: [
    {
      status: 202,
      description: "At least one was taken; `results` has each, in the order of the body.",
      schema: z.object({
        results: z.array(
          z.looseObject({ id: z.string().optional(), outcome: z.enum(["accepted", "refused"]) }),
        ),
      }),
    },
    { status: 400, description: "The body is not JSON.", schema: problemDetails },
    { status: 413, description: "Too large, or too many.", schema: problemDetails },
    { status: 415, description: "Not a media type of events.", schema: problemDetails },
    { status: 422, description: "None of them was taken.", schema: problemDetails },
    { status: 503, description: "The queue does not answer.", schema: problemDetails },
  ],
};

const status = z.object({ status: z.literal("ok") });

const processRoutes: readonly RouteDescription[] = [
  {
    method: "GET",
    path: "/healthz",
    scope: "public",
    group: "Process",
    summary: "The process lives",
    description: "Asks nobody else.",
    answers: [{ status: 200, description: "It does.", schema: status }],
  },
  {
    method: "GET",
    path: "/readyz",
    scope: "public",
    group: "Process",
    summary: "What is posted now would be taken",
    description: "Asks Redis for a write.",
    answers: [
      { status: 200, description: "It would.", schema: status },
      { status: 503, description: "Redis takes no writes now.", schema: problemDetails },
    ],
  },
  {
    method: "GET",
    path: "/openapi.json",
    scope: "public",
    group: "Process",
    summary: "This API as OpenAPI 3.1",
    description: "Made from the same table as the server.",
    answers: [{ status: 200, description: "The document.", schema: z.looseObject({}) }],
  },
  {
    method: "GET",
    path: "/docs",
    scope: "public",
    group: "Process",
    summary: "This page",
    description: "One page of HTML without scripts.",
    answers: [{ status: 200, description: "The page.", mediaType: "text/html" }],
  },
];

const ALL: readonly RouteDescription[] = [
  eventsRoute,
  WEBHOOK_ROUTE,
  ...ACTION_ROUTES,
  ...READ_ROUTES.map(withCommonAnswers),
  withCommonAnswers(FEED_ROUTE),
  ...processRoutes,
];

export const ROUTES: readonly RouteDescription[] = ALL.map(withAnswersOfDoor);

/** What a route with a scope answers before it runs. */
function withAnswersOfDoor(route: RouteDescription): RouteDescription {
  if (route.scope === "public") return route;
  return withAnswers(route, [
    { status: 401, description: "No API key, or none that is good.", schema: problemDetails },
    {
      status: 403,
      description: "The API key has not the scope, or is bound to another account.",
      schema: problemDetails,
    },
    {
      status: 429,
      description: "The API key has used its requests a minute.",
      schema: problemDetails,
    },
    { status: 503, description: "Redis does not answer.", schema: problemDetails },
  ]);
}

function withCommonAnswers(route: RouteDescription): RouteDescription {
  return withAnswers(route, [
    { status: 400, description: "A parameter is wrong.", schema: problemDetails },
    {
      status: 503,
      description: "Redis does not answer, or too much is asked.",
      schema: problemDetails,
    },
  ]);
}

/** Those that the route does not describe itself. */
function withAnswers(route: RouteDescription, common: readonly Answer[]): RouteDescription {
  const added = common.filter(({ status }) =>
    route.answers.every((answer) => answer.status !== status),
  );
  const answers = [...route.answers, ...added].toSorted((one, other) => one.status - other.status);
  return { ...route, answers };
}
