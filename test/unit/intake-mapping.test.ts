/** Any other JSON webhook, by the rules of a file; and the file itself. */
import { readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { eventSchemas } from "../../machines/order-item/events.ts";
import { mapCommand } from "../../src/cli/map.ts";
import { EngineError } from "../../src/core/errors.ts";
import { adaptersOf, readWebhooks, typeHints } from "../../src/intake/webhooks.ts";
import { verifyOffergridWebhook } from "../../src/offergrid/webhook-signature.ts";
import { checkEvent } from "../../src/queue/producer.ts";
import { adapterOf, delivery, eventsOf, webhooks } from "../support/webhook-delivery.ts";

const EXAMPLE = "docs/examples/webhooks.json";
const SAMPLE = "docs/examples/field-service-webhook.json";
const SCHEMAS = eventSchemas(8 * 1024);
const ENV = {
  EVENTS_SECRET: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
  HUBSPOT_CLIENT_SECRET: "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy",
  FIELD_SERVICE_SECRET: "a secret of some length",
  OFFERGRID_WEBHOOK_SECRET: "another of some length",
};
const example = () =>
  readWebhooks({ text: readFileSync(EXAMPLE, "utf8"), from: EXAMPLE, env: ENV });

const SOURCE = {
  kind: "json",
  authentication: { kind: "loopback" },
  source: "crm/acme",
  subject: "item",
  events: [{ type: "work.started" }],
};
const translated = (source: object, body: object, headers = {}) =>
  adapterOf({ ...SOURCE, ...source }).translate(delivery(body, headers));
const eventOf = (source: object, body: object, headers = {}) =>
  eventsOf(translated(source, body, headers)).events[0];

describe("the example of the documentation", () => {
  test("is in order, and makes of the sample what the machine takes", () => {
    const adapter = adaptersOf(example(), { verifyOffergrid: verifyOffergridWebhook }).get(
      "field-service",
    );
    const translation = adapter?.translate(delivery(readFileSync(SAMPLE)));
    const { events, ignored } = eventsOf(translation ?? { outcome: "ignored", ignored: [] });
    expect(events).toEqual([
      {
        specversion: "1.0",
        id: "88121-4",
        source: "crm/field-service",
        type: "appointment.scheduled",
        subject: "ITEM-1",
        time: "2031-02-27T23:06:40.000Z",
        sequence: "4",
        data: {
          providerNotes: "Visit 88121 is set, 1-5 PM, with Ada Byron.",
          scheduledFor: "2031-03-11T13:00:00-07:00",
          zone: "America/Los_Angeles",
          metadata: {
            appointmentWindow: "1-5 PM",
            technicianName: "Ada Byron",
            workOrderId: "88121",
          },
        },
      },
    ]);
    expect(checkEvent(SCHEMAS, events[0], 0).result).toBe("event");
    expect(ignored).toMatchObject([{ reason: "unmapped" }]);
    expect(typeHints(example(), Object.keys(SCHEMAS))).toEqual([]);
  });
});

describe("values", () => {
  test("come from paths, tables, texts, headers and the file itself", () => {
    const data = {
      a: "list[1].name",
      b: { path: "code", table: { "7": "seven" } },
      "c.d": { text: "{item}/{code}" },
      "c.e": { header: "X-Origin" },
      f: { value: ["x"] },
    };
    const body = { item: "I", code: 7, list: [{ name: "p" }, { name: "q" }] };
    expect(eventOf({ events: [{ type: "t", data }] }, body, { "x-origin": "h" })?.data).toEqual({
      a: "q",
      b: "seven",
      c: { d: "I/7", e: "h" },
      f: ["x"],
    });
  });

  test("that are not there leave no trace, and no half sentences", () => {
    const data = {
      a: "none",
      b: { path: "code", table: { "8": "eight" } },
      c: { text: "{item} {none}" },
      d: { header: "x-none" },
      e: "constructor",
      f: "item.length",
      g: "list.length",
      h: "nothing",
    };
    const body = { item: "I", code: 7, list: [1], nothing: null };
    expect(eventOf({ events: [{ type: "t", data }] }, body)?.data).toEqual({});
  });

  test("a moment is ISO 8601, or a number of seconds or milliseconds", () => {
    const time = (rule: unknown, value: unknown) =>
      eventOf({ time: rule }, { item: "I", at: value });
    expect(time("at", "2026-03-02T09:00:00+01:00")?.time).toBe("2026-03-02T09:00:00+01:00");
    expect(time({ path: "at", unit: "s" }, 1_000)?.time).toBe("1970-01-01T00:16:40.000Z");
    expect(time({ path: "at", unit: "ms" }, "1000")?.time).toBe("1970-01-01T00:00:01.000Z");
    const wrong = translated({ time: "at" }, { item: "I", at: "2026-03-02T09:00:00" });
    expect(eventsOf(wrong).malformed).toMatchObject([{ problem: { code: "EVENT_INVALID" } }]);
  });
});

describe("rules", () => {
  const events = [
    { when: [{ path: "kind", equals: 1 }], type: "one" },
    { when: [{ path: "kind", oneOf: ["a", true] }], type: "any" },
    { when: [{ path: "kind", present: false }], type: "none" },
    { type: { path: "kind", table: { x: "from.table" } } },
  ];
  const typeOf = (kind: unknown) => {
    const translation = translated({ events }, { item: "I", kind });
    return translation.outcome === "events" ? translation.events[0]?.type : translation.outcome;
  };

  test("the first that holds makes the event, and none makes nothing", () => {
    expect([1, "1", "a", true, undefined, "", null, "x", "y", {}].map(typeOf)).toEqual([
      "one",
      "one",
      "any",
      "any",
      "none",
      "none",
      "none",
      "from.table",
      "ignored",
      "ignored",
    ]);
  });

  test("C3: an item that is not named is a dead letter", () => {
    expect(eventsOf(translated({}, { item: null })).malformed).toMatchObject([
      { problem: { code: "EVENT_SUBJECT_MISSING" } },
    ]);
    expect(translated({ each: "jobs" }, { item: "I" })).toMatchObject({ outcome: "malformed" });
  });
});

describe("C5: identity", () => {
  test("is the sender's own when the file says where it is", () => {
    expect(eventOf({ id: "no" }, { item: "I", no: 7 })?.id).toBe("7");
    expect(eventsOf(translated({ id: "no" }, { item: "I" })).malformed).toHaveLength(1);
  });

  test("is the webhook's when it is signed by Standard Webhooks", () => {
    const authentication = { kind: "standard-webhooks", secrets: [ENV.EVENTS_SECRET] };
    const headers = { "webhook-id": "msg_1" };
    expect(eventOf({ authentication }, { item: "I" }, headers)?.id).toBe("msg_1");
    const unsigned = eventOf({}, { item: "I" }, headers);
    expect(unsigned?.id).toMatch(/^[0-9a-f]{64}$/);
    const each = translated(
      { authentication, each: "jobs" },
      { jobs: [{ item: "I" }, { item: "J" }] },
      headers,
    );
    expect(eventsOf(each).events.map(({ id }) => id)).toEqual(["msg_1:0", "msg_1:1"]);
  });
});

describe("the file", () => {
  const faultsOf = (sources: object) => {
    try {
      webhooks(sources);
    } catch (error) {
      if (error instanceof EngineError && error.code === "CONFIG_INVALID") return error.message;
      throw error;
    }
    return "";
  };

  test("is refused with all of its faults, each under its path, and without its secrets", () => {
    const message = faultsOf({
      a: {
        ...SOURCE,
        authentication: { kind: "hmac", header: "a b", secrets: ["hunter2"] },
        each: "a..b",
        subject: { text: "{a b}" },
        time: { path: "t", unit: "h" },
        events: [{ type: "xstate.done", data: { q: { path: "a", table: [] } } }],
      },
      b: { kind: "zip" },
      c: { ...SOURCE, authentication: { kind: "bearer", tokenHashes: [{ env: "NO_SUCH" }] } },
      d: { kind: "hubspot", clientSecrets: [1], targetUrl: "x", subject: "{deal}", events: [] },
      E: SOURCE,
    });
    for (const path of [
      "a.authentication.header",
      "a.authentication.secrets.0",
      "a.each",
      "a.subject.text",
      "a.time.unit",
      "a.events.0.type",
      "a.events.0.data.q.table",
      "b.kind",
      "c.authentication.tokenHashes.0",
      "d.clientSecrets.0",
      "d.targetUrl",
      "d.subject",
      "d.events",
      "E",
    ]) {
      expect(message).toContain(`sources.${path}: `);
    }
    expect(message).toContain("the environment has no NO_SUCH");
    expect(message).not.toContain("hunter2");
    expect(
      faultsOf({ a: { ...SOURCE, events: [{ type: "t", data: { m: "x", "m.n": "y" } }] } }),
    ).toMatch(/sources\.a\.events\.0\.data\.m: /);
  });

  test("hints at event types that no machine takes", () => {
    const file = webhooks({
      a: { ...SOURCE, events: [{ type: { path: "x", table: { y: "work.strated" } } }] },
    });
    expect(typeHints(file, ["work.started"])).toEqual([
      expect.stringMatching(
        /^sources\.a\.events\.0\.type\.table\.y: .*"work\.strated".*work\.started/,
      ),
    ]);
  });
});

describe("orderwright map", () => {
  const run = async (...words: readonly string[]) => {
    const printed: string[] = [];
    const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      printed.push(String(text));
      return true;
    });
    for (const [name, value] of Object.entries(ENV)) vi.stubEnv(name, value);
    try {
      await mapCommand()
        .exitOverride()
        .parseAsync(["--mapping", EXAMPLE, ...words], { from: "user" });
      return { text: printed.join(""), exitCode: process.exitCode ?? 0 };
    } finally {
      write.mockRestore();
      vi.unstubAllEnvs();
      process.exitCode = 0;
    }
  };

  test("says that the file is in order", async () => {
    expect((await run()).text).toBe(
      `${EXAMPLE} is in order: events (cloudevents), hubspot (hubspot), field-service (json), offergrid (offergrid).\n`,
    );
  });

  test("tells what a sample would become, and whether it would be accepted", async () => {
    const { text, exitCode } = await run("--source", "field-service", "--try", SAMPLE);
    expect(exitCode).toBe(0);
    expect(text).toMatch(/"type": "appointment.scheduled"[^]*would be accepted\./);
    expect(text).toMatch(
      /Ignored, unmapped: No rule fits\.\n1 event, 0 dead letters, 1 ignored\.\n$/,
    );
  });

  test("ends with 1 when something would be a dead letter", async () => {
    const { text, exitCode } = await run("--source", "hubspot", "--try", SAMPLE, "--json");
    expect(exitCode).toBe(1);
    expect(JSON.parse(text)).toMatchObject({ outcome: "malformed", refused: 1 });
    await expect(run("--try", SAMPLE)).rejects.toThrow("--source: events, hubspot");
  });
});

test("C1: a value of a header needs a proof that covers it", () => {
  const SECRETS = { secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] };
  const faultsOf = (authentication: object, header: string) => () =>
    webhooks({ a: { ...SOURCE, authentication, id: { header } } });
  const hmac = { kind: "hmac", header: "x-signature", ...SECRETS };
  const standard = { kind: "standard-webhooks", ...SECRETS };
  expect(faultsOf(hmac, "x-request-id")).toThrow(/sources\.a\.id: is a header that the signature/);
  expect(faultsOf(standard, "x-request-id")).toThrow(/sources\.a\.id/);
  expect(faultsOf(standard, "webhook-id")).not.toThrow();
});

test("what lets a sender in is no part of an event", () => {
  const tokenHashes = ["a".repeat(64)];
  const authentication = { kind: "bearer", header: "x-token", tokenHashes };
  const read = (header: string) =>
    eventOf(
      { authentication, id: { text: "1" }, sequence: { header } },
      { item: "I" },
      { [header]: "s3cret" },
    );
  expect(read("x-number")?.sequence).toBe("s3cret");
  for (const header of ["x-token", "authorization", "cookie"]) {
    expect(read(header)).not.toHaveProperty("sequence");
  }
});
