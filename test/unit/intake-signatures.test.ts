/** Who a webhook is from: published vectors, and what differs from them in a single byte. */
import { createHash, createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { readDelivery } from "../../src/intake/adapter.ts";
import {
  type Authentication,
  authenticationSchema,
  authenticityFault,
} from "../../src/intake/authentication.ts";
import { hubspotFault, signedUri } from "../../src/intake/hubspot-signature.ts";
import { standardWebhookFault } from "../../src/intake/standard-webhooks.ts";
import { webhookHeaders } from "../../src/notices/webhook-signature.ts";
import {
  adapterOf,
  delivery,
  signedHeaders,
  withOneByteChanged,
} from "../support/webhook-delivery.ts";

const OTHER_SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

describe("Standard Webhooks", () => {
  /** Published with the reference implementations. */
  const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
  const HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": SIGNATURE,
  };
  const SIGNED_AT = 1_614_265_330_000;
  const RAW = Buffer.from('{"test": 2432232314}');
  const fault = (
    change: { headers?: object; rawBody?: Uint8Array; nowMs?: number } = {},
    secrets = [SECRET],
  ) => {
    const { headers, ...others } = change;
    const given = { headers: { ...HEADERS, ...headers }, rawBody: RAW, nowMs: SIGNED_AT };
    return standardWebhookFault({ ...given, ...others }, secrets);
  };

  test("C1: the published vector is authentic", () => {
    expect(fault()).toBeUndefined();
  });

  test("C1: one byte changed in body, id, timestamp or signature is a forgery", () => {
    for (const rawBody of withOneByteChanged(RAW)) {
      expect(fault({ rawBody })).toBe("signature-mismatch");
    }
    for (const [name, value] of Object.entries(HEADERS)) {
      for (const bytes of withOneByteChanged(Buffer.from(value))) {
        const headers = { [name]: Buffer.from(bytes).toString() };
        expect(fault({ headers, nowMs: SIGNED_AT }), `${name} ${headers[name]}`).toBeDefined();
      }
    }
  });

  test("C1: any of several secrets verifies any of several signatures", () => {
    const signature = `v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw v1,${"A".repeat(43)}= ${SIGNATURE}`;
    expect(fault({ headers: { "webhook-signature": signature } })).toBeUndefined();
    expect(fault({}, [OTHER_SECRET, SECRET])).toBeUndefined();
    expect(fault({}, [OTHER_SECRET])).toBe("signature-mismatch");
  });

  test.each([0, 300_000, -300_000])("C1: a signature %i ms away is taken", (awayMs) => {
    expect(fault({ nowMs: SIGNED_AT + awayMs })).toBeUndefined();
  });

  test.each([300_001, -300_001])("C1: a signature %i ms away is not", (awayMs) => {
    expect(fault({ nowMs: SIGNED_AT + awayMs })).toBe("timestamp-out-of-tolerance");
  });

  test("C1: signatures of any length are refused and nothing is thrown", () => {
    for (const signature of ["v1,", "v1,A", `v1,${"A".repeat(10_000)}`]) {
      expect(fault({ headers: { "webhook-signature": signature } })).toBe("signature-mismatch");
    }
    for (const signature of ["", " ", "v2,x", "g0hM9SsE"]) {
      expect(fault({ headers: { "webhook-signature": signature } })).toBe("signature-malformed");
    }
    expect(fault({ headers: { "webhook-signature": undefined } })).toBe("signature-missing");
    expect(fault({ headers: { "webhook-signature": [SIGNATURE] } })).toBe("signature-missing");
    expect(fault({ headers: { "webhook-timestamp": "soon" } })).toBe("timestamp-malformed");
  });

  test("what our own notices are signed with is verified", () => {
    const message = { id: "ITEM-1:3:0", body: '{"type":"item.notice"}' };
    const headers = webhookHeaders(message, { atMs: SIGNED_AT, secrets: [OTHER_SECRET, SECRET] });
    expect(fault({ headers, rawBody: Buffer.from(message.body) })).toBeUndefined();
  });
});

describe("CloudEvents, signed as Standard Webhooks", () => {
  /** Of the HTTP binding's examples of structured and batched mode, with a subject. */
  const EVENT = {
    specversion: "1.0",
    type: "com.example.someevent",
    time: "2018-04-05T03:56:24Z",
    id: "1234-1234-1234",
    source: "/mycontext/subcontext",
    subject: "ITEM-1",
    datacontenttype: "application/json; charset=utf-8",
    data: { appinfoA: "abc", appinfoB: 123, appinfoC: true },
  };
  const authentication = { kind: "standard-webhooks", secrets: [OTHER_SECRET] };
  const adapter = adapterOf({ kind: "cloudevents", authentication });
  const signed = (text: string, more: Record<string, string> = {}) => {
    const given = delivery(text);
    const by = { id: "msg_1", secret: OTHER_SECRET, atMs: given.nowMs };
    return { ...given, headers: { ...signedHeaders(text, by), ...more } };
  };

  test.each([
    ["application/cloudevents+json", EVENT],
    ["application/cloudevents-batch+json", [EVENT, { ...EVENT, id: "5678" }]],
  ])(
    "C1: the published example of %s passes, and with one bit turned over it does not",
    (type, body) => {
      const request = signed(JSON.stringify(body), { "content-type": type });
      expect(readDelivery(adapter, request)).toMatchObject({ outcome: "events", malformed: [] });
      for (const rawBody of withOneByteChanged(request.rawBody)) {
        expect(readDelivery(adapter, { ...request, rawBody }).outcome).toBe("unauthentic");
      }
      for (const name of ["webhook-id", "webhook-timestamp", "webhook-signature"]) {
        for (const bytes of withOneByteChanged(Buffer.from(request.headers[name] ?? ""))) {
          const headers = { ...request.headers, [name]: Buffer.from(bytes).toString() };
          expect(readDelivery(adapter, { ...request, headers }).outcome).toBe("unauthentic");
        }
      }
    },
  );

  test("C1: attributes in headers are not signed, so no event is made of them", () => {
    const binary = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "ce-type": "t" };
    const request = signed("{}", { ...binary, "ce-subject": "ITEM-1" });
    expect(readDelivery(adapter, request)).toMatchObject({
      outcome: "malformed",
      problem: { code: "EVENT_INVALID", message: expect.stringMatching(/structured mode/) },
    });
  });
});

describe("HubSpot", () => {
  /** Of the tests of HubSpot's own libraries, for Python and for Ruby. */
  const CLIENT_SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";
  const SIGNATURE = {
    clientSecrets: [CLIENT_SECRET],
    targetUrl: "https://www.example.com/webhook_uri",
    allowV1: false,
  };
  const RAW = Buffer.from("{'example_field':'example_value'}");
  const VECTORS = [
    ["1693657560000", "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="],
    ["1700000300000", "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw="],
  ] as const;
  const [[TIMESTAMP, V3]] = VECTORS;
  const signed = (timestamp: string, v3: string) => ({
    method: "POST",
    headers: { "x-hubspot-signature-v3": v3, "x-hubspot-request-timestamp": timestamp },
    rawBody: RAW,
    nowMs: Number(timestamp),
  });
  const request = signed(TIMESTAMP, V3);

  test.each(VECTORS)("C1: the published vector of %s is authentic", (timestamp, v3) => {
    expect(hubspotFault(SIGNATURE, signed(timestamp, v3))).toBeUndefined();
  });

  test("C1: one byte changed in method, address, body, timestamp or signature is a forgery", () => {
    for (const rawBody of withOneByteChanged(RAW)) {
      expect(hubspotFault(SIGNATURE, { ...request, rawBody })).toBe("signature-mismatch");
    }
    for (const bytes of withOneByteChanged(Buffer.from(V3))) {
      const changed = signed(TIMESTAMP, Buffer.from(bytes).toString());
      expect(hubspotFault(SIGNATURE, changed)).toBe("signature-mismatch");
    }
    const later = { ...signed("1693657560001", V3), nowMs: Number(TIMESTAMP) };
    expect(hubspotFault(SIGNATURE, later)).toBe("signature-mismatch");
    expect(hubspotFault(SIGNATURE, { ...request, method: "PUT" })).toBe("signature-mismatch");
    const targetUrl = "https://www.example.com/webhook_urj";
    expect(hubspotFault({ ...SIGNATURE, targetUrl }, request)).toBe("signature-mismatch");
  });

  test("C1: five minutes are the limit, either way, and the timestamp is of milliseconds", () => {
    const at = (awayMs: number) =>
      hubspotFault(SIGNATURE, { ...request, nowMs: request.nowMs + awayMs });
    expect([at(300_000), at(-300_000)]).toEqual([undefined, undefined]);
    expect([at(300_001), at(-300_001)]).toEqual(Array(2).fill("timestamp-out-of-tolerance"));
    expect(hubspotFault(SIGNATURE, signed("1693657560", V3))).toBe("timestamp-malformed");
  });

  test("the twelve characters that HubSpot signs plain are decoded, and no other", () => {
    expect(signedUri("https://a.b/c?d=%3a%2F%3F%40%21%24%27%28%29%2A%2C%3B%20%26%3D%25")).toBe(
      "https://a.b/c?d=:/?@!$'()*,;%20%26%3D%25",
    );
  });

  /** Of HubSpot's documentation of version 1. */
  const V1 = {
    method: "POST",
    headers: {
      "x-hubspot-signature": "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de",
      "x-hubspot-signature-version": "v1",
    },
    rawBody: Buffer.from(
      '[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]',
    ),
    nowMs: 0,
  };

  test("C1: version 1 is refused unless it is allowed, and version 2 always", () => {
    const allowing = { ...SIGNATURE, allowV1: true };
    expect(hubspotFault(SIGNATURE, V1)).toBe("signature-outdated");
    expect(hubspotFault(allowing, V1)).toBeUndefined();
    for (const rawBody of withOneByteChanged(V1.rawBody)) {
      expect(hubspotFault(allowing, { ...V1, rawBody })).toBe("signature-mismatch");
    }
    const v2 = { ...V1, headers: { ...V1.headers, "x-hubspot-signature-version": "v2" } };
    expect(hubspotFault(allowing, v2)).toBe("signature-outdated");
  });

  test("a request with version 3 is judged by it alone", () => {
    const headers = { ...V1.headers, ...request.headers };
    const both = { ...V1, headers, nowMs: request.nowMs };
    expect(hubspotFault({ ...SIGNATURE, allowV1: true }, both)).toBe("signature-mismatch");
  });
});

describe("other senders", () => {
  const parsed = (authentication: object): Authentication =>
    authenticationSchema.parse(authentication);
  const SECRET = "a secret of some length";
  const RAW = Buffer.from('{"id":1}');

  test.each([
    ["sha256", "hex", "sha256="],
    ["sha512", "base64", ""],
    ["sha1", "hex", ""],
  ] as const)("C1: an HMAC with %s in %s and prefix '%s'", (algorithm, encoding, prefix) => {
    const scheme = parsed({
      kind: "hmac",
      algorithm,
      encoding,
      prefix,
      header: "X-Signature",
      secrets: ["another old secret", SECRET],
    });
    const digest = createHmac(algorithm, SECRET).update(RAW).digest(encoding);
    const fault = (signature: string | undefined, rawBody: Uint8Array = RAW) =>
      authenticityFault(scheme, delivery(rawBody, { "x-signature": signature }));
    expect(fault(`${prefix}${digest}`)).toBeUndefined();
    for (const rawBody of withOneByteChanged(RAW)) {
      expect(fault(`${prefix}${digest}`, rawBody)).toBe("signature-mismatch");
    }
    expect(fault(`${prefix}${digest}0`)).toBe("signature-mismatch");
    expect(fault(undefined)).toBe("signature-missing");
  });

  test("an HMAC in hex may be written in either case, and needs its prefix", () => {
    const header = "x-signature";
    const scheme = parsed({ kind: "hmac", header, prefix: "sha256=", secrets: [SECRET] });
    const digest = createHmac("sha256", SECRET).update(RAW).digest("hex");
    const fault = (signature: string) =>
      authenticityFault(scheme, delivery(RAW, { [header]: signature }));
    expect(fault(`sha256=${digest.toUpperCase()}`)).toBeUndefined();
    expect(fault(digest)).toBe("signature-malformed");
  });

  test("C1: a static token is known by its hash alone", () => {
    const tokenHashes = [createHash("sha256").update("open sesame").digest("hex")];
    const own = parsed({ kind: "bearer", header: "X-Token", tokenHashes });
    const fault = (token: string) => authenticityFault(own, delivery("{}", { "x-token": token }));
    expect(fault("open sesame")).toBeUndefined();
    expect(fault("open sesamf")).toBe("token-mismatch");
    const usual = parsed({ kind: "bearer", tokenHashes: [hashOf("t0k3n")] });
    const bearer = (value: string) =>
      authenticityFault(usual, delivery("{}", { authorization: value }));
    expect(bearer("Bearer t0k3n")).toBeUndefined();
    expect(bearer("bearer t0k3o")).toBe("token-mismatch");
    expect(bearer("Basic t0k3n")).toBe("token-missing");
  });

  test("without any proof only this machine is heard, and nobody whom it forwards", () => {
    const open = parsed({ kind: "loopback" });
    const from = (remoteAddress: string, headers = {}) =>
      authenticityFault(open, { ...delivery("{}", headers), remoteAddress });
    for (const address of ["127.0.0.1", "127.8.0.9", "::1", "::ffff:127.0.0.1"]) {
      expect(from(address)).toBeUndefined();
    }
    for (const address of ["10.0.0.1", "::ffff:10.0.0.1", "127.evil.example", "", "fe80::1"]) {
      expect(from(address)).toBe("not-loopback");
    }
    expect(from("127.0.0.1", { "x-forwarded-for": "8.8.8.8" })).toBe("forwarded");
    expect(from("127.0.0.1", { origin: "https://evil.example" })).toBe("forwarded");
  });

  test("C3: what is not authentic is not read", () => {
    const adapter = adapterOf({
      kind: "cloudevents",
      authentication: { kind: "standard-webhooks", secrets: [OTHER_SECRET] },
    });
    const expected = { outcome: "unauthentic", reason: "signature-missing" };
    expect(readDelivery(adapter, delivery("no JSON"))).toEqual(expected);
  });
});

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
