/** Who may call: the API key, its limit and the team's role, in this order. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { refusal, tooManyRequests, type Answer } from "./answer.ts";
import type { Team } from "./behaviour.ts";
import { countRequest } from "./rate-limit.ts";
import type { SandboxContext } from "./sandbox-context.ts";

export const INVALID_KEY = refusal(401, "Unauthorized - invalid API key");

export type Admission =
  | { readonly outcome: "admitted"; readonly team: Team }
  | { readonly outcome: "refused"; readonly team: Team | undefined; readonly answer: Answer };

/** Also writes the rate limit headers on the reply, which go out with whatever answer follows. */
export function admit(
  context: SandboxContext,
  request: FastifyRequest,
  exchange: { readonly reply: FastifyReply; readonly side: "provider" | "reseller" },
): Admission {
  const key = headerOf(request, "x-api-key");
  const team = key === undefined ? undefined : context.teamsByKey.get(key);
  if (!team) return { outcome: "refused", team, answer: INVALID_KEY };
  const limited = limitAnswer(context, team, exchange.reply);
  if (limited) return { outcome: "refused", team, answer: limited };
  if (team.role !== "hybrid" && team.role !== exchange.side) {
    const role = exchange.side === "provider" ? "Provider" : "Reseller";
    const answer = refusal(403, `Forbidden - ${role} role required`);
    return { outcome: "refused", team, answer };
  }
  return { outcome: "admitted", team };
}

/** The header's only value; a header sent twice has none. */
export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}

function limitAnswer(context: SandboxContext, team: Team, reply: FastifyReply): Answer | undefined {
  const { limitPerMinute, limitWindowMs, limitStyle, retryAfterIn } = context.market.behaviour;
  if (limitPerMinute === null) return undefined;
  let window = context.rateWindows.get(team.key);
  if (!window) {
    window = { admittedAt: [] };
    context.rateWindows.set(team.key, window);
  }
  const now = context.market.now();
  const rule = { limit: limitPerMinute, windowMs: limitWindowMs, style: limitStyle };
  const verdict = countRequest(window, rule, now);
  reply.headers({
    "x-ratelimit-limit": limitPerMinute,
    "x-ratelimit-remaining": verdict.remaining,
    "x-ratelimit-reset": Math.ceil(verdict.resetAt / 1000),
  });
  if (verdict.outcome === "admitted") return undefined;
  context.market.counters.rateLimited += 1;
  return tooManyRequests(Math.ceil((verdict.resetAt - now) / 1000), retryAfterIn);
}
