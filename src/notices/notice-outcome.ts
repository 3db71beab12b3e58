/**
 * What an answer to a webhook means for the notice. Pure: chance arrives as an argument.
 *
 * Always true: only a 2xx delivers. Whatever else comes is tried again under the same id, a refusal too:
 * nearly always the receiver's address or secret is at fault, somebody is putting it right, and one
 * notice in the dead letters for each item would be more work than waiting. After about three days a
 * person is asked.
 */
import type { Problem } from "../core/errors.ts";
import type { WebhookReply } from "./webhook-client.ts";

const BACKOFF_BASE_MS = 5_000;

/** Also the longest that a receiver's Retry-After is heeded: a wrong one must not silence an item. */
const BACKOFF_CAP_MS = 60 * 60_000;

/** With full jitter under the cap this is about 71 hours: longer than a weekend's outage. */
export const NOTICE_MAX_ATTEMPTS = 150;

/** Statuses that say when to come back. */
const HEEDED: readonly number[] = [429, 503];

export type NoticeOutcome =
  | { readonly outcome: "delivered" }
  /** Nothing was sent, because the lane may be another's by now. Not an attempt. */
  | { readonly outcome: "not-ours" }
  | { readonly outcome: "retry"; readonly afterMs: number }
  | { readonly outcome: "undelivered"; readonly problem: Problem };

export interface NoticeAttempt {
  readonly itemId: string;
  /** Which attempt was answered, from 1. */
  readonly attempt: number;
  /** In [0, 1), for the jitter. */
  readonly random: number;
}

export function noticeOutcome(reply: WebhookReply, tried: NoticeAttempt): NoticeOutcome {
  if (reply.kind === "not-sent") return { outcome: "not-ours" };
  if (reply.kind === "response" && reply.status >= 200 && reply.status < 300) {
    return { outcome: "delivered" };
  }
  const { itemId, attempt, random } = tried;
  if (attempt >= NOTICE_MAX_ATTEMPTS) {
    const message =
      `A notice of item ${itemId} was tried ${attempt} times; the last try got ${describeReply(reply)}. ` +
      "Later notices of the item wait behind it. Check the receiver, its address and its secret " +
      "(noticesUrl, noticesSecrets), then retry or skip the notice.";
    return { outcome: "undelivered", problem: { code: "NOTICE_UNDELIVERED", message } };
  }
  const isHeeded = reply.kind === "response" && HEEDED.includes(reply.status);
  const askedMs = isHeeded ? Math.min(reply.retryAfterMs ?? 0, BACKOFF_CAP_MS) : 0;
  return { outcome: "retry", afterMs: Math.max(askedMs, backoffMs(attempt, random)) };
}

/** In one line, for the journal and for a person. */
export function describeReply(reply: WebhookReply): string {
  switch (reply.kind) {
    case "response": {
      const isSuccess = reply.status >= 200 && reply.status < 300;
      const said = isSuccess || reply.excerpt === "" ? "" : `: ${reply.excerpt}`;
      return `status ${reply.status}${said}`;
    }
    case "no-response":
      return `no answer (${reply.reason}): ${reply.error}`;
    case "not-sent":
      return "nothing was sent";
  }
}

/** Exponential with full jitter: notices that failed together do not come back together. */
function backoffMs(attempt: number, random: number): number {
  return Math.floor(random * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (attempt - 1)));
}
