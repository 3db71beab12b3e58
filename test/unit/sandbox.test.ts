import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { once } from "node:events";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { SandboxOptions } from "../../src/offergrid/sandbox/behaviour.ts";
import { pushReport } from "../../src/offergrid/sandbox/push-report.ts";
import { startSandbox, type Sandbox } from "../../src/offergrid/sandbox/server.ts";

const PROVIDER = "sandbox-provider-key";
const RESELLER = "sandbox-reseller-key";

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function started(options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const sandbox = await startSandbox(options);
  closers.push(() => sandbox.close());
  return sandbox;
}

interface Call {
  readonly method?: string;
  readonly path: string;
  readonly key?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

async function call(sandbox: Sandbox, { method = "GET", path, key, body, headers }: Call) {
  const response = await fetch(sandbox.url + path, {
    method,
    headers: {
      ...(key === undefined ? {} : { "x-api-key": key }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}

/** PATCHes the status of `target`: an item id, or an item id and an idempotency key. */
async function push(sandbox: Sandbox, target: string, body: unknown) {
  const [itemId, idempotencyKey = "k"] = target.split(" ");
  const path = `/provider/orders/${itemId}/status`;
  const headers = { "idempotency-key": idempotencyKey };
  const answer = await call(sandbox, { method: "PATCH", path, key: PROVIDER, body, headers });
  return { ...answer, json: JSON.parse(answer.text) as unknown };
}

function addItem(sandbox: Sandbox, id: string, orderId = `o-${id}`) {
  sandbox.market.add({
    id: orderId,
    reseller: "team-reseller",
    customerInfo: {},
    serviceAddress: {},
    items: [{ id, account: "team-provider", offerId: "off-1", offerName: "Internet" }],
  });
}

const statusOf = (sandbox: Sandbox, id: string) => sandbox.market.items.get(id)?.status;

const ORDER = {
  items: [
    { offerId: "off-internet-1000", id: "i1" },
    { offerId: "off-home-insurance", id: "i2" },
  ],
  customerInfo: { fullName: "John Doe", email: "john@example.com", phone: "+1-555-123-4567" },
  serviceAddress: {
    street: "123 Main St",
    city: "San Francisco",
    state: "CA",
    zipCode: "94102",
    country: "US",
  },
};

describe("orders", () => {
  test("an order becomes one item per service, and the reseller sees what the provider did", async () => {
    const sandbox = await started();
    const body = { ...ORDER, id: "o1" };
    const placed = await call(sandbox, {
      method: "POST",
      path: "/reseller/orders",
      key: RESELLER,
      body,
    });
    expect(placed.status).toBe(201);
    expect(JSON.parse(placed.text)).toMatchObject({
      orderId: "o1",
      items: [{ itemId: "i1", offerId: "off-internet-1000", status: "pending" }, { itemId: "i2" }],
    });

    const update = {
      status: "scheduled",
      providerNotes: "See you",
      scheduledFor: "2030-01-15T13:00:00Z",
      metadata: { appointmentWindow: "1-5 PM" },
    };
    expect((await push(sandbox, "i1", update)).status).toBe(200);

    const seen = await call(sandbox, { path: "/reseller/orders/o1", key: RESELLER });
    expect(JSON.parse(seen.text)).toMatchObject({
      status: "pending",
      items: [
        { itemId: "i1", status: "scheduled", history: [{ status: "pending" }, update] },
        { itemId: "i2", status: "pending" },
      ],
    });
    const listed = await call(sandbox, { path: "/provider/orders?status=pending", key: PROVIDER });
    expect(JSON.parse(listed.text)).toMatchObject([{ id: "i2", customerInfo: ORDER.customerInfo }]);
  });

  test("a bad order is refused with the field that is at fault", async () => {
    const sandbox = await started();
    const items = [{ offerId: "off-internet-1000" }, { offerId: "nobody-sells-this" }];
    const post = { method: "POST", path: "/reseller/orders", key: RESELLER };
    const unknownOffer = await call(sandbox, { ...post, body: { ...ORDER, items } });
    expect(JSON.parse(unknownOffer.text)).toEqual({
      error: "Offer not found or not available to your team",
      field: "items[1].offerId",
    });
    const customerInfo = { ...ORDER.customerInfo, email: "nobody" };
    const badEmail = await call(sandbox, { ...post, body: { ...ORDER, customerInfo } });
    expect(JSON.parse(badEmail.text)).toEqual({
      error: "Invalid email format",
      field: "customerInfo.email",
    });
    expect(sandbox.market.items.size).toBe(0);
  });

  test.each([
    ["pre-acceptance", 400, ["active", "accepted", "pending"]],
    ["until-completed", 200, ["active", "cancelled", "cancelled"]],
  ] as const)(
    "with cancel window %s an accepted order's cancel gets %i",
    async (cancelWindow, code, left) => {
      const sandbox = await started({ cancelWindow });
      for (const id of ["done", "taken", "new"]) addItem(sandbox, id, "o1");
      await push(sandbox, "done", { status: "active" });
      await push(sandbox, "taken", { status: "accepted" });
      const cancel = { method: "PATCH", path: "/reseller/orders/o1/cancel", key: RESELLER };
      const answer = await call(sandbox, { ...cancel, body: { reason: "Moved away" } });
      expect(answer.status).toBe(code);
      expect(["done", "taken", "new"].map((id) => statusOf(sandbox, id))).toEqual(left);
    },
  );
});

describe("access", () => {
  test("a key that is missing or of the wrong role, and an item of another team, are refused as documented", async () => {
    const sandbox = await started({
      teams: [
        { id: "team-provider", role: "provider", key: PROVIDER },
        { id: "other", role: "hybrid", key: "other-key" },
        { id: "team-reseller", role: "reseller", key: RESELLER },
      ],
    });
    addItem(sandbox, "i1");
    const path = "/provider/orders/i1";
    expect(JSON.parse((await call(sandbox, { path })).text)).toEqual({
      statusCode: 401,
      message: "Unauthorized - invalid API key",
      error: "Unauthorized",
    });
    expect(JSON.parse((await call(sandbox, { path, key: RESELLER })).text)).toEqual({
      statusCode: 403,
      message: "Forbidden - Provider role required",
      error: "Forbidden",
    });
    expect((await call(sandbox, { path, key: "other-key" })).status).toBe(404);
    expect((await call(sandbox, { path, key: PROVIDER })).status).toBe(200);
  });

  test("beyond the limit a key gets 429 with the hint where it was asked for", async () => {
    const sandbox = await started({ limitPerMinute: 2, retryAfterIn: "both" });
    const list = { path: "/provider/orders", key: PROVIDER };
    expect((await call(sandbox, list)).headers.get("x-ratelimit-remaining")).toBe("1");
    await call(sandbox, list);
    const limited = await call(sandbox, list);
    expect(limited.status).toBe(429);
    const body = JSON.parse(limited.text) as { retryAfter: number };
    expect(body.retryAfter).toBeGreaterThan(0);
    expect(limited.headers.get("retry-after")).toBe(String(body.retryAfter));
    expect((await call(sandbox, { path: "/reseller/orders", key: RESELLER })).status).toBe(200);
  });
});

describe("status pushes", () => {
  test("a body that is no UpdateItemStatusDto is refused, logged and not applied", async () => {
    const sandbox = await started();
    addItem(sandbox, "i1");
    const bodies = [
      "{",
      {},
      { status: "done" },
      { status: "accepted", scheduledFor: "Tuesday" },
      { status: "accepted", note: "x" },
    ];
    for (const body of bodies) {
      expect((await push(sandbox, "i1", body)).json).toMatchObject({
        statusCode: 400,
        error: "Bad Request",
      });
    }
    expect(sandbox.market.log).toHaveLength(bodies.length);
    expect(sandbox.market.log.every((entry) => !entry.applied && entry.answer === 400)).toBe(true);
    sandbox.market.behaviour.unknownKeys = "ignore";
    expect((await push(sandbox, "i1", { status: "accepted", note: "x" })).status).toBe(200);
  });

  test.each([
    ["accept", 200, 3],
    ["refuse409", 409, 2],
    ["ignore", 200, 2],
  ] as const)(
    "the same status again, under %s, gets %i",
    async (sameStatusPatch, code, entries) => {
      const sandbox = await started({ sameStatusPatch });
      addItem(sandbox, "i1");
      await push(sandbox, "i1", { status: "accepted" });
      expect(
        (await push(sandbox, "i1", { status: "accepted", providerNotes: "again" })).status,
      ).toBe(code);
      expect(sandbox.market.items.get("i1")?.history).toHaveLength(entries);
    },
  );

  test("illegal steps are taken, unless transitions are checked", async () => {
    const sandbox = await started();
    addItem(sandbox, "i1");
    addItem(sandbox, "i2");
    expect((await push(sandbox, "i1", { status: "active" })).status).toBe(200);
    Object.assign(sandbox.market.behaviour, {
      transitionChecks: "seed",
      illegalTransitionStatus: 422,
    });
    expect((await push(sandbox, "i2", { status: "active" })).status).toBe(422);
    expect(statusOf(sandbox, "i2")).toBe("pending");
  });

  test("an unknown item is 404, or is adopted", async () => {
    const sandbox = await started();
    expect((await push(sandbox, "new", { status: "accepted" })).status).toBe(404);
    sandbox.market.behaviour.adoptUnknownItems = true;
    expect((await push(sandbox, "new", { status: "accepted" })).status).toBe(200);
    expect(statusOf(sandbox, "new")).toBe("accepted");
  });

  test("the log keeps its newest entries", async () => {
    const sandbox = await started({ logLimit: 3 });
    addItem(sandbox, "i1");
    for (const key of ["a", "b", "c", "d"])
      await push(sandbox, `i1 ${key}`, { status: "accepted" });
    expect(sandbox.market.log.map((entry) => entry.idempotencyKey)).toEqual(["b", "c", "d"]);
    expect(sandbox.market.counters.patches).toBe(4);
  });
});

describe("faults", () => {
  test.each([
    ["429", 429, "pending"],
    ["500-before", 500, "pending"],
    ["500-after", 500, "accepted"],
    ["slow", 200, "accepted"],
    ["404", 404, "pending"],
    ["401", 401, "pending"],
    ["403", 403, "pending"],
  ] as const)("%s answers %i and leaves the item %s", async (kind, code, left) => {
    const sandbox = await started({ faults: [{ kind, times: 1, delayMs: 1 }] });
    addItem(sandbox, "i1");
    expect((await push(sandbox, "i1", { status: "accepted" })).status).toBe(code);
    expect(statusOf(sandbox, "i1")).toBe(left);
    expect((await push(sandbox, "i1", { status: "accepted" })).status).toBe(200);
  });

  test.each([
    ["reset-before", "pending", "fetch failed"],
    ["reset-after", "accepted", "fetch failed"],
    ["malformed", "accepted", "JSON"],
  ] as const)("%s leaves the item %s and the client with: %s", async (kind, left, failure) => {
    const sandbox = await started({ faults: [{ kind }] });
    addItem(sandbox, "i1");
    await expect(push(sandbox, "i1", { status: "accepted" })).rejects.toThrow(failure);
    expect(statusOf(sandbox, "i1")).toBe(left);
  });

  test("a cancel race cancels first, and the PATCH meets a cancelled item", async () => {
    const sandbox = await started({ transitionChecks: "seed", faults: [{ kind: "cancel-race" }] });
    addItem(sandbox, "i1");
    expect((await push(sandbox, "i1", { status: "accepted" })).status).toBe(409);
    expect(statusOf(sandbox, "i1")).toBe("cancelled");
  });

  test("a rule strikes only what it matches, and the same seed strikes the same requests", async () => {
    const struck = async () => {
      const sandbox = await started({
        seed: 7,
        faults: [
          { kind: "403", match: { itemId: "other" } },
          { kind: "404", match: { status: "rejected" } },
          { kind: "500-before", probability: 0.5 },
        ],
      });
      addItem(sandbox, "i1");
      const codes: number[] = [];
      for (let turn = 0; turn < 20; turn += 1) {
        codes.push((await push(sandbox, "i1", { status: "accepted" })).status);
      }
      return codes;
    };
    const codes = await struck();
    expect(new Set(codes)).toEqual(new Set([200, 500]));
    expect(await struck()).toEqual(codes);
  });

  test("closing does not wait for slow answers", async () => {
    const sandbox = await startSandbox({ faults: [{ kind: "slow", delayMs: 600_000 }] });
    addItem(sandbox, "i1");
    const end = push(sandbox, "i1", { status: "accepted" }).then(
      () => "answered",
      () => "cut",
    );
    await vi.waitFor(() => expect(statusOf(sandbox, "i1")).toBe("accepted"));
    await sandbox.close();
    expect(await end).toBe("cut");
  });
});

describe("admin", () => {
  test("an item is changed behind the provider's back, against every rule, and nobody is told", async () => {
    const sandbox = await started({ transitionChecks: "seed" });
    await call(sandbox, { method: "POST", path: "/sandbox/items", body: [{ id: "a" }] });
    const patch = { method: "PATCH", path: "/sandbox/items/a" };
    expect((await call(sandbox, { ...patch, body: { status: "active" } })).status).toBe(200);
    expect(sandbox.market.items.get("a")?.status).toBe("active");
    expect(sandbox.market.log).toEqual([]);
    expect((await call(sandbox, { ...patch, body: { status: "lost" } })).status).toBe(400);
    const nobody = { ...patch, path: "/sandbox/items/nobody" };
    expect((await call(sandbox, { ...nobody, body: { status: "active" } })).status).toBe(404);
  });

  test("switches, items, log and reset are at hand over HTTP", async () => {
    const sandbox = await started();
    const post = { method: "POST", path: "/sandbox/items" };
    const made = await call(sandbox, {
      ...post,
      body: [{ id: "a" }, { id: "a" }, { id: "b", status: "scheduled" }],
    });
    expect(JSON.parse(made.text)).toEqual({
      created: ["a", "b"],
      refused: [{ index: 1, reason: "item-exists" }],
    });

    const patch = { method: "PATCH", path: "/sandbox/behaviour" };
    expect((await call(sandbox, { ...patch, body: { envelope: "round" } })).status).toBe(400);
    expect(
      (await call(sandbox, { ...patch, body: { faults: [{ kind: "404", times: 1 }] } })).status,
    ).toBe(200);
    expect((await push(sandbox, "a", { status: "accepted" })).status).toBe(404);
    // A change of another switch does not start the fault anew.
    await call(sandbox, { ...patch, body: { envelope: "flat" } });
    expect((await push(sandbox, "a", { status: "accepted" })).status).toBe(200);

    const log = await call(sandbox, { path: "/sandbox/log?itemId=a&offset=1" });
    expect(JSON.parse(log.text)).toMatchObject({
      total: 2,
      data: [{ itemId: "a", applied: true, answer: 200 }],
    });
    await call(sandbox, { method: "POST", path: "/sandbox/reset" });
    expect(sandbox.market.items.size + sandbox.market.log.length).toBe(0);
    expect(sandbox.market.behaviour).toMatchObject({ envelope: "nested", faults: [] });
  });

  test("wrong options are all named", async () => {
    await expect(startSandbox({ logLimit: 0, seed: 0.5 })).rejects.toThrow(/logLimit.*seed/);
  });
});

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly payload: string;
}

/** An endpoint that answers with `codes` in turn, then 200. */
async function receiver(codes: number[]) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let payload = "";
    request.on("data", (chunk: Buffer) => (payload += chunk.toString()));
    request.on("end", () => {
      received.push({ headers: request.headers, payload });
      response.writeHead(codes.shift() ?? 200).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return { received, url: `http://127.0.0.1:${port}/hook` };
}

function at(received: readonly Received[], index: number): Received {
  const found = received[index];
  if (!found) throw new Error(`Only ${received.length} webhooks came.`);
  return found;
}

const SECRET = "s3cret";
const hmac = (text: string) => createHmac("sha256", SECRET).update(text).digest("hex");

describe("webhooks", () => {
  test("an order is announced, signed, and tried again until taken", async () => {
    const { received, url } = await receiver([500]);
    const webhook = { url, secret: SECRET };
    const sandbox = await started({ webhook, webhookRetriesMs: [1], autoSubmitMs: 0 });
    addItem(sandbox, "i1", "o1");
    await vi.waitFor(() => expect(received).toHaveLength(2));
    expect(at(received, 1).payload).toBe(at(received, 0).payload);
    expect(JSON.parse(at(received, 0).payload)).toMatchObject({
      id: expect.stringMatching(/^evt_/) as string,
      event: "order.created",
      data: { orderId: "o1", itemId: "i1", resellerTeamId: "team-reseller" },
    });
    const { headers, payload } = at(received, 0);
    expect(headers["x-offergrid-signature"]).toBe(
      hmac(`${String(headers["x-offergrid-timestamp"])}.${payload}`),
    );
    await vi.waitFor(() => expect(statusOf(sandbox, "i1")).toBe("submitted_to_provider"));
  });

  test("a flat, plainly signed and doubled webhook is a matter of switches", async () => {
    const { received, url } = await receiver([]);
    const sandbox = await started({
      webhook: { url, secret: SECRET },
      envelope: "flat",
      signature: "plain",
      webhookCopies: 2,
    });
    addItem(sandbox, "i1", "o1");
    const cancel = { method: "PATCH", path: "/reseller/orders/o1/cancel", key: RESELLER };
    await call(sandbox, { ...cancel, body: { reason: "Moved away" } });
    await vi.waitFor(() => expect(sandbox.market.counters.webhooksDelivered).toBe(4));
    const cancels = received.filter(({ payload }) => payload.includes("order.cancelled"));
    expect(at(cancels, 1).payload).toBe(at(cancels, 0).payload);
    const { headers, payload } = at(cancels, 0);
    expect(JSON.parse(payload)).toMatchObject({
      itemId: "i1",
      reason: "Moved away",
      cancelledBy: "reseller",
    });
    expect(headers["x-offergrid-timestamp"]).toBeUndefined();
    expect(headers["x-offergrid-signature"]).toBe(hmac(payload));
  });
});

describe("push report", () => {
  test("repeats, steps back and missing updates are counted from what was applied", async () => {
    const sandbox = await started({ faults: [{ kind: "500-after", times: 1 }] });
    for (const id of ["i1", "i2"]) addItem(sandbox, id);
    await push(sandbox, "i1 i1:1", { status: "accepted" });
    await push(sandbox, "i1 i1:1", { status: "accepted" });
    await push(sandbox, "i1 i1:1", { status: "nonsense" });
    await push(sandbox, "i1 i1:2", { status: "in_progress" });
    await push(sandbox, "i1 i1:3", { status: "failed" });
    await push(sandbox, "i1 i1:4", { status: "scheduled" });
    await push(sandbox, "i1 i1:5", { status: "accepted" });
    const report = pushReport(sandbox.market.log, new Map([["i2", ["accepted"]]]));
    expect(report).toMatchObject({
      pushes: 7,
      applied: 6,
      duplicates: 1,
      outOfOrder: 1,
      withoutKey: 0,
    });
    expect(report.mismatches).toEqual([{ itemId: "i2", expected: ["accepted"], got: [] }]);
  });
});
