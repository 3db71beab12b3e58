/** The client over HTTP, against an API that answers as each test says. No time passes. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type HttpRoadOptions, openHttpRoad } from "../../src/client/http-road.ts";
import type { SentEvent } from "../../src/client/order-item-event.ts";
import { SendError } from "../../src/client/road.ts";
import { type OrderItemEvent, openClient } from "../../src/client.ts";

const EVENT: OrderItemEvent = {
  type: "work.started",
  subject: "item-1",
  source: "crm/test",
  data: {},
};

interface Request {
  readonly url: string;
  readonly events: readonly SentEvent[];
  readonly headers: Headers;
}

type Reply = (request: Request) => Response | Error;

/** An API whose answers are given one after the other; the last one stays. */
function apiThat(...replies: readonly Reply[]) {
  const requests: Request[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    if (typeof input !== "string" || typeof init?.body !== "string") throw new TypeError("no text");
    const request = {
      url: input,
      events: JSON.parse(init.body) as readonly SentEvent[],
      headers: new Headers(init.headers),
    };
    requests.push(request);
    const reply = replies[Math.min(requests.length, replies.length) - 1]?.(request);
    if (reply instanceof Response) return reply;
    throw reply ?? new Error("an API without an answer");
  };
  return { fetch, requests };
}

const accepts: Reply = ({ events }) =>
  Response.json({ results: events.map(() => ({ outcome: "accepted" })) }, { status: 202 });

const says =
  (status: number, headers: Record<string, string> = {}): Reply =>
  () =>
    Response.json({ detail: "Told so." }, { status, headers });

const breaks: Reply = () => new TypeError("fetch failed", { cause: new Error("ECONNRESET") });

/** A road whose time passes only while it waits. */
function road(api: ReturnType<typeof apiThat>, options: Partial<HttpRoadOptions> = {}) {
  const waits: number[] = [];
  let now = 1_000_000;
  const opened = openHttpRoad(
    { url: "http://api.test", ...options, fetch: api.fetch },
    {
      now: () => now,
      random: () => 0.5,
      sleep: async (ms) => {
        waits.push(ms);
        now += ms;
      },
    },
  );
  return { ...opened, waits };
}

function sentEvents(amount: number): SentEvent[] {
  return Array.from({ length: amount }, (_, place) => ({
    specversion: "1.0",
    id: `event-${place}`,
    source: "crm/test",
    type: "work.started",
    subject: "item-1",
    time: "2026-11-24T10:00:00.000Z",
    data: {},
  }));
}

describe("a client over HTTP", () => {
  test("fills in id and time, shows its key, and resolves with the event as it was sent", async () => {
    const api = apiThat(accepts);
    const client = openClient({ url: "https://api.test/orders", apiKey: "ow_1", fetch: api.fetch });
    const sent = await client.send(EVENT);
    expect(sent.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(api.requests).toMatchObject([
      { url: "https://api.test/orders/v1/events", events: [sent] },
    ]);
    expect(api.requests[0]?.headers.get("authorization")).toBe("Bearer ow_1");
  });

  test("a faulty event keeps the whole call from being sent, and names its code", async () => {
    const api = apiThat(accepts);
    const client = openClient({ url: "http://api.test", fetch: api.fetch });
    const faulty: OrderItemEvent = { ...EVENT, type: "work.failed", data: {} };
    await expect(client.sendAll([EVENT, faulty])).rejects.toMatchObject({ code: "REASON_MISSING" });
    expect(api.requests).toEqual([]);
  });

  test("what the API refuses is told with the API's own code", async () => {
    const problem = { code: "METADATA_TOO_LARGE", message: "Too much." };
    const api = apiThat(() =>
      Response.json({ results: [{ outcome: "refused", problem }] }, { status: 422 }),
    );
    const client = openClient({ url: "http://api.test", fetch: api.fetch });
    await expect(client.send(EVENT)).rejects.toMatchObject({ code: "METADATA_TOO_LARGE" });
  });

  test("an address that is none is refused when the client is opened", () => {
    expect(() => openClient({ url: "orders.example.com" })).toThrow(/^CONFIG_INVALID: /);
  });

  test("loads neither bullmq nor ioredis", () => {
    const script = fileURLToPath(new URL("../fixtures/client-without-redis.ts", import.meta.url));
    const output = execFileSync(process.execPath, ["--import", "tsx", script], {
      encoding: "utf8",
    });
    const { before, after } = JSON.parse(output) as { before: string[]; after: string[] };
    expect(before).toEqual([]);
    // The same look finds them once they are loaded.
    expect(after).toContain("bullmq");
    expect(after).toContain("ioredis");
  });
});

describe("batches", () => {
  test("have 100 events each, leave in order, and have one result per event, in order", async () => {
    const api = apiThat(({ events }) => {
      const results = events.map(({ id }) =>
        id === "event-150"
          ? { outcome: "refused", problem: { code: "EVENT_INVALID", message: "No." } }
          : { outcome: "accepted" },
      );
      return Response.json({ results }, { status: 202 });
    });
    const events = sentEvents(250);
    const results = await road(api).send(events);
    expect(api.requests.map((request) => request.events.length)).toEqual([100, 100, 50]);
    expect(api.requests.flatMap((request) => request.events)).toEqual(events);
    expect(results.map(({ event }) => event)).toEqual(events);
    const refused = results.flatMap(({ outcome, event }) =>
      outcome === "refused" ? [event.id] : [],
    );
    expect(refused).toEqual(["event-150"]);
  });

  test("stay below a megabyte, which is what proxies let through", async () => {
    const api = apiThat(accepts);
    const large = sentEvents(40).map((event) => ({ ...event, data: { note: "x".repeat(60_000) } }));
    await road(api).send(large);
    const sizes = api.requests.map(({ events }) => JSON.stringify(events).length);
    expect(Math.max(...sizes)).toBeLessThan(1024 * 1024);
    expect(api.requests.flatMap(({ events }) => events)).toEqual(large);
  });
});

describe("repeats", () => {
  test.each<[string, Reply]>([
    ["a broken connection", breaks],
    ["429", says(429)],
    ["500", says(500)],
    ["503", says(503)],
    ["a proxy's 502", () => new Response("<html>", { status: 502 })],
  ])("follow %s, with the very same events", async (_what, reply) => {
    const api = apiThat(reply, reply, accepts);
    const sender = road(api);
    const [event] = sentEvents(1) as [SentEvent];
    expect(await sender.send([event])).toEqual([{ outcome: "accepted", event }]);
    expect(api.requests.map(({ events }) => events)).toEqual([[event], [event], [event]]);
    expect(sender.waits).toEqual([125, 250]);
  });

  test("wait as long as the API asks, and a little longer", async () => {
    const at = new Date(1_000_000 + 4_000).toUTCString();
    const api = apiThat(
      says(429, { "retry-after": "7" }),
      says(503, { "retry-after": at }),
      accepts,
    );
    const sender = road(api);
    await sender.send(sentEvents(1));
    // By the time of the second answer the moment that it names is past.
    expect(sender.waits).toEqual([7_125, 250]);
  });

  test.each([400, 401, 403, 404, 413, 302])("never follow %i", async (status) => {
    const api = apiThat(says(status));
    await expect(road(api).send(sentEvents(1))).rejects.toMatchObject({
      code: "SEND_REFUSED",
      message: expect.stringContaining(`status ${status}: Told so.`),
    });
    expect(api.requests.length).toBe(1);
  });

  test("end with the call's time; the error has what was answered and the events to send again", async () => {
    const api = apiThat(accepts, breaks);
    const sender = road(api, { deadlineMs: 5_000 });
    const events = sentEvents(201);
    const error = await sender.send(events).catch((thrown: unknown) => thrown);
    if (!(error instanceof SendError)) throw new TypeError("no SendError");
    expect(error).toMatchObject({ code: "INTAKE_UNAVAILABLE" });
    expect(error.message).toContain("ECONNRESET");
    expect(error.results.map(({ event }) => event)).toEqual(events);
    const outcomes = error.results.map(({ outcome }) => outcome);
    expect(outcomes).toEqual([
      ...Array.from({ length: 100 }, () => "accepted"),
      ...Array.from({ length: 101 }, () => "unanswered"),
    ]);
    expect(sender.waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(5_000);
    // Nothing overtakes what has no answer.
    expect(api.requests.some((request) => request.events.length === 1)).toBe(false);
  });

  test("are not tried when the API asks for more time than there is", async () => {
    const api = apiThat(says(503, { "retry-after": "120" }));
    const sender = road(api);
    await expect(sender.send(sentEvents(1))).rejects.toMatchObject({ code: "INTAKE_UNAVAILABLE" });
    expect(sender.waits).toEqual([]);
  });
});
