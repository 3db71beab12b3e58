/** What the engine does at its limits, seen as a user's test sees it. */
import { expect, test } from "vitest";
import { createMachine } from "xstate";
import { startTestEngine } from "../../src/testing/test-engine.ts";
import { smallDefinition } from "../support/small-machine.ts";

const NOW = "2026-03-02T09:00:00Z";
const BORN = { type: "born", subject: "item-1", source: "crm/a", data: {} } as const;

test("more timers of one item than one decision takes are all fired with the next sweeps", async () => {
  const regions = Array.from({ length: 150 }, (_, index) => [
    `region${index}`,
    { initial: "waits", states: { waits: { after: { 1_000: "rang" } }, rang: {} } },
  ]);
  const machine = createMachine({ type: "parallel", states: Object.fromEntries(regions) });
  const engine = await startTestEngine({ machines: [smallDefinition(machine, [])], now: NOW });
  await engine.send(BORN);
  await engine.advance({ seconds: 5 });
  expect(await engine.status("item-1")).not.toContain("waits");
  await engine.assertReplays("item-1");
});

test("a timer that would go beyond the limit of the journal is kept, and a person is told", async () => {
  const machine = createMachine({
    initial: "ticking",
    states: { ticking: { after: { 1_000: { target: "ticking", reenter: true } } } },
  });
  const engine = await startTestEngine({
    machines: [smallDefinition(machine, [])],
    now: NOW,
    limits: { journalMax: 10 },
  });
  await engine.send(BORN);
  await engine.advance({ minutes: 5 });
  expect((await engine.item("item-1"))?.revision).toBe(10);
  expect(await engine.deadLetters()).toMatchObject([
    { kind: "timer", itemId: "item-1", problem: { code: "JOURNAL_FULL" } },
  ]);
});

test("what a person redrives is applied whatever its time", async () => {
  const machine = createMachine({
    initial: "asked",
    states: {
      asked: { on: { approved: "approved" } },
      approved: { on: { paid: "paid" } },
      paid: {},
    },
  });
  const engine = await startTestEngine({
    machines: [smallDefinition(machine, ["approved", "paid"])],
    now: NOW,
  });
  await engine.send(BORN);
  await engine.send({ ...BORN, type: "paid" });
  await engine.advance({ days: 1 });
  await engine.send({ ...BORN, type: "approved" });
  const [letter] = await engine.deadLetters();
  await engine.retry(letter?.id ?? "");
  expect(await engine.status("item-1")).toBe("paid");
});
