import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type OffergridClient, openOffergridClient } from "../../src/offergrid/offergrid-client.ts";

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

interface Options {
  readonly timeoutMs?: number;
  readonly connections?: number;
}

async function connectTo(listener: RequestListener, options: Options = {}) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opened.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return open(`http://127.0.0.1:${port}/v1/`, options);
}

function open(baseUrl: string, options: Options = {}): OffergridClient {
  const client = openOffergridClient({ baseUrl, apiKey: "k1", ...options });
  opened.push(client.close);
  return client;
}

test("a PATCH carries the key, the effect's identity and the update, and answers in full", async () => {
  const seen: { request: IncomingMessage; body: string }[] = [];
  const client = await connectTo((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      seen.push({ request, body });
      response.setHeader("x-ratelimit-remaining", "3").end('{"status":"accepted"}');
    });
  });
  const reply = await client.patchStatus(
    "i/7 ü",
    { status: "accepted", providerNotes: "Zoë" },
    { idempotencyKey: "ü:12" },
  );
  expect(reply).toEqual({
    kind: "response",
    status: 200,
    body: { status: "accepted" },
    rateLimit: { remaining: 3 },
  });
  expect(seen[0]?.request).toMatchObject({
    method: "PATCH",
    url: "/v1/provider/orders/i%2F7%20%C3%BC/status",
    headers: {
      "x-api-key": "k1",
      "content-type": "application/json",
      "idempotency-key": "%C3%BC:12",
    },
  });
  expect(JSON.parse(seen[0]?.body ?? "")).toEqual({ status: "accepted", providerNotes: "Zoë" });
});

test("an error is an answer, and a body beyond 64 KiB is cut", async () => {
  const client = await connectTo((_request, response) => {
    response.writeHead(502).end("x".repeat(1024 * 1024));
  });
  const reply = await client.getItem("i7");
  expect(reply).toMatchObject({ kind: "response", status: 502, body: "x".repeat(64 * 1024) });
});

test("a refused connection is known not to have been sent", async () => {
  const client = open("http://127.0.0.1:1");
  expect(await client.getItem("i7")).toMatchObject({ reason: "connection", sent: false });
});

test("a connection that breaks after the request was sent may have been acted on", async () => {
  const client = await connectTo((request) => request.socket.destroy());
  expect(await client.getItem("i7")).toMatchObject({ reason: "connection", sent: true });
});

test("an answer that breaks off is no answer", async () => {
  const client = await connectTo((request, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("{", () => request.socket.destroy());
  });
  expect(await client.getItem("i7")).toMatchObject({ reason: "connection", sent: true });
});

test("an answer that drips past the deadline is a time-out", async () => {
  const client = await connectTo((_request, response) => response.write("{"), { timeoutMs: 60 });
  expect(await client.getItem("i7")).toMatchObject({ reason: "timeout", sent: true });
});

test("a call given up in the queue is never sent, not even later", async () => {
  const paths: (string | undefined)[] = [];
  const replies: (() => void)[] = [];
  let reached = (): void => {};
  const firstReached = new Promise<void>((resolve) => (reached = resolve));
  const client = await connectTo(
    (request, response) => {
      paths.push(request.url);
      if (paths.length === 1) replies.push(() => response.end("{}"));
      else response.end("{}");
      reached();
    },
    { connections: 1 },
  );
  const first = client.getItem("first");
  await firstReached;
  const caller = new AbortController();
  const second = client.getItem("second", { signal: caller.signal });
  caller.abort();
  expect(await second).toMatchObject({ reason: "aborted", sent: false });
  replies[0]?.();
  expect(await first).toMatchObject({ status: 200 });
  expect(await client.getItem("third")).toMatchObject({ status: 200 });
  expect(paths).toEqual(["/v1/provider/orders/first", "/v1/provider/orders/third"]);
});

test("a push that comes too late once it has a connection is not sent", async () => {
  const methods: (string | undefined)[] = [];
  const replies: (() => void)[] = [];
  let reached = (): void => {};
  const firstReached = new Promise<void>((resolve) => (reached = resolve));
  const client = await connectTo(
    (request, response) => {
      methods.push(request.method);
      replies.push(() => response.end("{}"));
      reached();
    },
    { connections: 1 },
  );
  const first = client.getItem("first");
  await firstReached;
  let isHeld = true;
  const options = { idempotencyKey: "i7:1:0", mayStillSend: () => isHeld };
  const push = client.patchStatus("i7", { status: "accepted" }, options);
  isHeld = false;
  replies[0]?.();
  expect(await first).toMatchObject({ status: 200 });
  expect(await push).toMatchObject({ reason: "aborted", sent: false });
  expect(methods).toEqual(["GET"]);
});

test("an aborted call that was sent may have been acted on", async () => {
  const caller = new AbortController();
  const client = await connectTo(() => caller.abort());
  const reply = await client.getItem("i7", { signal: caller.signal });
  expect(reply).toMatchObject({ reason: "aborted", sent: true });
});

test("a closed client answers that nothing was sent", async () => {
  const client = openOffergridClient({ baseUrl: "http://127.0.0.1:1", apiKey: "k1" });
  await client.close();
  expect(await client.getItem("i7")).toMatchObject({ reason: "connection", sent: false });
});

test("a key or a URL that no request can be made with stops the start, without showing the key", () => {
  const key = (): unknown => openOffergridClient({ baseUrl: "http://x", apiKey: "secret\n" });
  expect(key).toThrow(/^CONFIG_INVALID/);
  expect(key).not.toThrow(/secret/);
  expect(() => openOffergridClient({ baseUrl: "api.offergrid.io", apiKey: "k" })).toThrow(
    /CONFIG_INVALID/,
  );
});
