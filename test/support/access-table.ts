/**
 * Every route and every kind of key, with what the door says: the rule of docs/security.md in a dozen
 * lines of its own, so that a door which says something else is caught.
 */
import { SCOPES } from "../../src/core/grant.ts";
import type { RouteDescription } from "../../src/http/route.ts";

export const ROLES = ["no key", ...SCOPES, "another account's", "revoked"] as const;

export type Role = (typeof ROLES)[number];

/** "own only": it is let in, and is told of the items of its own account and of no other. */
export type Expected = "yes" | "401" | "403" | "404" | "own only";

/** About the installation, and shown to every account. */
const OF_ALL = ["/v1/policy", "/v1/machines"];

type Route = Pick<RouteDescription, "method" | "path" | "scope">;

/** `another account's`: a key with all scopes, bound to another account than that of the item in the path. */
export function expectedOf({ path, scope }: Route, role: Role): Expected {
  if (scope === "public") return "yes";
  if (role === "no key" || role === "revoked") return "401";
  if (role === "another account's") {
    if (scope === "admin") return "403";
    if (OF_ALL.includes(path)) return "yes";
    return path.includes("{id}") ? "404" : "own only";
  }
  const isOperatorReading = role === "items:operate" && scope === "items:read";
  return role === scope || role === "admin" || isOperatorReading ? "yes" : "403";
}

/** As Markdown. */
export function accessTable(routes: readonly Route[]): string {
  const head = ["route", "scope", ...ROLES];
  const rows = routes.map((route) => {
    const { method, path, scope } = route;
    return [`\`${method} ${path}\``, scope, ...ROLES.map((role) => expectedOf(route, role))];
  });
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}
