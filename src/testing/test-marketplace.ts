/**
 * A marketplace in memory, as a test scripts it. Left alone it takes every update of every item, as the live
 * one does, and shows each item as it was last told; an item that it has not heard of is pending.
 *
 * Always true: a request takes no time and is recorded once it arrived; what it applied is what a read shows.
 */
import type { JsonObject, JsonValue } from "../core/event.ts";
import type { OffergridClient } from "../offergrid/offergrid-client.ts";
import type { Reply } from "../offergrid/reply.ts";
import type { ItemStatus, StatusUpdate } from "../offergrid/status-update.ts";
import { isoOf } from "./moment.ts";

export type MarketplaceAnswer =
  | {
      /** HTTP status. */
      readonly status: number;
      /** Whether the update was taken all the same. Default: for a status of 200 to 299. */
      readonly applied?: boolean;
      readonly body?: JsonValue;
      /** What `Retry-After` says, ms. */
      readonly retryAfterMs?: number;
    }
  /** Nobody answers in time: the request never arrived, or it was applied and its answer got lost. Or there
   * was no connection, and it is certain that nothing was sent. */
  | { readonly lost: "request" | "answer" | "connection" };

/** A PATCH of an item's status that arrived. */
export interface MarketplaceRequest {
  readonly itemId: string;
  readonly status: ItemStatus;
  readonly body: JsonObject;
  /** The effect's id: the same for each repeat. */
  readonly idempotencyKey: string;
  readonly applied: boolean;
  /** HTTP status; "none" when the answer got lost. */
  readonly answer: number | "none";
  /** ms since the epoch. */
  readonly at: number;
  /** The same as ISO 8601 in UTC. */
  readonly time: string;
}

/** An update that the marketplace has taken. */
export type Push = Pick<MarketplaceRequest, "itemId" | "status" | "body" | "at" | "time">;

export interface TestMarketplace {
  /** Answers to the next updates of the item, one each and in this order; the rest are taken. */
  readonly answer: (itemId: string, ...answers: readonly MarketplaceAnswer[]) => void;
  /** Every request, reads too, gets this answer until it comes back. Default: no connection. */
  readonly goDown: (answer?: MarketplaceAnswer) => void;
  readonly comeBack: () => void;
  /** The reseller cancels. The engine is not told; updates of the item are refused with 409 from now on. */
  readonly cancel: (itemId: string) => void;
  /** As it shows the item. */
  readonly statusOf: (itemId: string) => ItemStatus;
  /** Every update that arrived, refused ones and repeats too, the oldest first. */
  readonly requests: readonly MarketplaceRequest[];
}

type Shown = Pick<StatusUpdate, "status" | "providerNotes" | "scheduledFor">;

const CONFLICT: MarketplaceAnswer = {
  status: 409,
  body: { statusCode: 409, message: "The reseller has cancelled this item.", error: "Conflict" },
};

export class MarketplaceModel implements TestMarketplace {
  readonly requests: MarketplaceRequest[] = [];
  readonly client: OffergridClient = {
    patchStatus: async (itemId, body, { idempotencyKey }) =>
      this.#patch(itemId, body, idempotencyKey),
    getItem: async (itemId) => this.#read(itemId),
    // Only a reconciliation asks for lists, and the test engine has none.
    listItems: async () => replyOf({ status: 404 }, null),
    close: async () => undefined,
  };
  readonly #now: () => number;
  readonly #items = new Map<string, Shown>();
  readonly #cancelled = new Set<string>();
  readonly #scripts = new Map<string, MarketplaceAnswer[]>();
  #whileDown: MarketplaceAnswer | undefined;

  /** `now` gives ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  readonly answer = (itemId: string, ...answers: readonly MarketplaceAnswer[]): void => {
    this.#scripts.set(itemId, [...(this.#scripts.get(itemId) ?? []), ...answers]);
  };

  readonly goDown = (answer: MarketplaceAnswer = { lost: "connection" }): void => {
    this.#whileDown = answer;
  };

  readonly comeBack = (): void => {
    this.#whileDown = undefined;
  };

  readonly cancel = (itemId: string): void => {
    this.#cancelled.add(itemId);
    this.#items.set(itemId, { ...this.#items.get(itemId), status: "cancelled" });
  };

  readonly statusOf = (itemId: string): ItemStatus => this.#items.get(itemId)?.status ?? "pending";

  #patch(itemId: string, update: StatusUpdate, idempotencyKey: string): Reply {
    // A body travels as JSON: nobody sees another's object, and what is undefined is not there.
    const body = JSON.parse(JSON.stringify(update)) as JsonObject;
    const answer = this.#whileDown ?? this.#scripts.get(itemId)?.shift() ?? this.#ownAnswer(itemId);
    const applied = isApplied(answer);
    if (applied) this.#items.set(itemId, { ...this.#items.get(itemId), ...update });
    if (isArrived(answer)) {
      const at = this.#now();
      const answered = "status" in answer ? answer.status : "none";
      const request = { itemId, status: update.status, body, idempotencyKey, applied };
      this.requests.push({ ...request, answer: answered, at, time: isoOf(at) });
    }
    return replyOf(answer, { id: itemId, status: this.statusOf(itemId) });
  }

  #ownAnswer(itemId: string): MarketplaceAnswer {
    return this.#cancelled.has(itemId) ? CONFLICT : { status: 200 };
  }

  #read(itemId: string): Reply {
    const { providerNotes, scheduledFor } = this.#items.get(itemId) ?? {};
    const status = this.statusOf(itemId);
    return replyOf(this.#whileDown ?? { status: 200 }, {
      id: itemId,
      status,
      ...(providerNotes !== undefined && { providerNotes }),
      ...(scheduledFor !== undefined && { scheduledFor }),
    });
  }
}

function isApplied(answer: MarketplaceAnswer): boolean {
  if ("lost" in answer) return answer.lost === "answer";
  return answer.applied ?? isSuccess(answer.status);
}

function isArrived(answer: MarketplaceAnswer): boolean {
  return "status" in answer || answer.lost === "answer";
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** `body`: what a success shows unless the script says otherwise. */
function replyOf(answer: MarketplaceAnswer, body: JsonValue): Reply {
  if ("lost" in answer) {
    return answer.lost === "connection"
      ? { kind: "no-response", reason: "connection", sent: false, error: "no connection" }
      : { kind: "no-response", reason: "timeout", sent: true, error: "no answer in time" };
  }
  const { status, retryAfterMs } = answer;
  return {
    kind: "response",
    status,
    body: answer.body ?? (isSuccess(status) ? body : { statusCode: status, message: "scripted" }),
    rateLimit: {},
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}
