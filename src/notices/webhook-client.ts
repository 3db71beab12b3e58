/**
 * Sends webhooks to one address over a keep-alive pool.
 *
 * Always true: a call makes one request, follows no redirect, resolves within `timeoutMs` and never
 * rejects. Neither the address' path nor a secret is in what it answers: both open doors elsewhere.
 *
 * The pool's `dispatch` is used instead of `request`, because only its handler is told when a request
 * leaves the queue for the wire: the last moment at which a process that was paused can find out that
 * the notice is another's by now.
 */
import type { IncomingHttpHeaders } from "node:http";
import { type Dispatcher, Pool } from "undici";
import { type WebhookMessage, webhookHeaders } from "./webhook-signature.ts";

/** A receiver that takes longer should queue what it is told. */
const TIMEOUT_MS = 10_000;

/** Of an answer's body: kept in the journal and in dead letters, for a person. */
const EXCERPT_MAX_BYTES = 300;

/** More is not read at all; the connection ends instead. */
const BODY_MAX_BYTES = 64 * 1024;

export interface WebhookClientOptions {
  /** http or https; its path and query are sent as they are. */
  readonly url: string;
  /** `whsec_` and base64. Each of them signs. */
  readonly secrets: readonly string[];
  /** Requests side by side. */
  readonly connections: number;
  /** For a whole call, ms. Default 10,000. */
  readonly timeoutMs?: number;
  /** "body": a reply has its whole body, for it is asked for. Default: its beginning, for people. */
  readonly keeps?: "excerpt" | "body";
}

export interface SendOptions {
  /** When this attempt is made, ms since the epoch: it is signed. */
  readonly atMs: number;
  /** Asked at the last moment before the request is written. False: nothing is sent. */
  readonly mayStillSend: () => boolean;
}

export type WebhookReply =
  | {
      readonly kind: "response";
      readonly status: number;
      /** Beginning of the body, in one line. */
      readonly excerpt: string;
      /** Where it is kept; absent when it is larger than 64 KiB. */
      readonly body?: string;
      /** From the Retry-After header. */
      readonly retryAfterMs?: number;
    }
  /** It may have arrived all the same. */
  | {
      readonly kind: "no-response";
      readonly reason: "timeout" | "connection";
      readonly error: string;
    }
  /** `mayStillSend` said no. */
  | { readonly kind: "not-sent" };

export interface WebhookClient {
  readonly send: (message: WebhookMessage, options: SendOptions) => Promise<WebhookReply>;
  /** Lets the calls in flight end, then closes the connections. */
  readonly close: () => Promise<void>;
}

export function openWebhookClient(options: WebhookClientOptions): WebhookClient {
  const { url, secrets, connections, timeoutMs = TIMEOUT_MS, keeps = "excerpt" } = options;
  const { origin, pathname, search } = new URL(url);
  const pool = new Pool(origin, {
    connections,
    connect: { timeout: timeoutMs },
    // One deadline for the whole call takes their place: these two start anew with each chunk.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    send: async (message, { atMs, mayStillSend }) => {
      const reader = new AnswerReader({ atMs, mayStillSend, keeps });
      const deadline = setTimeout(() => reader.giveUp(timeoutMs), timeoutMs);
      pool.dispatch(
        {
          method: "POST",
          path: `${pathname}${search}`,
          headers: {
            "content-type": "application/json",
            "user-agent": "orderwright",
            ...webhookHeaders(message, { atMs, secrets }),
          },
          body: message.body,
        },
        reader,
      );
      try {
        return await reader.reply;
      } finally {
        clearTimeout(deadline);
      }
    },
    close: () => pool.close(),
  };
}

/** Collects one answer: queued ▸ sent ▸ answering ▸ settled. It settles once, from any of them. */
class AnswerReader implements Dispatcher.DispatchHandler {
  readonly reply: Promise<WebhookReply>;
  readonly #options: SendOptions & { readonly keeps: "excerpt" | "body" };
  #settle: ((reply: WebhookReply) => void) | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #excerpt = Buffer.alloc(0);
  readonly #body: Buffer[] = [];
  #sizeBytes = 0;

  constructor(options: SendOptions & { readonly keeps: "excerpt" | "body" }) {
    this.#options = options;
    this.reply = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  giveUp(timeoutMs: number): void {
    const error = `No complete answer within ${timeoutMs} ms`;
    this.#end({ kind: "no-response", reason: "timeout", error });
    this.#controller?.abort(new Error(error));
  }

  /** In the same turn the request is written. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (!this.#options.mayStillSend()) this.#end({ kind: "not-sent" });
    // A call that was given up while it waited for a connection must not leave after all.
    if (this.#settle === undefined) controller.abort(new Error("Given up before it was sent"));
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
    const room = EXCERPT_MAX_BYTES - this.#excerpt.length;
    if (room > 0) this.#excerpt = Buffer.concat([this.#excerpt, chunk.subarray(0, room)]);
    this.#sizeBytes += chunk.length;
    if (this.#options.keeps === "body") this.#body.push(chunk);
    if (this.#sizeBytes <= BODY_MAX_BYTES) return;
    this.#finish();
    controller.abort(new Error("The body is too large"));
  }

  onResponseEnd(): void {
    this.#finish();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const isTimeout = "code" in error && error.code === "UND_ERR_CONNECT_TIMEOUT";
    const reason = isTimeout ? "timeout" : "connection";
    this.#end({ kind: "no-response", reason, error: errorText(error) });
  }

  #finish(): void {
    const excerpt = this.#excerpt.toString("utf8").replaceAll(/\s+/g, " ").trim();
    const isKept = this.#options.keeps === "body" && this.#sizeBytes <= BODY_MAX_BYTES;
    const retryAfterMs = delayOf(this.#headers["retry-after"], this.#options.atMs);
    this.#end({
      kind: "response",
      status: this.#status,
      excerpt,
      ...(isKept && { body: Buffer.concat(this.#body).toString("utf8") }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  }

  #end(reply: WebhookReply): void {
    this.#settle?.(reply);
    this.#settle = undefined;
  }
}

/** RFC 9110 §10.2.3: whole seconds or an HTTP date. */
function delayOf(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value) * 1000;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

/** A host with two addresses fails with an AggregateError, whose own message is empty. */
function errorText(error: Error): string {
  const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
  return errors.map((each) => (each instanceof Error ? each.message : String(each))).join("; ");
}
