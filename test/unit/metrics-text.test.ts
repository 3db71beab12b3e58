import { expect, test } from "vitest";
import { figuresText, groupsText } from "../../src/cli/metrics-text.ts";
import { FulfilmentSum } from "../../src/engine/fulfilment-figures.ts";

const ALWAYS = { since: -Infinity, until: Infinity };

function sumOf(decisions: Readonly<Record<"accepted" | "rejected", number>>): FulfilmentSum {
  const sum = new FulfilmentSum();
  for (const status of ["accepted", "rejected"] as const) {
    for (let index = 0; index < decisions[status]; index += 1) {
      const steps = [{ status, at: 25 * 3_600_000, isImplied: false }];
      sum.add(
        {
          account: "default",
          offer: undefined,
          category: undefined,
          isTest: false,
          createdAt: 0,
          isCreationUnknown: false,
          steps,
          pushLags: [],
          setAside: [],
        },
        ALWAYS,
      );
    }
  }
  return sum;
}

test("a rate that just misses its target does not look as if it met it", () => {
  const text = figuresText(sumOf({ accepted: 8_499, rejected: 1_501 }).figures());
  expect(text).toMatch(/^Acceptance rate +84\.9 % +10000 +> 85 % +MISSED$/m);
});

test("every line fits a terminal, and what was not measured is a dash", () => {
  const text = figuresText(sumOf({ accepted: 5, rejected: 0 }).figures());
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  expect(text).not.toContain("…");
  expect(text).toMatch(/^Completion rate +- +0 +> 95 %$/m);
});

test("a row marks what misses its target", () => {
  const figures = sumOf({ accepted: 9, rejected: 1 }).figures();
  const [, row] = groupsText(["offer"], [{ key: { offer: null }, figures }]).split("\n");
  expect(row).toMatch(/^- +90 % \(10\) +25 h! \(10\) +- +- +-$/);
});
