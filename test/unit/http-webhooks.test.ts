/** Every answer to a webhook, on a queue that does as it is told and a Redis in memory. */
import { createHmac } from "node:crypto";
import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { eventSchemas } from "../../machines/order-item/events.ts";
import { configuredWebhooks } from "../../src/cli/configured-webhooks.ts";
import { loadConfig } from "../../src/config.ts";
import { ACKNOWLEDGED } from "../../src/core/clock-event.ts";
import { DEFAULT_CLOCKS } from "../../src/sla/clockwork.ts";
import { definitions } from "../../machines/registry.ts";
import { registerMachines } from "../../src/core/machine.ts";
import { FeedTail } from "../../src/engine/feed-tail.ts";
import { newServer, type ServerOptions } from "../../src/http/server.ts";
import { adaptersOf, webhooksBySecret } from "../../src/intake/webhooks.ts";
import { createLogger } from "../../src/logger.ts";
import { verifyOffergridWebhook } from "../../src/offergrid/webhook-signature.ts";
import type { NewJob } from "../../src/queue/producer.ts";
import { listDeadLetters } from "../../src/store/dead-letter-store.ts";
import { isOutage } from "../../src/store/reading-store.ts";
import { MemoryRedis, memoryCommands } from "../../src/store/memory/memory-redis.ts";
import { OPEN_DOOR } from "../support/open-door.ts";
import { orderEvent } from "../support/order-item-events.ts";
import { signedHeaders, webhooks } from "../support/webhook-delivery.ts";

const SECRET = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const OLD_SECRET = `whsec_${Buffer.alloc(32, 2).toString("base64")}`;

/** A promise that is kept when the test says so. */
function promised() {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve: () => resolve() };
}

interface Setup {
  readonly add?: (jobs: readonly NewJob[]) => Promise<void>;
  readonly sources?: object;
  readonly inFlightMax?: number;
}

const SIGNED = {
  kind: "cloudevents",
  authentication: { kind: "standard-webhooks", secrets: [SECRET, OLD_SECRET] },
};

function setUp({ add, sources = { events: SIGNED }, inFlightMax = 10 }: Setup = {}) {
  const jobs: NewJob[] = [];
  const lines: string[] = [];
  const memory = new MemoryRedis(() => 0);
  const outage: { says?: string } = {};
  const redis = memoryCommands(async (name, args) => {
    if (outage.says !== undefined) throw new Error(outage.says);
    return memory.call(name, args);
  });
  const store = { redis, layout: { prefix: "ow", shards: 2 } };
  const options: ServerOptions = {
    keys: OPEN_DOOR,
    queue: {
      add: async (added) => {
        await add?.(added);
        jobs.push(...added);
      },
      probe: async () => undefined,
    },
    reading: {
      store,
      machines: registerMachines(definitions({ orderItem: {} })),
      feed: new FeedTail(store),
      clocks: () => DEFAULT_CLOCKS,
      ready: async () => undefined,
      refreshClocks: async () => undefined,
      isOutage,
      close: () => undefined,
    },
    webhooks: adaptersOf(webhooks(sources), { verifyOffergrid: verifyOffergridWebhook }),
    schemas: eventSchemas(8 * 1024),
    log: createLogger("debug", { write: (line) => lines.push(line) }),
    intakeTimeoutMs: 5_000,
    intakeMaxInFlight: inFlightMax,
  };
  const app = newServer(options);
  onTestFinished(() => app.close());
  return { app, jobs, lines, outage, letters: () => listDeadLetters(store, 100) };
}

interface Posted {
  readonly headers?: Readonly<Record<string, string>>;
  readonly secret?: string;
  readonly name?: string;
}

async function post(
  app: FastifyInstance,
  body: unknown,
  { headers = {}, secret = SECRET, name = "events" }: Posted = {},
): Promise<LightMyRequestResponse> {
  const payload = typeof body === "string" ? body : JSON.stringify(body);
  const signed = signedHeaders(payload, { id: "msg_1", secret, atMs: Date.now() });
  return app.inject({
    method: "POST",
    url: `/webhooks/${name}`,
    headers: { ...signed, ...headers },
    payload,
  });
}

function expectProblem(response: LightMyRequestResponse, status: number): void {
  expect(response.statusCode).toBe(status);
  expect(response.headers["content-type"]).toContain("application/problem+json");
  expect(response.json()).toMatchObject({ status, detail: expect.stringMatching(/^\w.{20}/) });
}

describe("what is authentic", () => {
  test("is answered with what was taken, needs no API key, and may have any media type or none", async () => {
    const { app, jobs } = setUp();
    const event = orderEvent("order.received");
    const types = [
      "application/json",
      "text/plain",
      "application/x-www-form-urlencoded",
      "image/*",
      "weird",
      "a b;;",
    ];
    for (const type of types) {
      const response = await post(app, event, { headers: { "content-type": type } });
      expect([type, response.statusCode]).toEqual([type, 200]);
      expect(response.json()).toEqual({ events: 1, deadLetters: 0, ignored: 0 });
    }
    expect((await post(app, event)).statusCode).toBe(200);
    expect(jobs.map(({ data }) => data)).toEqual(Array(types.length + 1).fill(event));
  });

  test("C4: a batch is one job with one add, in the order of the body", async () => {
    const add = vi.fn<() => Promise<void>>(async () => undefined);
    const { app, jobs } = setUp({ add });
    const batch = Array.from({ length: 100 }, () => orderEvent("order.received"));
    expect((await post(app, batch)).json()).toMatchObject({ events: 100 });
    expect(add).toHaveBeenCalledOnce();
    expect(jobs.map(({ data }) => data)).toEqual([batch]);
  });

  test("C1: while a secret is replaced, the old one and the new one are good", async () => {
    const { app } = setUp();
    const event = orderEvent("order.received");
    expect((await post(app, event, { secret: OLD_SECRET })).statusCode).toBe(200);
    const other = `whsec_${Buffer.alloc(32, 3).toString("base64")}`;
    expectProblem(await post(app, event, { secret: other }), 401);
  });

  test("C3: and malformed is a dead letter, the same one however often it comes", async () => {
    const { app, jobs, letters } = setUp();
    expect((await post(app, "")).json()).toEqual({ events: 0, deadLetters: 1, ignored: 0 });
    const empty = (await letters()).map(({ id }) => id);
    const faulty = { ...orderEvent("order.accepted"), id: "faulty", data: {} };
    for (let sent = 0; sent < 3; sent += 1) {
      const bodies = ["{no JSON", [faulty, { id: "x" }, orderEvent("order.received")]];
      const [broken, batch] = await Promise.all(bodies.map((body) => post(app, body)));
      expect(broken?.json()).toEqual({ events: 0, deadLetters: 1, ignored: 0 });
      expect(batch?.json()).toEqual({ events: 1, deadLetters: 2, ignored: 0 });
    }
    expect(jobs).toHaveLength(3);
    const found = (await letters()).filter(({ id }) => !empty.includes(id));
    expect(Object.fromEntries(found.map(({ id, problem }) => [problem.code, id]))).toEqual({
      EVENT_DATA_INVALID: expect.stringMatching(/^event:/),
      EVENT_NOT_JSON: expect.stringMatching(/^webhook:events:/),
      EVENT_SUBJECT_MISSING: expect.stringMatching(/^webhook:events:/),
    });
    expect(found).toHaveLength(3);
  });

  test("C3: a dead letter holds the beginning of the body and nothing of its headers", async () => {
    const { app, letters } = setUp();
    const headers = { authorization: "Bearer hunter2" };
    await post(app, `x${"y".repeat(500_000)}`, { headers });
    await post(app, `x${"y".repeat(500_001)}`, { headers });
    const all = await letters();
    expect(all).toHaveLength(2);
    expect(JSON.stringify(all).length).toBeLessThan(6_000);
    expect(JSON.stringify(all)).not.toMatch(/hunter2|whsec_|v1,/);
    expect(all).toMatchObject([{ data: expect.stringMatching(/…$/) }, {}]);
  });

  test("what only operators send is a dead letter that no retry can turn into an event", async () => {
    const { app, jobs, letters } = setUp();
    const hold = { ...orderEvent("order.accepted"), type: ACKNOWLEDGED };
    expect((await post(app, hold)).json()).toMatchObject({ events: 0, deadLetters: 1 });
    expect(jobs).toEqual([]);
    expect(await letters()).toMatchObject([
      { kind: "unreadable", problem: { code: "EVENT_TYPE_RESERVED" }, data: expect.any(String) },
    ]);
  });

  test("and without anything for us is answered like the rest", async () => {
    const { app, jobs, letters } = setUp();
    expect((await post(app, "[]")).json()).toEqual({ events: 0, deadLetters: 0, ignored: 1 });
    expect([jobs, await letters()]).toEqual([[], []]);
  });
});

describe("an order that is cancelled as a whole", () => {
  const secret = "the marketplace's secret";
  const sources = { offergrid: { kind: "offergrid", secrets: [secret] } };
  const cancelled = { event: "order.cancelled", timestamp: "2026-03-02T09:00:00Z", orderId: "O-1" };

  test("and is not known here becomes a dead letter, unless the webhook names the item", async () => {
    const { app, jobs, letters } = setUp({ sources });
    const send = async (body: object) => {
      const payload = JSON.stringify(body);
      const signature = createHmac("sha256", secret).update(payload).digest("hex");
      return post(app, payload, {
        name: "offergrid",
        headers: { "x-offergrid-signature": signature },
      });
    };
    expect((await send(cancelled)).json()).toMatchObject({ events: 0, deadLetters: 1 });
    expect(await letters()).toMatchObject([{ problem: { code: "ORDER_UNKNOWN" } }]);
    expect((await send({ ...cancelled, itemId: "I-1" })).json()).toMatchObject({ events: 1 });
    expect(jobs).toMatchObject([{ data: { type: "order.cancelled", subject: "I-1" } }]);
  });
});

describe("what is refused", () => {
  test("C3: a bad, missing or old signature is 401, and leaves a count in the log and nothing else", async () => {
    const { app, jobs, lines, letters } = setUp();
    const event = orderEvent("order.received", { subject: "SECRET-ITEM" });
    const text = JSON.stringify(event);
    const old = signedHeaders(text, { id: "1", secret: SECRET, atMs: Date.now() - 301_000 });
    const responses = [
      await post(app, text, { headers: { "webhook-signature": "v1,forged" } }),
      await post(app, text, { headers: { "webhook-signature": "v1,forged-again" } }),
      await post(app, text, { headers: old }),
      await app.inject({ method: "POST", url: "/webhooks/events", payload: text }),
    ];
    for (const response of responses) expectProblem(response, 401);
    expect(new Set(responses.map(({ body }) => body)).size).toBe(1);
    await app.close();
    expect([jobs, await letters()]).toEqual([[], []]);
    const told = lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    expect(told.map(({ webhook, reason, count }) => [webhook, reason, count])).toEqual([
      ["events", "signature-mismatch", 1],
      ["events", "timestamp-out-of-tolerance", 1],
      ["events", "signature-missing", 1],
      ["events", "signature-mismatch", 1],
    ]);
    expect(lines.join("")).not.toMatch(/SECRET-ITEM|forged/);
  });

  test("a name that nothing is configured under is 404, with a key or without", async () => {
    const { app, jobs } = setUp();
    for (const name of ["nobody", "__proto__", "constructor", "%20", "events%2f.."]) {
      expectProblem(await post(app, {}, { name }), 404);
    }
    expectProblem(await app.inject({ url: "/webhooks/events" }), 404);
    expect(jobs).toEqual([]);
  });

  test("more than 1 MiB is 413, announced or not", async () => {
    const { app } = setUp();
    expectProblem(await post(app, "x".repeat(1024 * 1024 + 1)), 413);
    expect((await post(app, "x".repeat(1024 * 1024))).statusCode).toBe(200);
  });
});

describe("while it cannot be kept", () => {
  test("C2: nothing is answered with 2xx before the queue has it", async () => {
    const answered = promised();
    const add = vi.fn<() => Promise<void>>(async () => answered.promise);
    const { app, jobs } = setUp({ add });
    let isAnswered = false;
    const response = post(app, orderEvent("order.received")).then(({ statusCode }) => {
      isAnswered = true;
      return statusCode;
    });
    await vi.waitFor(() => expect(add).toHaveBeenCalled());
    expect([isAnswered, jobs.length]).toEqual([false, 0]);
    answered.resolve();
    expect(await response).toBe(200);
  });

  test("the sender is asked to come again: for events and for dead letters", async () => {
    const add = async (): Promise<void> => {
      throw new Error("away");
    };
    const { app, outage } = setUp({ add });
    const responses = [await post(app, orderEvent("order.received"))];
    for (const says of ["Connection is closed.", "OOM command not allowed", "READONLY You can't"]) {
      outage.says = says;
      responses.push(await post(app, "{"));
    }
    expect(responses.map(({ headers }) => headers["retry-after"])).toEqual(Array(4).fill("1"));
    for (const response of responses) expectProblem(response, 503);
  });

  test("C3: overload is 503 with Retry-After before anything is read, and then passes", async () => {
    const answered = promised();
    const add = vi.fn<() => Promise<void>>(async () => answered.promise);
    const { app } = setUp({ add, inFlightMax: 2 });
    const held = [1, 2].map(() => post(app, orderEvent("order.received")));
    await vi.waitFor(() => expect(add).toHaveBeenCalled());
    const refused = await post(app, orderEvent("order.received"));
    expectProblem(refused, 503);
    expect(refused.headers["retry-after"]).toBe("1");
    answered.resolve();
    for (const { statusCode } of await Promise.all(held)) expect(statusCode).toBe(200);
    expect((await post(app, orderEvent("order.received"))).statusCode).toBe(200);
  });
});

describe("without a file", () => {
  const named = (env: Readonly<Record<string, string>>) =>
    Object.keys(webhooksBySecret(env).sources);

  test("there are the webhooks that the environment has a secret for", () => {
    expect(named({})).toEqual([]);
    expect(named({ OFFERGRID_WEBHOOK_SECRET: " " })).toEqual([]);
    expect(named({ ORDERWRIGHT_EVENTS_SECRET: SECRET })).toEqual(["events"]);
    const both = {
      ORDERWRIGHT_EVENTS_SECRET: SECRET,
      OFFERGRID_WEBHOOK_SECRET: "of 16 characters",
    };
    expect(named(both)).toEqual(["events", "offergrid"]);
  });

  test("the old secret stays good under _PREVIOUS, and a wrong one stops the start unquoted", () => {
    const env = {
      ORDERWRIGHT_EVENTS_SECRET: SECRET,
      ORDERWRIGHT_EVENTS_SECRET_PREVIOUS: OLD_SECRET,
    };
    expect(webhooksBySecret(env).sources["events"]).toMatchObject({
      authentication: { secrets: [SECRET, OLD_SECRET] },
    });
    const wrong = { ORDERWRIGHT_EVENTS_SECRET: "hunter2", OFFERGRID_WEBHOOK_SECRET: "hunter2" };
    expect(() => webhooksBySecret(wrong)).toThrow(/^(?!.*hunter2).*2 faults[^]*sources\.events/);
  });
});

describe("the file", () => {
  const names = ["EVENTS", "HUBSPOT_CLIENT", "FIELD_SERVICE"];
  const env = Object.fromEntries(names.map((name) => [`${name}_SECRET`, SECRET]));
  const start = (file: string, schemas: ServerOptions["schemas"] = eventSchemas(8 * 1024)) => {
    const lines: string[] = [];
    const log = createLogger("info", { write: (line) => lines.push(line) });
    const config = loadConfig({ ORDERWRIGHT_WEBHOOKS_FILE: file });
    const given = { env: { ...env, OFFERGRID_WEBHOOK_SECRET: SECRET }, schemas };
    return { adapters: configuredWebhooks({ config, log }, given), lines };
  };

  test("that is configured stands for all webhooks, and the log says which there are", () => {
    const { adapters, lines } = start("docs/examples/webhooks.json");
    expect([...adapters.keys()]).toEqual(["events", "hubspot", "field-service", "offergrid"]);
    expect(lines.join("")).toContain("field-service");
    expect(lines.join("")).not.toContain(SECRET);
  });

  test("that is not there stops the start, and one with doubtful types is told of", () => {
    expect(() => start("no-such.json")).toThrow(/no-such\.json/);
    const { lines } = start("docs/examples/webhooks.json", {});
    expect(lines.some((line) => line.includes("order.accepted"))).toBe(true);
  });
});
