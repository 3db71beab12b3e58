/** Auto-accept over a store in memory, a clock that the test turns, and a real answerer. */
import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { definitions } from "../../machines/registry.ts";
import { assertTemplates } from "../../src/cli/auto-accept.ts";
import { autoAcceptSchema } from "../../src/config-auto-accept.ts";
import { loadConfig, redactedConfig } from "../../src/config.ts";
import { decodeActor, encodeActor, isLiving } from "../../src/core/actor.ts";
import { registerMachines } from "../../src/core/machine.ts";
import { readEvent } from "../../src/core/read-event.ts";
import { replayAll } from "../../src/core/replay.ts";
import { Applier } from "../../src/engine/apply-events.ts";
import { openChannels } from "../../src/engine/channel.ts";
import { Drains } from "../../src/engine/drain.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { recover } from "../../src/engine/recover.ts";
import { askingFor, type ServiceabilityCheck } from "../../src/engine/serviceability.ts";
import { openWebhookClient } from "../../src/notices/webhook-client.ts";
import { CHECK_MAX_ATTEMPTS } from "../../src/serviceability/verdict.ts";
import { DEFAULT_CLOCKS } from "../../src/sla/clockwork.ts";
import { loadActors } from "../../src/store/actor-store.ts";
import { listDeadLetters } from "../../src/store/dead-letter-store.ts";
import { readJournal } from "../../src/store/item-store.ts";
import { MemoryRedis, memoryCommands } from "../../src/store/memory/memory-redis.ts";
import { recordServer } from "../../src/store/new-server.ts";
import { channelsOf, readLanes } from "../../src/store/outbox-store.ts";
import { orderEvent } from "../support/order-item-events.ts";
import { LIMITS } from "../support/small-machine.ts";
import {
  type ReceiverAnswer,
  startWebhookReceiver,
  type WebhookReceiver,
} from "../support/webhook-receiver.ts";

const ITEM = "item-1";
const CHANNEL = "serviceability.default";
const KEY = Buffer.alloc(24, 1);
const SECRET = `whsec_${KEY.toString("base64")}`;
const LEASE_MS = 60_000;

let receiver: WebhookReceiver;
let check: ServiceabilityCheck;
let engine: Engine;
let applier: Applier;
let now: number;
let errors: unknown[];

beforeEach(async () => {
  now = Date.parse("2026-03-02T09:00:00Z");
  errors = [];
  const memory = new MemoryRedis(() => now);
  engine = {
    store: {
      redis: memoryCommands(async (...call) => memory.call(...call)),
      layout: { prefix: "ow", shards: 1 },
    },
    machines: registerMachines(definitions({ orderItem: {} })),
    limits: LIMITS,
    clocks: () => DEFAULT_CLOCKS,
    asksAbout: askingFor([{ account: "default" }]),
    dedupeForMs: 7 * 24 * 3_600_000,
    now: () => now,
    wake: () => undefined,
  };
  await recordServer(engine.store);
  applier = new Applier(engine);
  receiver = await startWebhookReceiver();
  const [{ accepted, rejected, ...asked }] = autoAcceptSchema.parse([
    { account: "default", url: receiver.url, secrets: [SECRET], timeoutMs: 3_000 },
  ]) as [ReturnType<typeof autoAcceptSchema.parse>[number]];
  const client = openWebhookClient({ ...asked, connections: 4, keeps: "body" });
  check = { client, templates: { accepted, rejected } };
});

afterEach(async () => {
  await receiver.close();
  await check.client.close();
});

async function apply(event: object, by = applier) {
  const read = readEvent(event, now);
  if (read.result !== "event") throw new TypeError(read.problem.message);
  return by.apply(read.event);
}

async function received(account = "default"): Promise<void> {
  const order = orderEvent("order.received", { subject: ITEM, data: { account } });
  expect(await apply(order)).toMatchObject({ outcome: "applied" });
}

async function drain(change: { readonly applier?: Applier; readonly isOn?: false } = {}) {
  const served = openChannels({
    engine,
    applier: change.applier ?? applier,
    accounts: [],
    tell: () => undefined,
    checks: change.isOn === false ? undefined : new Map([["default", check]]),
    random: () => 0.5,
  })(CHANNEL);
  if (served === undefined) throw new TypeError("nobody asks");
  await new Drains().run(engine, {
    concurrency: 4,
    ...served,
    channel: CHANNEL,
    owner: "drain",
    leaseMs: LEASE_MS,
    log: { error: (fields) => errors.push(fields) },
    signal: new AbortController().signal,
  });
}

function says(answer: unknown, status = 200): ReceiverAnswer {
  return { status, body: JSON.stringify(answer) };
}

async function actor() {
  const [text = ""] = await loadActors(engine.store, [ITEM]);
  const found = decodeActor(ITEM, text);
  if (!isLiving(found)) throw new TypeError("nobody has announced it");
  const machine = engine.machines.byId(found.machine, found.version);
  return { ...found, text, status: machine?.status(found.snapshot.value), machine };
}

async function notices(): Promise<unknown[]> {
  const lanes = await readLanes(engine.store, ITEM);
  const lane = lanes.find(({ channel }) => channel === "operator");
  return lane?.pending.map(({ params }) => params) ?? [];
}

async function deliveries() {
  const journal = await readJournal(engine.store, ITEM);
  return journal.flatMap((entry) =>
    entry.kind === "delivery" ? [`${entry.outcome}: ${entry.answer}`] : [],
  );
}

/** Nothing is left to ask, and the journal explains the item without any configuration. */
async function expectSettled(): Promise<void> {
  const lanes = await readLanes(engine.store, ITEM);
  expect(lanes.filter(({ channel }) => channel === CHANNEL)).toEqual([]);
  const { text } = await actor();
  const again = replayAll(engine.machines, ITEM, await readJournal(engine.store, ITEM));
  expect(again && encodeActor(again)).toBe(text);
}

describe("an answer", () => {
  test("of yes accepts the item in the provider's words, and lint has nothing against them", async () => {
    receiver.answer = () => says({ serviceable: true, notes: "Fiber is in the building." });
    await received();
    await drain();
    const { status, machine, snapshot } = await actor();
    expect(status).toBe("accepted");
    const { value, context } = snapshot;
    expect(machine?.warnings?.({ value, context })).toEqual([]);
    expect(context["note"]).toBe(
      "We can serve this address. We will call within 24 hours to set a date. Fiber is in the building.",
    );
    const journal = await readJournal(engine.store, ITEM);
    expect(journal).toContainEqual(
      expect.objectContaining({
        event: expect.objectContaining({
          id: `once:order.accepted:${ITEM}`,
          source: "orderwright:auto-accept",
          type: "order.accepted",
        }),
      }),
    );
    await expectSettled();
  });

  test("of no rejects it, with the reason that was given or the configured one", async () => {
    receiver.answer = () => says({ serviceable: false, reason: "capacity" });
    await received();
    await drain();
    const { status, machine, snapshot } = await actor();
    expect(status).toBe("rejected");
    const { value, context } = snapshot;
    expect(machine?.warnings?.({ value, context })).toEqual([]);
    const lanes = await readLanes(engine.store, ITEM);
    expect(lanes.flatMap(({ pending }) => pending)).toMatchObject([
      { params: { status: "rejected", metadata: { reasonCode: "capacity" } } },
    ]);
    await expectSettled();
  });

  test("is asked for with a signed question that does not name the customer", async () => {
    receiver.answer = () => says({ serviceable: true });
    await received();
    await drain();
    const [request] = receiver.received;
    const { headers = {}, body = "" } = request ?? {};
    expect(JSON.parse(body)).toEqual({
      type: "item.serviceability",
      timestamp: "2026-03-02T09:00:00.000Z",
      data: {
        item: ITEM,
        account: "default",
        order: "order-1",
        offer: { id: "offer-1", name: "Fiber 500" },
        category: "internet",
        requiresInstallation: true,
        serviceAddress: expect.objectContaining({ zipCode: "94000" }),
        createdAt: null,
      },
    });
    const signed = [headers["webhook-id"], headers["webhook-timestamp"], body].join(".");
    const signature = createHmac("sha256", KEY).update(signed).digest("base64");
    expect(headers["webhook-signature"]).toBe(`v1,${signature}`);
  });

  test("that comes after a 500 and a time-out is as good", async () => {
    const answers: (ReceiverAnswer | "hang")[] = [says({}, 500), "hang"];
    receiver.answer = () => answers.shift() ?? says({ serviceable: true });
    await received();
    await drain();
    now += 1_000;
    await drain();
    expect((await actor()).status).toBe("pending");
    now += 2_000;
    await drain();
    expect((await actor()).status).toBe("accepted");
    const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
    expect(ids).toEqual(Array.from({ length: 3 }, () => `${ITEM}:1:0`));
    await expectSettled();
  });
});

describe("a person is asked, once, and the item waits", () => {
  test.each<[string, string, ReceiverAnswer]>([
    ["does not know", "does not know", says({ serviceable: "unknown" })],
    ["says neither", "cannot be read", says({ serviceable: "yes" })],
    ["is no JSON", "cannot be read", { status: 200, body: "<html>" }],
    ["is no 200", "cannot be read", says({ serviceable: true }, 201)],
    ["refuses us", "cannot be read", says({ serviceable: true }, 403)],
    ["is too large", "cannot be read", { status: 200, body: " ".repeat(70_000) + "{}" }],
  ])("when the answer %s", async (_what, why, answer) => {
    receiver.answer = () => answer;
    await received();
    await drain();
    expect((await actor()).status).toBe("pending");
    expect(await notices()).toMatchObject([
      { kind: "undecided", to: ["owner"], text: expect.stringContaining(why), status: "pending" },
    ]);
    expect(await deliveries()).toEqual([expect.stringMatching(/a person is asked$/)]);
    await expectSettled();
    // A person decides as ever.
    await apply(orderEvent("order.accepted", { subject: ITEM }));
    expect((await actor()).status).toBe("accepted");
  });

  test("when nobody answers for about ten minutes", async () => {
    receiver.answer = () => says({ serviceable: true }, 503);
    await received();
    const began = now;
    for (let tries = 0; tries < CHECK_MAX_ATTEMPTS; tries += 1) {
      expect(await notices()).toEqual([]);
      await drain();
      now += 120_000;
    }
    expect(receiver.received.length).toBe(CHECK_MAX_ATTEMPTS);
    expect(await notices()).toMatchObject([{ text: expect.stringContaining("gave no answer") }]);
    expect(now - began).toBeGreaterThan(600_000);
    await expectSettled();
  });

  test("when the item does not take the answer", async () => {
    receiver.answer = () => says({ serviceable: true });
    engine = {
      ...engine,
      machines: registerMachines(definitions({ orderItem: { lint: { notes: "error" } } })),
    };
    applier = new Applier(engine);
    check = { ...check, templates: { ...check.templates, accepted: { note: "Accepted." } } };
    await received();
    await drain();
    expect((await actor()).status).toBe("pending");
    expect(await notices()).toMatchObject([{ text: expect.stringContaining("did not take") }]);
    expect(await deliveries()).toEqual([expect.stringContaining("LINT_REFUSED")]);
    await expectSettled();
  });
});

describe("whoever is first decides", () => {
  test("an item that a person has answered is not asked about", async () => {
    await received();
    await apply(orderEvent("order.rejected", { subject: ITEM }));
    await drain();
    expect(receiver.received).toEqual([]);
    expect(await deliveries()).toEqual(["superseded: not asked: rejected"]);
    await expectSettled();
  });

  test("an answer that comes after a person's is refused by the item, and asks nobody", async () => {
    receiver.answer = async () => {
      await apply(orderEvent("order.rejected", { subject: ITEM }));
      return says({ serviceable: true });
    };
    await received();
    await drain();
    expect((await actor()).status).toBe("rejected");
    expect(await notices()).toEqual([]);
    expect(await listDeadLetters(engine.store, 10)).toEqual([]);
    await expectSettled();
  });

  test("the same of an unclear one", async () => {
    receiver.answer = async () => {
      await apply(orderEvent("order.accepted", { subject: ITEM }));
      return says({ serviceable: "unknown" });
    };
    await received();
    await drain();
    expect(await notices()).toEqual([]);
    await expectSettled();
  });
});

describe("a crash", () => {
  /** Ends the delivery before or after the event, as a process that dies does. */
  function dying(when: "before" | "after"): Applier {
    const other = new Applier(engine);
    const real = other.apply.bind(other);
    other.apply = async (event) => {
      if (when === "after") await real(event);
      throw new Error("killed");
    };
    return other;
  }

  test.each<["before" | "after", unknown, number, string]>([
    ["before", true, 2, "accepted"],
    ["after", true, 1, "accepted"],
    ["before", "unknown", 2, "pending"],
    ["after", "unknown", 2, "pending"],
    // What cannot be read the first time is not known the second.
    ["after", "perhaps", 2, "pending"],
  ])("%s the event of %s asks %i times and leaves the item %s", async (...row) => {
    const [when, serviceable, times, status] = row;
    const answers = [says({ serviceable })];
    const second = serviceable === "perhaps" ? "unknown" : serviceable;
    receiver.answer = () => answers.shift() ?? says({ serviceable: second });
    await received();
    await drain({ applier: dying(when) });
    expect(errors).toMatchObject([{ err: new Error("killed") }]);
    now += LEASE_MS + 1;
    await recover(engine);
    applier = new Applier(engine);
    await drain();
    expect((await actor()).status).toBe(status);
    expect(receiver.received.length).toBe(times);
    expect((await notices()).length).toBe(serviceable === true ? 0 : 1);
    expect(await listDeadLetters(engine.store, 10)).toEqual([]);
    await expectSettled();
  });
});

describe("off", () => {
  test("an account without it asks nobody, and its items have nothing more to store", async () => {
    await received("other");
    const { text } = await actor();
    const journal = await readJournal(engine.store, ITEM);
    expect(await channelsOf(engine.store, 0)).not.toContain("serviceability.other");
    engine = { ...engine, asksAbout: undefined };
    expect(askingFor(undefined)).toBeUndefined();
    expect(JSON.stringify(journal)).not.toContain("checkServiceability");
    const again = replayAll(engine.machines, ITEM, journal);
    expect(again && encodeActor(again)).toBe(text);
  });

  test("what was asked before it was switched off is dropped, and the item waits for a person", async () => {
    await received();
    await drain({ isOn: false });
    expect(receiver.received).toEqual([]);
    expect(await deliveries()).toEqual(["superseded: auto-accept is off"]);
    expect((await actor()).status).toBe("pending");
    await expectSettled();
  });

  test("nobody but the engine says that nothing was decided", async () => {
    await received();
    const event = { ...orderEvent("order.noted", { subject: ITEM }), type: "orderwright.guess" };
    expect(readEvent(event, now)).toMatchObject({ problem: { code: "EVENT_TYPE_RESERVED" } });
  });
});

describe("the configuration", () => {
  const ASKED = { account: "default", url: "https://crm.example.com/check?t=1", secrets: [SECRET] };

  function configured(...entries: readonly object[]) {
    return loadConfig({ ORDERWRIGHT_AUTO_ACCEPT: JSON.stringify(entries) });
  }

  test("needs an address and a secret, has words for the rest, and hides what is secret", () => {
    const config = configured(ASKED);
    expect(config.autoAccept).toMatchObject([{ ...ASKED, timeoutMs: 5_000 }]);
    const shown = JSON.stringify(redactedConfig(config));
    expect(shown).not.toContain(SECRET);
    expect(shown).not.toContain("check?t=1");
    expect(() => configured({ ...ASKED, secrets: [] })).toThrow(/AUTO_ACCEPT.*secrets/s);
    expect(() => configured(ASKED, ASKED)).toThrow(/more than once/);
  });

  test("has words that lint agrees with, or does not start", () => {
    const machines = definitions({ orderItem: {} });
    expect(() => assertTemplates(configured(ASKED), machines)).not.toThrow();
    const bad = { ...ASKED, accepted: { note: "Accepted." }, rejected: { note: "Cannot do it." } };
    expect(() => assertTemplates(configured(bad), machines)).toThrow(
      /autoAccept\.default\.accepted: notes: .*autoAccept\.default\.rejected: failures: /s,
    );
  });

  test("absent, it is none", () => {
    expect(loadConfig({}).autoAccept).toBeUndefined();
  });
});
