import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { verifyOffergridWebhook } from "../../src/offergrid/webhook-signature.ts";

const nowMs = 1_772_366_400_000;
const timestamp = String(nowMs / 1000);
const rawBody = Buffer.from('{"id":"evt_1",  "event":"order.created"}');
const sign = (secret: string, prefix = ""): string =>
  createHmac("sha256", secret).update(`${prefix}${rawBody.toString()}`).digest("hex");
const verify = (headers: Record<string, string>, secrets = ["new", "old"]) =>
  verifyOffergridWebhook({ rawBody, headers, secrets, nowMs, toleranceMs: 300_000 });
const stamped = (signature: string, at = timestamp) =>
  verify({ "x-offergrid-signature": signature, "x-offergrid-timestamp": at });

test("both schemes and every active secret are taken", () => {
  expect(stamped(sign("new", `${timestamp}.`))).toMatchObject({ scheme: "timestamped" });
  expect(stamped(sign("old", `${timestamp}.`))).toMatchObject({ outcome: "verified" });
  expect(stamped(sign("new", `${nowMs}.`), String(nowMs))).toMatchObject({ outcome: "verified" });
  expect(verify({ "x-offergrid-signature": sign("old") })).toEqual({
    outcome: "verified",
    scheme: "plain",
  });
});

test.each([
  ["signature-missing", verify({})],
  ["signature-malformed", verify({ "x-offergrid-signature": "test-signature" })],
  ["signature-malformed", verify({ "x-offergrid-signature": sign("new").slice(2) })],
  ["signature-mismatch", verify({ "x-offergrid-signature": sign("retired") })],
  ["signature-mismatch", verify({ "x-offergrid-signature": sign("new") }, [])],
  ["signature-mismatch", stamped(sign("new"))],
  ["timestamp-malformed", stamped(sign("new", "yesterday."), "yesterday")],
  [
    "timestamp-out-of-tolerance",
    stamped(sign("new", `${nowMs / 1000 - 301}.`), String(nowMs / 1000 - 301)),
  ],
  [
    "timestamp-out-of-tolerance",
    stamped(sign("new", `${nowMs / 1000 + 301}.`), String(nowMs / 1000 + 301)),
  ],
])("refuses with %s", (reason, verdict) => {
  expect(verdict).toEqual({ outcome: "refused", reason });
});
