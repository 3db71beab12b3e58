import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type Deployment, openDeployment } from "../crash/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { LIFE_PUSHED, lifeOf, orderEvent } from "../support/order-item-events.ts";

const PRODUCER = fileURLToPath(new URL("../fixtures/plain-producer/produce.js", import.meta.url));

let deployment: Deployment;

beforeAll(async () => {
  deployment = await openDeployment({
    redisUrl: inject("redisUrl"),
    config: { crashLimit: 2, leaseMs: 1_000 },
  });
});

afterAll(async () => {
  await deployment.close();
});

/** Each element becomes one job, added by another package in another process. */
async function produce(...jobs: readonly unknown[]): Promise<void> {
  const order = { redisUrl: inject("redisUrl"), prefix: deployment.config.queuePrefix, jobs };
  await promisify(execFile)(process.execPath, [PRODUCER, JSON.stringify(order)]);
}

test("a job that kills its worker again and again becomes a dead letter, and the others go on", async () => {
  const [killer, ...others] = ["killer", "beside-1", "beside-2"] as const;
  const received = orderEvent("order.received", { subject: killer });
  await produce(received, ...others.flatMap(lifeOf));
  // Twice unknowingly, then as often as the limit says under suspicion.
  for (let deaths = 0; deaths < 4; deaths += 1) {
    const child = deployment.spawn({ step: "event-kills", itemId: killer });
    expect(await child.died()).toContain("reached");
  }
  deployment.spawn({ step: "event-kills", itemId: "nobody" });
  await eventually(
    async () => {
      const letters = await deployment.deadLetters();
      expect(letters).toContainEqual(
        expect.objectContaining({
          kind: "unreadable",
          data: received,
          problem: expect.objectContaining({ code: "JOB_CRASHED_WORKER" }),
        }),
      );
    },
    { timeoutMs: 20_000 },
  );
  for (const itemId of others) {
    await deployment.settled(itemId, "active");
    expect(deployment.seen(itemId)).toEqual(LIFE_PUSHED);
    await deployment.assertReplays(itemId);
  }
  await deployment.assertNothingLeft();
});

test("a producer that knows BullMQ alone feeds the engine with single jobs and with lists", async () => {
  await deployment.startHere();
  await produce(...lifeOf("single"), lifeOf("list"), [...lifeOf("mixed-1"), ...lifeOf("mixed-2")]);
  for (const itemId of ["single", "list", "mixed-1", "mixed-2"]) {
    await deployment.settled(itemId, "active");
    expect(deployment.seen(itemId)).toEqual(LIFE_PUSHED);
    await deployment.assertReplays(itemId);
  }
  await deployment.assertNothingLeft();
});
