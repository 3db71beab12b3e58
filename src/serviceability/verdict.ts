/**
 * What an answer to the question means. Pure: chance arrives as an argument.
 *
 * Always true: a yes or a no is only what the answer says in so many words, with status 200. Everything
 * else is tried again or is a person's to decide.
 */
import { z } from "zod";
import { describeReply } from "../notices/notice-outcome.ts";
import type { WebhookReply } from "../notices/webhook-client.ts";

const BACKOFF_BASE_MS = 2_000;

/** Also the longest that a Retry-After is heeded: the reseller waits as well. */
const BACKOFF_CAP_MS = 2 * 60_000;

/** About ten minutes at most: an order has hours to be answered, and a person needs some of them. */
export const CHECK_MAX_ATTEMPTS = 10;

const answerSchema = z.object({
  serviceable: z.union([z.boolean(), z.literal("unknown")]),
  /** Of a no: becomes the `reasonCode`. */
  reason: z.string().trim().min(1).max(100).nullish(),
  /** For the reseller, at the place of `{notes}` in the template. */
  notes: z.string().trim().max(2_000).nullish(),
});

export interface Answer {
  readonly is: "yes" | "no";
  readonly reason?: string;
  readonly notes?: string;
}

export type CheckVerdict =
  | { readonly verdict: "answered"; readonly answer: Answer }
  | { readonly verdict: "undecided"; readonly why: "unknown" | "unanswered" | "malformed" }
  | { readonly verdict: "again"; readonly afterMs: number }
  /** Nothing was sent, because the lane may be another's by now. Not an attempt. */
  | { readonly verdict: "not-ours" };

export interface CheckAttempt {
  /** Which attempt was answered, from 1. */
  readonly attempt: number;
  /** In [0, 1), for the jitter. */
  readonly random: number;
}

export function checkVerdict(reply: WebhookReply, tried: CheckAttempt): CheckVerdict {
  if (reply.kind === "not-sent") return { verdict: "not-ours" };
  if (reply.kind === "response" && !isTransient(reply.status)) return verdictOf(reply);
  const { attempt, random } = tried;
  if (attempt >= CHECK_MAX_ATTEMPTS) return { verdict: "undecided", why: "unanswered" };
  const askedMs = reply.kind === "response" ? Math.min(reply.retryAfterMs ?? 0, BACKOFF_CAP_MS) : 0;
  const backoffMs = random * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (attempt - 1));
  return { verdict: "again", afterMs: Math.max(askedMs, Math.floor(backoffMs)) };
}

/** In one line, for the journal and for a person. */
export function describeAnswer(reply: WebhookReply): string {
  const isAnswer = reply.kind === "response" && reply.status === 200;
  return isAnswer ? `status 200: ${reply.excerpt}` : describeReply(reply);
}

/** Another try may get another answer; every other refusal is the hook's own fault or ours. */
function isTransient(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

function verdictOf({ status, body = "" }: Extract<WebhookReply, { kind: "response" }>) {
  const read = status === 200 ? answerSchema.safeParse(jsonOf(body)).data : undefined;
  if (read === undefined) return { verdict: "undecided", why: "malformed" } as const;
  const { serviceable, reason, notes } = read;
  if (serviceable === "unknown") return { verdict: "undecided", why: "unknown" } as const;
  const answer: Answer = {
    is: serviceable ? "yes" : "no",
    ...(typeof reason === "string" && { reason }),
    ...(typeof notes === "string" && { notes }),
  };
  return { verdict: "answered", answer } as const;
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
