/**
 * `POST /v1/events`: the front door over HTTP. A 202 means that Redis has the accepted events; a 503
 * means that it may have them, and that the same request may be sent again, for an event's identity
 * makes the repeat harmless.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Problem } from "../core/errors.ts";
import type { Grant } from "../core/grant.ts";
import { accountsOf } from "../engine/item-accounts.ts";
import type { Reading } from "../engine/reading.ts";
import { checkEvent, type EventSchemas, newJob, packJobs } from "../queue/producer.ts";
import { grantOfRequest } from "./access.ts";
import { type Admission, openAdmission } from "./admission.ts";
import { onceOver } from "./answer-end.ts";
import type { Enqueue } from "./enqueuer.ts";
import { type BodyReading, type EventResult, readBody } from "./event-body.ts";
import { codedProblem, sendProblem, unavailable } from "./problem-details.ts";
import { birthsOf, checkSpokenFor } from "./speaking-for.ts";
import "./scopes.ts";

/** Bodies in memory at a time, all requests together. */
const BYTES_MAX = 64 * 1024 * 1024;

export interface EventRoutesOptions {
  readonly schemas: EventSchemas;
  /** Absent: nothing is known of items, and the engine alone holds an event to its account. */
  readonly reading?: Reading | undefined;
  readonly enqueue: Enqueue;
  /** Requests under way at a time. */
  readonly inFlightMax: number;
  readonly bodyMaxBytes: number;
  readonly now: () => number;
}

export function addEventRoutes(app: FastifyInstance, options: EventRoutesOptions): void {
  const { enqueue } = options;
  const admission = openAdmission({ requestsMax: options.inFlightMax, bytesMax: BYTES_MAX });
  const onRequest = (request: FastifyRequest, reply: FastifyReply): Promise<void> =>
    admitOrRefuse(admission, { request, reply, bodyMaxBytes: options.bodyMaxBytes });

  const config = { scope: "events:write" } as const;
  app.post("/v1/events", { onRequest, config }, async (request, reply) => {
    const speaker = speakerOf(options, grantOfRequest(request));
    const body = await readBody(request.body, speaker).catch((error: unknown) => {
      if (options.reading?.isOutage(error) !== true) throw error;
      return undefined;
    });
    if (body === undefined) {
      await sendProblem(reply, unavailable(NOT_TAKEN));
      return;
    }
    if (body.kind === "batch-size") {
      await sendProblem(reply, codedProblem(body.count === 0 ? 422 : 413, body.problem));
      return;
    }
    const { results, accepted } = body;
    if (accepted.length === 0) {
      await refuse(reply, results, Array.isArray(request.body));
      return;
    }
    const jobs = packJobs(accepted).map((events) =>
      newJob(events.length === 1 ? events[0] : events),
    );
    switch (await enqueue(jobs)) {
      case "enqueued":
        await reply.code(202).send({ results });
        return;
      case "unavailable":
        await sendProblem(reply, unavailable(NOT_TAKEN));
    }
  });
}

/** What the key that sends makes of the events. */
function speakerOf(
  { schemas, reading, now: clock }: EventRoutesOptions,
  { account }: Grant,
): BodyReading {
  const now = clock();
  if (account === undefined) {
    return {
      check: (value) => checkEvent(schemas, value, now),
      findForeign: async () => () => false,
    };
  }
  const births = reading === undefined ? new Set<string>() : birthsOf(reading.machines);
  return {
    check: (value) => checkSpokenFor({ schemas, births, now }, account, value),
    findForeign: async (itemIds) => {
      if (reading === undefined || itemIds.length === 0) return () => false;
      await reading.ready();
      const accountOf = await accountsOf(reading, itemIds);
      return (itemId) => (accountOf(itemId) ?? account) !== account;
    },
  };
}

const NOT_TAKEN =
  "The event queue did not answer in time or takes no writes, so the events may or may not be in it. Send the same request again: an event is applied once, however often it arrives.";

const BUSY =
  "As many requests are under way as intake holds at a time. Nothing of this one was taken. Send it again.";

/** A request that is let in gives its place back when its connection has no more use for it. */
export async function admitOrRefuse(
  admission: Admission,
  parts: {
    readonly request: FastifyRequest;
    readonly reply: FastifyReply;
    readonly bodyMaxBytes: number;
  },
): Promise<void> {
  const { request, reply, bodyMaxBytes } = parts;
  // A body without a length is as large as it may be. A too large one is refused unread.
  const announced = Number(request.headers["content-length"] ?? bodyMaxBytes);
  const release = admission.admit(Math.min(announced, bodyMaxBytes));
  if (release === undefined) await sendProblem(reply, unavailable(BUSY));
  // Comes also when the client goes away in the middle of its body.
  else onceOver(reply, release);
}

/** Nothing was accepted: the fault of the first one speaks for all, and `results` has each. */
async function refuse(
  reply: FastifyReply,
  results: readonly EventResult[],
  isBatch: boolean,
): Promise<void> {
  const [problem] = results.flatMap((result): readonly Problem[] =>
    result.outcome === "refused" ? [result.problem] : [],
  );
  if (problem === undefined) throw new TypeError("a refusal without a problem");
  if (isBatch) {
    const message = `None of the ${results.length} events was taken. The first: ${problem.message}`;
    await sendProblem(reply, codedProblem(422, { ...problem, message }), { results });
    return;
  }
  const isTooLarge = problem.code === "EVENT_TOO_LARGE";
  await sendProblem(reply, codedProblem(isTooLarge ? 413 : 422, problem));
}
