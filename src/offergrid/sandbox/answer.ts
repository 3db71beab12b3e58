/**
 * What a request is answered with, as a value, and the shapes of refusal that the marketplace
 * documents: `{statusCode, message, error}` everywhere but in reseller validation, which has
 * `{error, field}`.
 */
import { STATUS_CODES } from "node:http";
import type { FastifyReply } from "fastify";
import type { SandboxBehaviour } from "./behaviour.ts";

export type Answer =
  | {
      readonly kind: "json";
      readonly statusCode: number;
      readonly body: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** A 200 whose body says JSON and is not, as a broken proxy sends it. */
  | { readonly kind: "malformed" }
  /** The connection is cut without an answer. */
  | { readonly kind: "reset" }
  | { readonly kind: "slow"; readonly delayMs: number; readonly answer: Answer };

export function ok(body: unknown): Answer {
  return { kind: "json", statusCode: 200, body };
}

export function created(body: unknown): Answer {
  return { kind: "json", statusCode: 201, body };
}

/** A refusal in the shape of the provider API. */
export function refusal(statusCode: number, message: string): Answer {
  return { kind: "json", statusCode, body: problemBody(statusCode, message) };
}

/** A refusal in the shape of reseller validation; `field` like `items[0].offerId`. */
export function fieldRefusal(error: string, field: string): Answer {
  return { kind: "json", statusCode: 400, body: { error, field } };
}

/** `retryAfter` in seconds. */
export function tooManyRequests(
  retryAfter: number,
  where: SandboxBehaviour["retryAfterIn"],
): Answer {
  const body = problemBody(429, "Too many requests");
  return {
    kind: "json",
    statusCode: 429,
    body: where === "header" ? body : { ...body, retryAfter },
    // The header takes whole seconds only (RFC 9110, 10.2.3).
    headers: where === "body" ? {} : { "retry-after": String(Math.ceil(retryAfter)) },
  };
}

/** What the log keeps of an answer. */
export function answerCode(answer: Answer): number | "reset" {
  switch (answer.kind) {
    case "json":
      return answer.statusCode;
    case "malformed":
      return 200;
    case "reset":
      return "reset";
    case "slow":
      return answerCode(answer.answer);
  }
}

/** Sends it. A sandbox that closes meanwhile cuts the connections that still wait. */
export function sendAnswer(reply: FastifyReply, answer: Answer, closing: AbortSignal): void {
  switch (answer.kind) {
    case "json":
      if (answer.headers) reply.headers(answer.headers);
      reply.code(answer.statusCode).send(answer.body);
      return;
    case "malformed":
      reply.type("application/json; charset=utf-8").send('{"id":');
      return;
    case "reset":
      reply.hijack();
      reply.raw.socket?.resetAndDestroy();
      return;
    case "slow":
      sendLater(reply, answer, closing);
  }
}

function sendLater(
  reply: FastifyReply,
  answer: Extract<Answer, { kind: "slow" }>,
  closing: AbortSignal,
): void {
  const cut = (): void => {
    clearTimeout(timer);
    sendAnswer(reply, { kind: "reset" }, closing);
  };
  const timer = setTimeout(() => {
    closing.removeEventListener("abort", cut);
    sendAnswer(reply, answer.answer, closing);
  }, answer.delayMs);
  closing.addEventListener("abort", cut, { once: true });
}

function problemBody(statusCode: number, message: string): Readonly<Record<string, unknown>> {
  return { statusCode, message, error: STATUS_CODES[statusCode] ?? "Error" };
}
