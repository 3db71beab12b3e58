/**
 * What makes a run right: every item was PATCHed exactly once for each of its five steps, in order,
 * and nothing else was asked of the marketplace. A run that is not right has no speed.
 */
import type { Effects } from "./contestant.ts";
import type { StubReport } from "./stub.ts";
import { STEPS } from "./workload.ts";

/** Items named in a fault, so that a run gone wrong does not fill the screen. */
const EXAMPLES_MAX = 3;

export function patchFaults(
  report: StubReport,
  items: readonly string[],
  effects: Effects,
): readonly string[] {
  const expected = effects === "with-patch" ? STEPS.map((step) => step.status).join(" ") : "";
  const wrong = items.filter((item) => (report.statuses[item] ?? []).join(" ") !== expected);
  const examples = wrong
    .slice(0, EXAMPLES_MAX)
    .map((item) => `${item}: ${(report.statuses[item] ?? []).join(" ") || "none"}`);
  const strangers = Object.keys(report.statuses).length - knownItems(report, items);
  return [
    ...(wrong.length > 0
      ? [`${wrong.length} items have other PATCHes than expected (${examples.join("; ")})`]
      : []),
    ...(strangers > 0 ? [`${strangers} items were PATCHed that are not part of the run`] : []),
    ...(report.unexpected > 0 ? [`${report.unexpected} requests were not status PATCHes`] : []),
  ];
}

function knownItems(report: StubReport, items: readonly string[]): number {
  return items.filter((item) => report.statuses[item] !== undefined).length;
}
