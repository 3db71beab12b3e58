/** Every question that the HTTP API answers, asked about a running engine's items. */
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { z } from "zod";
import type { EventType } from "../../machines/order-item/events.ts";
import type { Reading } from "../../src/engine/reading.ts";
import * as answers from "../../src/http/answers.ts";
import { newServer } from "../../src/http/server.ts";
import { bury, listDeadLetters } from "../../src/store/dead-letter-store.ts";
import { type Harness, startHarness } from "../support/engine-harness.ts";
import { eventually } from "../support/eventually.ts";
import { isUp, readingOf, serverOptions } from "../support/http-reading.ts";
import { orderEvent } from "../support/order-item-events.ts";

/** Item, order, and the steps it takes. */
const STORIES: readonly (readonly [string, string, readonly EventType[], string])[] = [
  ["i-1", "order-1", ["order.accepted", "appointment.scheduled"], "scheduled"],
  ["i-2", "order-1", ["order.accepted"], "accepted"],
  ["i/3 ü", "order-1", ["order.rejected"], "rejected"],
  ["i-4", "order-2", ["order.rejected"], "rejected"],
  ["i-5", "order-3", [], "pending"],
  ["i-6", "order-3", [], "pending"],
  ["i-7", "order-3", [], "pending"],
];

let harness: Harness;
let reading: Reading;
let app: FastifyInstance;

interface Body extends Record<string, unknown> {
  readonly items: readonly { readonly itemId: string; readonly status?: string }[];
  readonly next?: string;
}

async function ask(url: string): Promise<{ readonly status: number; readonly body: Body }> {
  const response = await app.inject({ url });
  return { status: response.statusCode, body: response.json<Body>() };
}

async function told(url: string): Promise<Body> {
  const { status, body } = await ask(url);
  expect({ url, status, code: body["code"] }).toEqual({ url, status: 200, code: undefined });
  return body;
}

async function idsAt(url: string): Promise<string[]> {
  return (await told(url)).items.map(({ itemId }) => itemId).toSorted();
}

beforeAll(async () => {
  harness = await startHarness({ redisUrl: inject("redisUrl") });
  for (const [subject, order, steps, ends] of STORIES) {
    await harness.send(orderEvent("order.received", { subject, data: { orderId: order } }));
    for (const type of steps) await harness.send(orderEvent(type, { subject }));
    await harness.settled(subject, ends);
  }
  // Too early: it waits.
  await harness.send(orderEvent("work.started", { subject: "i-5" }));
  await harness.send({ ...orderEvent("order.accepted", { subject: "i-6" }), type: "no.such" });
  await harness.send({ ...orderEvent("order.accepted", { subject: "nobody" }), data: {} } as never);
  const { store } = harness.engine;
  await eventually(async () => {
    const parked = (await harness.actor("i-5"))?.parked.length;
    const letters = (await listDeadLetters(store, 10)).length;
    if (parked !== 1 || letters !== 1) throw new Error(`${parked} parked, ${letters} letters`);
  });
  const problem = { code: "MACHINE_FAILED", message: "It cannot." } as const;
  await bury(store, { kind: "timer", itemId: "i-4", timer: "t", id: "timer:t", at: 1, problem });
  reading = readingOf(inject("redisUrl"), harness.config);
  app = newServer(serverOptions(reading));
  await isUp(async () => (await ask("/v1/policy")).status);
});

afterAll(async () => {
  await app.close();
  reading.close();
  await harness.stop();
});

describe("what is answered", () => {
  test.each<[string, z.ZodType]>([
    ["/v1/items", answers.itemsPage],
    ["/v1/items/i-1", answers.itemDescription],
    ["/v1/items/i-5", answers.itemDescription],
    ["/v1/items/i%2F3%20%C3%BC", answers.itemDescription],
    ["/v1/items/i-1/journal", answers.journalPage],
    ["/v1/orders/order-1", answers.orderDescription],
    ["/v1/attention", answers.attentionPage],
    ["/v1/dead-letters", answers.deadLettersPage],
    ["/v1/fulfilment", answers.fulfilmentReport],
    [
      "/v1/fulfilment?by=account,month&zone=Europe/Berlin&since=2026-01-01",
      answers.fulfilmentReport,
    ],
    ["/v1/policy", answers.policyDescription],
    ["/v1/machines", answers.machinesDescription],
  ])("%s is what its schema says, and nothing beside it", async (url, schema) => {
    const body = await told(url);
    expect(schema.parse(body)).toEqual(body);
  });

  test("an item is told without its journal, and with where it stands", async () => {
    const item = await told("/v1/items/i-1");
    expect(item).toMatchObject({
      itemId: "i-1",
      state: {
        status: "scheduled",
        order: "order-1",
        allowed: expect.arrayContaining(["work.started"]),
      },
    });
    expect(item).not.toHaveProperty("journal");
  });

  test("an order is what its items come to", async () => {
    expect(await told("/v1/orders/order-1")).toMatchObject({
      state: "in_progress",
      stage: "accepted",
      itemCount: 3,
    });
    expect(await told("/v1/orders/order-2")).toMatchObject({ state: "rejected", itemCount: 1 });
  });

  test("the figures are those of the items", async () => {
    const { total } = await told("/v1/fulfilment");
    expect(total).toMatchObject({ received: 7, acceptance: { accepted: 2, rejected: 2 } });
  });

  test("a machine tells its statuses and what its events take", async () => {
    const { machines } = (await told("/v1/machines")) as unknown as {
      machines: { statuses: { status: string }[]; events: Record<string, unknown> }[];
    };
    expect(machines[0]?.statuses.map(({ status }) => status)).toContain("in_progress");
    expect(machines[0]?.events["order.accepted"]).toMatchObject({ type: "object" });
  });
});

describe("filters", () => {
  test.each<[string, string[]]>([
    ["status=pending", ["i-5", "i-6", "i-7"]],
    ["status=no-such", []],
    ["order=order-1", ["i-1", "i-2", "i/3 ü"]],
    ["order=order-1&status=rejected", ["i/3 ü"]],
    ["account=default&status=accepted", ["i-2"]],
    ["account=other", []],
    ["parked=true", ["i-5"]],
    ["parked=false&status=pending", ["i-6", "i-7"]],
    ["jeopardy=red", []],
    ["dueBefore=2000-01-01T00:00:00Z", []],
    ["dueBefore=2099-01-01T00:00:00Z&status=accepted", ["i-2"]],
    ["dead=true", ["i-4"]],
    ["dead=true&status=pending", []],
  ])("%s", async (query, expected) => {
    expect(await idsAt(`/v1/items?${query}`)).toEqual(expected.toSorted());
  });
});

describe("pages", () => {
  async function walk(url: string, onPage?: () => Promise<void>): Promise<string[]> {
    const seen: string[] = [];
    for (let next: string | undefined, more = true; more; more = next !== undefined) {
      const cursor = next === undefined ? "" : `&cursor=${encodeURIComponent(next)}`;
      const page = await told(`${url}${cursor}`);
      seen.push(...page.items.map(({ itemId }) => itemId));
      ({ next } = page);
      await onPage?.();
    }
    return seen;
  }
  const all = STORIES.map(([itemId]) => itemId).toSorted();

  test.each(["/v1/items?limit=2", "/v1/items?limit=1", "/v1/items?limit=3&parked=false"])(
    "of %s hold every item once while nothing moves",
    async (url) => {
      const expected = url.includes("parked") ? all.filter((id) => id !== "i-5") : all;
      expect((await walk(url)).toSorted()).toEqual(expected);
      const ofOrder = await walk("/v1/items?order=order-1&limit=1");
      expect(ofOrder).toEqual(["i-1", "i-2", "i/3 ü"]);
    },
  );

  test("leave out no item that moves from one to the other meanwhile", async () => {
    let moves = 0;
    const seen = await walk("/v1/items?limit=2", async () => {
      moves += 1;
      if (moves > 2) return;
      const note = orderEvent("order.noted", {
        subject: "i-7",
        data: { providerNotes: `Note ${moves}.` },
      });
      const before = (await harness.actor("i-7"))?.revision ?? 0;
      await harness.send({ ...note, id: `move-${moves}` } as never);
      await eventually(async () => {
        expect((await harness.actor("i-7"))?.revision).toBeGreaterThan(before);
      });
    });
    expect(new Set(seen)).toEqual(new Set(all));
  });

  test.each(["oldest", "newest"])("of a journal, the %s first, hold it whole", async (first) => {
    const journal = await harness.journal("i-1");
    const places: number[] = [];
    const entries: unknown[] = [];
    for (let cursor = ""; ;) {
      const page = (await told(
        `/v1/items/i-1/journal?limit=2&first=${first}${cursor}`,
      )) as unknown as {
        entries: { place: number; entry: unknown }[];
        next?: number;
      };
      places.push(...page.entries.map(({ place }) => place));
      entries.push(...page.entries.map(({ entry }) => entry));
      if (page.next === undefined) break;
      cursor = `&cursor=${page.next}`;
    }
    const isNewest = first === "newest";
    expect(entries).toEqual(isNewest ? journal.toReversed() : journal);
    const order = journal.map((_, place) => place);
    expect(places).toEqual(isNewest ? order.toReversed() : order);
  });
});

describe("what is refused", () => {
  test.each<[string, number, string, string]>([
    ["/v1/items/no-such", 404, "ITEM_UNKNOWN", "no-such"],
    ["/v1/items/no-such/journal", 404, "ITEM_UNKNOWN", "no-such"],
    ["/v1/orders/no-such", 404, "ORDER_UNKNOWN", "no-such"],
    ["/v1/items?limit=201", 400, "REQUEST_INVALID", "limit"],
    ["/v1/items?limit=x&colour=red", 400, "REQUEST_INVALID", "colour"],
    ["/v1/items?status=a&status=b", 400, "REQUEST_INVALID", "status"],
    ["/v1/items?cursor=nonsense", 400, "REQUEST_INVALID", "cursor"],
    ["/v1/items?order=o&cursor=status:1%7Ci-1", 400, "REQUEST_INVALID", "cursor"],
    ["/v1/items?dead=false", 400, "REQUEST_INVALID", "dead"],
    ["/v1/items?dueBefore=tomorrow", 400, "REQUEST_INVALID", "dueBefore"],
    ["/v1/items/i-1?colour=red", 400, "REQUEST_INVALID", "colour"],
    ["/v1/attention?cursor=x", 400, "REQUEST_INVALID", "cursor"],
    ["/v1/dead-letters?limit=0", 400, "REQUEST_INVALID", "limit"],
    ["/v1/fulfilment?zone=Mars", 400, "REQUEST_INVALID", "zone"],
    ["/v1/fulfilment?by=day,week", 400, "REQUEST_INVALID", "by"],
    ["/v1/fulfilment?since=2026-02-01&until=2026-01-01", 400, "REQUEST_INVALID", "until"],
    ["/v1/feed?cursor=x", 400, "REQUEST_INVALID", "cursor"],
    ["/v1/feed?colour=x", 400, "REQUEST_INVALID", "colour"],
  ])("%s with %i %s, and says why", async (...refusal) => {
    const [url, status, code, word] = refusal;
    const { status: is, body } = await ask(url);
    expect({ is, code: body["code"] }).toEqual({ is: status, code });
    expect(body["detail"]).toContain(word);
    expect(answers.problemDetails.parse(body)).toEqual(body);
  });

  test("an address that is no text is a fault of the address", async () => {
    const { status, body } = await ask("/v1/items/%zz");
    expect({ status, code: body["code"] }).toEqual({ status: 400, code: "REQUEST_INVALID" });
  });
});
