/** `/openapi.json` for programs, `/docs` for people. */
import type { FastifyInstance } from "fastify";
import { DOCS_POLICY, docsPage } from "./docs-page.ts";
import { openApiOf } from "./open-api.ts";
import { ROUTES } from "./route-table.ts";
import "./scopes.ts";

export function addDocsRoutes(app: FastifyInstance): void {
  const options = { config: { scope: "public" } } as const;
  // Neither changes while the process runs.
  let document: object | undefined;
  let page: string | undefined;
  app.get("/openapi.json", options, () => (document ??= openApiOf(ROUTES)));
  app.get("/docs", options, (_request, reply) =>
    reply
      .type("text/html; charset=utf-8")
      .header("content-security-policy", DOCS_POLICY)
      .header("x-content-type-options", "nosniff")
      .header("referrer-policy", "no-referrer")
      .send((page ??= docsPage(ROUTES))),
  );
}
