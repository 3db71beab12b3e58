/**
 * What every answer tells a browser, should one ever show it: take it for what it says it is, run nothing
 * of it, load nothing for it, put it into no frame, and tell no other site where it came from. An answer
 * for which somebody had to be let in is kept in no cache.
 *
 * `strict-transport-security` is not among them: it is for whoever ends TLS in front of this server.
 */
import type { FastifyInstance } from "fastify";
import { scopeOf } from "./scopes.ts";

const ALWAYS = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

type Headers = Readonly<Record<string, string>>;

/** For answers that no hook sees. */
export function safeHeaders(scope: "public" | "guarded"): Headers {
  return scope === "public" ? ALWAYS : { ...ALWAYS, "cache-control": "no-store" };
}

/** The first hook of all, so that refusals have them too. A route may set its own in their place. */
export function addSafeHeaders(app: FastifyInstance): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(safeHeaders(scopeOf(request) === "public" ? "public" : "guarded"));
  });
}
