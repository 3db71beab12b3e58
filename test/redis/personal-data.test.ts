/**
 * A person's data goes through everything that a process does with it, and through everything that goes
 * wrong with it; no log line at any level has it, and the API shows it to those alone who work on items.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Queue } from "bullmq";
import type { FastifyInstance } from "fastify";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { eventSchemas } from "../../machines/order-item/events.ts";
import { definitions } from "../../machines/registry.ts";
import type { Config } from "../../src/config.ts";
import type { Scope } from "../../src/core/grant.ts";
import type { Reading } from "../../src/engine/reading.ts";
import { newServer } from "../../src/http/server.ts";
import { createLifecycle, type Lifecycle } from "../../src/lifecycle.ts";
import { createLogger, type Logger } from "../../src/logger.ts";
import { openIntakeQueue } from "../../src/queue/intake-queue.ts";
import { CRM_EVENTS } from "../../src/queue/queues.ts";
import { listDeadLetters } from "../../src/store/dead-letter-store.ts";
import { itemPrefix, probeKey } from "../../src/store/keys.ts";
import { readJournal } from "../../src/store/item-store.ts";
import { type RunningWorkers, startWorkers } from "../../workers/main.ts";
import { CANARIES, CANARY, CANARY_NUMBER, NOTE, PERSON } from "../support/canaries.ts";
import { eventually } from "../support/eventually.ts";
import { readingOf } from "../support/http-reading.ts";
import { orderEvent } from "../support/order-item-events.ts";
import { testConfig } from "../support/test-config.ts";
import { startWebhookReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";

const lines: string[] = [];

let config: Config;
let log: Logger;
let lifecycle: Lifecycle;
let market: { readonly server: Server; readonly url: string };
let receiver: WebhookReceiver;
let workers: RunningWorkers;
let queue: Queue;
let redis: Redis;
let reading: Reading;
let scopes: readonly Scope[] = ["admin"];
let app: FastifyInstance;

/** A marketplace that gives back whatever it is sent, in the words of its refusal. */
async function startEcho(): Promise<typeof market> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const said = Buffer.concat(chunks).toString("utf8");
      const account = String(request.headers["x-api-key"]);
      const [, status = "422"] = /^sk-(\d{3})$/.exec(account) ?? [];
      response.writeHead(request.method === "GET" ? 500 : Number(status));
      response.end(JSON.stringify({ message: `No: ${said || CANARY}`, error: CANARY }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${port}` };
}

const ACCOUNTS = ["422", "404", "401", "403", "500", "200"];

beforeAll(async () => {
  const redisUrl = inject("redisUrl");
  receiver = await startWebhookReceiver();
  const refused = new Set<string>();
  receiver.answer = ({ body }) => {
    if (refused.has(body)) return { status: 204 };
    refused.add(body);
    return { status: 400, body };
  };
  config = testConfig(redisUrl, {
    notices: {
      kind: "webhook",
      url: receiver.url,
      secrets: [`whsec_${Buffer.alloc(32, 7).toString("base64")}`],
      to: ["owner", "lead", "customer"],
    },
  });
  log = createLogger("trace", { write: (line) => lines.push(line) });
  lifecycle = createLifecycle({ timeoutMs: 20_000, log });
  market = await startEcho();
  workers = await startWorkers({
    config,
    redisUrl,
    definitions: definitions(),
    accounts: ACCOUNTS.map((status) => ({
      name: `a${status}`,
      apiKey: `sk-${status}`,
      baseUrl: market.url,
      limitPerMinute: null,
      policy: "every",
    })),
    log,
    lifecycle,
  });
  redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  queue = new Queue(CRM_EVENTS, { connection: redis, prefix: config.queuePrefix });
  reading = readingOf(redisUrl, config);
  const { layout } = workers.engine.store;
  const intake = openIntakeQueue({
    redisUrl,
    prefix: config.queuePrefix,
    timeoutMs: 2_000,
    probeKey: probeKey(layout),
  });
  lifecycle.onShutdown("intake", () => intake.close());
  app = newServer({
    keys: {
      hasKeys: async () => true,
      check: async () => ({
        standing: "good",
        grant: { keyId: "k", name: "n", scopes, perMinute: null },
      }),
      permit: async () => ({ outcome: "granted" }),
    },
    queue: intake,
    schemas: eventSchemas(8 * 1024),
    log,
    reading,
    intakeTimeoutMs: 2_000,
    intakeMaxInFlight: 10,
  });
  await live();
}, 30_000);

afterAll(async () => {
  await app.close();
  reading.close();
  await queue.close();
  redis.disconnect();
  await lifecycle.shutdown("test over");
  market.server.closeAllConnections();
  market.server.close();
  await receiver.close();
});

/** All that can go right and wrong with the data of a person. */
async function live(): Promise<void> {
  for (const status of ACCOUNTS) {
    const subject = `i-${status}`;
    const data = { ...PERSON, account: `a${status}` };
    await queue.add("e", orderEvent("order.received", { subject, data }));
    await queue.add("e", orderEvent("order.accepted", { subject, data: { providerNotes: NOTE } }));
  }
  const bad = { ...PERSON, offerName: CANARY_NUMBER, createdAt: CANARY, [CANARY]: 1 };
  await queue.add("e", orderEvent("order.received", { subject: "i-bad", data: bad }));
  const dated = { scheduledFor: CANARY, zone: CANARY, providerNotes: NOTE };
  await queue.add("e", orderEvent("appointment.scheduled", { subject: "i-200", data: dated }));
  await queue.add(
    "e",
    orderEvent("work.started", { subject: "i-422", data: { providerNotes: NOTE } }),
  );
  await queue.add("e", `{"name": "${CANARY}"`);
  await queue.add("e", { specversion: "1.0", who: CANARY });
  await queue.add("e", { ...orderEvent("order.noted"), type: "no.such", data: PERSON });
  const cancelled = { providerNotes: NOTE, cancelledBy: CANARY, origin: "reseller" } as const;
  for (const type of ["appointment.scheduled", "work.started", "order.cancelled"] as const) {
    await queue.add(
      "e",
      orderEvent(type, {
        subject: "i-200",
        data: type === "order.cancelled" ? cancelled : { providerNotes: NOTE },
      }),
    );
  }
  await breakRedis();
  for (const payload of [`{"name": "${CANARY}`, [orderEvent("order.noted"), { data: PERSON }]]) {
    const headers = { authorization: "Bearer k", "content-type": "application/json" };
    await app.inject({ method: "POST", url: "/v1/events", headers, payload });
  }
  const { store } = workers.engine;
  await eventually(
    async () => {
      const blocked = await readJournal(store, "i-422");
      const letters = await listDeadLetters(store, 100);
      const codes = new Set(letters.map(({ problem }) => problem.code));
      const wanted = [
        "PUSH_ITEM_NOT_FOUND",
        "PUSH_UNAUTHORIZED",
        "PUSH_FORBIDDEN",
        "EVENT_NOT_JSON",
      ];
      const missing = wanted.filter((code) => !codes.has(code as never));
      if (missing.length > 0) throw new Error(`no ${missing.join(", ")}`);
      if (!blocked.some(({ kind }) => kind === "delivery")) throw new Error("nothing was pushed");
      if (!lines.some((line) => line.includes("askOperator")))
        throw new Error("no notice was told");
      if (!lines.some((line) => line.includes("job put back"))) throw new Error("no broken commit");
    },
    { timeoutMs: 20_000 },
  );
}

/** A commit fails on a key of another kind, and Redis' client hangs the whole commit onto its error. */
async function breakRedis(): Promise<void> {
  const subject = "i-broken";
  const { layout } = workers.engine.store;
  const key = `${itemPrefix(layout, subject)}j:${subject}`;
  await redis.set(key, CANARY);
  await queue.add("e", orderEvent("order.received", { subject, data: PERSON }));
  await eventually(async () => {
    if (!lines.some((line) => line.includes("job put back"))) throw new Error("not yet");
  });
  await redis.del(key);
}

async function told(url: string, scope: Scope): Promise<string> {
  scopes = [scope];
  const response = await app.inject({ url, headers: { authorization: "Bearer k" } });
  expect({ url, status: response.statusCode }).toEqual({ url, status: 200 });
  return response.body;
}

const PAGES = [
  "/v1/items",
  "/v1/items/i-422",
  "/v1/items/i-200",
  "/v1/items/i-200/journal",
  "/v1/items/i-422/journal",
  "/v1/orders/order-1",
  "/v1/dead-letters",
  "/v1/attention",
];

test("no log line at any level has anything of the person", () => {
  expect(receiver.received.some(({ body }) => CANARIES.test(body))).toBe(true);
  expect(lines.filter((line) => CANARIES.test(line))).toEqual([]);
});

test("no problem repeats what an event's data hold", async () => {
  const letters = await listDeadLetters(workers.engine.store, 100);
  const journals = await Promise.all(
    ["i-200", "i-422", "i-bad"].map((id) => readJournal(workers.engine.store, id)),
  );
  const problems = [...letters, ...journals.flat()].flatMap((each) =>
    "problem" in each ? (each.problem ?? []) : [],
  );
  const ofEvents = problems.filter(({ code }) => !code.startsWith("PUSH_"));
  expect(ofEvents.map(({ code }) => code)).toEqual(expect.arrayContaining(["EVENT_NOT_JSON"]));
  // Its fields' names are the producer's own; what it put into them is not told.
  const said = ofEvents.map(({ message }) => message.replace(/Unrecognized key: "[^"]*"/g, ""));
  expect(said.filter((message) => CANARIES.test(message))).toEqual([]);
});

describe("the API", () => {
  test.each(PAGES)("%s tells nothing of the person to a key that only reads", async (url) => {
    expect(await told(url, "items:read")).not.toMatch(CANARIES);
  });

  test.each(["items:operate", "admin"] as const)("tells all to %s", async (scope) => {
    for (const url of ["/v1/items/i-422", "/v1/items/i-200/journal", "/v1/dead-letters"]) {
      expect(await told(url, scope)).toMatch(CANARIES);
    }
  });

  test("hides no more than what tells of the person", async () => {
    const all = JSON.parse(await told("/v1/items/i-422/journal", "admin")) as unknown;
    const shown = JSON.parse(await told("/v1/items/i-422/journal", "items:read")) as unknown;
    const paths = hiddenPaths(all, shown).map((path) =>
      path.replace(/^.*\.(\w*(?:Info|Address)|metadata)\..*$/, "$1").replace(/^.*\./, ""),
    );
    expect([...new Set(paths)].toSorted()).toEqual([
      "answer",
      "customerInfo",
      "metadata",
      "notes",
      "providerNotes",
      "serviceAddress",
    ]);
  });
});

function hiddenPaths(all: unknown, shown: unknown, path = ""): string[] {
  if (typeof all !== "object" || all === null) return all === shown ? [] : [path];
  return Object.entries(all).flatMap(([name, each]) => {
    const at = Array.isArray(all) ? path : `${path}.${name}`;
    return hiddenPaths(each, (shown as Record<string, unknown>)[name], at);
  });
}
