/** The SLA policy in force as a person reads it. Pure. */
import type { PolicyStanding, RecomputeStanding } from "../engine/policy-standing.ts";
import type { Clock, Policy } from "../sla/policy.ts";
import { count, relativeText, table } from "./text-layout.ts";

export function policyText(policy: Policy, standing: PolicyStanding, now: number): string {
  const { setAt, source, recompute } = standing;
  const since = setAt === null ? "" : `, set ${setAt}  ${relativeText(Date.parse(setAt), now)}`;
  const { delayNotes, jeopardy, exceptions = [] } = policy;
  const rows = Object.entries(policy.clocks).map(([name, clock]) => clockRow(name, clock));
  return [
    `Policy "${policy.version}"${source === "default" ? " (the default)" : ""}${since}`,
    `Recomputation: ${recomputeText(recompute)}`,
    "",
    `Zone             ${policy.zone}`,
    `Customer hours   ${policy.customerHours}`,
    `Committed date   ${jeopardy === undefined ? "none" : `the due time of "${jeopardy.committedBy}"`}`,
    `Delay notes      ${delayNotes === undefined ? "off" : delayNotes.clocks.join(", ")}`,
    `Exceptions       ${exceptions.length}`,
    "",
    table(["clock", "within", "calendar", "ladder", "pauses while"], rows),
  ].join("\n");
}

export function recomputeText({ state, looks, remeasured }: RecomputeStanding): string {
  if (state === "waiting") return "has not begun";
  const so = state === "done" ? "done" : "running";
  return `${so}, ${count(looks, "look")} at items, ${count(remeasured, "item")} measured anew`;
}

function clockRow(name: string, clock: Clock): readonly string[] {
  if (clock.kind === "fixed-date") {
    return [name, `appointment ${offsetText(clock.offsetMs)}`, "", clock.ladder, ""];
  }
  const { targetMs, calendar, zone, ladder, pausesWhile = [] } = clock;
  const where = zone === undefined ? calendar : `${calendar} in ${zone}`;
  return [name, durationText(targetMs), where, ladder, pausesWhile.join(", ")];
}

function offsetText(offsetMs: number): string {
  if (offsetMs === 0) return "itself";
  return `${offsetMs < 0 ? "-" : "+"} ${durationText(Math.abs(offsetMs))}`;
}

const UNITS = [
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** In the largest unit that is exact; open hours are no days, so there are none. */
function durationText(durationMs: number): string {
  const [unit, unitMs] = UNITS.find(([, ms]) => durationMs % ms === 0) ?? ["ms", 1];
  return `${durationMs / unitMs} ${unit}`;
}
