/**
 * What came back from the marketplace, before anybody judges it: an answer, or the fact that none
 * came and whether the request may have been acted on all the same. Reading one is pure; judging it
 * is push-outcome.ts.
 */
import { z } from "zod";
import type { JsonValue } from "../core/event.ts";

/** The marketplace's own count for the API key. Fields that it left out are absent. */
export interface RateLimit {
  readonly limit?: number;
  readonly remaining?: number;
  /** Until the window opens anew, in ms from when the answer was written. Relative, because the
   * marketplace's clock and ours need not agree. */
  readonly resetAfterMs?: number;
}

export type Reply =
  | {
      readonly kind: "response";
      readonly status: number;
      /** Parsed JSON, else the text as it came, at most 64 KiB of it. */
      readonly body: JsonValue;
      readonly rateLimit: RateLimit;
      /** The longer of the `Retry-After` header and the body's `retryAfter`. */
      readonly retryAfterMs?: number;
    }
  | {
      readonly kind: "no-response";
      readonly reason: "timeout" | "connection" | "aborted";
      /** False only when it is certain that no byte of the request left this process. */
      readonly sent: boolean;
      readonly error: string;
    };

/** An answer off the wire. */
export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
  /** Used when the answer carries no `Date`. */
  readonly nowMs: number;
}

export function readResponse(raw: RawResponse): Reply {
  const header = (name: string): string | undefined => {
    const value = raw.headers[name];
    return typeof value === "string" ? value : value?.[0];
  };
  const sentAtMs = validNumber(Date.parse(header("date") ?? "")) ?? raw.nowMs;
  const body = parseBody(raw.text);
  const retryAfterMs = longest(
    delayFromHeader(header("retry-after"), sentAtMs),
    raw.status >= 400 ? delayFromBody(body) : undefined,
  );
  return {
    kind: "response",
    status: raw.status,
    body,
    rateLimit: readRateLimit(header, sentAtMs),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

function parseBody(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

function readRateLimit(header: (name: string) => string | undefined, sentAtMs: number): RateLimit {
  const limit = count(header("x-ratelimit-limit"));
  const remaining = count(header("x-ratelimit-remaining"));
  const resetAtSeconds = count(header("x-ratelimit-reset"));
  return {
    ...(limit !== undefined && { limit }),
    ...(remaining !== undefined && { remaining }),
    ...(resetAtSeconds !== undefined && {
      resetAfterMs: Math.max(0, resetAtSeconds * 1000 - sentAtMs),
    }),
  };
}

/** RFC 9110 §10.2.3: whole seconds or an HTTP date. */
function delayFromHeader(value: string | undefined, sentAtMs: number): number | undefined {
  if (value === undefined) return undefined;
  const seconds = count(value);
  if (seconds !== undefined) return seconds * 1000;
  const atMs = validNumber(Date.parse(value));
  return atMs === undefined ? undefined : Math.max(0, atMs - sentAtMs);
}

const hintSchema = z.object({ retryAfter: z.number().nonnegative() });

function delayFromBody(body: JsonValue): number | undefined {
  const hint = hintSchema.safeParse(body);
  return hint.success ? hint.data.retryAfter * 1000 : undefined;
}

function count(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,15}$/.test(value.trim()) ? Number(value) : undefined;
}

function validNumber(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}

function longest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.max(a, b);
}

/** Kept in the journal and in dead letters, so a proxy's error page must not fill them. */
const SAYING_MAX_CHARS = 300;

const messageSchema = z.object({ message: z.union([z.string(), z.array(z.string())]) });
const fieldErrorSchema = z.object({ error: z.string(), field: z.string().optional() });

/**
 * What an answer or a failure says, in one line for a person. The marketplace has two shapes of
 * error: `{statusCode, message, error}`, where `message` may be a list, and `{error, field}`.
 */
export function describeReply(reply: Reply): string {
  if (reply.kind === "no-response") {
    return `no answer (${reply.reason}): ${reply.error}`.slice(0, SAYING_MAX_CHARS);
  }
  // A success says nothing that the journal needs: its body is the item, as often as there are pushes.
  if (reply.status >= 200 && reply.status < 300) return `status ${reply.status}`;
  const said = saying(reply.body).slice(0, SAYING_MAX_CHARS);
  return said === "" ? `status ${reply.status}` : `status ${reply.status}: ${said}`;
}

function saying(body: JsonValue): string {
  const general = messageSchema.safeParse(body);
  if (general.success) return [general.data.message].flat().join("; ");
  const field = fieldErrorSchema.safeParse(body);
  if (field.success) {
    return field.data.field === undefined
      ? field.data.error
      : `${field.data.error} (field ${field.data.field})`;
  }
  return typeof body === "string" ? body.trim() : JSON.stringify(body);
}
