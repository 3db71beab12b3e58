/** CloudEvents over HTTP, by the examples of its specification. */
import { describe, expect, test } from "vitest";
import { decodedHeader } from "../../src/intake/cloudevents.ts";
import { adapterOf, delivery, eventsOf } from "../support/webhook-delivery.ts";

const LOOPBACK = { kind: "loopback" };
const adapter = adapterOf({ kind: "cloudevents", authentication: LOOPBACK });
const translated = (body: string | object, headers: Record<string, string>) =>
  adapter.translate(delivery(body, headers));

/** The attributes of the specification's examples, and a subject: an event of ours is of an item. */
const EVENT = {
  specversion: "1.0",
  type: "com.example.someevent",
  time: "2018-04-05T03:56:24Z",
  id: "1234-1234-1234",
  source: "/mycontext/subcontext",
  subject: "ITEM-1",
};
const STRUCTURED = { "content-type": "application/cloudevents+json; charset=utf-8" };
const BATCH = { "content-type": "application/cloudevents-batch+json; charset=utf-8" };
const BINARY = {
  ...Object.fromEntries(Object.entries(EVENT).map(([name, value]) => [`ce-${name}`, value])),
  "content-type": "application/json; charset=utf-8",
};

describe("structured mode", () => {
  test("the event is the body", () => {
    const event = { ...EVENT, data: { note: "grün" } };
    expect(eventsOf(translated(event, STRUCTURED)).events).toEqual([event]);
  });

  test("plain JSON is read in the same way, for senders that cannot choose", () => {
    const json = { "content-type": "application/json" };
    expect(eventsOf(translated(EVENT, json)).events).toMatchObject([EVENT]);
    expect(eventsOf(translated([EVENT, EVENT], json)).events).toHaveLength(2);
  });

  test("C3: an authentic body that is no event is malformed, whatever is wrong with it", () => {
    const malformed = (body: string | object, headers = STRUCTURED) => {
      const translation = translated(body, headers);
      if (translation.outcome === "malformed") return translation.problem.code;
      return eventsOf(translation).malformed.map(({ problem }) => problem.code);
    };
    expect(malformed("{")).toBe("EVENT_NOT_JSON");
    expect(malformed("<a/>", { "content-type": "application/cloudevents+xml" })).toBe(
      "EVENT_NOT_JSON",
    );
    expect(malformed(EVENT, BATCH)).toBe("EVENT_INVALID");
    expect(malformed("[".repeat(5_000) + "]".repeat(5_000))).toBe("EVENT_INVALID");
    expect(malformed({ ...EVENT, specversion: "0.3" })).toEqual(["EVENT_INVALID"]);
    expect(malformed({ ...EVENT, subject: undefined })).toEqual(["EVENT_SUBJECT_MISSING"]);
    expect(malformed({ ...EVENT, type: "xstate.init" })).toEqual(["EVENT_TYPE_RESERVED"]);
  });

  test("an event without a time stays without one, so that the worker sees that there was none", () => {
    const { time: _, ...undated } = EVENT;
    expect(eventsOf(translated(undated, STRUCTURED)).events).toEqual([{ ...undated, data: {} }]);
  });
});

describe("batched mode", () => {
  test("C4: each event is judged by itself", () => {
    const other = { ...EVENT, id: "2", subject: "ITEM-2" };
    const { events, malformed } = eventsOf(translated([EVENT, { id: "x" }, other], BATCH));
    expect(events.map(({ id }) => id)).toEqual(["1234-1234-1234", "2"]);
    expect(malformed).toMatchObject([{ problem: { code: "EVENT_SUBJECT_MISSING" } }]);
  });

  test("an empty batch is allowed and holds nothing", () => {
    expect(translated([], BATCH)).toMatchObject({
      outcome: "ignored",
      ignored: [{ reason: "empty" }],
    });
  });

  test("more than 100 events are one dead letter", () => {
    expect(translated(Array(101).fill(EVENT), BATCH)).toMatchObject({
      outcome: "malformed",
      problem: { code: "EVENT_BATCH_TOO_LARGE" },
    });
    expect(eventsOf(translated(Array(100).fill(EVENT), BATCH)).events).toHaveLength(100);
  });
});

describe("binary mode", () => {
  test("attributes are headers, the content type is that of the data, the body is the data", () => {
    const { events } = eventsOf(translated({ note: "x" }, { ...BINARY, "ce-sequence": "7" }));
    const datacontenttype = "application/json; charset=utf-8";
    expect(events).toEqual([{ ...EVENT, datacontenttype, sequence: "7", data: { note: "x" } }]);
  });

  test("an event may have no data", () => {
    const { "content-type": _, ...headers } = BINARY;
    expect(eventsOf(translated("", headers)).events).toEqual([{ ...EVENT, data: {} }]);
  });

  test("header values are unquoted, then percent-decoded once", () => {
    expect(decodedHeader("Euro%20%E2%82%AC%20%F0%9F%98%80")).toBe("Euro € 😀");
    expect(decodedHeader("%e2%82%ac%41")).toBe("€A");
    expect(decodedHeader("%2541")).toBe("%41");
    expect(decodedHeader(String.raw`"a \"b\" \\ c%20d"`)).toBe(String.raw`a "b" \ c d`);
  });

  test.each(["%C0%A0", "%ED%A0%80", "%E2%82", "%", "%zz", "\u00fc"])(
    "a header of %j is refused: it is no percent-encoded UTF-8",
    (value) => {
      const { malformed } = eventsOf(translated("{}", { ...BINARY, "ce-subject": value }));
      expect(malformed).toMatchObject([{ problem: { code: "EVENT_INVALID" } }]);
    },
  );

  test.each([
    ["ce-datacontenttype", "application/json"],
    ["content-type", "text/plain"],
    ["ce-specversion", "1.1"],
  ])("%s: %s is refused", (name, value) => {
    expect(eventsOf(translated("{}", { ...BINARY, [name]: value })).malformed).toHaveLength(1);
  });

  test("C5: a redrive is for operators: no webhook passes by what knows duplicates", () => {
    const binary = eventsOf(translated("{}", { ...BINARY, "ce-redrive": "1" }));
    const structured = eventsOf(translated({ ...EVENT, redrive: 1 }, STRUCTURED));
    for (const { events } of [binary, structured]) {
      expect(events).toMatchObject([EVENT]);
      expect(events[0]).not.toHaveProperty("redrive");
    }
  });
});

test("a sender with an account speaks for no other", () => {
  const acme = adapterOf({ kind: "cloudevents", authentication: LOOPBACK, account: "acme" });
  const { events, malformed } = eventsOf(
    acme.translate(delivery([EVENT, { ...EVENT, account: "other" }], BATCH)),
  );
  expect(events).toMatchObject([{ id: EVENT.id, account: "acme" }]);
  expect(malformed).toMatchObject([{ problem: { code: "EVENT_SUBJECT_FOREIGN" } }]);
});
