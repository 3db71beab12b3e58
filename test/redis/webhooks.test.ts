/**
 * The rules of consuming webhooks, C1 to C12, through a real server, queue, worker and marketplace. The
 * signatures' own vectors are in test/unit/intake-signatures.test.ts; C13, the listing of the marketplace, is
 * in test/redis/reconcile.test.ts.
 */
import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { loadConfig } from "../../src/config.ts";
import type { Reading } from "../../src/engine/reading.ts";
import { letterOf, redrive } from "../../src/engine/redrive.ts";
import { type HttpServer, startHttpServer } from "../../src/http/server.ts";
import { adaptersOf } from "../../src/intake/webhooks.ts";
import { verifyOffergridWebhook } from "../../src/offergrid/webhook-signature.ts";
import { type IntakeQueue, openIntakeQueue } from "../../src/queue/intake-queue.ts";
import { type Harness, startHarness } from "../support/engine-harness.ts";
import { eventually } from "../support/eventually.ts";
import { isUp, readingOf, serverOptions } from "../support/http-reading.ts";
import { type OrderEvent, orderEvent } from "../support/order-item-events.ts";
import { signedHeaders, webhooks } from "../support/webhook-delivery.ts";

const EVENTS_SECRET = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const CLIENT_SECRET = "the client secret of our app";
const MARKET_SECRET = "the marketplace's secret";
const TARGET_URL = "https://orders.example.com/webhooks/hubspot";
const DAY_MS = 86_400_000;

const SOURCES = {
  events: {
    kind: "cloudevents",
    authentication: { kind: "standard-webhooks", secrets: [EVENTS_SECRET] },
  },
  hubspot: {
    kind: "hubspot",
    clientSecrets: [CLIENT_SECRET],
    targetUrl: TARGET_URL,
    subject: "{propertyValue}",
    ownChanges: [{ sourceId: "25681700" }],
    events: [
      {
        on: { propertyName: "accepted_item" },
        type: "order.accepted",
        data: { providerNotes: { value: "We will call within 24 hours to set a date." } },
      },
    ],
  },
  offergrid: { kind: "offergrid", secrets: [MARKET_SECRET] },
};

let engine: Harness;
let reading: Reading;
let queue: IntakeQueue;
let server: HttpServer;

beforeAll(async () => {
  const redisUrl = inject("redisUrl");
  engine = await startHarness({ redisUrl });
  reading = readingOf(redisUrl, engine.config);
  queue = openIntakeQueue({
    redisUrl,
    prefix: engine.config.queuePrefix,
    timeoutMs: 2_000,
    probeKey: `${engine.config.keyPrefix}:probe`,
  });
  const adapters = adaptersOf(webhooks(SOURCES), { verifyOffergrid: verifyOffergridWebhook });
  server = await startHttpServer(
    { ...serverOptions(reading), queue, webhooks: adapters, intakeMaxInFlight: 100 },
    { host: "127.0.0.1", port: 0 },
  );
  await isUp(async () => (await fetch(`${server.url}/v1/policy`)).status);
  await isUp(async () => (await fetch(`${server.url}/readyz`)).status);
});

afterAll(async () => {
  await server.close();
  await queue.close();
  reading.close();
  await engine.stop();
});

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function post(
  name: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  const response = await fetch(`${server.url}/webhooks/${name}`, { method: "POST", headers, body });
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

let sent = 0;

async function postEvents(body: OrderEvent | readonly OrderEvent[], atMs = Date.now()) {
  const text = JSON.stringify(body);
  sent += 1;
  return post(
    "events",
    text,
    signedHeaders(text, { id: `msg_${sent}`, secret: EVENTS_SECRET, atMs }),
  );
}

async function postHubspot(changes: readonly object[]): Promise<Answer> {
  const text = JSON.stringify(changes);
  const timestamp = String(Date.now());
  const signature = createHmac("sha256", CLIENT_SECRET)
    .update(`POST${TARGET_URL}${text}${timestamp}`)
    .digest("base64");
  return post("hubspot", text, {
    "content-type": "application/json",
    "x-hubspot-signature-v3": signature,
    "x-hubspot-request-timestamp": timestamp,
  });
}

async function postMarketplace(body: object): Promise<Answer> {
  const text = JSON.stringify(body);
  const timestamp = String(Math.floor(Date.now() / 1000));
  const hmac = createHmac("sha256", MARKET_SECRET).update(`${timestamp}.${text}`);
  return post("offergrid", text, {
    "x-offergrid-signature": hmac.digest("hex"),
    "x-offergrid-timestamp": timestamp,
  });
}

function accepted(item: string, change: object = {}): object {
  return {
    eventId: 1,
    subscriptionId: 2,
    portalId: 3,
    occurredAt: Date.parse("2026-03-05T00:00:00Z"),
    subscriptionType: "object.propertyChange",
    attemptNumber: 0,
    objectId: 4,
    propertyName: "accepted_item",
    propertyValue: item,
    changeSource: "CRM_UI",
    sourceId: "userId:5",
    ...change,
  };
}

const received = (subject: string, orderId = "order-1") =>
  orderEvent("order.received", { subject, data: { orderId } });

async function outcomes(itemId: string): Promise<readonly string[]> {
  const journal = await engine.journal(itemId);
  return journal.flatMap((entry) =>
    entry.kind === "event" ? [`${entry.event.type} ${entry.outcome}`] : [],
  );
}

/** Waits until the item's journal says so. */
async function hasOutcomes(itemId: string, expected: readonly string[]): Promise<void> {
  await eventually(async () => expect(await outcomes(itemId)).toEqual(expected));
}

async function deadLetters(): Promise<readonly { readonly id: string; readonly code: string }[]> {
  const response = await fetch(`${server.url}/v1/dead-letters`);
  const { letters } = (await response.json()) as {
    readonly letters: readonly {
      readonly id: string;
      readonly problem: { readonly code: string };
    }[];
  };
  return letters.map(({ id, problem }) => ({ id, code: problem.code }));
}

describe("C1: only the very bytes that were signed are taken", () => {
  test("and a replay outside the window is not, though its signature is right", async () => {
    const text = JSON.stringify(received("c1"));
    const headers = signedHeaders(text, { id: "m", secret: EVENTS_SECRET, atMs: Date.now() });
    expect((await post("events", text.replace("c1", "c2"), headers)).status).toBe(401);
    expect((await postEvents(received("c1"), Date.now() - 301_000)).status).toBe(401);
    expect((await postEvents(received("c1"), Date.now() + 301_000)).status).toBe(401);
    expect((await postEvents(received("c1"))).status).toBe(200);
    await hasOutcomes("c1", ["order.received applied"]);
    expect(await engine.actor("c2")).toBeUndefined();
  });
});

test("C2: an answer of 2xx does not wait for a worker, and what it says is in the queue", async () => {
  await engine.queue.pause();
  onTestFinished(() => engine.queue.resume());
  expect(await postEvents(received("c2-item"))).toEqual({
    status: 200,
    body: { events: 1, deadLetters: 0, ignored: 0 },
  });
  const waiting = await engine.queue.getJobs(["waiting"]);
  expect(waiting.map(({ data }) => data as unknown)).toMatchObject([{ subject: "c2-item" }]);
  await engine.queue.resume();
  await hasOutcomes("c2-item", ["order.received applied"]);
});

test("C3: what is authentic and malformed is one dead letter that everybody sees, and a retry asks for the source", async () => {
  const before = await deadLetters();
  for (let attemptNumber = 0; attemptNumber < 3; attemptNumber += 1) {
    const answer = await postHubspot([accepted("{", { attemptNumber }), null as never]);
    expect(answer).toEqual({ status: 200, body: { events: 0, deadLetters: 2, ignored: 0 } });
  }
  const known = before.map(({ id }) => id);
  const added = (await deadLetters()).filter(({ id }) => !known.includes(id));
  expect(added).toEqual([
    { id: expect.stringMatching(/^webhook:hubspot:/), code: "EVENT_INVALID" },
    { id: expect.stringMatching(/^webhook:hubspot:/), code: "EVENT_INVALID" },
  ]);
  const { store } = engine.engine;
  const letter = await letterOf(store, added[0]?.id ?? "");
  const enqueue = async (): Promise<void> => undefined;
  expect(await redrive({ store, enqueue, now: Date.now }, letter)).toEqual({
    outcome: "not-whole",
  });
});

test("C3: a forged delivery is 401, and nothing of it is stored", async () => {
  const stored = async () => ({
    letters: await deadLetters(),
    actor: await engine.actor("forged"),
    jobs: await engine.queue.getJobCounts("waiting", "active", "failed", "delayed"),
  });
  const before = await stored();
  for (const name of ["events", "hubspot", "offergrid"]) {
    const { status } = await post(name, JSON.stringify(received("forged")), { "x-a": "b" });
    expect(status).toBe(401);
  }
  expect(await stored()).toEqual(before);
});

test("C4: a HubSpot batch of 100 is 100 events, each of its item, and one faulty one costs no other", async () => {
  const items = Array.from({ length: 99 }, (_, index) => `c4-${index}`);
  await postEvents(items.map((item) => received(item)));
  const changes = [...items, "{faulty}"].map((item, eventId) => accepted(item, { eventId }));
  const { body } = await postHubspot(changes);
  expect(body).toEqual({ events: 99, deadLetters: 1, ignored: 0 });
  await Promise.all(items.map((item) => engine.settled(item, "accepted")));
});

test("C5: a delivery that comes again is applied once, in a new batch and with another attemptNumber", async () => {
  await postEvents(received("c5"));
  await hasOutcomes("c5", ["order.received applied"]);
  await postHubspot([accepted("c5")]);
  await postHubspot([accepted("c5", { attemptNumber: 1 })]);
  await postHubspot([accepted("c5-other"), accepted("c5", { attemptNumber: 2 })]);
  await engine.settled("c5", "accepted");
  const last = orderEvent("order.noted", { subject: "c5", time: "2026-03-06T00:00:00Z" });
  await Promise.all([postEvents(last), postEvents(last), postEvents(last)]);
  await eventually(async () => expect((await outcomes("c5")).at(-1)).toBe("order.noted applied"));
  expect(await outcomes("c5")).toEqual([
    "order.received applied",
    "order.accepted applied",
    "order.noted applied",
  ]);
  expect(engine.seen("c5")).toEqual(["accepted"]);
});

test("C6: an event is known for longer than any sender repeats it: seven days or more", () => {
  expect(loadConfig({}).dedupeForMs).toBeGreaterThanOrEqual(7 * DAY_MS);
});

test("C7: deliveries of one item that come side by side are decided one after the other", async () => {
  await postEvents(received("c7"));
  await hasOutcomes("c7", ["order.received applied"]);
  const notes = Array.from({ length: 20 }, (_, index) =>
    orderEvent("order.noted", { subject: "c7", source: `crm/${index}` }),
  );
  await Promise.all(notes.map((note) => postEvents(note)));
  await eventually(async () => expect((await engine.actor("c7"))?.revision).toBe(21));
  await engine.assertReplays("c7");
});

test("C8: what a source has overtaken by itself is stale, and changes nothing", async () => {
  const late = orderEvent("order.accepted", { subject: "c8", time: "2026-03-05T10:00:00Z" });
  const early = orderEvent("order.noted", { subject: "c8", time: "2026-03-05T09:00:00Z" });
  await postEvents(received("c8"));
  await hasOutcomes("c8", ["order.received applied"]);
  await postEvents(late);
  await engine.settled("c8", "accepted");
  await postEvents(early);
  await hasOutcomes("c8", [
    "order.received applied",
    "order.accepted applied",
    "order.noted stale",
  ]);
  expect(engine.seen("c8")).toEqual(["accepted"]);
});

test("C9: what comes too early waits for its turn, also before its item is known", async () => {
  const [birth, accept, schedule] = [
    received("c9"),
    orderEvent("order.accepted", { subject: "c9" }),
    orderEvent("appointment.scheduled", { subject: "c9" }),
  ];
  await postEvents(schedule);
  await hasOutcomes("c9", ["appointment.scheduled parked"]);
  await postEvents(accept);
  await hasOutcomes("c9", ["appointment.scheduled parked", "order.accepted parked"]);
  await postEvents(birth);
  await engine.settled("c9", "scheduled");
  expect(engine.seen("c9")).toEqual(["accepted", "scheduled"]);
});

test("C10: a source that skips states observes one: the steps between are derived, and the last is pushed", async () => {
  await postEvents(received("c10"));
  await hasOutcomes("c10", ["order.received applied"]);
  const data = {
    status: "in_progress",
    providerNotes: "A technician is on site.",
    scheduledFor: "2031-03-10T13:00:00-07:00",
    metadata: { appointmentWindow: "1-5 PM" },
  };
  await postEvents(orderEvent("status.observed", { subject: "c10", data }));
  await engine.settled("c10", "in_progress");
  expect(engine.seen("c10")).toEqual(["in_progress"]);
});

test("C11: a push that the marketplace has taken without saying so is not made again", async () => {
  const fault = { kind: "500-after", times: 1, match: { itemId: "c11" } } as const;
  engine.sandbox.market.behaviour.faults.push(fault);
  await postEvents(received("c11"));
  await hasOutcomes("c11", ["order.received applied"]);
  await postHubspot([accepted("c11")]);
  await engine.settled("c11", "accepted");
  expect(engine.seen("c11")).toEqual(["accepted"]);
});

test("C12: our own writing that comes back is dropped", async () => {
  await postEvents(received("c12"));
  await hasOutcomes("c12", ["order.received applied"]);
  const own = { changeSource: "INTEGRATION", sourceId: "25681700" };
  const { body } = await postHubspot([accepted("c12", own)]);
  expect(body).toEqual({ events: 0, deadLetters: 0, ignored: 1 });
  expect(await outcomes("c12")).toEqual(["order.received applied"]);
});

describe("an order that the marketplace cancels", () => {
  const webhook = (event: string, data: object) => ({
    id: `evt_${event}_${JSON.stringify(data)}`,
    event,
    timestamp: new Date().toISOString(),
    data,
  });

  test("is cancelled in all of its items, whichever of them is named", async () => {
    const orderId = "order-cancelled";
    for (const itemId of ["oc-1", "oc-2"]) {
      await postMarketplace(webhook("order.created", { orderId, itemId }));
      await hasOutcomes(itemId, ["order.received applied"]);
    }
    const { body } = await postMarketplace(webhook("order.cancelled", { orderId, itemId: "oc-1" }));
    expect(body).toMatchObject({ events: 2 });
    await engine.settled("oc-1", "cancelled");
    await engine.settled("oc-2", "cancelled");
  });

  test("before its item is known waits for the item", async () => {
    const data = { orderId: "order-late", itemId: "oc-3" };
    await postMarketplace(webhook("order.cancelled", data));
    await hasOutcomes("oc-3", ["order.cancelled parked"]);
    await postMarketplace(webhook("order.created", data));
    await engine.settled("oc-3", "cancelled");
    expect(engine.seen("oc-3")).toEqual([]);
  });

  test("without naming an item, and of which none is known, is one dead letter", async () => {
    const cancelled = webhook("order.cancelled", { orderId: "order-unknown" });
    for (let again = 0; again < 3; again += 1) {
      expect((await postMarketplace(cancelled)).body).toMatchObject({ events: 0, deadLetters: 1 });
    }
    const found = (await deadLetters()).filter(({ code }) => code === "ORDER_UNKNOWN");
    expect(found).toHaveLength(1);
  });
});
