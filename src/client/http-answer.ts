/**
 * What the API's answer to a batch means, and how long to wait before the batch is sent again. Pure.
 *
 * Always true: an answer that another try may better (nobody answered, 429, 5xx) is tried again, every
 * other refusal is final: the same request would be refused in the same words.
 */
import { z } from "zod";
import type { SentEvent } from "./order-item-event.ts";
import type { SendResult } from "./road.ts";

const BACKOFF_BASE_MS = 250;

/** A door that opens again should not wait for us for longer than this. */
const BACKOFF_CAP_MS = 10_000;

/** Of a body that is no answer of ours, a proxy's page say. */
const EXCERPT_MAX_CHARS = 200;

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: string;
}

export type Meaning =
  | { readonly meaning: "results"; readonly results: readonly SendResult[] }
  | { readonly meaning: "again"; readonly said: string; readonly afterMs: number }
  | { readonly meaning: "refused"; readonly said: string };

const resultsSchema = z.object({
  results: z.array(
    z.discriminatedUnion("outcome", [
      z.object({ outcome: z.literal("accepted") }),
      z.object({
        outcome: z.literal("refused"),
        problem: z.object({ code: z.string(), message: z.string() }),
      }),
    ]),
  ),
});

const problemSchema = z.object({ detail: z.string() });

/** `now` in ms, for a Retry-After that is a date. */
export function meaningOf(
  { status, retryAfter, body }: Answer,
  events: readonly SentEvent[],
  now: number,
): Meaning {
  const parsed = parse(body);
  const said = `status ${status}: ${detailOf(parsed) ?? body.slice(0, EXCERPT_MAX_CHARS)}`;
  if (status === 429 || status >= 500) {
    return { meaning: "again", said, afterMs: delayOf(retryAfter, now) };
  }
  const results = resultsSchema.safeParse(parsed).data?.results;
  const isTold = (status === 202 || status === 422) && results?.length === events.length;
  if (!isTold) return { meaning: "refused", said };
  return {
    meaning: "results",
    results: results.flatMap((result, place): readonly SendResult[] => {
      const event = events[place];
      return event === undefined ? [] : [{ ...result, event }];
    }),
  };
}

/**
 * Exponential with full jitter, on top of what the server asks for: clients that were sent away together
 * do not come back together. `tries` made so far, from 1; `random` in [0, 1).
 */
export function pauseMs(tries: number, askedMs: number, random: number): number {
  return askedMs + Math.ceil(random * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (tries - 1)));
}

/** RFC 9110 §10.2.3: whole seconds or an HTTP date. */
function delayOf(value: string | null, now: number): number {
  if (value === null) return 0;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? 0 : Math.max(0, at - now);
}

function detailOf(parsed: unknown): string | undefined {
  return problemSchema.safeParse(parsed).data?.detail;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
