/**
 * How the API says no: problem details, with a code of docs/errors.md where the fault has one.
 * Source: https://www.rfc-editor.org/rfc/rfc9457
 */
import { STATUS_CODES } from "node:http";
import type { FastifyReply } from "fastify";
import type { EngineError, ErrorCode, Problem } from "../core/errors.ts";

export interface ProblemDetails {
  /** A URN with the code; `about:blank` where the HTTP status says it all. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What happened, with ids, and what to do now. */
  readonly detail: string;
  readonly code?: ErrorCode;
}

/** A client that was turned away comes back after this, s: no outage of Redis is worth a longer wait. */
const RETRY_AFTER_S = 1;

/** `more` are members of its own that this answer has. */
export async function sendProblem(
  reply: FastifyReply,
  problem: ProblemDetails,
  more: object = {},
): Promise<void> {
  if (problem.status === 503) reply.header("retry-after", RETRY_AFTER_S);
  await reply
    .code(problem.status)
    .type("application/problem+json")
    .send({ ...problem, ...more });
}

export function codedProblem(status: number, { code, message }: Problem): ProblemDetails {
  const words = code.toLowerCase().replaceAll("_", " ").replace("json", "JSON");
  return {
    type: `urn:orderwright:problem:${code}`,
    title: words.charAt(0).toUpperCase() + words.slice(1),
    status,
    detail: message,
    code,
  };
}

/** The error in its own words, of which the code is a field here. */
export function engineProblem(status: number, { code, message }: EngineError): ProblemDetails {
  return codedProblem(status, { code, message: message.replace(`${code}: `, "") });
}

/** A fault of HTTP itself: there is no such path, say. */
export function plainProblem(status: number, detail: string): ProblemDetails {
  return { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, detail };
}

/** 503: nothing is known to be lost or taken, and the same request may be sent again. */
export function unavailable(message: string): ProblemDetails {
  return codedProblem(503, { code: "INTAKE_UNAVAILABLE", message });
}
