/** What docs/machines.md shows are files of ours: quoted word for word, type-checked and run. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { startTestEngine } from "../../src/testing/test-engine.ts";
import { refundDefinition } from "../fixtures/refund.ts";

/** What a reader imports, by where it is here. */
const IMPORTED = {
  "../../src/testing/test-engine.ts": "orderwright/testing",
  "../fixtures/refund.ts": "./refund.ts",
};

test.each([
  ["refund.ts", "test/fixtures/refund.ts"],
  ["refund.test.ts", "test/unit/testing-refund.test.ts"],
])("docs/machines.md quotes %s word for word", (name, file) => {
  const [, after = ""] = readFileSync("docs/machines.md", "utf8").split(`\`\`\`ts ${name}\n`);
  const ours = Object.entries(IMPORTED).reduce(
    (text, [here, there]) => text.replace(here, there),
    readFileSync(file, "utf8"),
  );
  expect(after.split("```")[0]).toBe(ours);
});

test("the refund of docs/machines.md waits with a payment that comes before its approval", async () => {
  const engine = await startTestEngine({ machines: [refundDefinition] });
  const refund = { subject: "refund-1" };
  const data = { orderId: "order-1", amountCents: 4_900, requestedBy: "ann" };
  await engine.send({ ...refund, type: "refund.requested", data });
  const paid = { ...refund, type: "refund.paid", data: { paymentId: "p-1" } };
  expect(await engine.send(paid)).toMatchObject({ outcome: "parked" });
  await engine.send({ ...refund, type: "refund.approved", data: { approvedBy: "bob" } });
  expect(await engine.status("refund-1")).toBe("paid");
});
