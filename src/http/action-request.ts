/** A request for an action as it came: its parts are given by their schemas, or refused with 422. */
import type { FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Grant } from "../core/grant.ts";
import { grantOfRequest } from "./access.ts";
import { actionHeaders } from "./action-body.ts";
import { codedProblem, type ProblemDetails } from "./problem-details.ts";

export interface ActionAsked {
  readonly grant: Grant;
  readonly idempotencyKey?: string | undefined;
  /** Each throws `UnfitRequest` with all faults. */
  readonly params: <Schema extends z.ZodType>(schema: Schema) => z.output<Schema>;
  readonly query: <Schema extends z.ZodType>(schema: Schema) => z.output<Schema>;
  readonly body: <Schema extends z.ZodType>(schema: Schema) => z.output<Schema>;
}

/** The request was refused before anything was looked at. */
export class UnfitRequest extends Error {
  override readonly name = "UnfitRequest";
  readonly problem: ProblemDetails;

  constructor(problem: ProblemDetails) {
    super(problem.detail);
    this.problem = problem;
  }
}

export function unfit(fault: string): UnfitRequest {
  const message = `${fault}. Nothing was done.`;
  return new UnfitRequest(codedProblem(422, { code: "REQUEST_INVALID", message }));
}

/** @throws UnfitRequest for a header that does not fit */
export function actionAsked(request: FastifyRequest): ActionAsked {
  const headers = read(actionHeaders, request.headers, "header");
  return {
    grant: grantOfRequest(request),
    idempotencyKey: headers["idempotency-key"],
    params: (schema) => read(schema, request.params, "path"),
    query: (schema) => read(schema, request.query, "query"),
    body: (schema) => read(schema, request.body, "body"),
  };
}

function read<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  part: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? `${part}: ${message}` : `${path.map(String).join(".")}: ${message}`,
  );
  throw unfit(faults.join("; "));
}
