/** What the API says of itself is what it does. */
import { fastify, type FastifyInstance } from "fastify";
import { beforeAll, describe, expect, test } from "vitest";
import { definitions } from "../../machines/registry.ts";
import { eventSchemas } from "../../machines/order-item/events.ts";
import { loadConfig } from "../../src/config.ts";
import { registerMachines } from "../../src/core/machine.ts";
import { openActing } from "../../src/engine/act/open-acting.ts";
import { FeedTail } from "../../src/engine/feed-tail.ts";
import { limitsOf } from "../../src/engine/limits.ts";
import type { Reading } from "../../src/engine/reading.ts";
import { ROUTES } from "../../src/http/route-table.ts";
import { scopeOf } from "../../src/http/scopes.ts";
import { addRoutes } from "../../src/http/server.ts";
import { DEFAULT_CLOCKS } from "../../src/sla/clockwork.ts";
import { createLogger } from "../../src/logger.ts";
import { MemoryRedis, memoryCommands } from "../../src/store/memory/memory-redis.ts";

type Json = Readonly<Record<string, unknown>>;

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema: Json;
  }[];
  readonly responses: Readonly<
    Record<
      string,
      { readonly description: string; readonly content: Json; readonly headers?: Json }
    >
  >;
  readonly "x-scope": string;
  readonly security: readonly Json[];
}

interface Document {
  readonly openapi: string;
  readonly info: Json;
  readonly components: { readonly securitySchemes: Json };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const served: { readonly name: string; readonly scope: unknown }[] = [];
let app: FastifyInstance;
let document: Document;

function emptyReading(): Reading {
  const memory = new MemoryRedis(() => 0);
  const redis = memoryCommands(async (name, args) => memory.call(name, args));
  const store = { redis, layout: { prefix: "ow", shards: 1 } };
  return {
    store,
    machines: registerMachines(definitions({ orderItem: {} })),
    feed: new FeedTail(store),
    clocks: () => DEFAULT_CLOCKS,
    ready: async () => undefined,
    refreshClocks: async () => undefined,
    isOutage: () => false,
    close: () => undefined,
  };
}

beforeAll(async () => {
  app = fastify();
  app.addHook("onRoute", ({ method, url, config }) => {
    const scope = scopeOf({ routeOptions: { config } } as Parameters<typeof scopeOf>[0]);
    served.push({ name: `${String(method)} ${url}`, scope });
  });
  const reading = emptyReading();
  const queue = { add: async () => undefined, probe: async () => undefined };
  const schemas = eventSchemas(8 * 1024);
  addRoutes(app, {
    reading,
    queue,
    schemas,
    acting: openActing({
      reading,
      queue,
      schemas,
      limits: limitsOf(loadConfig({})),
      link: { redisUrl: "redis://127.0.0.1:1", prefix: "bull" },
      timeoutMs: 100,
    }),
    log: createLogger("silent"),
    intakeTimeoutMs: 1_000,
    intakeMaxInFlight: 10,
  });
  document = (await app.inject({ url: "/openapi.json" })).json<Document>();
  return () => app.close();
});

const OPERATIONS = ROUTES.map(({ method, path }) => [method.toLowerCase(), path] as const);

describe("the table of routes", () => {
  test("has every route that the server has, with the same scope, and no other", () => {
    const described = ROUTES.map(({ method, path, scope }) => ({
      name: `${method} ${path.replace(/\{(\w+)\}/g, ":$1")}`,
      scope,
    }));
    const routes = served.filter(({ name }) => !name.startsWith("HEAD "));
    const byName = (one: { name: string }, other: { name: string }): number =>
      one.name < other.name ? -1 : 1;
    expect(routes.toSorted(byName)).toEqual(described.toSorted(byName));
  });
});

describe("/openapi.json", () => {
  test("is OpenAPI 3.1 with an operation for each route", () => {
    expect(document.openapi).toMatch(/^3\.1\.\d$/);
    expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
    const found = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => [method, path]),
    );
    const names = found.map((words) => words.join(" "));
    expect(new Set(names)).toEqual(new Set(OPERATIONS.map((words) => words.join(" "))));
    const ids = found.map(
      ([method, path]) => document.paths[path ?? ""]?.[method ?? ""]?.operationId,
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each(OPERATIONS)("%s %s declares its parameters and its answers", (method, path) => {
    const operation = document.paths[path]?.[method];
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const parameters = operation?.parameters ?? [];
    expect(parameters.filter((each) => each.in === "path").map(({ name }) => name)).toEqual(inPath);
    for (const { schema } of parameters) expect(schema).toHaveProperty("type");
    const responses = Object.entries(operation?.responses ?? {});
    expect(responses.length).toBeGreaterThan(0);
    for (const [status, { description, content }] of responses) {
      expect(status).toMatch(/^[2-5]\d\d$/);
      expect(description).toMatch(/\w/);
      const types = Object.keys(content);
      expect(types).toHaveLength(1);
      expect(types[0] === "application/problem+json").toBe(Number(status) >= 400);
    }
    expect(operation?.["x-scope"]).toMatch(
      /^(public|admin|items:read|items:operate|events:write)$/,
    );
  });

  test("has no reference that leads nowhere", () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)];
    expect(references.map(([, target]) => target)).toEqual([]);
  });
});

describe("what /openapi.json says of API keys", () => {
  const names = (isPublic: boolean) =>
    ROUTES.filter(({ scope }) => (scope === "public") === isPublic).map(
      ({ method, path, scope }) => [method, path, scope] as const,
    );

  test.each(names(true))("%s %s needs none", (method, path) => {
    expect(document.paths[path]?.[method.toLowerCase()]?.security).toEqual([]);
  });

  test.each(names(false))(
    "%s %s needs %s, and answers what the door answers",
    (method, path, scope) => {
      const operation = document.paths[path]?.[method.toLowerCase()];
      const statuses = Object.keys(operation?.responses ?? {});
      const schemes = Object.keys(document.components.securitySchemes);
      expect(operation?.security).toEqual(schemes.map((name) => ({ [name]: [scope] })));
      expect(statuses).toEqual(expect.arrayContaining(["401", "403", "429", "503"]));
      expect(operation?.responses["429"]?.headers).toHaveProperty("retry-after");
    },
  );
});

describe("/docs", () => {
  test("names every route and loads nothing from anywhere", async () => {
    const response = await app.inject({ url: "/docs" });
    const policy = String(response.headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    for (const { method, path, scope } of ROUTES) {
      const [, part = ""] = response.body.split(`<code>${method} ${path}</code></h3>`);
      expect(part).toContain(scope === "public" ? "Open to all" : `<code>${scope}</code>`);
    }
    expect(response.body).not.toMatch(/<script|<img|<link|@import|url\(/);
    expect(response.body.match(/(?:src|href)="(?!#|\/openapi\.json")/)).toBeNull();
  });
});
