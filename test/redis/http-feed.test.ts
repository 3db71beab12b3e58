/** The live feed over real connections, beside a running engine; and reading while Redis comes and goes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from "vitest";
import {
  type EmbeddedRedis,
  freePort,
  startEmbeddedRedis,
} from "../../src/embedded/embedded-redis.ts";
import type { FeedEvent } from "../../src/engine/feed.ts";
import type { Reading } from "../../src/engine/reading.ts";
import type { DoorKeys } from "../../src/http/access.ts";
import { feedEvent } from "../../src/http/answers.ts";
import { type HttpServer, startHttpServer } from "../../src/http/server.ts";
import { itemPrefix } from "../../src/store/keys.ts";
import { type Harness, startHarness } from "../support/engine-harness.ts";
import { eventually } from "../support/eventually.ts";
import { isUp, readingOf, serverOptions } from "../support/http-reading.ts";
import { OPEN_DOOR } from "../support/open-door.ts";
import { orderEvent } from "../support/order-item-events.ts";

let harness: Harness;
let reading: Reading;
let server: HttpServer;

const HERE = { host: "127.0.0.1", port: 0 };

beforeAll(async () => {
  harness = await startHarness({ redisUrl: inject("redisUrl") });
  reading = readingOf(inject("redisUrl"), harness.config);
  server = await startHttpServer(serverOptions(reading), HERE);
  await isUp(async () => (await fetch(`${server.url}/v1/policy`)).status);
});

afterAll(async () => {
  await server.close();
  reading.close();
  await harness.stop();
});

interface Message {
  readonly name: string;
  readonly event: FeedEvent;
}

interface Listener {
  readonly heard: readonly Message[];
  /** The last id that was told. */
  readonly lastId: () => string;
  readonly hasEnded: () => boolean;
  readonly stop: () => void;
}

async function listen(query = "", lastEventId?: string): Promise<Listener> {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const response = await fetch(`${server.url}/v1/feed${query}`, {
    headers: lastEventId === undefined ? {} : { "last-event-id": lastEventId },
    signal: stop.signal,
  });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const heard: Message[] = [];
  let [lastId, hasEnded] = ["", false];
  const read = async (): Promise<void> => {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const parts = (text + decoder.decode(chunk as Uint8Array, { stream: true })).split("\n\n");
      text = parts.pop() ?? "";
      for (const part of parts) {
        const fields = Object.fromEntries(
          part.split("\n").map((line) => [line.split(": ")[0], line.slice(line.indexOf(": ") + 2)]),
        );
        lastId = fields["id"] ?? lastId;
        const { event: name, data } = fields;
        if (name !== undefined) heard.push({ name, event: JSON.parse(data ?? "") as FeedEvent });
      }
    }
  };
  void read()
    .catch(() => undefined)
    .finally(() => (hasEnded = true));
  await eventually(() => expect(lastId).not.toBe(""));
  return { heard, lastId: () => lastId, hasEnded: () => hasEnded, stop: () => stop.abort() };
}

async function live(subject: string, order: string): Promise<void> {
  await harness.send(orderEvent("order.received", { subject, data: { orderId: order } }));
  await harness.send(orderEvent("order.accepted", { subject }));
  await harness.settled(subject, "accepted");
}

function placesOf(listener: Listener, itemId: string): number[] {
  return listener.heard.flatMap(({ event }) => (event.itemId === itemId ? [event.place] : []));
}

/** What the journal has, the listener has heard, in order; and once. */
async function heardAll(listener: Listener, itemId: string): Promise<void> {
  await eventually(async () => {
    const journal = await harness.journal(itemId);
    expect(placesOf(listener, itemId)).toEqual(journal.map((_, place) => place));
  });
}

describe("the feed", () => {
  test("tells every decision and every delivery, as the journals have them", async () => {
    const listener = await listen();
    await Promise.all(["f-1", "f-2", "f-3"].map((item) => live(item, "order-f")));
    for (const item of ["f-1", "f-2", "f-3"]) await heardAll(listener, item);
    for (const { name, event } of listener.heard) {
      expect(feedEvent.parse(event)).toEqual(event);
      const entry = (await harness.journal(event.itemId))[event.place];
      expect(event).toMatchObject({ kind: entry?.kind, at: entry?.at });
      expect(name).toBe(entry?.kind === "delivery" ? "delivery" : "decision");
    }
    const statuses = listener.heard.map(({ event: { status } }) => status);
    expect(statuses).toContain("accepted");
  });

  test("goes on behind the last id, and nothing of what was missed is left out", async () => {
    const first = await listen();
    await live("r-1", "order-r");
    await heardAll(first, "r-1");
    const { length } = await harness.journal("r-1");
    const id = first.lastId();
    first.stop();
    await live("r-2", "order-r");
    await harness.send(
      orderEvent("order.noted", { subject: "r-1", data: { providerNotes: "Hm." } }),
    );
    await eventually(async () => {
      expect((await harness.journal("r-1")).length).toBeGreaterThan(length);
    });
    const again = await listen("", id);
    await heardAll(again, "r-2");
    await eventually(async () => {
      const missed = (await harness.journal("r-1")).map((_, place) => place).slice(length);
      expect(placesOf(again, "r-1")).toEqual(missed);
    });
  });

  test("of one item or one order is of nothing else, for each listener its own", async () => {
    const [ofItem, ofOrder, ofAll] = await Promise.all([
      listen("?item=o-1"),
      listen("?order=order-o"),
      listen(),
    ]);
    await Promise.all([live("o-1", "order-o"), live("o-2", "order-o"), live("o-3", "order-p")]);
    for (const item of ["o-1", "o-2", "o-3"]) await heardAll(ofAll, item);
    await heardAll(ofItem, "o-1");
    for (const item of ["o-1", "o-2"]) await heardAll(ofOrder, item);
    expect(new Set(ofItem.heard.map(({ event }) => event.itemId))).toEqual(new Set(["o-1"]));
    expect(new Set(ofOrder.heard.map(({ event }) => event.itemId))).toEqual(
      new Set(["o-1", "o-2"]),
    );
  });

  test("leaves nothing out and repeats nothing for listeners that join in the middle", async () => {
    const items = Array.from({ length: 12 }, (_, index) => `j-${index}`);
    const early = await listen();
    const start = early.lastId();
    const lives = items.map((item) => live(item, "order-j"));
    const joined: Listener[] = [];
    for (let count = 0; count < 8; count += 1) {
      joined.push(await listen("", start));
      await lives[count];
    }
    await Promise.all(lives);
    const listeners = [early, ...joined];
    for (const listener of listeners) for (const item of items) await heardAll(listener, item);
    expect(listeners.map((listener) => listener.hasEnded())).not.toContain(true);
  });

  test("says that there is a gap when the cursor is older than what is kept", async () => {
    const listener = await listen();
    const id = listener.lastId();
    listener.stop();
    const redis = new Redis(inject("redisUrl"));
    onTestFinished(() => redis.disconnect());
    const { keyPrefix: prefix, shards } = harness.config;
    const key = `${itemPrefix({ prefix, shards }, "g-0")}feed`;
    await redis.rpush(key, ...Array.from({ length: 11_000 }, () => "gone\n1 1"));
    await live("g-0", "order-g");
    const late = await listen("", id);
    await eventually(() => expect(late.heard.map(({ name }) => name)).toContain("gap"));
    const now = await listen();
    await live("g-1", "order-g");
    await heardAll(now, "g-1");
    await heardAll(late, "g-1");
    expect(now.heard.map(({ name }) => name)).not.toContain("gap");
  });

  test("says that there is a gap when Redis has forgotten its last second", async () => {
    const listener = await listen();
    await live("k-1", "order-k");
    await heardAll(listener, "k-1");
    const redis = new Redis(inject("redisUrl"));
    onTestFinished(() => redis.disconnect());
    const { keyPrefix: prefix, shards } = harness.config;
    await redis.lset(`${itemPrefix({ prefix, shards }, "k-1")}feed`, -1, "another\n1 1");
    await eventually(() => expect(listener.heard.at(-1)?.name).toBe("gap"));
    await live("k-2", "order-k");
    await heardAll(listener, "k-2");
  });
});

test("streams end when the process does", async () => {
  const other = await startHttpServer(serverOptions(reading), HERE);
  const response = await fetch(`${other.url}/v1/feed`);
  const text = response.text();
  await other.close();
  expect(await text).toContain("id: ");
});

test("streams end when the key that opened them is not good any more", async () => {
  const grant = { keyId: "k1", name: "crm", scopes: ["items:read"], perMinute: null } as const;
  const check = vi.fn<DoorKeys["check"]>().mockResolvedValue({ standing: "good", grant });
  const keys: DoorKeys = { ...OPEN_DOOR, check };
  const other = await startHttpServer({ ...serverOptions(reading), keys }, HERE);
  onTestFinished(() => other.close());
  const response = await fetch(`${other.url}/v1/feed`, { headers: { "x-api-key": "ow_k1" } });
  const text = response.text();
  // What nobody can tell ends nothing; a no does.
  check.mockRejectedValueOnce(new Error("away")).mockResolvedValue({ standing: "revoked" });
  expect(await text).toContain("id: ");
  expect(check).toHaveBeenCalledTimes(3);
}, 20_000);

describe("without a Redis", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "orderwright-reading-"));
  let redis: EmbeddedRedis | undefined;

  afterAll(async () => {
    await redis?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  test("questions are answered with 503 in time, and go on by themselves", async () => {
    const port = await freePort();
    const layout = { keyPrefix: "away", shards: 8 };
    const away = readingOf(`redis://127.0.0.1:${port}`, layout, 400);
    const api = await startHttpServer(serverOptions(away), HERE);
    onTestFinished(async () => {
      await api.close();
      away.close();
    });
    const URLS = ["/v1/items", "/v1/items/i-1", "/v1/policy", "/v1/feed", "/v1/fulfilment"];
    const statuses = async (): Promise<number[]> =>
      Promise.all(
        URLS.map(async (path) => {
          const gone = new AbortController();
          const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(5_000)]);
          const response = await fetch(`${api.url}${path}`, { signal });
          const isAway = response.status === 503;
          expect(response.headers.get("retry-after")).toBe(isAway ? "1" : null);
          gone.abort();
          return response.status;
        }),
      );
    const all503 = URLS.map(() => 503);
    const well = [200, 404, 200, 200, 200];
    expect(await statuses()).toEqual(all503);
    redis = await startEmbeddedRedis({ dataDir, port, appendfsync: "everysec" });
    await eventually(async () => expect(await statuses()).toEqual(well));
    redis.kill("SIGSTOP");
    expect(await statuses()).toEqual(all503);
    redis.kill("SIGCONT");
    await eventually(async () => expect(await statuses()).toEqual(well));
    await redis.stop();
    expect(await statuses()).toEqual(all503);
    redis = undefined;
  });
});
