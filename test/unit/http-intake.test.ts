/** Every answer of the intake, on a queue that does as it is told. */
import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { eventSchemas } from "../../machines/order-item/events.ts";
import { ACKNOWLEDGED } from "../../src/core/clock-event.ts";
import { readEvent } from "../../src/core/read-event.ts";
import { newServer, type ServerOptions, startHttpServer } from "../../src/http/server.ts";
import { createLogger } from "../../src/logger.ts";
import type { NewJob } from "../../src/queue/producer.ts";
import { OPEN_DOOR } from "../support/open-door.ts";
import { orderEvent } from "../support/order-item-events.ts";

const DEFAULTS = {
  keys: OPEN_DOOR,
  schemas: eventSchemas(8 * 1024),
  intakeTimeoutMs: 5_000,
  intakeMaxInFlight: 10,
};

function setUp(options: Partial<ServerOptions> = {}) {
  const jobs: NewJob[] = [];
  const adds: number[] = [];
  const lines: string[] = [];
  const log = createLogger("debug", { write: (line) => lines.push(line) });
  const queue = {
    add: async (added: readonly NewJob[]) => {
      adds.push(added.length);
      jobs.push(...added);
    },
    probe: async () => undefined,
  };
  const app = newServer({ ...DEFAULTS, queue, log, ...options });
  onTestFinished(() => app.close());
  return { app, jobs, adds, lines };
}

async function post(
  app: FastifyInstance,
  body: unknown,
  type = "application/json",
): Promise<LightMyRequestResponse> {
  const payload = typeof body === "string" ? body : JSON.stringify(body);
  return app.inject({
    method: "POST",
    url: "/v1/events",
    headers: { "content-type": type },
    payload,
  });
}

function expectProblem(response: LightMyRequestResponse, status: number, code?: string): void {
  expect(response.statusCode).toBe(status);
  expect(response.headers["content-type"]).toContain("application/problem+json");
  const type = code === undefined ? "about:blank" : `urn:orderwright:problem:${code}`;
  const problem = response.json<Readonly<Record<string, unknown>>>();
  expect(problem).toMatchObject({ status, type });
  expect(problem["code"]).toBe(code);
  expect(problem["title"]).toMatch(/^\w/);
  expect(problem["detail"]).toMatch(/^\w.{20}/);
}

const FAULTY = { ...orderEvent("order.accepted"), id: "faulty", data: {} };

describe("what is taken", () => {
  test.each([
    "application/json",
    "application/json; charset=utf-8",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
  ])("an event as %s is answered with 202 and is the job's data", async (type) => {
    const { app, jobs } = setUp();
    const event = orderEvent("order.received");
    const response = await post(app, event, type);
    expect(response.statusCode).toBe(202);
    const { id, source, subject } = event;
    expect(response.json()).toEqual({ results: [{ id, source, subject, outcome: "accepted" }] });
    expect(jobs).toEqual([{ id: expect.any(String), data: event }]);
  });

  test("a batch is one job, and its results stand in the order of the body", async () => {
    const { app, jobs } = setUp();
    const [one, two, three] = ["a", "b", "a"].map((subject) =>
      orderEvent("order.noted", { subject, data: { providerNotes: "Noted." } }),
    );
    const response = await post(app, [one, FAULTY, two, "no event", three]);
    expect(response.statusCode).toBe(202);
    expect(response.json()).toMatchObject({
      results: [
        { id: one?.id, outcome: "accepted" },
        { id: "faulty", outcome: "refused", problem: { code: "EVENT_DATA_INVALID" } },
        { id: two?.id, outcome: "accepted" },
        { outcome: "refused", problem: { code: "EVENT_INVALID" } },
        { id: three?.id, outcome: "accepted" },
      ],
    });
    expect(jobs).toEqual([{ id: expect.any(String), data: [one, three, two] }]);
  });

  test("an event without a time stays without one, so that the worker knows", async () => {
    const { app, jobs } = setUp();
    const { time: _, ...undated } = orderEvent("order.received");
    await post(app, undated);
    expect(jobs[0]?.data).toEqual(undated);
    expect(readEvent(jobs[0]?.data, Date.now())).toMatchObject({ event: { isUndated: true } });
  });

  test("requests of the same moment share a round trip, each with its own job", async () => {
    const { app, jobs, adds } = setUp();
    await app.ready();
    const events = ["a", "b", "c"].map((subject) => orderEvent("order.received", { subject }));
    const responses = await Promise.all(events.map((event) => post(app, event)));
    expect(responses.map(({ statusCode }) => statusCode)).toEqual([202, 202, 202]);
    expect(jobs.map(({ data }) => data)).toEqual(events);
    expect(adds.length).toBeLessThan(3);
  });
});

describe("what is refused", () => {
  test.each<[string, unknown, number, string]>([
    ["a faulty event", FAULTY, 422, "EVENT_DATA_INVALID"],
    ["an event of a type nobody knows", { ...FAULTY, type: "no.such" }, 422, "EVENT_TYPE_UNKNOWN"],
    ["what operators alone say", { ...FAULTY, type: ACKNOWLEDGED }, 422, "EVENT_TYPE_RESERVED"],
    ["what is no event", "7", 422, "EVENT_INVALID"],
    ["an event of 65 KiB", { ...FAULTY, data: "x".repeat(65 * 1024) }, 413, "EVENT_TOO_LARGE"],
    ["an empty batch", [], 422, "EVENT_BATCH_TOO_LARGE"],
    ["a batch of 101", Array.from({ length: 101 }, () => FAULTY), 413, "EVENT_BATCH_TOO_LARGE"],
    ["a body of 7 MB", "1".repeat(7_000_000), 413, "EVENT_TOO_LARGE"],
    ["half a document", '{"specversion":', 400, "EVENT_NOT_JSON"],
    ["nothing", "", 400, "EVENT_NOT_JSON"],
  ])("%s", async (_what, body, ...problem) => {
    const { app, jobs } = setUp();
    expectProblem(await post(app, body), ...problem);
    expect(jobs).toEqual([]);
  });

  test("a batch without a valid event, with a result for each", async () => {
    const { app, jobs } = setUp();
    const response = await post(app, [FAULTY, { subject: "item-1" }]);
    expectProblem(response, 422, "EVENT_DATA_INVALID");
    expect(response.json()).toMatchObject({
      results: [
        { id: "faulty", problem: { code: "EVENT_DATA_INVALID" } },
        { subject: "item-1", problem: { code: "EVENT_INVALID" } },
      ],
    });
    expect(jobs).toEqual([]);
  });

  test("another content type than JSON, and a path that is not there", async () => {
    const { app } = setUp();
    const typed = await post(app, FAULTY, "text/plain");
    expectProblem(typed, 415, "EVENT_NOT_JSON");
    const lost = await app.inject({ method: "GET", url: "/v1/nothing?x=1" });
    expectProblem(lost, 404);
    expect(lost.json()).toMatchObject({ detail: "There is no GET /v1/nothing." });
  });
});

describe("while the queue takes nothing", () => {
  test("a refused add is a 503 that says when to come back, and two lines of log in all", async () => {
    let isAway = true;
    const add = async (): Promise<void> => {
      if (isAway) throw new Error("OOM command not allowed");
    };
    const { app, lines } = setUp({ queue: { add, probe: add } });
    for (const _ of [1, 2, 3]) {
      const response = await post(app, orderEvent("order.received"));
      expectProblem(response, 503, "INTAKE_UNAVAILABLE");
      expect(response.headers["retry-after"]).toBe("1");
    }
    const unready = await app.inject({ url: "/readyz" });
    expectProblem(unready, 503, "INTAKE_UNAVAILABLE");
    isAway = false;
    expect((await post(app, orderEvent("order.received"))).statusCode).toBe(202);
    expect((await app.inject({ url: "/readyz" })).statusCode).toBe(200);
    const told = lines.map((line) => JSON.parse(line) as { level: string; msg: string });
    expect(told.filter(({ level }) => level !== "debug").map(({ msg }) => msg)).toEqual([
      "event queue did not take events; clients are sent away",
      "event queue takes events again",
    ]);
  });

  test("an add without an answer is a 503 after the time limit, and is not made again", async () => {
    const added: NewJob[] = [];
    let answer: () => void = () => undefined;
    const add = async (jobs: readonly NewJob[]): Promise<void> => {
      added.push(...jobs);
      await new Promise<void>((resolve) => (answer = resolve));
    };
    const probe = async (): Promise<void> => undefined;
    const { app } = setUp({ queue: { add, probe }, intakeTimeoutMs: 50 });
    // Two round trips are under way, so that the third request's has not begun when its time is over.
    for (const subject of ["a", "b", "c"]) {
      const response = await post(app, orderEvent("order.received", { subject }));
      expectProblem(response, 503, "INTAKE_UNAVAILABLE");
    }
    answer();
    await app.close();
    expect(added).toHaveLength(2);
  });

  test("one more than the requests that may be under way is sent away at once", async () => {
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const add = vi.fn<() => Promise<void>>(async () => answered);
    const probe = async (): Promise<void> => undefined;
    const { app } = setUp({ queue: { add, probe }, intakeMaxInFlight: 2 });
    const held = [1, 2].map(() => post(app, orderEvent("order.received")));
    await vi.waitFor(() => expect(add).toHaveBeenCalled());
    expectProblem(await post(app, orderEvent("order.received")), 503, "INTAKE_UNAVAILABLE");
    answer();
    expect((await Promise.all(held)).map(({ statusCode }) => statusCode)).toEqual([202, 202]);
    expect((await post(app, orderEvent("order.received"))).statusCode).toBe(202);
  });
});

test("nothing of an event is logged", async () => {
  const { app, lines } = setUp();
  const secret = "s3cret";
  await post(app, { ...orderEvent("order.received"), id: secret });
  await post(app, { ...FAULTY, source: secret, data: { secret } });
  await post(app, `{"${secret}`);
  expect(lines.join("")).not.toContain(secret);
});

test("closing finishes the requests in hand, and does not wait for their connections", async () => {
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  const add = vi.fn<() => Promise<void>>(async () => answered);
  const queue = { add, probe: async () => undefined };
  const options = { ...DEFAULTS, queue, log: createLogger("silent") };
  const { url, close } = await startHttpServer(options, { host: "127.0.0.1", port: 0 });
  const inHand = fetch(`${url}/v1/events`, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "keep-alive" },
    body: JSON.stringify(orderEvent("order.received")),
  });
  await vi.waitFor(() => expect(add).toHaveBeenCalled());
  const closed = close();
  answer();
  expect((await inHand).status).toBe(202);
  await closed;
  await expect(fetch(`${url}/healthz`)).rejects.toThrow("fetch failed");
});

test("a port that is taken is told with the way to another", async () => {
  const queue = { add: async () => undefined, probe: async () => undefined };
  const options = { ...DEFAULTS, queue, log: createLogger("silent") };
  const { url, close } = await startHttpServer(options, { host: "127.0.0.1", port: 0 });
  onTestFinished(close);
  const port = Number(new URL(url).port);
  await expect(startHttpServer(options, { host: "127.0.0.1", port })).rejects.toThrow(
    /^CONFIG_INVALID: .* in use.*ORDERWRIGHT_HTTP_PORT/,
  );
});
