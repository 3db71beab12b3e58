/** What each route needs, kept with the route itself: whoever guards the door asks here. */
import type { FastifyRequest } from "fastify";
import type { RouteScope } from "./access.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    readonly scope?: RouteScope;
  }
}

/** A route that does not say is for administrators. */
export function scopeOf(request: Pick<FastifyRequest, "routeOptions">): RouteScope {
  return request.routeOptions.config.scope ?? "admin";
}
