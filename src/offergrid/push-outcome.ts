/**
 * What a reply to a status PATCH means for the push: the one place where "try again" and "a person
 * must look" are told apart. Pure: time arrives as delays and chance as an argument.
 *
 * Always true: a push counts as not applied only when the marketplace said so or the request never
 * left. Whatever could have been applied is "unknown", and the item is read before the next attempt:
 * the marketplace documents no idempotency key, and a PATCH sent twice notifies a reseller twice.
 *
 * | reply                              | outcome                                         |
 * |------------------------------------|-------------------------------------------------|
 * | 2xx                                | delivered                                       |
 * | 429                                | limited: the account waits, the push is intact  |
 * | not sent; 425                      | retry                                           |
 * | sent without answer; 408; ≥ 500    | unknown                                         |
 * | 1xx, 3xx (a wrong base URL)        | unknown                                         |
 * | 401, 403                           | blocked, and the account is held                |
 * | 404                                | blocked; there is nothing to read               |
 * | other 4xx                          | blocked, unless reading the item says otherwise |
 * | retry or unknown, attempts used up | blocked                                         |
 */
import type { Problem } from "../core/errors.ts";
import { describeReply, type Reply } from "./reply.ts";

/** With full jitter under the cap this is about 12 hours: longer than a night's outage, and well
 * inside the 24 hours after which a late status is a failure towards the reseller. */
export const PUSH_MAX_ATTEMPTS = 300;

const BACKOFF_BASE_MS = 1_000;
const BACKOFF_CAP_MS = 5 * 60_000;

/** The documented window of the marketplace's limit, for a 429 that does not say how long. */
const PAUSE_DEFAULT_MS = 60_000;
const PAUSE_MIN_MS = 1_000;

/** The longest window documented is an hour; a longer hint is a fault and must not stop an account. */
const PAUSE_MAX_MS = 60 * 60_000;

export type PushOutcome =
  | { readonly outcome: "delivered" }
  /** Not applied: too many requests. Not an attempt: the count of attempts stays as it was. */
  | { readonly outcome: "limited"; readonly afterMs: number }
  /** Certainly not applied: send again after the delay. */
  | { readonly outcome: "retry"; readonly afterMs: number; readonly detail: string }
  /** Perhaps applied: after the delay read the item, see `resolveUnknown`. */
  | { readonly outcome: "unknown"; readonly afterMs: number; readonly detail: string }
  /**
   * Repeating it would change nothing.
   * - `hold-account`: no fault of the item. Hold the account; its pushes stay pending until an
   *   operator has put the key right and releases it.
   * - `read-item`: read the item first; the reseller may have cancelled it meanwhile, and then the
   *   marketplace is right. Else to the dead letters with `problem`.
   * - `dead-letter`: to the dead letters with `problem`.
   */
  | {
      readonly outcome: "blocked";
      readonly next: "hold-account" | "read-item" | "dead-letter";
      readonly problem: Problem;
    };

export interface PushAttempt {
  readonly itemId: string;
  readonly account: string;
  /** Which attempt was answered, from 1. */
  readonly attempt: number;
  /** In [0, 1), for the jitter. */
  readonly random: number;
}

export function pushOutcome(reply: Reply, attempt: PushAttempt): PushOutcome {
  if (reply.kind === "no-response") return again(reply.sent ? "unknown" : "retry", reply, attempt);
  const kind = kindOf(reply.status);
  switch (kind) {
    case "delivered":
      return { outcome: "delivered" };
    case "limited":
      return limited(reply);
    case "retry":
    case "unknown":
      return again(kind, reply, attempt);
    case "blocked":
      return blocked(reply, attempt);
  }
}

/**
 * What the reply to a read means for the push that it was to clear up, when the reply showed no item
 * (`resolveUnknown` said "unread"). Whatever it is, the push may still have been applied, so the next
 * thing sent for it is a read again. Even a 2xx delivers nothing here: it may be a proxy's page.
 */
export function unreadOutcome(
  reply: Reply,
  attempt: PushAttempt,
): Exclude<PushOutcome, { readonly outcome: "delivered" | "retry" }> {
  if (reply.kind === "no-response") return again("unknown", reply, attempt);
  switch (kindOf(reply.status)) {
    case "delivered":
    case "retry":
    case "unknown":
      return again("unknown", reply, attempt);
    case "limited":
      return limited(reply);
    case "blocked": {
      const outcome = blocked(reply, attempt);
      // Reading it once more would change nothing either.
      return outcome.next === "read-item" ? { ...outcome, next: "dead-letter" } : outcome;
    }
  }
}

/**
 * How long nobody should send with this account's key, in ms from now; `undefined` when the reply
 * does not ask for a pause. A successful reply can ask for one too: it may have been the last that
 * the window allows.
 */
export function accountPauseMs(reply: Reply): number | undefined {
  if (reply.kind === "no-response") return undefined;
  if (reply.status === 429) return pauseAfterLimit(reply);
  const { resetAfterMs, remaining } = reply.rateLimit;
  return remaining === 0 && resetAfterMs !== undefined ? clampPause(resetAfterMs) : undefined;
}

/** Exponential with full jitter: anywhere from 0 to the step, so that a thousand items that failed
 * together do not come back together. `attempt` from 1, `random` in [0, 1), answer in ms. */
export function backoffMs(attempt: number, random: number): number {
  return Math.floor(random * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (attempt - 1)));
}

type Answer = Extract<Reply, { readonly kind: "response" }>;
type Blocked = Extract<PushOutcome, { readonly outcome: "blocked" }>;

function kindOf(status: number): PushOutcome["outcome"] {
  if (status >= 200 && status < 300) return "delivered";
  if (status < 400 || status === 408 || status >= 500) return "unknown";
  if (status === 425) return "retry";
  return status === 429 ? "limited" : "blocked";
}

function limited(reply: Answer): Extract<PushOutcome, { readonly outcome: "limited" }> {
  return { outcome: "limited", afterMs: pauseAfterLimit(reply) };
}

function again<K extends "retry" | "unknown">(
  kind: K,
  reply: Reply,
  { attempt, random, itemId }: PushAttempt,
): { readonly outcome: K; readonly afterMs: number; readonly detail: string } | Blocked {
  const detail = describeReply(reply);
  // Stopping is not a failure of the marketplace: another process may go on at once.
  if (reply.kind === "no-response" && reply.reason === "aborted") {
    return { outcome: kind, afterMs: 0, detail };
  }
  if (attempt >= PUSH_MAX_ATTEMPTS) {
    const doubt = kind === "unknown" ? "It may have been applied. " : "It was not applied. ";
    const message =
      `The update of item ${itemId} was tried ${attempt} times; the last try got ${detail}. ` +
      `${doubt}Check that the marketplace answers, then retry the push.`;
    return deadLetter({ code: "PUSH_EXHAUSTED", message });
  }
  const askedMs = reply.kind === "response" ? (reply.retryAfterMs ?? 0) : 0;
  const afterMs = Math.max(backoffMs(attempt, random), Math.min(askedMs, PAUSE_MAX_MS));
  return { outcome: kind, afterMs, detail };
}

function blocked(reply: Answer, { itemId, account }: PushAttempt): Blocked {
  const said = describeReply(reply);
  switch (reply.status) {
    case 401: {
      const message =
        `The marketplace did not take the API key of account ${account} (status 401). ` +
        "Set a valid key, then release the account; its pushes wait.";
      return {
        outcome: "blocked",
        next: "hold-account",
        problem: { code: "PUSH_UNAUTHORIZED", message },
      };
    }
    case 403: {
      const message =
        `The API key of account ${account} may not update orders (status 403). Give its team the ` +
        "provider role in the marketplace, then release the account; its pushes wait.";
      return {
        outcome: "blocked",
        next: "hold-account",
        problem: { code: "PUSH_FORBIDDEN", message },
      };
    }
    case 404: {
      const message =
        `The marketplace has no item ${itemId} for account ${account} (${said}). ` +
        "Check the item's id and its account, then retry or skip the push.";
      return deadLetter({ code: "PUSH_ITEM_NOT_FOUND", message });
    }
    default: {
      const message =
        `The marketplace refused a request for item ${itemId} (${said}). ` +
        "Correct what it names, then retry or skip the push.";
      return { outcome: "blocked", next: "read-item", problem: { code: "PUSH_REFUSED", message } };
    }
  }
}

function deadLetter(problem: Problem): Blocked {
  return { outcome: "blocked", next: "dead-letter", problem };
}

function pauseAfterLimit({ retryAfterMs, rateLimit }: Answer): number {
  return clampPause(retryAfterMs ?? rateLimit.resetAfterMs ?? PAUSE_DEFAULT_MS);
}

function clampPause(pauseMs: number): number {
  return Math.min(PAUSE_MAX_MS, Math.max(PAUSE_MIN_MS, pauseMs));
}
