/** Every route with every kind of key, asked of the API as it runs in a process, on a real Redis. */
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { definitions } from "../../machines/registry.ts";
import { openHttpApi } from "../../src/cli/http-api.ts";
import { type Scope, SCOPES } from "../../src/core/grant.ts";
import type { RouteDescription } from "../../src/http/route.ts";
import { ROUTES } from "../../src/http/route-table.ts";
import { createLifecycle } from "../../src/lifecycle.ts";
import { createLogger } from "../../src/logger.ts";
import { bury } from "../../src/store/dead-letter-store.ts";
import { makeKey, revokeKey } from "../../src/store/key-store.ts";
import { type Expected, expectedOf, type Role, ROLES } from "../support/access-table.ts";
import { type Harness, startHarness } from "../support/engine-harness.ts";
import { eventually } from "../support/eventually.ts";
import { isUp } from "../support/http-reading.ts";
import { orderEvent } from "../support/order-item-events.ts";

const ITEM = "item-of-ours";
const ORDER = "order-of-ours";
const LETTER = "timer:of-ours";
const LATER = new Date(Date.now() + 3_600_000).toISOString();

/** Bodies that are in order, so that nothing but the key stands in their way. */
const REASON = { reason: "Who may do this?" };
const HOLD = { ...REASON, clock: "acceptance", until: LATER };
const BODIES: Readonly<Record<string, unknown>> = {
  "/v1/events": orderEvent("order.accepted", { subject: ITEM }),
  "/v1/actions": { action: "retry-push", items: [ITEM], ...REASON },
  "/v1/items/{id}/events": { type: "order.noted", data: { providerNotes: "Hm." }, ...REASON },
  "/v1/items/{id}/actions/acknowledge": HOLD,
  "/v1/items/{id}/actions/snooze": HOLD,
};

let harness: Harness;
let redis: Redis;
let url: string;
const keys = new Map<string, string>();
const lifecycle = createLifecycle({ timeoutMs: 20_000, log: createLogger("silent") });

async function newKey(
  name: string,
  terms: {
    readonly scopes: readonly Scope[];
    readonly account?: string;
    readonly perMinute?: number;
  },
): Promise<string> {
  const { keyPrefix: prefix, shards } = harness.config;
  const side = { redis, layout: { prefix, shards } };
  const { id, text } = await makeKey(side, { name, perMinute: null, createdAt: 1, ...terms });
  keys.set(name, text);
  return id;
}

async function born(subject: string, order: string, account: string): Promise<void> {
  await harness.send(orderEvent("order.received", { subject, data: { orderId: order, account } }));
  await eventually(async () => expect(await harness.actor(subject)).toBeDefined());
}

interface Asked {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

async function ask(
  role: string,
  path: string,
  { method = "GET", body }: { readonly method?: string; readonly body?: unknown } = {},
): Promise<Asked> {
  const key = keys.get(role);
  const gone = new AbortController();
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: gone.signal,
  });
  const { status, headers } = response;
  const isStream = headers.get("content-type")?.includes("event-stream") === true;
  const text = isStream ? "" : await response.text();
  gone.abort();
  return { status, text, headers };
}

async function json(role: string, path: string): Promise<Record<string, never>> {
  const { status, text } = await ask(role, path);
  expect({ path, status }).toEqual({ path, status: 200 });
  return JSON.parse(text) as Record<string, never>;
}

beforeAll(async () => {
  harness = await startHarness({ redisUrl: inject("redisUrl") });
  redis = new Redis(inject("redisUrl"));
  await born(ITEM, ORDER, "default");
  await born("item-of-theirs", "order-of-theirs", "other");
  const problem = { code: "MACHINE_FAILED", message: "It cannot." } as const;
  const letter = { kind: "timer", timer: "t", at: 1, problem } as const;
  const { store } = harness.engine;
  await bury(store, { ...letter, itemId: ITEM, id: LETTER });
  await bury(store, { ...letter, itemId: "item-of-theirs", id: "timer:of-theirs" });
  await bury(store, { kind: "unreadable", data: "?", id: "job:of-nobody", at: 1, problem });
  for (const scope of SCOPES) await newKey(scope, { scopes: [scope] });
  await newKey("another account's", { scopes: SCOPES, account: "other" });
  const { keyPrefix: prefix, shards } = harness.config;
  const id = await newKey("revoked", { scopes: ["admin"] });
  await revokeKey({ redis, layout: { prefix, shards } }, id, 2);
  url = await openHttpApi({
    config: { ...harness.config, httpHost: "127.0.0.1", httpPort: 0 },
    log: createLogger("silent"),
    lifecycle,
    redisUrl: inject("redisUrl"),
    definitions: definitions({ orderItem: {} }),
  });
  await isUp(async () => (await ask("admin", "/v1/policy")).status);
});

afterAll(async () => {
  await lifecycle.shutdown("test over");
  redis.disconnect();
  await harness.stop();
});

function addressOf({ path }: RouteDescription): string {
  const id = path.includes("/orders/") ? ORDER : path.includes("/dead-letters/") ? LETTER : ITEM;
  return path.replace("{id}", encodeURIComponent(id)).replace("{name}", "nobody");
}

function bodyOf({ method, path, body }: RouteDescription): unknown {
  if (method === "GET" || body === undefined) return undefined;
  return BODIES[path] ?? REASON;
}

async function send(route: RouteDescription, role: Role, method: string = route.method) {
  const body = method === "HEAD" ? undefined : bodyOf(route);
  return ask(role, addressOf(route), { method, body });
}

/** What came of it, in the words of the table; anything else is a fault. */
function outcomeOf(expected: Expected, { status, text }: Asked): string {
  if (status === 401 || status === 403 || status >= 500) return String(status);
  if (expected === "yes") return "yes";
  if (expected === "404") return String(status);
  // Where the item is named, what was asked for was refused.
  const isTold = text.includes(ITEM) && !/EVENT_SUBJECT_FOREIGN|ITEM_UNKNOWN/.test(text);
  return isTold ? "told of another account" : "own only";
}

function named(routes: readonly RouteDescription[]) {
  return routes.map((route) => [`${route.method} ${route.path}`, route] as const);
}

describe.each(named(ROUTES))("%s", (_name, route) => {
  // Whoever may do it comes last: it changes what the others ask about.
  const roles = ROLES.toSorted((one, other) => rank(route, one) - rank(route, other));
  test.each(roles.map((role) => [role, expectedOf(route, role)] as const))(
    "with %s: %s",
    async (role, expected) => {
      const asked = await send(route, role);
      expect(outcomeOf(expected, asked)).toBe(expected);
      const { headers } = asked;
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(headers.get("cache-control")).toBe(route.scope === "public" ? null : "no-store");
      expect(headers.has("www-authenticate")).toBe(asked.status === 401 || asked.status === 403);
    },
  );
});

const READABLE = ROUTES.filter(({ method, path }) => method === "GET" && path !== "/v1/feed");

test.each(named(READABLE))("%s by HEAD is the same", async (_name, route) => {
  for (const role of ROLES) {
    const got = await send(route, role);
    const { status } = await send(route, role, "HEAD");
    expect({ role, status }).toEqual({ role, status: got.status });
  }
});

function rank(route: RouteDescription, role: Role): number {
  return expectedOf(route, role) === "yes" ? 1 : 0;
}

describe("a key that is bound to an account", () => {
  const bound = "another account's";

  test.each([
    ["/v1/items", "items"],
    ["/v1/items?status=pending", "items"],
    ["/v1/items?dead=true", "items"],
    ["/v1/items?account=other", "items"],
    ["/v1/orders/order-of-theirs", "items"],
    ["/v1/dead-letters", "letters"],
  ])("is told by %s of its own and of no other", async (path, list) => {
    const all = JSON.stringify(await json("admin", path.replace("?account=other", "")));
    expect(all).toContain("of-theirs");
    const own = JSON.stringify((await json(bound, path))[list]);
    expect(own).toContain("of-theirs");
    expect(own).not.toMatch(/of-ours|of-nobody/);
  });

  test.each(["/v1/items", "/v1/fulfilment"])("may not ask %s for another account", async (path) => {
    expect((await ask(bound, `${path}?account=default`)).status).toBe(403);
    expect((await ask("items:read", `${path}?account=default`)).status).toBe(200);
  });

  test("gets figures of its own account alone, without asking for it", async () => {
    expect(await json(bound, "/v1/fulfilment")).toMatchObject({ account: "other" });
  });

  test("cannot tell another's item and order from those that are not there", async () => {
    for (const path of ["/v1/items/#", "/v1/items/#/journal", "/v1/orders/#"]) {
      const id = path.includes("orders") ? ORDER : ITEM;
      const [theirs, nobodys] = await Promise.all(
        [id, "no-such"].map(async (each) => {
          const { status, text } = await ask(bound, path.replace("#", each));
          return { status, text: text.replaceAll(each, "#") };
        }),
      );
      expect(theirs).toEqual(nobodys);
    }
  });

  test("hears of its own items alone in the feed", async () => {
    const gone = new AbortController();
    onTestFinished(() => gone.abort());
    const response = await fetch(`${url}/v1/feed`, {
      headers: { "x-api-key": keys.get(bound) ?? "" },
      signal: gone.signal,
    });
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("cache-control")).toBe("no-store");
    let heard = "";
    void (async () => {
      for await (const chunk of response.body ?? []) heard += Buffer.from(chunk).toString();
    })().catch(() => undefined);
    await eventually(() => expect(heard).toContain("id: "));
    await born("feed-of-ours", ORDER, "default");
    await born("feed-of-theirs", "order-of-theirs", "other");
    await eventually(() => expect(heard).toContain("feed-of-theirs"));
    expect(heard).not.toContain("feed-of-ours");
  });
});

describe("events by a key that is bound to an account", () => {
  const bound = "another account's";
  const post = async (...events: readonly unknown[]) => {
    const { status, text } = await ask(bound, "/v1/events", { method: "POST", body: events });
    const { results } = JSON.parse(text) as {
      results: readonly { outcome: string; problem?: { code: string } }[];
    };
    return { status, results: results.map(({ outcome, problem }) => problem?.code ?? outcome) };
  };

  test("about another's items, or for another account, are refused one by one", async () => {
    const before = (await harness.journal(ITEM)).length;
    const note = { data: { providerNotes: "Hm." } };
    expect(
      await post(
        orderEvent("order.noted", { subject: ITEM, ...note }),
        orderEvent("order.noted", { subject: "item-of-theirs", ...note }),
        {
          ...orderEvent("order.noted", { subject: "item-of-theirs", ...note }),
          account: "default",
        },
        orderEvent("order.received", {
          subject: "b-1",
          data: { orderId: "o", account: "default" },
        }),
        7,
      ),
    ).toEqual({
      status: 202,
      results: [
        "EVENT_SUBJECT_FOREIGN",
        "accepted",
        "EVENT_SUBJECT_FOREIGN",
        "EVENT_SUBJECT_FOREIGN",
        "EVENT_INVALID",
      ],
    });
    await eventually(async () => {
      const entries = await harness.journal("item-of-theirs");
      expect(entries.at(-1)).toMatchObject({ event: { type: "order.noted", account: "other" } });
    });
    expect(await harness.journal(ITEM)).toHaveLength(before);
  });

  test("begin items of that account, said or not", async () => {
    const birth = { subject: "b-2", data: { orderId: "o-2" } };
    expect(await post(orderEvent("order.received", birth))).toMatchObject({ status: 202 });
    await eventually(async () => expect(await json(bound, "/v1/items/b-2")).toBeDefined());
    expect(JSON.stringify(await json(bound, "/v1/items/b-2"))).toContain('"account":"other"');
  });

  test("that came before the item never count, if it turns out to be another's", async () => {
    const early = orderEvent("order.accepted", { subject: "b-3" });
    expect(await post(early)).toEqual({ status: 202, results: ["accepted"] });
    await eventually(async () => expect((await harness.actor("b-3"))?.parked).toHaveLength(1));
    await born("b-3", ORDER, "default");
    await eventually(async () => {
      expect((await harness.journal("b-3")).at(-1)).toMatchObject({
        outcome: "rejected",
        problem: { code: "EVENT_SUBJECT_FOREIGN" },
      });
    });
  });
});

test("a key has its requests a minute, and is told when to come again", async () => {
  await newKey("slow", { scopes: ["items:read"], perMinute: 2 });
  const statuses: number[] = [];
  for (const _ of [1, 2, 3]) statuses.push((await ask("slow", "/v1/machines")).status);
  expect(statuses).toEqual([200, 200, 429]);
  const { headers, text } = await ask("slow", "/v1/machines");
  expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
  expect(text).toContain("2 requests a minute");
});
