import { Redis } from "ioredis";
import { expect, inject, test } from "vitest";
import { legalPairs } from "../../machines/order-item/pairs.ts";
import { runDemo } from "../../src/cli/demo.ts";
import { type Evidence, resultOf, totalsOf } from "../../src/cli/demo-evidence.ts";
import type { Story } from "../../src/cli/demo-story.ts";
import type { JournalEntry } from "../../src/core/journal.ts";
import type { PushLogEntry } from "../../src/offergrid/sandbox/push-log.ts";

const WORKFLOWS = 4;
const REFUSALS_MIN = 8;
const ALL_PAIRS = legalPairs("extended", { failFromAccepted: true, rescheduleFromWork: true });

async function demoKeys(url: string): Promise<string[]> {
  const redis = new Redis(url);
  try {
    return (await redis.keys("*")).filter((key) => /^\{?demo-[0-9a-f]{8}/u.test(key));
  } finally {
    redis.disconnect();
  }
}

test("the demonstration ends as expected in one line, and leaves no key in the Redis it was given", async () => {
  const REDIS_URL = inject("redisUrl");
  const written: string[] = [];
  const exitCode = await runDemo({
    json: true,
    out: (text) => written.push(text),
    env: { REDIS_URL },
  });

  expect(written).toHaveLength(1);
  const totals = JSON.parse(written.join("")) as Record<string, number>;
  expect(totals).toMatchObject({
    asExpected: totals["items"],
    lost: 0,
    duplicates: 0,
    outOfOrder: 0,
  });
  expect(totals["items"]).toBeGreaterThanOrEqual(WORKFLOWS + ALL_PAIRS.length + REFUSALS_MIN);
  expect(totals["pushes"]).toBeGreaterThan(ALL_PAIRS.length);
  expect(exitCode).toBe(0);
  expect(await demoKeys(REDIS_URL)).toEqual([]);
});

test("the table fits in 110 columns and has every legal pair", async () => {
  const written: string[] = [];
  await runDemo({
    json: false,
    out: (text) => written.push(text),
    env: { REDIS_URL: inject("redisUrl") },
  });
  const lines = written.join("\n").split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(110);
  const pairRows = lines.filter((line) => line.startsWith("pair-"));
  expect(pairRows).toHaveLength(ALL_PAIRS.length + 1);
  expect(lines.filter((line) => line.endsWith("NOT"))).toEqual([]);
});

const ITEM = "item-1";

function committed(...ids: string[]): JournalEntry {
  const effects = ids.map((id) => ({ id, name: "pushStatus" }));
  return { kind: "timer", change: { status: "accepted", taken: [], effects } } as never;
}

function delivery(effect: string, outcome: "delivered" | "merged"): JournalEntry {
  return { kind: "delivery", effect, outcome } as never;
}

function applied(...keys: string[]): PushLogEntry[] {
  return keys.map(
    (idempotencyKey) =>
      ({ itemId: ITEM, status: "accepted", applied: true, idempotencyKey }) as never,
  );
}

function evidence(journal: readonly JournalEntry[], log: readonly PushLogEntry[]): Evidence {
  return { journals: new Map([[ITEM, journal]]), letters: [], log, unreplayed: new Set() };
}

const CLEAN = { pushes: 2, lost: 0, duplicates: 0, outOfOrder: 0 };

test.each([
  ["all arrived", applied("a", "b"), CLEAN],
  ["one never arrived", applied("a"), { ...CLEAN, pushes: 1, lost: 1 }],
  ["one arrived twice", applied("a", "a", "b"), { ...CLEAN, pushes: 3, duplicates: 1 }],
  ["they arrived in the wrong order", applied("b", "a"), { ...CLEAN, outOfOrder: 1 }],
  [
    "one came back later",
    applied("a", "b", "a"),
    { pushes: 3, lost: 0, duplicates: 1, outOfOrder: 1 },
  ],
  [
    "one came that nobody committed",
    applied("a", "b", "x"),
    { ...CLEAN, pushes: 3, outOfOrder: 1 },
  ],
])("the totals tell when %s", (_, log, expected) => {
  expect(totalsOf([], evidence([committed("a", "b")], log))).toMatchObject(expected);
});

test("a push that another stands for is not lost", () => {
  const journal = [committed("a", "b"), delivery("a", "merged"), delivery("b", "delivered")];
  expect(totalsOf([], evidence(journal, applied("b")))).toMatchObject({ lost: 0, outOfOrder: 0 });
});

test("an item is not as expected when a note of its PATCH differs or a push is still to be delivered", () => {
  const story: Story = {
    itemId: ITEM,
    shows: "a note",
    jobs: [],
    path: ["accepted"],
    saw: [{ status: "accepted", providerNotes: "We will call you." }],
  };
  const { faults } = resultOf(story, evidence([committed("a")], applied("a")));
  expect(faults).toEqual([
    expect.stringContaining("PATCH 1 should hold"),
    expect.stringContaining("not delivered: a"),
  ]);
});
