import { expect, inject, onTestFinished, test } from "vitest";
import { autoAcceptSchema } from "../../src/config-auto-accept.ts";
import { startHarness } from "../support/engine-harness.ts";
import { eventually } from "../support/eventually.ts";
import { orderEvent } from "../support/order-item-events.ts";
import { startWebhookReceiver } from "../support/webhook-receiver.ts";

const SECRETS = [`whsec_${Buffer.alloc(24, 7).toString("base64")}`];

test("new orders are answered by whoever knows, up to the marketplace, and the rest by people", async () => {
  const receiver = await startWebhookReceiver();
  onTestFinished(receiver.close);
  const known: Readonly<Record<string, unknown>> = { near: true, far: false };
  receiver.answer = ({ body }) => {
    const { data } = JSON.parse(body) as { readonly data: { readonly item: string } };
    return {
      status: 200,
      body: JSON.stringify({ serviceable: known[data.item] ?? "unknown", notes: null }),
    };
  };
  const harness = await startHarness({
    redisUrl: inject("redisUrl"),
    config: {
      autoAccept: autoAcceptSchema.parse([
        { account: "default", url: receiver.url, secrets: SECRETS },
      ]),
    },
  });
  onTestFinished(harness.stop);
  await harness.send(
    ...["near", "far", "where"].map((subject) => orderEvent("order.received", { subject })),
  );
  await harness.settled("near", "accepted");
  await harness.settled("far", "rejected");
  await eventually(() => expect(harness.notices).toHaveLength(1));
  await harness.settled("where", "pending");
  expect(harness.notices).toMatchObject([{ itemId: "where", params: { kind: "undecided" } }]);
  expect(["near", "far", "where"].map(harness.seen)).toEqual([["accepted"], ["rejected"], []]);
  for (const itemId of ["near", "far", "where"]) await harness.assertReplays(itemId);
});
