import { expect, test } from "vitest";
import { patchFaults } from "../../bench/correctness.ts";
import type { Outcome } from "../../bench/measurement.ts";
import { type Cell, ratiosOf } from "../../bench/result-table.ts";
import { STEPS } from "../../bench/workload.ts";

const RIGHT = STEPS.map(({ status }) => status);
const report = (statuses: Readonly<Record<string, readonly string[]>>, unexpected = 0) => ({
  statuses: Object.fromEntries(Object.entries(statuses).map(([item, all]) => [item, [...all]])),
  unexpected,
  lastPatchAtMs: 0,
  patches: 0,
});

test("a run is right only when every item was PATCHed once for each step, in order", () => {
  const [first = "", second = "", ...rest] = RIGHT;
  const faultsOf = (statuses: readonly string[]) =>
    patchFaults(report({ a: RIGHT, b: statuses }), ["a", "b"], "with-patch").length;
  expect(faultsOf(RIGHT)).toBe(0);
  expect(faultsOf([second, first, ...rest])).toBe(1);
  expect(faultsOf([first, ...RIGHT])).toBe(1);
  expect(faultsOf(RIGHT.slice(1))).toBe(1);
});

test("a run is wrong when something else was asked of the marketplace", () => {
  const right = { a: RIGHT };
  expect(patchFaults(report(right, 1), ["a"], "with-patch")).toHaveLength(1);
  expect(patchFaults(report({ ...right, stranger: RIGHT }), ["a"], "with-patch")).toHaveLength(1);
  expect(patchFaults(report(right), ["a"], "without-patch")).toHaveLength(1);
});

test("a ratio is ours over the hand-made worker's, by the medians of the rounds", () => {
  const cell = (contestant: string, speeds: readonly number[]): Cell[] =>
    (["everysec", "always"] as const).flatMap((fsync) =>
      (["with-patch", "without-patch"] as const).map((effects) => ({
        contestant,
        fsync,
        effects,
        outcomes: speeds.map((eventsPerSecond): Outcome => ({
          outcome: "right",
          eventsPerSecond,
          cpuSecondsPer10k: 1,
          bytesPerItem: 1,
        })),
      })),
    );
  const cells = [
    ...cell("orderwright", [900, 100, 500]),
    ...cell("orderwright, one event a job", [1, 1, 1]),
    ...cell("hand-made", [1_000, 1_000, 9_000]),
  ];
  expect(ratiosOf(cells)).toEqual({
    withPatch: { everysec: 0.5, always: 0.5 },
    withoutPatch: { everysec: 0.5, always: 0.5 },
  });
});
