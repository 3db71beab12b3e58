/**
 * The HTTP API. It never logs what a request holds, and answers every fault as problem details.
 *
 * On closing it stops accepting connections, sends new requests of old ones away and finishes those in
 * hand; an end without closing loses nothing that was answered with 202.
 */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import {
  fastify,
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  LogController,
} from "fastify";
import { EngineError } from "../core/errors.ts";
import { EVENT_BATCH_MAX, EVENT_MAX_BYTES } from "../core/event.ts";
import type { OpenActing } from "../engine/act/open-acting.ts";
import type { Reading } from "../engine/reading.ts";
import type { Adapter } from "../intake/adapter.ts";
import type { Logger } from "../logger.ts";
import type { IntakeQueue } from "../queue/intake-queue.ts";
import type { EventSchemas } from "../queue/producer.ts";
import { accessHook, type DoorKeys } from "./access.ts";
import { addActionRoutes } from "./action-serving.ts";
import { isAwaited } from "./answer-end.ts";
import { addDocsRoutes } from "./docs-routes.ts";
import { openEnqueuer } from "./enqueuer.ts";
import { addEventRoutes } from "./event-routes.ts";
import { addFeedRoute } from "./feed-route.ts";
import { addHealthRoutes } from "./health-routes.ts";
import { cutIdleConnections } from "./open-connections.ts";
import {
  codedProblem,
  plainProblem,
  type ProblemDetails,
  sendProblem,
  unavailable,
} from "./problem-details.ts";
import { addReadRoutes } from "./read-routes.ts";
import { invalid } from "./route.ts";
import { addWebhookRoutes } from "./webhook-routes.ts";
import { scopeOf } from "./scopes.ts";
import { addSafeHeaders, safeHeaders } from "./safe-headers.ts";

/** A full batch of the largest events, and what separates them. */
const BODY_MAX_BYTES = EVENT_BATCH_MAX * (EVENT_MAX_BYTES + 1) + 1;

/** An address with the longest parameter, a cursor, a key, and what proxies add. */
const HEADERS_MAX_BYTES = 16 * 1024;

/** A request that has not arrived by then holds a place that others need. */
const REQUEST_TIMEOUT_MS = 30_000;

/** An item's id has 128 characters, each of up to nine in a URL. */
const PARAMETER_MAX = 2_048;

const MEDIA_TYPES = [
  "application/json",
  "application/cloudevents+json",
  "application/cloudevents-batch+json",
];

const CLOSING = "The process is ending. Nothing of this request was taken. Send it again.";

export interface ServerOptions {
  /** Who may come in. There is no server without a door. */
  readonly keys: DoorKeys;
  readonly queue: Pick<IntakeQueue, "add" | "probe">;
  readonly schemas: EventSchemas;
  readonly log: Logger;
  /** Absent: events are taken, and nothing is told. */
  readonly reading?: Reading;
  /** Absent: nothing is done by operators. */
  readonly acting?: OpenActing;
  /** By name. Needs `reading`, for a dead letter is written by its side. */
  readonly webhooks?: ReadonlyMap<string, Adapter>;
  /** Longest wait for the queue. */
  readonly intakeTimeoutMs: number;
  readonly intakeMaxInFlight: number;
}

export interface Address {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
}

export interface HttpServer {
  /** Without a slash at the end. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** @throws EngineError CONFIG_INVALID when the port is taken */
export async function startHttpServer(
  options: ServerOptions,
  { host, port }: Address,
): Promise<HttpServer> {
  const app = newServer(options);
  try {
    const url = await app.listen({ host, port });
    return { url, close: () => app.close() };
  } catch (error) {
    await app.close();
    if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error;
    throw new EngineError(
      "CONFIG_INVALID",
      `Port ${port} of ${host} is in use. Set ORDERWRIGHT_HTTP_PORT to another one, or to 0 for any that is free.`,
      { cause: error },
    );
  }
}

export function newServer(options: ServerOptions): FastifyInstance {
  const { log } = options;
  const app: FastifyInstance = fastify({
    loggerInstance: log as FastifyBaseLogger,
    // A line per request would be most of the log; what intake cannot take is told by the enqueuer.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_MAX_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: PARAMETER_MAX },
    http: { maxHeaderSize: HEADERS_MAX_BYTES },
    clientErrorHandler: answerNoRequest,
    // What is said of an address that cannot be read, before any route is found.
    frameworkErrors: (_error, _request, reply) => {
      reply.headers(safeHeaders("guarded"));
      void sendProblem(reply as FastifyReply, invalid("The address has an escape that is no text"));
    },
    // Fastify's own answer has neither a code nor a word about when to come back.
    return503OnClosing: false,
  });
  takeJsonOnly(app);
  addSafeHeaders(app);
  sendAwayWhileClosing(app);
  cutIdleConnections(app);
  app.addHook("onRequest", accessHook({ keys: options.keys, scopeOf, log }));
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, plainProblem(404, `There is no ${request.method} ${pathOf(request.url)}.`)),
  );
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const problem = problemOf(error);
    if (problem.status >= 500) request.log.error({ err: error }, "request failed");
    return sendProblem(reply, problem);
  });
  addRoutes(app, options);
  return app;
}

export function addRoutes(app: FastifyInstance, options: Omit<ServerOptions, "keys">): void {
  const { queue, schemas, log, reading } = options;
  addHealthRoutes(app, queue);
  const enqueue = openEnqueuer({ queue, timeoutMs: options.intakeTimeoutMs, log });
  const intake = { schemas, enqueue, inFlightMax: options.intakeMaxInFlight, now: Date.now };
  addEventRoutes(app, { ...intake, reading, bodyMaxBytes: BODY_MAX_BYTES });
  const { acting } = options;
  if (acting !== undefined) addActionRoutes(app, { acting, bodyMaxBytes: BODY_MAX_BYTES });
  if (reading !== undefined) {
    addWebhookRoutes(app, { ...intake, reading, adapters: options.webhooks ?? new Map(), log });
    addReadRoutes(app, reading);
    addFeedRoute(app, reading);
  }
  addDocsRoutes(app);
}

function takeJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser(MEDIA_TYPES, { parseAs: "string" }, parse);
}

function sendAwayWhileClosing(app: FastifyInstance): void {
  let isClosing = false;
  app.addHook("preClose", async () => {
    isClosing = true;
  });
  app.addHook("onRequest", async (_request, reply) => {
    if (isClosing) await sendProblem(reply, unavailable(CLOSING));
  });
  // A connection that were kept would hold up the end until its client lets go of it.
  app.addHook("onSend", async (_request, reply) => {
    if (isClosing) reply.header("connection", "close");
  });
}

/** What came is no HTTP, or too much of it, so there is no request that a hook or a route could see. */
function answerNoRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  // Between the answers to requests that came before it, this one would be taken for one of them.
  if (error.code === "ECONNRESET" || !socket.writable || isAwaited(socket)) {
    socket.destroy();
    return;
  }
  const { status, detail } = NO_REQUEST[error.code ?? ""] ?? NO_HTTP;
  const body = JSON.stringify(plainProblem(status, detail));
  const headers = {
    ...safeHeaders("guarded"),
    "content-type": "application/problem+json; charset=utf-8",
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const text = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, "", body].join("\r\n");
  // Nobody reads this connection any more, so nobody would notice that its client has gone.
  socket.end(text, () => socket.destroy());
}

const NO_HTTP = { status: 400, detail: "This is no request of HTTP/1.1." };

const NO_REQUEST: Readonly<Record<string, typeof NO_HTTP>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    detail: `The address and the headers of a request have at most ${HEADERS_MAX_BYTES} bytes.`,
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    detail: `A request arrives within ${REQUEST_TIMEOUT_MS / 1_000} seconds. Nothing of this one was taken.`,
  },
};

/** A body that cannot be read, or a fault of ours. */
function problemOf(error: FastifyError): ProblemDetails {
  const status = error.statusCode ?? 500;
  if (status >= 500)
    return plainProblem(500, "The request failed. The log of the process says why.");
  if (status === 413) {
    const message = `A request has at most ${BODY_MAX_BYTES} bytes. Send fewer events in one.`;
    return codedProblem(status, { code: "EVENT_TOO_LARGE", message });
  }
  if (status === 415) {
    const message = `The body must be JSON, as ${MEDIA_TYPES.join(", ")}. Set the header content-type.`;
    return codedProblem(status, { code: "EVENT_NOT_JSON", message });
  }
  // The parser's own message may quote the body, which answers and logs of others should not repeat.
  const message =
    "The body is not JSON. Send one event or an array of events as one JSON document.";
  return codedProblem(400, { code: "EVENT_NOT_JSON", message });
}

function pathOf(url: string): string {
  return url.split("?")[0] ?? url;
}
