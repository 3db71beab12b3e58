/** What operators do over HTTP, at a running installation: what it does, and what is kept of it. */
import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { eventSchemas } from "../../machines/order-item/events.ts";
import type { Grant } from "../../src/core/grant.ts";
import { act } from "../../src/engine/act/act.ts";
import { openActing, type OpenActing } from "../../src/engine/act/open-acting.ts";
import { limitsOf } from "../../src/engine/limits.ts";
import type { AuditPage } from "../../src/engine/page-audit.ts";
import type { Reading } from "../../src/engine/reading.ts";
import * as schemas from "../../src/http/action-answers.ts";
import { newServer } from "../../src/http/server.ts";
import { addJobs } from "../../src/queue/producer.ts";
import type { AuditEntry } from "../../src/store/audit-chain.ts";
import { readAudit, verifyAudit } from "../../src/store/audit-store.ts";
import { type DeadLetter, listDeadLetters } from "../../src/store/dead-letter-store.ts";
import { auditKey } from "../../src/store/keys.ts";
import { readLanes } from "../../src/store/outbox-store.ts";
import { type Harness, startHarness } from "../support/engine-harness.ts";
import { eventually } from "../support/eventually.ts";
import { readingOf, serverOptions } from "../support/http-reading.ts";
import { orderEvent } from "../support/order-item-events.ts";

const GRANTS: Readonly<Record<string, Grant>> = {
  operator: grant("desk", ["items:operate"]),
  reader: grant("screen", ["items:read"]),
  stranger: { ...grant("other", ["items:operate"]), account: "other" },
  administrator: grant("root", ["admin"]),
};

function grant(name: string, scopes: Grant["scopes"]): Grant {
  return { keyId: `id-${name}`, name, scopes, perMinute: null };
}

let engine: Harness;
let reading: Reading;
let acting: OpenActing;
let app: FastifyInstance;
let redis: Redis;

beforeAll(async () => {
  engine = await startHarness({ redisUrl: inject("redisUrl"), config: { unknownItemForMs: 300 } });
  const { config } = engine;
  reading = readingOf(inject("redisUrl"), config);
  acting = openedActing();
  const keys = {
    hasKeys: async () => true,
    check: async (text: string) => {
      const found = GRANTS[text];
      return found === undefined
        ? ({ standing: "unknown" } as const)
        : ({ standing: "good", grant: found } as const);
    },
    permit: async () => ({ outcome: "granted" }) as const,
  };
  app = newServer({ ...serverOptions(reading), keys, acting });
  redis = new Redis(inject("redisUrl"));
});

afterAll(async () => {
  await app.close();
  await acting.close();
  reading.close();
  redis.disconnect();
  await engine.stop();
});

interface Asking {
  readonly as?: keyof typeof GRANTS;
  readonly key?: string;
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function post(path: string, body: object, { as = "operator", key }: Asking = {}) {
  const response = await app.inject({
    method: "POST",
    url: path,
    headers: { "x-api-key": as, ...(key !== undefined && { "idempotency-key": key }) },
    payload: body,
  });
  return { status: response.statusCode, body: response.json() } as Answer;
}

async function audited(item: string): Promise<AuditEntry[]> {
  const found = [];
  for await (const entry of readAudit(engine.engine.store)) {
    if (entry.item === item) found.push(entry);
  }
  return found;
}

async function begin(item: string): Promise<void> {
  await engine.send(orderEvent("order.received", { subject: item }));
  await engine.settled(item, "pending");
}

async function letterAbout(item: string): Promise<DeadLetter> {
  return eventually(async () => {
    const letters = await listDeadLetters(engine.engine.store, 100);
    const letter = letters.find((each) => JSON.stringify(each).includes(`"${item}"`));
    if (letter === undefined) throw new Error(`no dead letter about ${item} yet`);
    return letter;
  });
}

const ACCEPT = {
  type: "order.accepted",
  data: { providerNotes: "Order accepted. We will call the customer within 24 hours." },
  reason: "The CRM is down.",
};

describe("an event", () => {
  test("is applied, delivered and recorded with who, behind which key, and why", async () => {
    await begin("event-1");
    const answer = await post("/v1/items/event-1/events", { ...ACCEPT, actor: "Ada" });
    expect(answer).toMatchObject({
      status: 200,
      body: { item: "event-1", outcome: "applied", status: "accepted", revision: 2 },
    });
    schemas.actionDone.strict().parse(answer.body);
    await engine.settled("event-1", "accepted");
    expect(engine.seen("event-1")).toEqual(["accepted"]);
    const by = { actor: "desk", key: "id-desk", claimed: "Ada", reason: "The CRM is down." };
    const { event, audit } = answer.body;
    expect(await audited("event-1")).toMatchObject([
      { ...by, seq: audit, action: "event", detail: { event } },
      { ...by, of: audit, outcome: "applied" },
    ]);
    await engine.assertReplays("event-1");
  });

  test("that is refused says why, with the outcome or before it is sent", async () => {
    await begin("event-2");
    const rejected = await post("/v1/items/event-2/events", {
      type: "service.activated",
      data: { providerNotes: "It is live." },
      reason: "r",
    });
    expect(rejected).toMatchObject({ status: 200, body: { outcome: "parked" } });
    const { status, body } = await post("/v1/items/event-2/events", {
      type: "order.accepted",
      data: { nonsense: 1 },
      reason: "r",
    });
    expect({ status, code: body["code"] }).toEqual({ status: 422, code: "EVENT_DATA_INVALID" });
    const reserved = { type: "orderwright.clock.snoozed", data: {}, reason: "r" };
    const refusal = await post("/v1/items/event-2/events", reserved);
    expect(refusal).toMatchObject({ status: 422, body: { code: "EVENT_TYPE_RESERVED" } });
    expect(await audited("event-2")).toHaveLength(2);
  });

  test("of an idempotency key is sent once, and the key is no other request's", async () => {
    await begin("event-3");
    const path = "/v1/items/event-3/events";
    const key = randomUUID();
    const answers = await Promise.all([post(path, ACCEPT, { key }), post(path, ACCEPT, { key })]);
    const again = await post(path, ACCEPT, { key });
    for (const { body } of [...answers, again]) {
      expect(body).toMatchObject({ outcome: "applied", audit: answers[0]?.body["audit"] });
    }
    expect(again.body["repeated"]).toBe(true);
    expect(
      (await engine.journal("event-3")).filter((entry) => entry.kind === "event"),
    ).toHaveLength(2);
    expect(await audited("event-3")).toHaveLength(2);
    const other = await post(path, { ...ACCEPT, reason: "another" }, { key });
    expect(other).toMatchObject({ status: 422, body: { code: "IDEMPOTENCY_KEY_REUSED" } });
    // Another API key may use the same words.
    const others = await post(path, ACCEPT, { key, as: "administrator" });
    expect(others.body).toMatchObject({ outcome: "rejected" });
  });

  test("in a dry run is told with its PATCH, its clocks and its warnings, and leaves no trace", async () => {
    await begin("dry-1");
    const path = "/v1/items/dry-1/events";
    const before = await dump();
    const told = await post(path, { ...ACCEPT, dryRun: true });
    expect(told).toMatchObject({
      status: 200,
      body: {
        dryRun: true,
        outcome: "applied",
        statusBefore: "pending",
        status: "accepted",
        effects: [
          {
            name: "pushStatus",
            channel: "marketplace.default",
            body: { status: "accepted", providerNotes: ACCEPT.data.providerNotes },
          },
        ],
        clocks: expect.arrayContaining([expect.objectContaining({ clock: "respond" })]),
      },
    });
    schemas.forecastOfEvent.strict().parse(told.body);
    const byQuery = await post(`${path}?dryRun=true`, { ...ACCEPT, data: {} });
    expect(byQuery).toMatchObject({ status: 422, body: { code: "EVENT_DATA_INVALID" } });
    const early = { type: "work.started", data: { providerNotes: "On site." } };
    expect((await post(`${path}?dryRun=true`, early)).body).toMatchObject({ outcome: "parked" });
    expect(await dump()).toEqual(before);

    const sent = await post(path, ACCEPT);
    expect(sent.body).toMatchObject({ outcome: "applied", status: told.body["status"] });
    await engine.settled("dry-1", "accepted");
    const pushed = engine.sandbox.market.log.find(({ itemId }) => itemId === "dry-1");
    expect(pushed).toMatchObject({ status: "accepted" });
  });
});

/** Everything that the installation keeps of items and operators, without what turns by itself. */
async function dump(): Promise<Record<string, string>> {
  const { keyPrefix, queuePrefix } = engine.config;
  const names = [
    ...(await redis.keys(`${keyPrefix}:*`)),
    ...(await redis.keys(`${queuePrefix}:crm-events:*`)),
  ].filter((name) => !/:(looked|caution|server|policy)$|stalled-check/.test(name));
  const texts = await Promise.all(
    names
      .toSorted()
      .map(async (name) => [name, (await redis.dumpBuffer(name))?.toString("base64") ?? ""]),
  );
  return Object.fromEntries(texts) as Record<string, string>;
}

describe("who may not, and what does not fit", () => {
  test("no reason, a wrong field or a wrong key: refused, and nothing is recorded", async () => {
    await begin("refuse-1");
    const { reason: _, ...silent } = ACCEPT;
    const path = "/v1/items/refuse-1/events";
    for (const body of [
      silent,
      { ...ACCEPT, reason: "  " },
      { ...ACCEPT, reason: "x".repeat(501) },
      { ...ACCEPT, more: 1 },
    ]) {
      const refused = await post(path, body);
      expect(refused).toMatchObject({ status: 422, body: { code: "REQUEST_INVALID" } });
    }
    const spaced = await post(path, ACCEPT, { key: "two words" });
    expect(spaced).toMatchObject({ status: 422, body: { code: "REQUEST_INVALID" } });
    expect((await post(path, ACCEPT, { as: "reader" })).status).toBe(403);
    expect((await post(path, ACCEPT, { as: "nobody" as "reader" })).status).toBe(401);
    expect(await audited("refuse-1")).toEqual([]);
    expect(await engine.journal("refuse-1")).toHaveLength(1);
  });

  test("to a key of another account an item is as unknown as one that is not there", async () => {
    await begin("refuse-2");
    const hold = {
      clock: "respond",
      until: new Date(Date.now() + 60_000).toISOString(),
      reason: "r",
    };
    const bodies = {
      events: ACCEPT,
      "actions/snooze": hold,
      "actions/retry-push": { reason: "r" },
    };
    for (const [path, body] of Object.entries(bodies)) {
      const strange = await post(`/v1/items/refuse-2/${path}`, body, { as: "stranger" });
      const absent = await post(`/v1/items/absent/${path}`, body);
      for (const { status, body: said } of [strange, absent]) {
        expect({ status, code: said["code"] }).toEqual({ status: 404, code: "ITEM_UNKNOWN" });
      }
    }
    const birth = { type: "order.received", data: orderEvent("order.received").data, reason: "r" };
    const begun = await post("/v1/items/refuse-3/events", birth, { as: "stranger" });
    expect(begun.status).toBe(404);
    expect(await audited("refuse-2")).toEqual([]);
  });
});

type Fault = (typeof engine.sandbox.market.behaviour.faults)[number];

/** The item's push meets the fault until it is mended. */
async function acceptIn(item: string, kind: Fault["kind"]): Promise<() => void> {
  const { faults } = engine.sandbox.market.behaviour;
  const fault: Fault = { kind, match: { itemId: item, status: "accepted" } };
  faults.push(fault);
  await begin(item);
  await post(`/v1/items/${item}/events`, ACCEPT);
  return () => void faults.splice(faults.indexOf(fault), 1);
}

async function laneOf(item: string, state: string): Promise<void> {
  await eventually(async () => {
    const [lane] = await readLanes(engine.engine.store, item);
    if (lane?.state !== state) throw new Error(`the lane of ${item} is ${lane?.state}`);
  });
}

describe("a push", () => {
  test("that is blocked is tried again, once for one idempotency key", async () => {
    const mend = await acceptIn("push-1", "404");
    await laneOf("push-1", "blocked");
    mend();
    const path = "/v1/items/push-1/actions/retry-push";
    const wrong = await post(path, { reason: "r", effect: "push-1:9:0" });
    expect(wrong).toMatchObject({ status: 409, body: { code: "ACTION_NOT_POSSIBLE" } });
    const done = await post(path, { reason: "The item is there now." }, { key: "key-of-push-1" });
    expect(done).toMatchObject({
      status: 200,
      body: { outcome: "unblocked", effects: ["push-1:2:0"] },
    });
    await engine.settled("push-1", "accepted");
    expect(engine.seen("push-1")).toEqual(["accepted"]);
    const again = await post(path, { reason: "The item is there now." }, { key: "key-of-push-1" });
    expect(again.body).toEqual({ ...done.body, repeated: true });
    const another = await post(path, { reason: "The item is there now." }, { key: "another-key" });
    expect(another).toMatchObject({ status: 409, body: { code: "ACTION_NOT_POSSIBLE" } });
    const letters = await listDeadLetters(engine.engine.store, 100);
    expect(JSON.stringify(letters)).not.toContain("push-1");
  });

  test("that is blocked is left out, and the item's journal says why", async () => {
    const mend = await acceptIn("push-2", "404");
    onTestFinished(mend);
    await laneOf("push-2", "blocked");
    const done = await post("/v1/items/push-2/actions/skip-push", { reason: "Told by phone." });
    expect(done.body).toMatchObject({ outcome: "skipped", effects: ["push-2:2:0"] });
    await engine.settled("push-2", "accepted");
    expect(engine.seen("push-2")).toEqual([]);
    expect(await engine.journal("push-2")).toContainEqual(
      expect.objectContaining({ outcome: "skipped", answer: "Told by phone." }),
    );
    await engine.assertReplays("push-2");
  });

  test("that keeps failing is tried at once, or left out", async () => {
    const mends = [await acceptIn("push-3", "500-before"), await acceptIn("push-4", "500-before")];
    // By then it waits for longer than this test does.
    await eventually(async () => {
      for (const item of ["push-3", "push-4"]) {
        const [lane] = await readLanes(engine.engine.store, item);
        if (lane?.state !== "later") throw new Error(`${item} does not wait`);
        if ((lane.until ?? 0) < Date.now() + 1_000) throw new Error(`${item} is due soon`);
      }
    });
    mends[0]?.();
    const tried = await post("/v1/items/push-3/actions/retry-push", { reason: "It is up again." });
    expect(tried.body).toMatchObject({ outcome: "unblocked", effects: ["push-3:2:0"] });
    await engine.settled("push-3", "accepted");
    expect(engine.seen("push-3")).toEqual(["accepted"]);
    const left = await post("/v1/items/push-4/actions/skip-push", { reason: "Not needed." });
    expect(left.body).toMatchObject({ outcome: "skipped", effects: ["push-4:2:0"] });
    await engine.settled("push-4", "accepted");
    mends[1]?.();
    expect(engine.seen("push-4")).toEqual([]);
  });
});

describe("a dead letter", () => {
  async function unheard(item: string): Promise<string> {
    const event = { ...orderEvent("order.noted", { subject: item }), type: "order.unheard" };
    await engine.send(event as ReturnType<typeof orderEvent>);
    const { id } = await letterAbout(item);
    return `/v1/dead-letters/${encodeURIComponent(id)}`;
  }

  test("is given up once, and is unknown then and to keys of other accounts", async () => {
    const path = await unheard("letter-1");
    const strange = await post(`${path}/discard`, { reason: "r" }, { as: "stranger" });
    expect(strange).toMatchObject({ status: 404, body: { code: "DEADLETTER_UNKNOWN" } });
    const done = await post(`${path}/discard`, { reason: "A test." }, { key: "key-of-letter-1" });
    expect(done).toMatchObject({ status: 200, body: { outcome: "discarded" } });
    const again = await post(`${path}/discard`, { reason: "A test." }, { key: "key-of-letter-1" });
    expect(again.body).toMatchObject({ outcome: "discarded", repeated: true });
    expect(await post(`${path}/redrive`, { reason: "r" })).toMatchObject({ status: 404 });
    expect(await audited("letter-1")).toMatchObject([
      { action: "discard", detail: { kind: "event", code: "EVENT_TYPE_UNKNOWN" } },
      { action: "discard", outcome: "discarded" },
    ]);
  });

  test("goes back into the queue", async () => {
    const path = await unheard("letter-2");
    const done = await post(`${path}/redrive`, { reason: "The machine knows it now." });
    expect(done).toMatchObject({ status: 200, body: { outcome: "enqueued" } });
    await eventually(async () => {
      const letter = await letterAbout("letter-2");
      expect(letter).toMatchObject({ event: { redrive: 1 } });
    });
  });
});

describe("a clock", () => {
  const until = (): string => new Date(Date.now() + 3_600_000).toISOString();

  test("is acknowledged and snoozed by name, and a refusal is an outcome", async () => {
    await begin("clock-1");
    const path = "/v1/items/clock-1/actions";
    const hold = { clock: "respond", until: until(), reason: "On it.", actor: "Ada" };
    const silent = await post(`${path}/acknowledge`, hold, { key: "key-of-clock-1" });
    expect(silent).toMatchObject({ status: 200, body: { outcome: "applied" } });
    expect(
      (await post(`${path}/acknowledge`, hold, { key: "key-of-clock-1" })).body["repeated"],
    ).toBe(true);
    const mistyped = await post(`${path}/snooze`, { ...hold, clock: "respnod" });
    expect(mistyped.body).toMatchObject({
      outcome: "rejected",
      problem: { code: "CLOCK_HOLD_REFUSED" },
    });
    const events = (await engine.journal("clock-1")).filter((entry) => entry.kind === "event");
    expect(events.slice(1)).toMatchObject([
      { event: { source: "operator:desk", data: { by: "Ada (by key desk)", role: "owner" } } },
      { outcome: "rejected" },
    ]);
    await engine.assertReplays("clock-1");
  });
});

describe("an event that waits", () => {
  test("behind a missing number is tried now: the number is given up", async () => {
    await begin("parked-1");
    const numbered = (type: "order.accepted" | "order.noted", sequence: string) => ({
      ...orderEvent(type, { subject: "parked-1", source: "crm/numbered" }),
      sequence,
      sequencetype: "Integer" as const,
    });
    const [third, fifth] = [numbered("order.accepted", "3"), numbered("order.noted", "5")];
    await engine.send(third, fifth);
    await eventually(async () => {
      expect((await engine.actor("parked-1"))?.parked).toHaveLength(2);
    });
    const path = "/v1/items/parked-1/actions/release-parked";
    const several = await post(path, { reason: "r" });
    expect(several).toMatchObject({ status: 409, body: { code: "ACTION_NOT_POSSIBLE" } });
    const { source, id } = fifth;
    expect((await post(path, { source, id, reason: "r" })).body["detail"]).toContain(third.id);

    const tried = await post(path, { id: third.id, reason: "1 and 2 will never come." });
    expect(tried).toMatchObject({
      status: 200,
      body: { outcome: "applied", status: "accepted", event: { source, id: third.id } },
    });
    const given = await post(path, { reason: "Not needed.", to: "dead-letter" });
    expect(given.body).toMatchObject({ outcome: "dead-letter", event: { source, id } });
    const letter = await letterAbout("parked-1");
    expect(letter).toMatchObject({ problem: { code: "PARKED_ENDED" }, event: { id } });
    expect((await engine.actor("parked-1"))?.parked).toEqual([]);
    await engine.settled("parked-1", "accepted");
    await engine.assertReplays("parked-1");
  });

  test("for a state that is not there yet is not tried in vain", async () => {
    await begin("parked-2");
    await engine.send(orderEvent("work.started", { subject: "parked-2" }));
    await eventually(async () => {
      expect((await engine.actor("parked-2"))?.parked).toHaveLength(1);
    });
    const length = (await engine.journal("parked-2")).length;
    const tried = await post("/v1/items/parked-2/actions/release-parked", { reason: "r" });
    expect(tried).toMatchObject({ status: 409, body: { code: "ACTION_NOT_POSSIBLE" } });
    expect(await engine.journal("parked-2")).toHaveLength(length);
    expect(await audited("parked-2")).toEqual([]);
  });
});

test("many at once: each is done or refused by itself, and once for one key", async () => {
  await begin("bulk-1");
  await begin("bulk-2");
  const body = { ...ACCEPT, action: "event", items: ["bulk-1", "bulk-absent", "bulk-2"] };
  const done = await post("/v1/actions", body, { key: "key-of-bulk-1" });
  expect(done).toMatchObject({
    status: 200,
    body: {
      results: [
        { item: "bulk-1", outcome: "applied", status: "accepted" },
        { item: "bulk-absent", outcome: "refused", status: 404, problem: { code: "ITEM_UNKNOWN" } },
        { item: "bulk-2", outcome: "applied" },
      ],
    },
  });
  schemas.bulkDone.strict().parse(done.body);
  await post("/v1/actions", body, { key: "key-of-bulk-1" });
  for (const item of ["bulk-1", "bulk-2"]) {
    expect(await engine.journal(item)).toHaveLength(3);
    expect(await audited(item)).toHaveLength(2);
  }
  const twice = await post("/v1/actions", { ...body, items: ["bulk-1", "bulk-1"] });
  expect(twice).toMatchObject({ status: 422, body: { code: "REQUEST_INVALID" } });
  const letters = { action: "discard", deadLetters: ["no-such"], reason: "r" };
  expect((await post("/v1/actions", letters)).body).toMatchObject({
    results: [{ deadLetter: "no-such", outcome: "refused", status: 404 }],
  });
});

test("a release that no worker answered in time is gone on with by its repeat", async () => {
  await begin("parked-3");
  const gapped = { sequence: "2", sequencetype: "Integer" as const };
  await engine.send({ ...orderEvent("order.accepted", { subject: "parked-3" }), ...gapped });
  await eventually(async () => {
    expect((await engine.actor("parked-3"))?.parked).toHaveLength(1);
  });
  const order = {
    operator: { actor: "desk", reason: "r" },
    action: { action: "release-parked", to: "now", item: "parked-3" },
    idempotencyKey: "key-of-parked-3",
  } as const;
  expect(await act(impatient(), order)).toMatchObject({ is: "pending" });
  await letterAbout("parked-3");
  // What waits by then is another matter.
  await engine.send(orderEvent("service.activated", { subject: "parked-3" }));
  await eventually(async () => {
    expect((await engine.actor("parked-3"))?.parked).toHaveLength(1);
  });
  expect(await act(acting, order)).toMatchObject({ is: "done", result: { outcome: "applied" } });
  expect(await act(acting, order)).toMatchObject({ is: "done", repeated: true });
  expect((await engine.actor("parked-3"))?.parked).toHaveLength(1);
  await engine.settled("parked-3", "accepted");
  expect(await audited("parked-3")).toHaveLength(2);
  await engine.assertReplays("parked-3");
});

function openedActing(more: { readonly patienceMs?: number } = {}): OpenActing {
  const { config, queue } = engine;
  return openActing({
    reading,
    queue: { add: (jobs) => addJobs(queue, jobs) },
    schemas: eventSchemas(8 * 1024),
    limits: limitsOf(config),
    link: { redisUrl: inject("redisUrl"), prefix: config.queuePrefix },
    timeoutMs: 2_000,
    ...more,
  });
}

/** Waits for no worker. */
function impatient(): OpenActing {
  const opened = openedActing({ patienceMs: 0 });
  onTestFinished(() => opened.close());
  return opened;
}

test("without a worker that answers, it is pending, and the repeat is told what came of it", async () => {
  await begin("late-1");
  const order = {
    operator: { actor: "desk", reason: "r" },
    action: { action: "event", type: ACCEPT.type, data: ACCEPT.data, item: "late-1" },
    idempotencyKey: "key-of-late-1",
  } as const;
  const first = await act(impatient(), order);
  expect(first).toMatchObject({ is: "pending" });
  await engine.settled("late-1", "accepted");
  const second = await act(acting, order);
  expect(second).toMatchObject({ is: "done", result: { outcome: "applied" } });
  expect(await audited("late-1")).toMatchObject([{ action: "event" }, { outcome: "applied" }]);
});

test("the audit journal is read in pages by administrators, is whole, and shows one changed byte", async () => {
  const get = async (query: string, as = "administrator") => {
    const response = await app.inject({ url: `/v1/audit${query}`, headers: { "x-api-key": as } });
    return { status: response.statusCode, body: response.json() as AuditPage };
  };
  expect((await get("", "operator")).status).toBe(403);
  const { store } = engine.engine;
  const all: AuditEntry[] = [];
  for await (const entry of readAudit(store)) all.push(entry);
  for (const first of ["oldest", "newest"]) {
    const seen: AuditEntry[] = [];
    for (let cursor = ""; ;) {
      const { body } = await get(`?first=${first}&limit=7${cursor}`);
      seen.push(...body.entries);
      if (body.next === undefined) break;
      cursor = `&cursor=${body.next}`;
    }
    expect(seen).toEqual(first === "oldest" ? all : all.toReversed());
  }
  expect(await verifyAudit(store)).toMatchObject({ outcome: "sound", head: { seq: all.length } });
  const key = auditKey(store.layout);
  const text = (await redis.lindex(key, 3)) ?? "";
  await redis.lset(key, 3, text.replace('"reason":"', '"reason":"n'));
  expect(await verifyAudit(store)).toMatchObject({ outcome: "broken", seq: 4 });
  await redis.lset(key, 3, text);
  expect(await verifyAudit(store)).toMatchObject({ outcome: "sound" });
});
