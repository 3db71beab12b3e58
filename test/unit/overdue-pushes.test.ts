import { describe, expect, test } from "vitest";
import { definitions } from "../../machines/registry.ts";
import type { Fact } from "../../src/core/clock-fact.ts";
import type { JournalEntry } from "../../src/core/journal.ts";
import { startTestEngine, type TestEngine } from "../../src/testing/test-engine.ts";
import { DEFAULT_POLICY } from "../../src/sla/default-policy.ts";
import { openPolicy, rulesFor } from "../../src/sla/policy.ts";
import { lifeOf, orderEvent } from "../support/order-item-events.ts";
import { HOUR_MS, kindsIn, MONDAY, TestItem } from "../support/sla-item.ts";

const NOW = "2026-03-02T09:00:00.000Z";
const CLOCK = "push-lag";

async function start(): Promise<TestEngine> {
  return startTestEngine({ machines: definitions(), now: NOW });
}

async function journalOf(engine: TestEngine, itemId = "item-1"): Promise<readonly JournalEntry[]> {
  return (await engine.item(itemId))?.journal ?? [];
}

type LagFact = Extract<Fact, { readonly clock: string }>;

/** All that ever happened to the clock, in order. */
async function lagFacts(engine: TestEngine, itemId = "item-1"): Promise<readonly LagFact[]> {
  const entries = await journalOf(engine, itemId);
  return entries
    .flatMap((entry) => ("clocks" in entry ? (entry.clocks ?? []) : []))
    .filter((fact): fact is LagFact => "clock" in fact && fact.clock === CLOCK);
}

function lagNotices({ notices }: TestEngine) {
  return notices
    .filter(({ params }) => params["clock"] === CLOCK)
    .map(({ time, params: { rung, to } }) => ({ time, rung, to }));
}

/** Ordered and accepted; the acceptance is what the marketplace has to hear. */
async function accept(engine: TestEngine, time = engine.time): Promise<void> {
  await engine.send(orderEvent("order.received", { time }));
  await engine.send(orderEvent("order.accepted", { time }));
}

async function retryFirst(engine: TestEngine): Promise<void> {
  const [letter] = await engine.deadLetters();
  await engine.retry(letter?.id ?? "");
}

describe("while the marketplace is down", () => {
  test("the clock counts from the fact, tells the owner after four hours, and ends met with the push", async () => {
    const engine = await start();
    engine.marketplace.goDown();
    await accept(engine);
    await engine.advance({ minutes: 59 });
    expect(await lagFacts(engine)).toEqual([]);
    await engine.advance({ minutes: 1 });
    const startedAt = Date.parse(NOW);
    expect(await lagFacts(engine)).toMatchObject([{ kind: "started", at: startedAt }]);
    await engine.advance({ hours: 4 });
    expect(lagNotices(engine)).toEqual([
      { time: "2026-03-02T13:00:00.000Z", rung: "+4h", to: ["owner"] },
    ]);
    engine.marketplace.comeBack();
    await engine.advance({ hours: 1 });
    const [push] = engine.pushes;
    expect(push?.status).toBe("accepted");
    const facts = await lagFacts(engine);
    expect(facts.map(({ kind }) => kind)).toEqual(["started", "rang", "stopped"]);
    expect(facts.at(-1)).toMatchObject({
      at: push?.at,
      outcome: "met",
      usedMs: (push?.at ?? 0) - startedAt,
    });
    expect(lagNotices(engine)).toHaveLength(1);
    await engine.assertReplays("item-1");
  });

  test("a day is a breach, and the push that comes after it has missed", async () => {
    const engine = await start();
    engine.marketplace.goDown();
    await accept(engine);
    await engine.advance({ hours: 25 });
    const [, , breached] = await lagFacts(engine);
    expect(breached).toMatchObject({ kind: "breached", at: Date.parse(NOW) + 24 * HOUR_MS });
    expect(lagNotices(engine).map(({ rung }) => rung)).toEqual(["+4h", "breach"]);
    engine.marketplace.comeBack();
    // Its attempts are used up by then.
    await retryFirst(engine);
    expect((await lagFacts(engine)).at(-1)).toMatchObject({
      kind: "stopped",
      outcome: "missed",
      usedMs: 25 * HOUR_MS,
    });
    await engine.assertReplays("item-1");
  });

  test("a fact that came late counts from when it happened, once its push has waited for an hour", async () => {
    const engine = await start();
    engine.marketplace.goDown();
    await accept(engine, "2026-03-02T06:00:00Z");
    await engine.advance({ hours: 2 });
    expect((await lagFacts(engine))[0]).toMatchObject({
      kind: "started",
      at: Date.parse("2026-03-02T06:00:00Z"),
    });
    const minutes = lagNotices(engine).map(({ time }) => time.slice(0, 16));
    expect(minutes).toEqual(["2026-03-02T10:00"]);
  });

  test("an update behind the late one has its own clock from its own fact", async () => {
    const engine = await start();
    engine.marketplace.answer("item-1", { status: 400 });
    await accept(engine);
    await engine.advance({ hours: 2 });
    const scheduledAt = engine.now;
    await engine.send(orderEvent("appointment.scheduled", { time: engine.time }));
    await engine.advance({ hours: 6 });
    engine.marketplace.answer("item-1", { status: 400 });
    const [letter] = await engine.deadLetters();
    await engine.skip(letter?.id ?? "", "told by phone");
    const skippedAt = engine.now;
    const facts = (await lagFacts(engine)).filter(({ kind }) => kind !== "rang");
    expect(facts).toMatchObject([
      { kind: "started", at: Date.parse(NOW) },
      { kind: "stopped", at: skippedAt, outcome: "met" },
      { kind: "started", at: scheduledAt },
    ]);
    await engine.assertReplays("item-1");
  });
});

test("a push that a person must look at is owed like any other", async () => {
  const engine = await start();
  engine.marketplace.answer("item-1", { status: 400 });
  await accept(engine);
  await engine.advance({ hours: 5 });
  expect((await engine.item("item-1"))?.lanes).toMatchObject([{ state: "blocked" }]);
  expect((await lagFacts(engine)).map(({ kind }) => kind)).toEqual(["started", "rang"]);
  await retryFirst(engine);
  expect((await lagFacts(engine)).at(-1)).toMatchObject({
    kind: "stopped",
    at: engine.now,
    outcome: "met",
  });
});

test("a push that leaves in time writes nothing", async () => {
  const engine = await start();
  await engine.sendAll(lifeOf("item-1"));
  engine.marketplace.goDown();
  await engine.send(orderEvent("order.noted", { time: engine.time }));
  await engine.advance({ minutes: 30 });
  engine.marketplace.comeBack();
  await engine.advance({ days: 2 });
  expect(engine.pushes.length).toBeGreaterThan(4);
  expect(await lagFacts(engine)).toEqual([]);
});

test("what the clock has heard already, it does not hear again", () => {
  const item = new TestItem(rulesFor(openPolicy(DEFAULT_POLICY), { account: "default" }));
  const told = (eventType: string, at: number) =>
    item.tell(at, { status: "accepted", eventType, arrives: MONDAY + 2 * HOUR_MS });
  told("order.accepted", MONDAY - HOUR_MS);
  expect(kindsIn(told("push.owed", MONDAY))).toEqual(["started"]);
  expect(told("push.owed", MONDAY)).toEqual([]);
  expect(kindsIn(told("push.settled", MONDAY + HOUR_MS))).toEqual(["stopped"]);
  expect(told("push.settled", MONDAY + HOUR_MS)).toEqual([]);
});

test("a machine without clocks is told nothing, and its journal stays as it is", async () => {
  const machines = definitions().map(({ clocked: _clocked, ...definition }) => definition);
  const engine = await startTestEngine({ machines, now: NOW });
  engine.marketplace.goDown();
  await accept(engine);
  const before = await journalOf(engine);
  await engine.advance({ days: 2 });
  const grown = (await journalOf(engine)).slice(before.length);
  expect(new Set(grown.map(({ kind }) => kind))).toEqual(new Set(["delivery"]));
  engine.marketplace.comeBack();
  await retryFirst(engine);
  expect(engine.pushes).toHaveLength(1);
});
