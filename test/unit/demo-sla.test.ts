/** `orderwright demo --sla`: the week that it plays, and what it checks. */
import { expect, test } from "vitest";
import { checkWeek } from "../../src/cli/demo-sla-check.ts";
import { playWeek } from "../../src/cli/demo-sla-play.ts";
import { STEPS } from "../../src/cli/demo-sla-story.ts";
import { runSlaDemo } from "../../src/cli/demo-sla.ts";

const WIDTH_MAX = 110;

async function played(options: { readonly json?: boolean; readonly isColoured?: boolean } = {}) {
  const said: string[] = [];
  const out = (text: string): void => void said.push(text);
  const { json = false, isColoured = false } = options;
  const exitCode = await runSlaDemo({ json, isColoured, out });
  return { exitCode, text: said.join("\n") };
}

test("the week comes as it was worked out by hand", async () => {
  const { faults, expectations } = checkWeek(await playWeek(STEPS), STEPS);
  expect(faults).toEqual([]);
  expect(expectations).toBeGreaterThan(80);
});

test("a week in which something is left out is found wanting", async () => {
  const steps = STEPS.filter((step) => step.kind !== "policy");
  const { faults } = checkWeek(await playWeek(steps), steps);
  expect(faults).toContain(
    "told, expected and not seen: 27 12:10 fiber-1: jeopardy yellow → owner",
  );
  expect(faults).toContain("due, expected and not seen: 27 12:10 fiber-1: install due 29 09:50");
  expect(faults.some((fault) => fault.includes("seen and not expected"))).toBe(true);
});

test("its text is the same each time, and fits a terminal", async () => {
  const [first, second] = [await played(), await played()];
  expect(first).toEqual(second);
  expect(first.exitCode).toBe(0);
  expect(first.text).toMatch(/checked: \d+ expectations, all held$/);
  const widths = first.text.split("\n").map((line) => line.length);
  expect(Math.max(...widths)).toBeLessThanOrEqual(WIDTH_MAX);
  expect(first.text).not.toContain("\u001B");
});

test("only in colour what went wrong is red", async () => {
  const { text } = await played({ isColoured: true });
  const red = text.split("\n").filter((line) => line.startsWith("\u001B[31m"));
  expect(red.filter((line) => line.includes("BREACH"))).toHaveLength(3);
  expect(red.every((line) => /BREACH|MISSED|REFUSED/.test(line))).toBe(true);
});

test("as JSON it is one line", async () => {
  const { text, exitCode } = await played({ json: true });
  expect(exitCode).toBe(0);
  expect(text).not.toContain("\n");
  expect(JSON.parse(text)).toMatchObject({ items: 3, pushes: 12, completionRate: 1, faults: [] });
});
