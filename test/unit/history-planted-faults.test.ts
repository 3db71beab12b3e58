import { describe, expect, test } from "vitest";
import { checkHistory } from "../../src/history/check.ts";
import { RULES } from "../../src/history/verdict.ts";
import { cleanHistory, MACHINES } from "../support/history-of-a-run.ts";
import { countFound, PLANTED_FAULTS, rulesBrokenBy } from "../support/planted-faults.ts";

test("a clean history breaks no promise", () => {
  expect(checkHistory(cleanHistory(), MACHINES)).toEqual({
    events: 36,
    items: 10,
    applied: 36,
    pushes: 23,
    timersFired: 2,
    clocksRung: 3,
    explainedDuplicates: 1,
    repeatedNotices: 0,
    lostWithinContract: 0,
    violations: [],
  });
});

describe("a planted fault is found under its own name", () => {
  for (const { name, rule, plant } of PLANTED_FAULTS) {
    test(`${rule}: ${name}`, () => {
      expect(rulesBrokenBy(plant)).toContain(rule);
    });
  }
});

test("every promise has a planted fault that breaks it", () => {
  const broken = new Set(PLANTED_FAULTS.map(({ rule }) => rule));
  expect(RULES.filter((rule) => !broken.has(rule))).toEqual([]);
});

test("as many faults are found as are planted", () => {
  const { found, planted } = countFound();
  expect(found).toBe(planted);
  expect(planted).toBeGreaterThanOrEqual(50);
});
