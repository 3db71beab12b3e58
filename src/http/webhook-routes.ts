/**
 * `POST /webhooks/{name}`: what other systems send by themselves. Its sender is known by its signature, so
 * there is no API key.
 *
 * Always true: the bytes are judged as they came, before anything reads them; what is not authentic leaves
 * nothing behind but a count in the log; what is authentic is answered with 200 once Redis has all of it,
 * events and dead letters alike, because a 4xx makes senders repeat the same bytes for days.
 */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Reading } from "../engine/reading.ts";
import { type DeliveryEnd, takeDelivery } from "../engine/take-delivery.ts";
import { type Adapter, readDelivery } from "../intake/adapter.ts";
import type { Logger } from "../logger.ts";
import type { EventSchemas } from "../queue/producer.ts";
import { type Admission, openAdmission } from "./admission.ts";
import { problemDetails } from "./answers.ts";
import type { Enqueue } from "./enqueuer.ts";
import { admitOrRefuse } from "./event-routes.ts";
import { codedProblem, plainProblem, sendProblem, unavailable } from "./problem-details.ts";
import { openRefusalLog, type RefusalLog } from "./refusal-log.ts";
import type { RouteDescription } from "./route.ts";
import "./scopes.ts";

/** Several times what any sender that we know of puts into one; a stranger's costs memory, too. */
const BODY_MAX_BYTES = 1024 * 1024;

/** Bodies in memory at a time, all deliveries together. */
const BYTES_MAX = 32 * 1024 * 1024;

export interface WebhookRoutesOptions {
  /** By the name under which the sender calls us. */
  readonly adapters: ReadonlyMap<string, Adapter>;
  readonly reading: Pick<Reading, "store" | "ready" | "isOutage">;
  readonly schemas: EventSchemas;
  readonly enqueue: Enqueue;
  /** Deliveries under way at a time. They take no place from those who have a key. */
  readonly inFlightMax: number;
  readonly log: Pick<Logger, "warn">;
  readonly now: () => number;
}

export const WEBHOOK_ROUTE: RouteDescription = {
  method: "POST",
  path: "/webhooks/{name}",
  scope: "public",
  group: "Events",
  summary: "Take a webhook of another system",
  description:
    "The body is the sender's own, of any media type, and the signature in its headers is the key. Which webhooks there are, who signs them and what they mean is configured.",
  params: z.object({ name: z.string().describe("As the configuration names the sender.") }),
  answers: [
    {
      status: 200,
      description: "Authentic, and taken: how much of it was what.",
      schema: z.object({
        events: z.int().describe("That are in the queue now."),
        deadLetters: z.int().describe("Of what makes no sense; a person looks after them."),
        ignored: z.int().describe("Of what asks for nothing."),
      }),
    },
    { status: 401, description: "Not from who it claims to be.", schema: problemDetails },
    { status: 404, description: "No webhook has this name.", schema: problemDetails },
    { status: 413, description: "More than 1 MiB.", schema: problemDetails },
    {
      status: 503,
      description: "The queue does not answer, or too many are under way. Send it again.",
      schema: problemDetails,
    },
  ],
};

interface WebhookRequest {
  readonly Params: { readonly name: string };
}

/** Routes of a scope of their own, because here no body is parsed. */
export function addWebhookRoutes(app: FastifyInstance, options: WebhookRoutesOptions): void {
  const admission = openAdmission({ requestsMax: options.inFlightMax, bytesMax: BYTES_MAX });
  const refusals = openRefusalLog(options.log);
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => {
      done(null, body);
    });
    scope.setErrorHandler<FastifyError>(async (error, _request, reply) => {
      if (error.statusCode !== 413) throw error;
      await sendProblem(reply, codedProblem(413, { code: "EVENT_TOO_LARGE", message: TOO_LARGE }));
    });
    scope.addHook("onClose", async () => refusals.close());
    const config = { scope: "public" } as const;
    const onRequest = (
      request: FastifyRequest<WebhookRequest>,
      reply: FastifyReply,
    ): Promise<void> => letIn({ ...options, admission }, request, reply);
    scope.post<WebhookRequest>(
      "/webhooks/:name",
      { onRequest, config, bodyLimit: BODY_MAX_BYTES },
      (request, reply) => answer({ ...options, refusals }, request, reply),
    );
  });
}

const TOO_LARGE = `A webhook has at most ${BODY_MAX_BYTES} bytes. Have its sender put less into one.`;

const UNAUTHENTIC = "The delivery does not prove who sent it. Nothing of it was read.";

const NOT_TAKEN =
  "Redis did not answer in time or takes no writes, so some of the delivery may have been taken. Send it again: an event is applied once, however often it arrives.";

/** Comes before the body is read. */
async function letIn(
  options: Pick<WebhookRoutesOptions, "adapters"> & { readonly admission: Admission },
  request: FastifyRequest<WebhookRequest>,
  reply: FastifyReply,
): Promise<void> {
  const { name } = request.params;
  // A media type that is none would be refused by the server before the adapter could say anything.
  request.headers = { "content-type": "application/octet-stream" };
  if (options.adapters.has(name)) {
    await admitOrRefuse(options.admission, { request, reply, bodyMaxBytes: BODY_MAX_BYTES });
  } else {
    const detail = `There is no webhook of this name. The file of webhooks says which there are.`;
    await sendProblem(reply, plainProblem(404, detail));
  }
}

async function answer(
  options: WebhookRoutesOptions & { readonly refusals: RefusalLog },
  request: FastifyRequest<WebhookRequest>,
  reply: FastifyReply,
): Promise<void> {
  const { name } = request.params;
  const adapter = options.adapters.get(name);
  if (adapter === undefined) throw new TypeError("a webhook without an adapter was let in");
  const nowMs = options.now();
  const intake = readDelivery(adapter, {
    method: request.method,
    headers: request.raw.headers,
    rawBody: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
    remoteAddress: request.socket.remoteAddress ?? "",
    nowMs,
  });
  if (intake.outcome === "unauthentic") {
    options.refusals.refused(name, intake.reason);
    reply.header("www-authenticate", 'Signature realm="webhooks"');
    await sendProblem(reply, plainProblem(401, UNAUTHENTIC));
    return;
  }
  const end = await ended(options, { webhook: name, translation: intake, nowMs });
  if (end.outcome === "unavailable") {
    await sendProblem(reply, unavailable(NOT_TAKEN));
    return;
  }
  const { events, deadLetters, ignored } = end;
  await reply.send({ events, deadLetters, ignored });
}

async function ended(
  { reading, schemas, enqueue }: WebhookRoutesOptions,
  delivery: Parameters<typeof takeDelivery>[1],
): Promise<DeliveryEnd> {
  const { store, ready } = reading;
  try {
    return await takeDelivery({ store, ready, schemas, enqueue }, delivery);
  } catch (error) {
    if (reading.isOutage(error)) return { outcome: "unavailable" };
    throw error;
  }
}
