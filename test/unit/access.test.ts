/** The door: who is let in, who is sent away with what, and what a header can hold. */
import { fastify } from "fastify";
import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type Grant, type KeyCheck, type Scope, SCOPES } from "../../src/core/grant.ts";
import {
  accessHook,
  type DoorKeys,
  grantOfRequest,
  isFromHere,
  mayUse,
  type RouteScope,
  shownKey,
  tellDoor,
} from "../../src/http/access.ts";
import { createLogger } from "../../src/logger.ts";

const GRANT: Grant = { keyId: "k1", name: "crm", scopes: ["items:read"], perMinute: 10 };

const SECRET = "ow_abcdefghijkl_secret";

function setUp(keys: Partial<DoorKeys> = {}) {
  const lines: string[] = [];
  const log = createLogger("debug", { write: (line) => lines.push(line) });
  const app = fastify({ loggerInstance: log as never });
  onTestFinished(() => app.close());
  const door: DoorKeys = {
    hasKeys: async () => true,
    check: async (text): Promise<KeyCheck> =>
      text === SECRET ? { standing: "good", grant: GRANT } : { standing: "unknown" },
    permit: async () => ({ outcome: "granted" }),
    ...keys,
  };
  const scopes: Readonly<Record<string, RouteScope>> = {
    "/read": "items:read",
    "/health": "public",
  };
  const scopeOf = (request: { readonly routeOptions: { readonly url?: string | undefined } }) =>
    scopes[request.routeOptions.url ?? ""] ?? "admin";
  app.addHook("onRequest", accessHook({ keys: door, scopeOf, log }));
  app.get("/health", () => "fine");
  app.get("/read", (request) => grantOfRequest(request));
  app.get("/rest", () => "never");
  const get = (
    url: string,
    headers: Readonly<Record<string, string>> = {},
    remoteAddress = "127.0.0.1",
  ) => app.inject({ url, headers, remoteAddress });
  return { get, lines, door, log };
}

const bearer = { authorization: `Bearer ${SECRET}` };

describe("with a key", () => {
  test.each([
    bearer,
    { authorization: `bearer  ${SECRET} ` },
    { "x-api-key": SECRET },
    { ...bearer, "x-api-key": SECRET },
    { authorization: "Basic cHJveHk6", "x-api-key": SECRET },
  ])("%o opens what its scope opens", async (headers) => {
    const response = await setUp().get("/read", headers, "203.0.113.9");
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual(GRANT);
  });

  test("what needs another scope is forbidden, and so is a route that is in no table", async () => {
    const response = await setUp().get("/rest", bearer);
    expect(response.statusCode).toBe(403);
    expect(response.headers["www-authenticate"]).toBe(
      'Bearer realm="orderwright", error="insufficient_scope", scope="admin"',
    );
    expect(response.json()).toMatchObject({
      status: 403,
      detail: /key k1 has not the scope admin/,
    });
  });

  test("too many requests are told when to come back, in whole seconds", async () => {
    const permit: DoorKeys["permit"] = async () => ({ outcome: "wait", retryAfterMs: 1_200 });
    const response = await setUp({ permit }).get("/read", bearer);
    expect(response.statusCode).toBe(429);
    expect(response.headers["retry-after"]).toBe("2");
  });

  test.each(["malformed", "mistyped", "unknown", "expired", "revoked", "replaced"] as const)(
    "one that is %s opens nothing, and the answer says so without repeating it",
    async (standing) => {
      const { get, lines } = setUp({
        check: async () => ({ standing }),
        hasKeys: async () => false,
      });
      const response = await get("/read", bearer);
      expect(response.statusCode).toBe(401);
      expect(response.headers["www-authenticate"]).toContain('error="invalid_token"');
      expect(response.headers["content-type"]).toContain("application/problem+json");
      expect(response.body + lines.join("")).not.toContain(SECRET);
    },
  );
});

describe("without a key", () => {
  test("health is for everybody, and so is the answer that a path is not there", async () => {
    const { get } = setUp();
    expect((await get("/health")).statusCode).toBe(200);
    expect((await get("/no-such-path")).statusCode).toBe(404);
  });

  test("once a key was made nobody is let in, from this machine neither", async () => {
    const response = await setUp().get("/read");
    expect(response.statusCode).toBe(401);
    expect(response.headers["www-authenticate"]).toBe('Bearer realm="orderwright"');
  });

  test("before that this machine may do everything, and nobody else anything", async () => {
    const { get } = setUp({ hasKeys: async () => false });
    expect((await get("/rest")).statusCode).toBe(200);
    expect((await get("/rest", {}, "203.0.113.9")).statusCode).toBe(401);
    expect((await get("/rest", { "x-forwarded-for": "203.0.113.9" })).statusCode).toBe(401);
    expect((await get("/rest", { host: "evil.example" })).statusCode).toBe(401);
  });

  test("who is let in is told once at the start, as soon as Redis says it", async () => {
    const { door, lines, log } = setUp();
    const { signal } = new AbortController();
    const tell = (hasKeys: DoorKeys["hasKeys"]) =>
      tellDoor({ keys: { ...door, hasKeys }, log, host: "0.0.0.0", signal });
    await tell(async () => true);
    expect(lines.splice(0).join("")).toContain("asks everybody for an API key");
    const hasKeys = vi.fn<DoorKeys["hasKeys"]>().mockRejectedValueOnce(new Error("away"));
    await tell(hasKeys.mockResolvedValue(false));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("orderwright keys create");
  });
});

test("when nobody can tell, nobody is let in", async () => {
  const fails = () => Promise.reject(new Error("gone"));
  const { get, lines } = setUp({ hasKeys: fails, check: fails });
  for (const headers of [{}, bearer]) {
    const response = await get("/read", headers);
    expect(response.statusCode).toBe(503);
    expect(response.headers["retry-after"]).toBe("1");
  }
  expect(lines.join("")).not.toContain(SECRET);
});

test.each([
  [["admin"], "items:operate", undefined, undefined, "allowed"],
  [["items:read"], "items:operate", undefined, undefined, "scope-missing"],
  [["items:read"], "items:read", "acme", undefined, "allowed"],
  [["items:read"], "items:read", "acme", "acme", "allowed"],
  [["items:read"], "items:read", "acme", "other", "account-foreign"],
  [["items:operate"], "items:read", undefined, undefined, "allowed"],
  [["items:operate"], "events:write", undefined, undefined, "scope-missing"],
  [["events:write"], "items:read", undefined, undefined, "scope-missing"],
  [["admin"], "items:read", "acme", "other", "account-foreign"],
  [["items:read"], "items:read", "acme", null, "account-foreign"],
  [["items:read"], "items:read", undefined, null, "allowed"],
] as const)(
  "%s used for %s, bound to %s, at an item of %s: %s",
  (...[scopes, scope, bound, account, use]) => {
    const grant = { ...GRANT, scopes, ...(bound !== undefined && { account: bound }) };
    expect(mayUse(grant, scope, account)).toBe(use);
  },
);

test("no scopes give another than themselves, but admin all and operating the look at items", () => {
  const scope = fc.constantFrom<Scope>(...SCOPES);
  fc.assert(
    fc.property(fc.uniqueArray(scope), scope, (scopes, needed) => {
      const isAllowed = mayUse({ ...GRANT, scopes }, needed) === "allowed";
      const isOperator = needed === "items:read" && scopes.includes("items:operate");
      expect(isAllowed).toBe(scopes.includes(needed) || scopes.includes("admin") || isOperator);
    }),
  );
});

describe("no header whatever", () => {
  const header = fc.option(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string().map((text) => `Bearer ${text}`),
      fc.array(fc.string(), { maxLength: 3 }),
    ),
    { nil: undefined },
  );

  test("makes reading it throw, and none without a text is taken for a key", () => {
    fc.assert(
      fc.property(header, header, (authorization, other) => {
        const shown = shownKey({ authorization, "x-api-key": other });
        const isNothing = authorization === undefined && other === undefined;
        expect(shown.is === "nothing" || !isNothing).toBe(true);
        const text = shown.is === "text" ? shown.text : "";
        expect([other, authorization].join(" ")).toContain(text);
      }),
    );
  });

  test("makes an address abroad one of this machine", () => {
    const headers = fc.dictionary(
      fc.constantFrom("host", "forwarded", "via", "x-real-ip"),
      fc.string(),
    );
    fc.assert(
      fc.property(headers, fc.ipV4(), (given, remoteAddress) => {
        fc.pre(!remoteAddress.startsWith("127."));
        expect(isFromHere({ headers: given, socket: { remoteAddress } })).toBe(false);
      }),
    );
  });
});
