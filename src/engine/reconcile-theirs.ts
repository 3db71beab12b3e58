/**
 * The marketplace's side: every request with a permit of the account's limiter, in the class that leaves
 * room for pushes, and heeding the pauses that the marketplace asks for.
 */
import { setTimeout as delay } from "node:timers/promises";
import { readItemReply, readPage, type ShownPage } from "../offergrid/item-listing.ts";
import { accountPauseMs, backoffMs } from "../offergrid/push-outcome.ts";
import { describeReply, type Reply } from "../offergrid/reply.ts";
import type { ItemStatus } from "../offergrid/status-update.ts";
import { limiterKey } from "../store/keys.ts";
import { pauseAccount, type PermitClass, takePermits } from "../store/limiter.ts";
import type { Store } from "../store/store.ts";
import type { PushAccount } from "./push-ending.ts";
import type { Theirs } from "./reconcile-explain.ts";

/** Answers that may be another one soon (429, 5xx, none) are asked for so often: about 15 s. */
const TRIES_MAX = 5;

/** A list that never ends is a fault upstream. Of 100 items each it would take two hours. */
const PAGES_MAX = 10_000;

export interface Asking {
  readonly store: Store;
  readonly account: PushAccount;
  readonly signal: AbortSignal;
  /** Default: "poll". */
  readonly permits?: PermitClass | undefined;
  /** How often a request is made at most that may go better the next time. */
  readonly triesMax?: number;
}

/** The account cannot be asked at all: it is held, or its key is refused. */
export class AccountClosed extends Error {
  override readonly name = "AccountClosed";
}

/** @throws AccountClosed, AbortError */
export async function askItem(asking: Asking, itemId: string): Promise<Theirs> {
  const reply = await ask(asking, (client, signal) => client.getItem(itemId, { signal }));
  const read = readItemReply(reply, itemId);
  switch (read.kind) {
    case "item":
      return { state: "shown", item: read.item };
    case "none":
      return { state: "none" };
    case "unread":
      return { state: "unread", answer: describeReply(reply) };
  }
}

export type PageAnswer =
  | { readonly outcome: "page"; readonly page: ShownPage }
  /** The rest of the list could not be read. */
  | { readonly outcome: "broken-off"; readonly answer: string };

/**
 * The account's items of one status, page by page, in whatever way the list is paged.
 * @throws AccountClosed, AbortError
 */
export async function* askList(asking: Asking, status: ItemStatus): AsyncGenerator<PageAnswer> {
  let next: ShownPage["next"] = {};
  for (let pages = 0; next !== undefined; pages += 1) {
    const query = { status, ...next };
    const reply = await ask(asking, (client, signal) => client.listItems(query, { signal }));
    const page = readPage(reply);
    if (page === undefined || pages === PAGES_MAX) {
      const answer = page === undefined ? describeReply(reply) : `more than ${PAGES_MAX} pages`;
      yield { outcome: "broken-off", answer };
      return;
    }
    yield { outcome: "page", page };
    // A cursor that leads to itself would never end.
    next = JSON.stringify(page.next) === JSON.stringify(next) ? undefined : page.next;
  }
}

type Request = (client: PushAccount["client"], signal: AbortSignal) => Promise<Reply>;

async function ask(asking: Asking, request: Request): Promise<Reply> {
  const { store, account, signal, triesMax = TRIES_MAX } = asking;
  for (let tries = 1; ; tries += 1) {
    await takePermit(asking);
    const reply = await request(account.client, signal);
    signal.throwIfAborted();
    const pauseMs = accountPauseMs(reply);
    if (pauseMs !== undefined) {
      await pauseAccount(store.redis, limiterKey(store.layout, account.name), pauseMs);
    }
    if (reply.kind === "response" && (reply.status === 401 || reply.status === 403)) {
      throw new AccountClosed(describeReply(reply));
    }
    if (tries >= triesMax || !isWorthAnother(reply)) return reply;
    await delay(backoffMs(tries, 1), undefined, { signal });
  }
}

function isWorthAnother(reply: Reply): boolean {
  if (reply.kind === "no-response") return true;
  return reply.status === 429 || reply.status === 408 || reply.status >= 500;
}

async function takePermit(asking: Asking): Promise<void> {
  const { store, account, signal, permits = "poll" } = asking;
  const request = { limit: account.limitPerMinute, want: 1, class: permits };
  const key = limiterKey(store.layout, account.name);
  for (;;) {
    signal.throwIfAborted();
    const grant = await takePermits(store.redis, key, request);
    if (grant.outcome === "granted") return;
    if (grant.outcome === "held") throw new AccountClosed(grant.reason);
    await delay(grant.retryAfterMs, undefined, { signal });
  }
}
