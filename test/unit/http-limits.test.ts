/** What every answer carries, and what a request may be at most. */
import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { eventSchemas } from "../../machines/order-item/events.ts";
import { newServer, type ServerOptions, startHttpServer } from "../../src/http/server.ts";
import { createLogger } from "../../src/logger.ts";
import { OPEN_DOOR } from "../support/open-door.ts";
import { orderEvent } from "../support/order-item-events.ts";

const OPTIONS: ServerOptions = {
  keys: OPEN_DOOR,
  queue: { add: async () => undefined, probe: async () => undefined },
  schemas: eventSchemas(8 * 1024),
  log: createLogger("silent"),
  intakeTimeoutMs: 5_000,
  intakeMaxInFlight: 10,
};

const SAFE = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

/** One request as bytes, and the whole answer to it. */
async function raw(text: string): Promise<string> {
  const { url, close } = await startHttpServer(OPTIONS, { host: "127.0.0.1", port: 0 });
  onTestFinished(close);
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.end(text);
  let answer = "";
  socket.on("data", (chunk) => (answer += chunk.toString()));
  await once(socket, "close");
  return answer;
}

describe("every answer", () => {
  const json = { "content-type": "application/json" };
  test.each<[string, number, object]>([
    ["an event that is taken", 202, { payload: orderEvent("order.received") }],
    ["an event that is refused", 422, { payload: { no: "event" } }],
    ["no JSON", 400, { payload: "{", headers: json }],
    ["another media type", 415, { payload: "x", headers: { "content-type": "text/plain" } }],
    ["nobody's request", 401, { remoteAddress: "203.0.113.9", payload: {} }],
    ["a path that is not there", 404, { url: "/no/such" }],
    ["an address that is no text", 400, { url: "/%zz" }],
  ])(
    "to %s (%i) is for no cache, no frame and no browser to run",
    async (_what, status, request) => {
      const app = newServer(OPTIONS);
      onTestFinished(() => app.close());
      const response = await app.inject({ method: "POST", url: "/v1/events", ...request });
      expect(response.statusCode).toBe(status);
      expect(response.headers).toMatchObject({
        ...SAFE,
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      });
    },
  );

  test("of what is public may be cached, and the page for people may have its style", async () => {
    const app = newServer(OPTIONS);
    onTestFinished(() => app.close());
    const health = await app.inject({ url: "/healthz" });
    expect(health.headers).toMatchObject(SAFE);
    expect(health.headers).not.toHaveProperty("cache-control");
    const { headers } = await app.inject({ url: "/docs" });
    expect(headers).toMatchObject(SAFE);
    const policy = String(headers["content-security-policy"]);
    expect(policy).toMatch(/default-src 'none'; style-src 'sha256-/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("script-src");
  });
});

describe("a request", () => {
  test("of more than 16 KiB of headers is answered with 431, and read no further", async () => {
    const answer = await raw(
      `GET /healthz HTTP/1.1\r\nhost: a\r\nx: ${"x".repeat(17_000)}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain("content-type: application/problem+json");
    expect(answer).toContain("x-content-type-options: nosniff");
    expect(answer).toContain('"status":431');
  });

  test("that is no HTTP is answered with 400, and not repeated", async () => {
    const answer = await raw("s3cret nonsense\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).not.toContain("s3cret");
  });

  test.each([
    ["101 levels", 101],
    ["a million", 1_000_000],
  ])("nested %s deep is refused, whatever it holds", async (_what, levels) => {
    const app = newServer(OPTIONS);
    onTestFinished(() => app.close());
    const nested = `${"[".repeat(levels)}${"]".repeat(levels)}`;
    const event = JSON.stringify({ ...orderEvent("order.received"), data: "#" });
    const response = await app.inject({
      method: "POST",
      url: "/v1/events",
      headers: { "content-type": "application/json" },
      payload: event.replace('"#"', nested),
    });
    expect(response.statusCode).toBe(422);
    expect(response.json()).toMatchObject({ code: "EVENT_INVALID" });
  });
});
