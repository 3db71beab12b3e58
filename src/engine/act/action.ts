/** What operators do, as data: the same for a command, a route and one of many in a bulk request. */
import type { Role } from "../../core/clock-fact.ts";
import type { Problem } from "../../core/errors.ts";
import type { JsonObject } from "../../core/event.ts";

/** Who acts. */
export interface Operator {
  /** Name of the person at the command line, or of the API key. */
  readonly actor: string;
  /** Public id of the API key. */
  readonly key?: string;
  /** Who it is of those that share the key, by their own word. */
  readonly claimed?: string;
  readonly reason: string;
  /** Only items of this provider account, as the key says. Absent: all. */
  readonly boundTo?: string;
}

/** Actions on an item, each with what it needs beside the item's id. */
export type ItemAction =
  | {
      readonly action: "event";
      readonly type: string;
      readonly data: JsonObject;
      /** ISO 8601 with an offset; now when absent. */
      readonly time?: string;
    }
  | {
      readonly action: "acknowledge" | "snooze";
      readonly clock: string;
      /** When silence ends, ms. */
      readonly until: number;
      readonly role: Role;
    }
  | {
      readonly action: "retry-push" | "skip-push";
      /** The one that is meant; needed when several channels of the item wait. */
      readonly channel?: string;
      /** Id of the effect that is meant: nothing is done when another has its place by now. */
      readonly effect?: string;
    }
  | {
      readonly action: "release-parked";
      /** Of the event that is meant; needed when several wait. */
      readonly source?: string;
      readonly id?: string;
      /** "now": it is tried at once; "dead-letter": it is given up for the time being. */
      readonly to: "now" | "dead-letter";
    };

export type LetterAction = {
  readonly action: "redrive" | "discard";
  /** Id of the dead letter. */
  readonly letter: string;
};

export type Action = (ItemAction & { readonly item: string }) | LetterAction;

/** What came of it. */
export interface Result {
  /**
   * Of an event its verdict: applied, parked, stale, rejected, dead-letter. Else enqueued, unblocked,
   * released, due-again, skipped, discarded, was-open, not-whole or not-skippable. "done-before": an
   * earlier request of the same idempotency key did it, and what came of it was not recorded.
   */
  readonly outcome: string;
  readonly problem?: Problem;
  readonly event?: { readonly source: string; readonly id: string };
  readonly revision?: number;
  readonly status?: string;
  /** Ids of the effects that were left out, or are tried again. */
  readonly effects?: readonly string[];
}

/** Nothing was done, and nothing was recorded. */
export interface Refused {
  readonly is: "refused";
  readonly why:
    /** There is no such thing, or none that this operator may see. */
    | "unknown"
    /** Things are not so that it could be done. */
    | "not-possible"
    /** What was asked makes no sense by itself. */
    | "invalid"
    /** The idempotency key was another request's. */
    | "other-request";
  readonly problem: Problem;
}

/** "pending": it is in the queue, and no worker has answered in time. */
export type Outcome =
  | { readonly is: "done"; readonly result: Result }
  | { readonly is: "pending"; readonly event: { readonly source: string; readonly id: string } };

/** What an action is about, where that is not in the request itself. */
export interface Target {
  readonly push?: { readonly channel: string; readonly effect: string };
  readonly parked?: { readonly source: string; readonly id: string };
  /** Id of the dead letter that a parked event becomes. */
  readonly letter?: string;
}

/** An action that may be done. */
export interface Plan {
  readonly is: "plan";
  readonly item?: string;
  /** For the audit journal, with the target in it. */
  readonly detail: JsonObject;
  readonly run: () => Promise<Outcome>;
}

export function refused(why: Refused["why"], code: Problem["code"], message: string): Refused {
  return { is: "refused", why, problem: { code, message } };
}

export function notPossible(message: string): Refused {
  return refused("not-possible", "ACTION_NOT_POSSIBLE", message);
}

/** Who it was, as the item's own journal names them. */
export function bylineOf({ actor, claimed }: Operator): string {
  return claimed === undefined ? actor : `${claimed} (by key ${actor})`;
}
