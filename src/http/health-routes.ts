/** `/healthz`: the process lives. `/readyz`: what is posted now would be taken. */
import type { FastifyInstance } from "fastify";
import type { IntakeQueue } from "../queue/intake-queue.ts";
import { sendProblem, unavailable } from "./problem-details.ts";
import "./scopes.ts";

/** Whoever asks has a time limit too, one second as a rule. */
const PROBE_TIMEOUT_MS = 500;

const NOT_READY =
  "Redis does not answer or takes no writes. Nothing needs to be done here: intake goes on by itself once it does.";

export function addHealthRoutes(app: FastifyInstance, queue: Pick<IntakeQueue, "probe">): void {
  const options = { config: { scope: "public" } } as const;
  app.get("/healthz", options, () => ({ status: "ok" }));
  app.get("/readyz", options, async (request, reply) => {
    try {
      await queue.probe(PROBE_TIMEOUT_MS);
    } catch (error) {
      request.log.debug({ err: error }, "not ready");
      await sendProblem(reply, unavailable(NOT_READY));
      return reply;
    }
    return { status: "ok" };
  });
}
