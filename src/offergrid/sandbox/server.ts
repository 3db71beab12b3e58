/**
 * The sandbox marketplace: a stand-in for Offergrid that runs on this machine, for trying Orderwright
 * without an account and for tests that need a marketplace to misbehave on command. It answers as
 * the public docs say; where they are silent or disagree, a switch decides (see behaviour.ts).
 * Source: https://offergrid.io/docs and the provider OpenAPI document.
 */
import { setMaxListeners } from "node:events";
import fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from "fastify";
import { addAdminRoutes } from "./admin-routes.ts";
import { refusal, sendAnswer, type Answer } from "./answer.ts";
import { startAutoSubmit } from "./auto-submit.ts";
import { behaviourOf, parseOptions, type SandboxOptions } from "./behaviour.ts";
import { newFaultMemory } from "./faults.ts";
import { Market } from "./market.ts";
import { addProviderRoutes } from "./provider-routes.ts";
import { addResellerRoutes } from "./reseller-routes.ts";
import { newContext, type SandboxContext } from "./sandbox-context.ts";
import { WebhookSender } from "./webhooks.ts";

/** Item ids have at most 128 characters, each up to four bytes, each byte `%XX` in a path. */
const PATH_PART_MAX_CHARACTERS = 128 * 4 * 3;

export interface Sandbox {
  /** Without a slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly market: Market;
  /** Cuts slow answers, drops webhooks that still wait, and closes the port. */
  close(): Promise<void>;
}

/**
 * Starts a marketplace, on 127.0.0.1 unless `host` says otherwise.
 * @throws EngineError CONFIG_INVALID for options that are wrong; the system's error when the port is
 * taken.
 */
export async function startSandbox(options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const parsed = parseOptions(options);
  const market = new Market(behaviourOf(parsed), parsed);
  const closing = new AbortController();
  // Every slow answer listens for the end, and a load test has thousands of them.
  setMaxListeners(0, closing.signal);
  const context = newContext(market, parsed, closing.signal);
  const webhooks = new WebhookSender(market, parsed.teams);
  const autoSubmit = startAutoSubmit(market);

  const app = newServer(context);
  addProviderRoutes(app, context);
  addResellerRoutes(app, context);
  addAdminRoutes(app, context, {
    reset: () => {
      autoSubmit.cancel();
      webhooks.forget();
      market.clear();
      Object.assign(market.behaviour, behaviourOf(parsed));
      context.rateWindows.clear();
      context.faultMemory = newFaultMemory(parsed.seed);
    },
  });
  const url = await app.listen({ host: parsed.host, port: parsed.port });

  return {
    url,
    port: Number(new URL(url).port || 80),
    market,
    close: async () => {
      closing.abort();
      autoSubmit.cancel();
      webhooks.close();
      await app.close();
    },
  };
}

function newServer(context: SandboxContext): FastifyInstance {
  const app = fastify({
    logger: false,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: PATH_PART_MAX_CHARACTERS },
  });
  app.get("/health", () => ({ status: "ok" }));
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?")[0];
    sendAnswer(reply, refusal(404, `Cannot ${request.method} ${path}`), context.closing);
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    sendAnswer(reply, errorAnswer(error, request), context.closing);
  });
  return app;
}

/** A body that cannot be read: not JSON, too large, of another content type. */
function errorAnswer(error: FastifyError, request: FastifyRequest): Answer {
  const statusCode = error.statusCode ?? 500;
  if (!request.url.startsWith("/reseller/")) return refusal(statusCode, error.message);
  return { kind: "json", statusCode, body: { error: error.message, field: "body" } };
}
