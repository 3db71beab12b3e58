/** What a webhook looks like, and what becomes of one that is sent. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OutboxEffect } from "../../src/core/decision.ts";
import { isForAny, noticeMessage } from "../../src/notices/notice-message.ts";
import {
  NOTICE_MAX_ATTEMPTS,
  noticeOutcome,
  describeReply,
} from "../../src/notices/notice-outcome.ts";
import { openWebhookClient, type WebhookClient } from "../../src/notices/webhook-client.ts";
import { webhookHeaders, webhookIdOf } from "../../src/notices/webhook-signature.ts";
import { startWebhookReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";

/** Published with the reference implementations of Standard Webhooks. */
const VECTOR = {
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  message: { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", body: '{"test": 2432232314}' },
  atMs: 1_614_265_330_999,
  signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};

function effectOf(change: Partial<OutboxEffect> = {}): OutboxEffect {
  return {
    id: "i-1:3:0",
    name: "notify",
    channel: "operator",
    isUrgent: false,
    at: 1_000,
    params: {
      key: "respond/breach",
      kind: "breach",
      to: ["owner", "lead"],
      text: 'Item i-1 is "received": "respond" is late.',
      account: "acme",
      status: "received",
      at: "2026-03-02T09:00:00.000Z",
      clock: "respond",
    },
    ...change,
  };
}

describe("a signature", () => {
  const { secret, message, atMs, signature } = VECTOR;

  test("is that of the published vector", () => {
    expect(webhookHeaders(message, { atMs, secrets: [secret] })).toEqual({
      "webhook-id": message.id,
      "webhook-timestamp": "1614265330",
      "webhook-signature": signature,
    });
  });

  test("is there once for each secret while one is replaced by another", () => {
    const other = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
    const signed = webhookHeaders(message, { atMs, secrets: [other, secret] })["webhook-signature"];
    expect(signed.split(" ")).toEqual([expect.stringMatching(/^v1,/), signature]);
  });
});

test("a webhook's id is an effect's own, in characters of a header and without a full stop", () => {
  const itemId = fc.string({ unit: "binary", minLength: 1, maxLength: 20 });
  const claim = fc.property(itemId, itemId, (one, another) => {
    const id = webhookIdOf(`${one}:1:0`);
    expect(id).toMatch(/^[!-~]+$/);
    expect(id).not.toContain(".");
    expect(id === webhookIdOf(`${another}:1:0`)).toBe(one === another);
  });
  fc.assert(claim);
  expect(webhookIdOf("ITEM-1:6:0")).toBe("ITEM-1:6:0");
});

describe("a message", () => {
  test("of a clock says for people what it says for programs, and when it became true", () => {
    const { id, body } = noticeMessage("i-1", effectOf());
    expect(id).toBe("i-1:3:0");
    expect(JSON.parse(body)).toEqual({
      type: "item.notice",
      timestamp: "2026-03-02T09:00:00.000Z",
      text: 'Item i-1 is "received": "respond" is late.',
      data: {
        item: "i-1",
        name: "notify",
        key: "respond/breach",
        kind: "breach",
        to: ["owner", "lead"],
        account: "acme",
        status: "received",
        clock: "respond",
      },
    });
  });

  test("of a machine's own effect keeps its params apart, for they may be called anything", () => {
    const params = { item: "another", name: "Ada" };
    const { body } = noticeMessage("i-1", effectOf({ name: "askToPay", params }));
    expect(JSON.parse(body)).toEqual({
      type: "item.effect",
      timestamp: "1970-01-01T00:00:01.000Z",
      text: 'Item i-1 needs attention: askToPay {"item":"another","name":"Ada"}',
      data: { item: "i-1", name: "askToPay", params },
    });
  });

  test("is for those whom a clock names, and a machine's own effect for everybody", () => {
    expect(isForAny(effectOf(), ["lead"])).toBe(true);
    expect(isForAny(effectOf(), ["customer"])).toBe(false);
    expect(isForAny(effectOf({ name: "askToPay" }), ["customer"])).toBe(true);
  });
});

describe("an answer", () => {
  const tried = { itemId: "i-1", attempt: 1, random: 0.5 };
  const answer = (status: number, retryAfterMs?: number) =>
    ({
      kind: "response",
      status,
      excerpt: "",
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    }) as const;

  test.each([301, 400, 401, 404, 408, 410, 429, 500, 503])("%i is tried again", (status) => {
    expect(noticeOutcome(answer(status), tried)).toEqual({ outcome: "retry", afterMs: 2_500 });
  });

  test.each([
    [429, 60_000, 60_000],
    [503, 60_000, 60_000],
    [503, 86_400_000, 3_600_000],
    [503, 1_000, 2_500],
    [400, 60_000, 2_500],
  ])("%i that asks for %i ms gets %i ms", (status, asked, afterMs) => {
    expect(noticeOutcome(answer(status, asked), tried)).toEqual({ outcome: "retry", afterMs });
  });

  test("that is never a yes is waited for during three days, give or take half a day", () => {
    const waits = Array.from({ length: NOTICE_MAX_ATTEMPTS - 1 }, (_, index) => {
      const outcome = noticeOutcome(answer(500), { ...tried, attempt: index + 1 });
      return outcome.outcome === "retry" ? outcome.afterMs : Number.NaN;
    });
    const hours = waits.reduce((sum, wait) => sum + wait, 0) / 3_600_000;
    expect(Math.abs(hours - 72)).toBeLessThan(12);
    const last = noticeOutcome(answer(500), { ...tried, attempt: NOTICE_MAX_ATTEMPTS });
    expect(last).toMatchObject({ outcome: "undelivered", problem: { code: "NOTICE_UNDELIVERED" } });
  });
});

describe("the client", () => {
  let receiver: WebhookReceiver;
  let client: WebhookClient;
  const send = (mayStillSend = () => true) =>
    client.send(VECTOR.message, { atMs: VECTOR.atMs, mayStillSend });

  beforeEach(async () => {
    receiver = await startWebhookReceiver();
    const { url } = receiver;
    client = openWebhookClient({ url, secrets: [VECTOR.secret], connections: 2, timeoutMs: 200 });
  });

  afterEach(async () => {
    await receiver.close();
    await client.close();
  });

  test("posts the signed message to the address as it stands", async () => {
    expect(await send()).toEqual({ kind: "response", status: 204, excerpt: "" });
    expect(receiver.received).toMatchObject([
      {
        method: "POST",
        path: "/hooks/operators?team=field",
        headers: {
          "content-type": "application/json",
          "webhook-id": VECTOR.message.id,
          "webhook-timestamp": "1614265330",
          "webhook-signature": VECTOR.signature,
        },
        body: VECTOR.message.body,
      },
    ]);
  });

  test("follows no redirect", async () => {
    receiver.answer = () => ({ status: 307, headers: { location: receiver.url } });
    expect(await send()).toMatchObject({ kind: "response", status: 307 });
    expect(receiver.received).toHaveLength(1);
  });

  test("tells what a refusal says, in one short line", async () => {
    receiver.answer = () => ({ status: 400, body: `invalid\n payload ${"x".repeat(100_000)}` });
    const reply = await send();
    expect(describeReply(reply)).toMatch(/^status 400: invalid payload x+$/);
    expect(describeReply(reply).length).toBeLessThan(320);
  });

  test("reads Retry-After as seconds and as a date", async () => {
    const asked = async (value: string) => {
      receiver.answer = () => ({ status: 429, headers: { "retry-after": value } });
      const reply = await send();
      return "retryAfterMs" in reply ? reply.retryAfterMs : undefined;
    };
    expect(await asked("120")).toBe(120_000);
    expect(await asked(new Date(VECTOR.atMs + 90_001).toUTCString())).toBe(90_001);
    expect(await asked("soon")).toBeUndefined();
  });

  test("gives up on a receiver that hangs, and on one that is not there", async () => {
    receiver.answer = () => "hang";
    expect(await send()).toMatchObject({ kind: "no-response", reason: "timeout" });
    await receiver.close();
    expect(await send()).toMatchObject({ kind: "no-response", reason: "connection" });
  });

  test("sends nothing once the notice is another's", async () => {
    expect(await send(() => false)).toEqual({ kind: "not-sent" });
    expect(await send()).toMatchObject({ status: 204 });
    expect(receiver.received).toHaveLength(1);
  });
});
