/**
 * The HTTP client of the Offergrid marketplace: one keep-alive pool per provider account.
 *
 * Always true: a call resolves within `timeoutMs`, waiting for a free connection included, and never
 * rejects. It makes one request: whether to try again is decided by push-outcome.ts, because a
 * client that repeats a PATCH by itself would repeat it without looking first.
 *
 * The pool's `dispatch` is used instead of `request`, because only the handler is told when a
 * request leaves the queue for the wire. That moment separates "surely not applied" from "read the
 * item first", and it spares a read for each push that a dead marketplace never saw.
 */
import { type IncomingHttpHeaders, validateHeaderValue } from "node:http";
import { type Dispatcher, Pool } from "undici";
import { EngineError } from "../core/errors.ts";
import { type Reply, readResponse } from "./reply.ts";
import type { StatusUpdate } from "./status-update.ts";

/** The marketplace's own advice for its API. */
const TIMEOUT_MS = 10_000;

/** Enough to keep a tuned worker busy; each connection carries one request at a time. */
const CONNECTIONS = 64;

/** An item or an error is a few KiB. More is a fault upstream that must not fill our memory. */
const BODY_MAX_BYTES = 64 * 1024;

/** A list without pages is one body, of everything: some 30,000 items fit. */
const LIST_MAX_BYTES = 32 * 1024 * 1024;

export interface OffergridClientOptions {
  /** `https://api.offergrid.io`; a path is kept as a prefix. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** For a whole call, in ms. Default 10,000. Longer holds a worker's slot while upstream is sick. */
  readonly timeoutMs?: number;
  /** Default 64. Fewer when the marketplace limits connections per client. */
  readonly connections?: number;
}

export interface CallOptions {
  /** Aborting settles the call at once; the request may have been acted on if it was sent. */
  readonly signal?: AbortSignal;
}

export interface PatchOptions extends CallOptions {
  /** The same for every attempt of one effect. The marketplace does not document the header: it is
   * for the day it does, and for whoever reads its access log. */
  readonly idempotencyKey: string;
  /** Asked at the last moment before the request is written: while it waited for a connection the process
   * may have been paused, and the push may be another's by now. False: nothing is sent. */
  readonly mayStillSend?: () => boolean;
}

export interface OffergridClient {
  readonly patchStatus: (
    itemId: string,
    body: StatusUpdate,
    options: PatchOptions,
  ) => Promise<Reply>;
  readonly getItem: (itemId: string, options?: CallOptions) => Promise<Reply>;
  /** One page of the account's items. `status` is the only parameter that the marketplace documents;
   * the others are whatever the page before asked for. */
  readonly listItems: (
    query: Readonly<Record<string, string>>,
    options?: CallOptions,
  ) => Promise<Reply>;
  /** Lets the calls in flight end, then closes the connections. Later calls answer "connection". */
  readonly close: () => Promise<void>;
}

/** Throws CONFIG_INVALID for a base URL or an API key that no request could be made with. */
export function openOffergridClient(options: OffergridClientOptions): OffergridClient {
  const { apiKey, timeoutMs = TIMEOUT_MS, connections = CONNECTIONS } = options;
  const { origin, pathname } = checkedUrl(options);
  const pool = new Pool(origin, {
    connections,
    connect: { timeout: timeoutMs },
    // One deadline for the whole call takes their place: these two start anew with each chunk.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const listPath = `${pathname.replace(/\/$/, "")}/provider/orders`;
  const itemPath = (itemId: string): string =>
    `${listPath}/${encodeURIComponent(wellFormed(itemId))}`;
  const usual: ExchangeOptions = {
    timeoutMs,
    bodyMaxBytes: BODY_MAX_BYTES,
    mayStillSend: () => true,
  };
  const call = (
    request: Dispatcher.DispatchOptions,
    options: Partial<ExchangeOptions>,
  ): Promise<Reply> => exchange(pool, request, { ...usual, ...options });

  return {
    patchStatus: (itemId, body, { idempotencyKey, ...options }) =>
      call(
        {
          method: "PATCH",
          path: `${itemPath(itemId)}/status`,
          headers: {
            "x-api-key": apiKey,
            "content-type": "application/json",
            // Item ids may hold any letter, a header only Latin-1.
            "idempotency-key": encodeURI(wellFormed(idempotencyKey)),
          },
          body: JSON.stringify(body),
        },
        options,
      ),
    getItem: (itemId, options = {}) =>
      call({ method: "GET", path: itemPath(itemId), headers: { "x-api-key": apiKey } }, options),
    listItems: (query, options = {}) =>
      call(
        { method: "GET", path: listPath, query: { ...query }, headers: { "x-api-key": apiKey } },
        { ...options, bodyMaxBytes: LIST_MAX_BYTES },
      ),
    close: () => pool.close(),
  };
}

/** Half a surrogate pair cannot be encoded, and an odd id must not throw in the middle of a push. */
function wellFormed(id: string): string {
  return Buffer.from(id, "utf8").toString("utf8");
}

function checkedUrl({ baseUrl, apiKey }: OffergridClientOptions): URL {
  try {
    validateHeaderValue("x-api-key", apiKey);
  } catch {
    // Without `cause`: the key must not reach a log.
    throw new EngineError(
      "CONFIG_INVALID",
      `The API key for ${baseUrl} holds a character that no HTTP header can carry. ` +
        "A line break at its end is the usual reason: remove it.",
    );
  }
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url?.protocol === "https:" || url?.protocol === "http:") return url;
  throw new EngineError(
    "CONFIG_INVALID",
    `The marketplace's base URL "${baseUrl}" is not an http(s) URL. ` +
      "Give one like https://api.offergrid.io.",
  );
}

interface ExchangeOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** What is beyond is cut off. */
  readonly bodyMaxBytes: number;
  readonly mayStillSend: () => boolean;
}

async function exchange(
  pool: Pool,
  request: Dispatcher.DispatchOptions,
  { timeoutMs, signal, bodyMaxBytes, mayStillSend }: ExchangeOptions,
): Promise<Reply> {
  const reader = new ReplyReader({ bodyMaxBytes, mayStillSend });
  const onAbort = (): void => reader.giveUp("aborted", "The caller gave up");
  if (signal?.aborted === true) onAbort();
  else pool.dispatch(request, reader);
  const deadline = setTimeout(() => {
    reader.giveUp("timeout", `No complete answer within ${timeoutMs} ms`);
  }, timeoutMs);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await reader.reply;
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Collects one answer: queued ▸ sent ▸ answering ▸ settled. It settles once, from any of them. */
class ReplyReader implements Dispatcher.DispatchHandler {
  readonly reply: Promise<Reply>;
  readonly #options: Pick<ExchangeOptions, "bodyMaxBytes" | "mayStillSend">;
  #settle!: (reply: Reply) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #settled = false;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  readonly #chunks: Buffer[] = [];
  #sizeBytes = 0;

  constructor(options: Pick<ExchangeOptions, "bodyMaxBytes" | "mayStillSend">) {
    this.#options = options;
    this.reply = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  giveUp(reason: "timeout" | "aborted", error: string): void {
    this.#fail(reason, error);
    this.#controller?.abort(new Error(error));
  }

  /** In the same turn the request is written. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (!this.#settled && !this.#options.mayStillSend()) {
      this.#fail("aborted", "It came too late to be sent");
    }
    this.#controller = controller;
    // A call that was given up while it waited in the queue must not leave after all: its caller
    // was told that it was not sent.
    if (this.#settled) controller.abort(new Error("Given up before it was sent"));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#sizeBytes += chunk.length;
    if (this.#sizeBytes <= this.#options.bodyMaxBytes) return;
    this.#finish();
    controller.abort(new Error("The body is too large"));
  }

  onResponseEnd(): void {
    this.#finish();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const isConnectTimeout = "code" in error && error.code === "UND_ERR_CONNECT_TIMEOUT";
    this.#fail(isConnectTimeout ? "timeout" : "connection", errorText(error));
  }

  #finish(): void {
    if (this.#settled) return;
    this.#settled = true;
    const text = Buffer.concat(this.#chunks)
      .subarray(0, this.#options.bodyMaxBytes)
      .toString("utf8");
    this.#settle(
      readResponse({ status: this.#status, headers: this.#headers, text, nowMs: Date.now() }),
    );
  }

  #fail(reason: "timeout" | "connection" | "aborted", error: string): void {
    if (this.#settled) return;
    this.#settled = true;
    const sent = this.#controller !== undefined;
    this.#settle({ kind: "no-response", reason, sent, error });
  }
}

/** A host with two addresses fails with an AggregateError, whose own message is empty. */
function errorText(error: Error): string {
  const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
  return errors.map((each) => (each instanceof Error ? each.message : String(each))).join("; ");
}
