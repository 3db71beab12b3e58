/** Every adapter against anything at all: it never throws, and what it lets through is an event. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, test } from "vitest";
import { EngineError } from "../../src/core/errors.ts";
import { readEvent } from "../../src/core/read-event.ts";
import { type Adapter, addressed, readDelivery } from "../../src/intake/adapter.ts";
import { adaptersOf, readWebhooks } from "../../src/intake/webhooks.ts";
import { verifyOffergridWebhook } from "../../src/offergrid/webhook-signature.ts";
import { anyJson, damaged, viciousText } from "../support/arbitrary-json.ts";
import { delivery } from "../support/webhook-delivery.ts";

const EXAMPLE = readFileSync("docs/examples/webhooks.json", "utf8");
const SAMPLE = JSON.parse(readFileSync("docs/examples/field-service-webhook.json", "utf8")) as {
  readonly jobs: readonly [Readonly<Record<string, unknown>>];
};
const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const env = {
  EVENTS_SECRET: secret,
  HUBSPOT_CLIENT_SECRET: secret,
  FIELD_SERVICE_SECRET: secret,
  OFFERGRID_WEBHOOK_SECRET: secret,
};
const adapters = adaptersOf(readWebhooks({ text: EXAMPLE, from: "the example", env }), {
  verifyOffergrid: verifyOffergridWebhook,
});

const event = { specversion: "1.0", id: "1", source: "s", type: "t", subject: "i", account: "a" };
const change = {
  objectId: 1,
  objectTypeId: "0-3",
  propertyName: "offergrid_started_item",
  propertyValue: "ITEM-1",
  occurredAt: 1_788_597_072_520,
  changeSource: "CRM_UI",
};
const order = { id: "e", event: "order.cancelled", orderId: "o", itemId: "i", timestamp: "x" };

const json = fc.oneof(
  anyJson,
  damaged(event),
  damaged(order),
  damaged({ ...order, event: "order.created" }),
  fc.array(fc.oneof(damaged(change), anyJson), { maxLength: 3 }),
  fc.array(damaged(SAMPLE.jobs[0]), { maxLength: 3 }).map((jobs) => ({ ...SAMPLE, jobs })),
);
const body = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }) },
  { weight: 1, arbitrary: viciousText.map((text) => Buffer.from(text)) },
  { weight: 6, arbitrary: json.map((value) => Buffer.from(JSON.stringify(value))) },
);
const NAMES = [
  "content-type",
  ...["specversion", "id", "source", "type", "subject", "time", "sequence"].map((n) => `ce-${n}`),
  "webhook-id",
  "webhook-timestamp",
  "webhook-signature",
  "x-hubspot-signature-v3",
  "x-hubspot-signature",
  "x-hubspot-request-timestamp",
  "x-field-signature",
  "x-offergrid-signature",
  "__proto__",
];
const headerValue = fc.oneof(
  viciousText,
  fc.constantFrom("1.0", "v1,x", "1772442000", "application/json", "application/cloudevents-batch"),
  fc.array(viciousText, { maxLength: 2 }),
);
const headers = fc
  .array(fc.tuple(fc.constantFrom(...NAMES), headerValue), { maxLength: 10 })
  .map((pairs) => Object.fromEntries(pairs));

function expectSound(adapter: Adapter, rawBody: Uint8Array, given: object): void {
  const request = { ...delivery(rawBody, given as Record<string, string>) };
  // Nobody can guess a signature.
  assert.equal(readDelivery(adapter, request).outcome, "unauthentic");
  const translation = adapter.translate(request);
  if (translation.outcome !== "events") return;
  const { events, orderWide } = translation;
  for (const each of events) assert.equal(readEvent(each, request.nowMs).result, "event");
  for (const each of orderWide.flatMap((wide) => addressed(wide, ["ITEM-9"]))) {
    assert.equal(readEvent(each, request.nowMs).result, "event");
  }
}

describe("any bytes with any headers", () => {
  test.each([...adapters.keys()])(
    "are told apart or refused by %s, and nothing is thrown",
    (name) => {
      const adapter = adapters.get(name);
      assert.ok(adapter);
      const claim = fc.property(body, headers, (raw, given) => expectSound(adapter, raw, given));
      fc.assert(claim, { numRuns: 1_000 });
    },
  );
});

test("a file of any shape is read or refused with CONFIG_INVALID", () => {
  const { sources } = JSON.parse(EXAMPLE) as { sources: Record<string, Record<string, unknown>> };
  const file = fc.oneof(
    anyJson,
    ...Object.entries(sources).map(([name, source]) =>
      damaged(source).map((changed) => ({ sources: { [name]: changed } })),
    ),
  );
  const claim = fc.property(file, (value) => {
    const text = JSON.stringify(value);
    try {
      readWebhooks({ text, from: "a file", env });
    } catch (error) {
      assert.ok(error instanceof EngineError && error.code === "CONFIG_INVALID");
    }
  });
  fc.assert(claim, { numRuns: 500 });
});
