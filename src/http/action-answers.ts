/** What an action's request is answered. */
import { z } from "zod";
import type { Acted } from "../engine/act/act.ts";
import type { Action, Refused, Result } from "../engine/act/action.ts";
import type { Forecast } from "../engine/act/dry-run.ts";
import { problemDetails } from "./answers.ts";
import { codedProblem, type ProblemDetails } from "./problem-details.ts";
import type { Answer } from "./route.ts";

const problem = z.object({
  code: z.string(),
  message: z.string(),
  allowed: z.array(z.string()).optional(),
});

const named = z.object({ source: z.string(), id: z.string() });

const common = {
  item: z.string().optional(),
  audit: z.int().describe("Number of the entry in the audit journal that announced it."),
};

export const actionDone = z.object({
  ...common,
  outcome: z
    .string()
    .describe(
      "Of an event applied, parked, stale, rejected or dead-letter, with `problem`. Else enqueued, unblocked, released, due-again, skipped, discarded; was-open: somebody was faster; done-before: an earlier request of this idempotency key did it, and nothing more is known.",
    ),
  problem: problem.optional(),
  event: named.optional().describe("The event that it was, as in the item's journal."),
  revision: z.int().optional(),
  status: z.string().optional().describe("The item's status after it."),
  effects: z.array(z.string()).optional().describe("Ids of effects that it was about."),
  repeated: z
    .literal(true)
    .optional()
    .describe("The request came again; this is its first answer."),
});

const actionPending = z.object({
  ...common,
  outcome: z.literal("pending"),
  event: named,
});

export const forecastOfEvent = z.object({
  item: z.string(),
  dryRun: z.literal(true),
  outcome: z.string(),
  problem: problem.optional(),
  statusBefore: z.string().optional(),
  status: z.string().optional().describe("The status that would follow."),
  effects: z.array(
    z.object({
      name: z.string(),
      channel: z.string(),
      body: z.looseObject({}).describe("On a marketplace channel the body of the PATCH."),
    }),
  ),
  clocks: z.array(z.looseObject({ kind: z.string(), clock: z.string().optional() })),
  warnings: z.array(z.object({ rule: z.string(), message: z.string() })),
  released: z
    .array(z.object({ type: z.string(), id: z.string(), outcome: z.string() }))
    .describe("Events that wait in the item, and what would become of them."),
});

export const bulkDone = z.object({
  results: z
    .array(
      z.looseObject({
        item: z.string().optional(),
        deadLetter: z.string().optional(),
        outcome: z.string().describe("As of one; or `refused`, with the `status` and `problem`."),
      }),
    )
    .describe("In the order of the request."),
});

const refusals: readonly Answer[] = [
  {
    status: 404,
    description: "There is no such item or dead letter, or it is another account's.",
    schema: problemDetails,
  },
  { status: 409, description: "Things are not so that it can be done.", schema: problemDetails },
  ...badRequests(),
];

/** What any body may be answered. */
export function badRequests(): readonly Answer[] {
  return [
    { status: 400, description: "The body is not JSON.", schema: problemDetails },
    { status: 413, description: "Too large.", schema: problemDetails },
    { status: 415, description: "Not JSON by its media type.", schema: problemDetails },
    {
      status: 422,
      description:
        "The body does not fit, the reason is missing, or the idempotency key was another request's. Nothing was done.",
      schema: problemDetails,
    },
    {
      status: 503,
      description: "Redis does not answer, or too much is under way. Send the same again.",
      schema: problemDetails,
    },
  ];
}

export function actionAnswers(description: string, schema: z.ZodType = actionDone): Answer[] {
  return [
    { status: 200, description, schema },
    {
      status: 202,
      description:
        "Recorded and in the queue; no worker has answered yet. The same request with the same idempotency key asks again.",
      schema: actionPending,
    },
    ...refusals,
  ].toSorted((one, other) => one.status - other.status);
}

export type Answered =
  | { readonly outcome: "answered"; readonly status: number; readonly body: object }
  | { readonly outcome: "problem"; readonly problem: ProblemDetails };

export function answerTo(action: Action, acted: Acted): Answered {
  const named = "item" in action ? { item: action.item } : {};
  switch (acted.is) {
    case "refused":
      return { outcome: "problem", problem: refusal(acted) };
    case "pending": {
      const { audit, event } = acted;
      const body = { ...named, audit, outcome: "pending", event };
      return { outcome: "answered", status: 202, body };
    }
    case "done": {
      const { audit, result, repeated } = acted;
      const impossible = impossibleText(result);
      if (impossible !== undefined) {
        const said = { code: "ACTION_NOT_POSSIBLE", message: impossible } as const;
        return { outcome: "problem", problem: codedProblem(409, said) };
      }
      const again = repeated === true && { repeated };
      return { outcome: "answered", status: 200, body: { ...named, audit, ...result, ...again } };
    }
  }
}

export function answerToDryRun(item: string, told: Forecast | Refused): Answered {
  if (told.is === "refused") return { outcome: "problem", problem: refusal(told) };
  const { is: _, ...rest } = told;
  return { outcome: "answered", status: 200, body: { item, dryRun: true, ...rest } };
}

function refusal({ why, problem: said }: Refused): ProblemDetails {
  if (said.code === "EVENT_TOO_LARGE") return codedProblem(413, said);
  return codedProblem(STATUSES[why], said);
}

const STATUSES: Readonly<Record<Refused["why"], number>> = {
  unknown: 404,
  "not-possible": 409,
  invalid: 422,
  "other-request": 422,
};

/** What only the letter itself tells when it is tried. */
function impossibleText({ outcome }: Result): string | undefined {
  if (outcome === "not-whole") {
    return "Only the beginning of what the dead letter holds was kept. Send it again from its source, then discard the letter.";
  }
  if (outcome === "not-skippable") {
    return "An account is not discarded: correct its API key at the marketplace, then redrive the letter.";
  }
  return undefined;
}
