/**
 * `GET /v1/feed`: what happens to items, as server-sent events, within a second of its commit. A message's
 * id is a cursor: whoever comes back with it misses nothing, and may hear a few things twice. A client
 * that reads too slowly is waited for, and what it has not read stays in Redis.
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
import { once } from "node:events";
import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { withoutPersonalData } from "../core/personal-data.ts";
import {
  cursorText,
  eventsOf,
  type FeedBatch,
  type FeedEvent,
  type FeedCursor,
  type FeedFilter,
  feedNow,
  readCursor,
} from "../engine/feed.ts";
import { accountsOf } from "../engine/item-accounts.ts";
import type { Reading } from "../engine/reading.ts";
import { grantOfRequest, isTurnedAway } from "./access.ts";
import { onceOver } from "./answer-end.ts";
import { feedEvent, problemDetails } from "./answers.ts";
import { feedHeaders, feedQuery } from "./parameters.ts";
import { sendProblem } from "./problem-details.ts";
import { notRead, readFault } from "./read-routes.ts";
import { invalid, type RouteDescription, valuesOf } from "./route.ts";

export const FEED_ROUTE: RouteDescription = {
  method: "GET",
  path: "/v1/feed",
  scope: "items:read",
  group: "Items",
  summary: "What happens to items, as it happens",
  description:
    "Server-sent events: `decision` for each decision and `delivery` for each answer to an effect, in short, of all items or of one item or order. Told at least once, an item's own in order; `itemId` and `place` tell a repeat. It begins now, or behind the cursor. The `id` is told once for several messages, so resume with the last one seen. `gap` says that something was not told, because the cursor is too old or Redis has forgotten its last second: read the items anew, and go on listening.",
  query: feedQuery,
  headers: feedHeaders,
  answers: [
    {
      status: 200,
      description: "A stream that does not end by itself; each `data` is one JSON document.",
      schema: feedEvent,
      mediaType: "text/event-stream",
    },
    { status: 400, description: "The cursor is none of this feed.", schema: problemDetails },
  ],
};

/** Streams at a time: each is a connection, and costs Redis nothing while it keeps up. */
const STREAMS_MAX = 100;

/** So often something is written, lest proxies take a quiet stream for a dead one, ms. */
const HEARTBEAT_MS = 15_000;

/** A browser that lost its stream comes again after this, ms. */
const RETRY_MS = 2_000;

/** So often the key is looked at again, for a stream may outlive it, ms. */
const DOOR_EVERY_MS = 5_000;

/** A client that takes nothing for as long has gone, ms. */
const STALLED_MS = 60_000;

export function addFeedRoute(app: FastifyInstance, reading: Reading): void {
  const streams = new Set<AbortController>();
  app.addHook("preClose", async () => {
    for (const stream of streams) stream.abort();
  });
  const options = { config: { scope: FEED_ROUTE.scope }, exposeHeadRoute: false };
  app.get(FEED_ROUTE.path, options, async (request, reply) => {
    const stream = new AbortController();
    if (streams.size >= STREAMS_MAX) return sendProblem(reply, notRead(FULL));
    streams.add(stream);
    // Before anything is awaited: a client that has gone already would never be noticed.
    onceOver(reply, () => stream.abort());
    try {
      await serve({ reading, stream }, request, reply);
    } finally {
      streams.delete(stream);
    }
    return undefined;
  });
}

const FULL = `${STREAMS_MAX} streams are open, and this process has no more. Come again later.`;

interface Serving {
  readonly reading: Reading;
  readonly stream: AbortController;
}

async function serve(
  { reading, stream }: Serving,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const faults: string[] = [];
  const query = valuesOf(feedQuery, request.query, faults);
  if (faults.length > 0) return sendProblem(reply, invalid(faults.join("; ")));
  const filter = query as FeedFilter;
  const given = request.headers["last-event-id"] ?? query["cursor"];
  let start: FeedCursor | undefined;
  try {
    await reading.ready();
    start = await startAt(reading, typeof given === "string" ? given : undefined);
  } catch (error) {
    return sendProblem(reply, readFault(reading, request, error));
  }
  if (start === undefined) return sendProblem(reply, invalid(FOREIGN_CURSOR));
  reply.hijack();
  const { raw } = reply;
  const { account } = grantOfRequest(request);
  const door = setInterval(() => {
    void isTurnedAway(request).then((isOut) => isOut && stream.abort());
  }, DOOR_EVERY_MS);
  try {
    const headers = reply.getHeaders() as OutgoingHttpHeaders;
    await tell(raw, { reading, filter, account, start, headers, signal: stream.signal });
  } catch (error) {
    if (!stream.signal.aborted)
      request.log.warn({ err: error }, "feed ended; its client comes again");
  } finally {
    clearInterval(door);
    raw.end();
  }
}

const FOREIGN_CURSOR =
  "cursor: must be the `id` of a message of this feed. Leave it out to begin now";

/** `undefined` for a text that is no cursor. */
async function startAt(
  { store }: Reading,
  given: string | undefined,
): Promise<FeedCursor | undefined> {
  return given === undefined ? feedNow(store) : readCursor(given, store.layout.shards);
}

interface Telling {
  readonly reading: Reading;
  readonly filter: FeedFilter;
  /** Of whose items is told; absent: of all. */
  readonly account: string | undefined;
  readonly start: FeedCursor;
  /** What every answer has. */
  readonly headers: OutgoingHttpHeaders;
  readonly signal: AbortSignal;
}

async function tell(raw: ServerResponse, telling: Telling): Promise<void> {
  const { reading, start, headers, signal } = telling;
  raw.writeHead(200, {
    ...headers,
    "content-type": "text/event-stream; charset=utf-8",
    // Kept by its client after the end, it would hold up the end of the process.
    connection: "close",
    // Proxies that hold answers back until they are whole would hold this one back for ever.
    "x-accel-buffering": "no",
  });
  raw.write(`retry: ${RETRY_MS}\n${idLine(start)}\n`);
  let cursor = start;
  const heartbeat = setInterval(() => raw.write(`${idLine(cursor)}: \n\n`), HEARTBEAT_MS);
  try {
    for await (const batch of reading.feed.follow(start, signal)) {
      const text = await messages(telling, batch);
      ({ cursor } = batch);
      if (text !== "" && !raw.write(text)) await drained(raw, signal);
    }
  } finally {
    clearInterval(heartbeat);
  }
}

async function messages({ reading, filter, account }: Telling, batch: FeedBatch): Promise<string> {
  const all = await eventsOf(reading.store, filter, batch.told);
  const known = account === undefined ? all : await ofAccount(reading, account, all);
  // One stream for everybody: it tells nobody more than whoever may see least.
  const events = withoutPersonalData(reading.machines, known) as typeof known;
  const end = idLine(batch.cursor);
  const gap = batch.isGap ? `${events.length === 0 ? end : ""}event: gap\ndata: {}\n\n` : "";
  const told = events.map((event, index) => {
    const name = event.kind === "delivery" ? "delivery" : "decision";
    // An id in the middle of a batch would leave out what other shards have in it.
    const id = index === events.length - 1 ? end : "";
    return `${id}event: ${name}\ndata: ${JSON.stringify(event)}\n\n`;
  });
  return gap + told.join("");
}

async function ofAccount(
  reading: Reading,
  account: string,
  events: readonly FeedEvent[],
): Promise<readonly FeedEvent[]> {
  const itemIds = events.map(({ itemId }) => itemId);
  const accountOf = await accountsOf(reading, itemIds);
  return events.filter(({ itemId }) => accountOf(itemId) === account);
}

function idLine(cursor: FeedCursor): string {
  return `id: ${cursorText(cursor)}\n`;
}

async function drained(raw: ServerResponse, signal: AbortSignal): Promise<void> {
  await once(raw, "drain", { signal: AbortSignal.any([signal, AbortSignal.timeout(STALLED_MS)]) });
}
