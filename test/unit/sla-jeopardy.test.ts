/** The committed date of the default policy is ten days from acceptance, on the wall. */
import { describe, expect, test } from "vitest";
import { DEFAULT_POLICY } from "../../src/sla/default-policy.ts";
import { describeClocks } from "../../src/sla/describe.ts";
import type { Fact } from "../../src/core/clock-fact.ts";
import { nextDueAt } from "../../src/core/clock-ledger.ts";
import { openPolicy, rulesFor } from "../../src/sla/policy.ts";
import { DAY_MS, HOUR_MS, MONDAY, TestItem } from "../support/sla-item.ts";

const rules = rulesFor(openPolicy(DEFAULT_POLICY), { account: "a" });

function accepted(): TestItem {
  const item = new TestItem(rules);
  item.tell(MONDAY - HOUR_MS, { status: "pending" });
  item.tell(MONDAY, { status: "accepted" });
  return item;
}

function levelsIn(facts: readonly Fact[]): readonly (readonly [string, number])[] {
  return facts.flatMap((fact) =>
    fact.kind === "jeopardy" ? [[fact.level, (fact.at - MONDAY) / HOUR_MS] as const] : [],
  );
}

describe("the level", () => {
  test("is green while the stages keep their budgets", () => {
    const item = accepted();
    item.liveUntil(MONDAY + 2 * DAY_MS);
    const view = describeClocks(item.ledger, rules, MONDAY + 2 * DAY_MS).jeopardy;
    expect(view).toEqual({
      level: "green",
      predictedAt: MONDAY + 6 * DAY_MS + 4 * HOUR_MS,
      committedAt: MONDAY + 10 * DAY_MS,
    });
  });

  test("worsens to the millisecond when a stage outlives what could be spared", () => {
    const item = accepted();
    // Three days and four hours still follow; one day is the threshold of yellow.
    expect(levelsIn(item.liveUntil(MONDAY + 9 * DAY_MS))).toEqual([
      ["yellow", (10 - 3 - 1) * 24 - 4],
      ["red", (10 - 3) * 24 - 4],
    ]);
  });

  test("is judged by the appointment once it is dated, and recovers with an earlier one", () => {
    const item = accepted();
    const late = item.tell(MONDAY + HOUR_MS, {
      status: "scheduled",
      appointment: MONDAY + 11 * DAY_MS,
    });
    expect(late).toContainEqual(
      expect.objectContaining({
        kind: "jeopardy",
        level: "red",
        was: "green",
        predictedAt: MONDAY + 11 * DAY_MS + 4 * HOUR_MS,
        committedAt: MONDAY + 10 * DAY_MS,
        notice: { key: "jeopardy:1", to: ["owner", "lead"] },
      }),
    );
    const earlier = item.tell(MONDAY + 2 * HOUR_MS, { appointment: MONDAY + 3 * DAY_MS });
    expect(levelsIn(earlier)).toEqual([["green", 2]]);
  });

  test("goes straight to red when nobody looked while it was yellow", () => {
    const item = accepted();
    expect(levelsIn(item.wake(MONDAY + 8 * DAY_MS))).toEqual([["red", 8 * 24]]);
  });

  test("stays while the committed clock is paused, which moves the committed date", () => {
    const item = accepted();
    item.tell(MONDAY + DAY_MS, { wait: { on: "customer" } });
    expect(levelsIn(item.liveUntil(MONDAY + 8 * DAY_MS))).toEqual([]);
    item.tell(MONDAY + 8 * DAY_MS, { wait: null });
    expect(item.clock("install").dueAt).toBe(MONDAY + 17 * DAY_MS);
    expect(levelsIn(item.liveUntil(MONDAY + 13 * DAY_MS))).toEqual([["yellow", (6 + 7) * 24 - 4]]);
  });

  test("falls back with a failure and is over with the completion", () => {
    const item = accepted();
    item.tell(MONDAY + DAY_MS, { status: "scheduled", appointment: MONDAY + 5 * DAY_MS });
    item.tell(MONDAY + 5 * DAY_MS, { status: "in_progress" });
    const failed = item.tell(MONDAY + 5 * DAY_MS + HOUR_MS, { status: "failed" });
    expect(levelsIn(failed)).toEqual([["red", 5 * 24 + 1]]);
    item.tell(MONDAY + 6 * DAY_MS, { status: "scheduled", appointment: MONDAY + 7 * DAY_MS });
    item.tell(MONDAY + 7 * DAY_MS, { status: "in_progress" });
    item.tell(MONDAY + 7 * DAY_MS + HOUR_MS, { status: "completed" });
    expect(item.ledger).toMatchObject({ jeopardy: { level: "green" } });
    expect(item.ledger).not.toHaveProperty("stage");
    expect(item.ledger.clocks).toEqual({});
    expect(nextDueAt(item.ledger)).toBeUndefined();
  });
});
