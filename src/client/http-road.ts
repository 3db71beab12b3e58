/**
 * The road over HTTP: batches for `POST /v1/events`. It needs no Redis, and nothing that speaks with one.
 *
 * Always true: batches leave one after the other, in order, and none leaves before the one ahead of it is
 * answered. A batch is sent again with the same ids until it is answered or the call's time is up; an
 * event that arrives twice is applied once. The key goes to the configured address alone: redirects are
 * not followed.
 */
import { setTimeout as delay } from "node:timers/promises";
import { EngineError } from "../core/errors.ts";
import { EVENT_BATCH_MAX } from "../core/event.ts";
import { meaningOf, pauseMs, type Meaning } from "./http-answer.ts";
import type { SentEvent } from "./order-item-event.ts";
import { type Road, SendError, type SendResult, unanswered } from "./road.ts";

export interface HttpRoadOptions {
  /** Where the HTTP API is, `https://orders.example.com`; a path in it is kept. */
  readonly url: string;
  /** With the scope `events:write`. Not needed on the machine of an API without keys. */
  readonly apiKey?: string;
  /** How long one call of `send` or `sendAll` goes on, repeats included, ms. Default 60,000. */
  readonly deadlineMs?: number;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
}

/** Time and chance, for tests. */
export interface Pace {
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
}

const DEADLINE_MS = 60_000;

/** The API itself answers within seconds; a connection that is silent for longer is dead. */
const TRY_MAX_MS = 15_000;

/** Proxies in front of an API often take a body of 1 MiB at most. */
const BATCH_MAX_BYTES = 900 * 1024;

const REAL: Pace = {
  now: Date.now,
  sleep: async (ms, signal) => {
    await delay(ms, undefined, { signal });
  },
  random: Math.random,
};

/** @throws EngineError CONFIG_INVALID for an address that is none */
export function openHttpRoad(options: HttpRoadOptions, pace: Pace = REAL): Road {
  const closing = new AbortController();
  const post = poster(options, closing.signal);
  const { deadlineMs = DEADLINE_MS } = options;

  const sendBatch = async (batch: Batch, endsAt: number): Promise<Ending> => {
    for (let tries = 1; ; tries += 1) {
      const leftMs = endsAt - pace.now();
      const meaning = await post(batch, { timeoutMs: Math.min(TRY_MAX_MS, leftMs), pace });
      if (meaning.meaning !== "again") return meaning;
      const waitMs = pauseMs(tries, meaning.afterMs, pace.random());
      if (closing.signal.aborted || pace.now() + waitMs >= endsAt) return meaning;
      await pace.sleep(waitMs, closing.signal).catch(() => undefined);
    }
  };

  return {
    send: async (events) => {
      const endsAt = pace.now() + deadlineMs;
      const results: SendResult[] = [];
      for (const batch of batchesOf(events)) {
        const ending = await sendBatch(batch, endsAt);
        if (ending.meaning !== "results") {
          throw unansweredError(ending, [...results, ...unanswered(events.slice(results.length))]);
        }
        results.push(...ending.results);
      }
      return results;
    },
    close: async () => closing.abort(),
  };
}

/** "again": the time is up. */
type Ending = Meaning;

interface Batch {
  readonly events: readonly SentEvent[];
  readonly body: string;
}

type Post = (
  batch: Batch,
  { timeoutMs, pace }: { readonly timeoutMs: number; readonly pace: Pace },
) => Promise<Meaning>;

function poster(options: HttpRoadOptions, closing: AbortSignal): Post {
  const { apiKey, fetch = globalThis.fetch } = options;
  const address = eventsAddress(options.url);
  const headers = {
    "content-type": "application/cloudevents-batch+json",
    ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
  };
  return async ({ events, body }, { timeoutMs, pace }) => {
    const signal = AbortSignal.any([closing, AbortSignal.timeout(Math.max(1, timeoutMs))]);
    try {
      const response = await fetch(address, {
        method: "POST",
        headers,
        body,
        redirect: "manual",
        signal,
      });
      const answer = {
        status: response.status,
        retryAfter: response.headers.get("retry-after"),
        body: await response.text(),
      };
      return meaningOf(answer, events, pace.now());
    } catch (error) {
      return { meaning: "again", said: `no answer (${reasonOf(error)})`, afterMs: 0 };
    }
  };
}

function eventsAddress(url: string): string {
  const isAddress = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  if (!isAddress) {
    const message = "url must be the http:// or https:// address of Orderwright's HTTP API.";
    throw new EngineError("CONFIG_INVALID", message);
  }
  return new URL("v1/events", url.endsWith("/") ? url : `${url}/`).href;
}

/** In order, each of at most so many events and bytes; an event that is larger goes alone. */
function batchesOf(events: readonly SentEvent[]): Batch[] {
  const batches: Batch[] = [];
  let [open, texts, sizeBytes]: [SentEvent[], string[], number] = [[], [], 0];
  const end = (): void => {
    if (open.length > 0) batches.push({ events: open, body: `[${texts.join(",")}]` });
    [open, texts, sizeBytes] = [[], [], 0];
  };
  for (const event of events) {
    const text = JSON.stringify(event);
    const textBytes = Buffer.byteLength(text);
    if (open.length === EVENT_BATCH_MAX || sizeBytes + textBytes > BATCH_MAX_BYTES) end();
    open.push(event);
    texts.push(text);
    sizeBytes += textBytes;
  }
  end();
  return batches;
}

function unansweredError(
  ending: Exclude<Ending, { readonly meaning: "results" }>,
  results: readonly SendResult[],
): SendError {
  const { said } = ending;
  if (ending.meaning === "refused") {
    const message = `The API refused the request with ${said}. Correct the address, the key or what is between; the same request will be refused again.`;
    return new SendError("SEND_REFUSED", message, { results });
  }
  const message = `The API took no events in the time given; the last try got ${said}. Those marked "unanswered" in \`results\` may or may not be in the queue: send them again, with the ids that they have there.`;
  return new SendError("INTAKE_UNAVAILABLE", message, { results });
}

/** `fetch` says "fetch failed" of everything, and the reason is underneath. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return "code" in cause && cause.message === "" ? String(cause.code) : cause.message;
}
