/**
 * The API as OpenAPI 3.1, made from the table of routes.
 * Source: https://spec.openapis.org/oas/v3.1.0
 */
import { z } from "zod";
import type { Answer, RouteDescription } from "./route.ts";

type Json = Readonly<Record<string, unknown>>;

export function openApiOf(routes: readonly RouteDescription[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Orderwright",
      version: "1",
      description:
        "Events in, and what became of them. Errors are problem details (RFC 9457) with a stable code.",
    },
    tags: [...new Set(routes.map(({ group }) => group))].map((name) => ({ name })),
    paths,
    components: { securitySchemes: SECURITY_SCHEMES },
  };
}

/** One key, in either header. */
const SECURITY_SCHEMES = {
  bearer: {
    type: "http",
    scheme: "bearer",
    description: "An API key of `orderwright keys create`.",
  },
  apiKey: {
    type: "apiKey",
    in: "header",
    name: "x-api-key",
    description: "The same key, for clients whose `authorization` header is taken.",
  },
};

/** The names of an API key's scopes, which OpenAPI 3.1 gives no meaning for schemes of these types. */
function securityOf({ scope }: RouteDescription): readonly Json[] {
  return scope === "public" ? [] : [{ bearer: [scope] }, { apiKey: [scope] }];
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly description: string;
  readonly schema: Json;
}

export function parametersOf({ params, query, headers }: RouteDescription): Parameter[] {
  return [
    ...parametersIn("path", params),
    ...parametersIn("query", query),
    ...parametersIn("header", headers),
  ];
}

/** JSON Schema 2020-12 of what the server gives, or with "input" of what it takes. */
function jsonSchemaOf(schema: z.ZodType, io: "input" | "output" = "output"): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}

function parametersIn(place: Parameter["in"], schema: z.ZodObject | undefined): Parameter[] {
  if (schema === undefined) return [];
  // As the server sees them: a whole number is one, though a URL carries texts.
  const { properties = {} } = jsonSchemaOf(schema) as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === "path",
    description: typeof description === "string" ? description : "",
    schema: rest,
  }));
}

function operationOf(route: RouteDescription): Json {
  const parameters = parametersOf(route);
  return {
    operationId: operationIdOf(route),
    tags: [route.group],
    summary: route.summary,
    description: route.description,
    "x-scope": route.scope,
    security: securityOf(route),
    ...(parameters.length > 0 && { parameters }),
    ...(route.body !== undefined && {
      requestBody: {
        required: true,
        content: { "application/json": { schema: jsonSchemaOf(route.body, "input") } },
      },
    }),
    responses: Object.fromEntries(
      route.answers.map((answer) => [String(answer.status), responseOf(answer)]),
    ),
  };
}

/** `getItemsIdJournal` of `GET /v1/items/{id}/journal`. */
function operationIdOf({ method, path }: RouteDescription): string {
  const words = path
    .replace(/^\/v1/, "")
    .split(/[^A-Za-z]+/)
    .filter(Boolean);
  return [
    method.toLowerCase(),
    ...words.map((word) => word[0]?.toUpperCase() + word.slice(1)),
  ].join("");
}

function responseOf({ status, description, schema, mediaType }: Answer): Json {
  const type = mediaType ?? (status >= 400 ? "application/problem+json" : "application/json");
  const content = { [type]: schema === undefined ? {} : { schema: jsonSchemaOf(schema) } };
  return {
    description,
    content,
    ...((status === 503 || status === 429) && {
      headers: { "retry-after": { description: "Seconds.", schema: { type: "integer" } } },
    }),
  };
}
