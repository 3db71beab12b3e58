import { createHmac } from "node:crypto";
import { expect, inject, onTestFinished, test } from "vitest";
import { createMachine } from "xstate";
import { startHarness } from "../support/engine-harness.ts";
import { eventually } from "../support/eventually.ts";
import { smallDefinition } from "../support/small-machine.ts";
import { startWebhookReceiver } from "../support/webhook-receiver.ts";

test("a worker sends its notices signed to the configured address, and logs what was taken", async () => {
  const key = Buffer.alloc(32, 5);
  const receiver = await startWebhookReceiver();
  onTestFinished(receiver.close);
  const machine = createMachine({
    initial: "a",
    states: { a: { entry: { type: "tell", params: { words: "Grüße" } } } },
  });
  const harness = await startHarness({
    redisUrl: inject("redisUrl"),
    definitions: [smallDefinition(machine, [])],
    config: {
      notices: {
        kind: "webhook",
        url: receiver.url,
        secrets: [`whsec_${key.toString("base64")}`],
        to: ["owner"],
      },
    },
  });
  onTestFinished(harness.stop);
  const subject = "ü.1";
  const born = { specversion: "1.0", id: "1", source: "crm/a", type: "born", subject, data: {} };
  await harness.send(born);
  await eventually(() => expect(harness.notices).toHaveLength(1));

  const [request] = receiver.received;
  const { headers = {}, body = "" } = request ?? {};
  expect(headers["webhook-id"]).toBe("%C3%BC%2E1:1:0");
  const signed = [headers["webhook-id"], headers["webhook-timestamp"], body].join(".");
  const signature = createHmac("sha256", key).update(signed).digest("base64");
  expect(headers["webhook-signature"]).toBe(`v1,${signature}`);
  expect(JSON.parse(body)).toMatchObject({ data: { item: subject, params: { words: "Grüße" } } });
});
