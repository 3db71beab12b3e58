/** Which SLA policy is in force, and how far the open clocks have been measured by it. Pure. */
import type { Policy } from "../sla/policy.ts";
import { changeOf, type PolicyStand } from "../store/policy-store.ts";

export interface PolicyStanding {
  readonly version: string;
  /** "default": none is stored. */
  readonly source: "stored" | "default";
  /** ISO 8601; null when none was ever set. */
  readonly setAt: string | null;
  readonly recompute: RecomputeStanding;
}

export interface RecomputeStanding {
  /** "waiting": it has not begun, for the policy is new or no process with the timers runs. */
  readonly state: "waiting" | "running" | "done";
  /** Looks at items. */
  readonly looks: number;
  /** Items whose clocks were measured anew. */
  readonly remeasured: number;
  /** Of the last progress. */
  readonly at: string | null;
}

export function standingOf(policy: Policy, stand: PolicyStand): PolicyStanding {
  const { version, setAt } = stand;
  return {
    version: policy.version,
    source: version === undefined ? "default" : "stored",
    setAt: setAt === 0 ? null : isoOf(setAt),
    recompute: recomputeStandingOf(policy.version, stand),
  };
}

export function recomputeStandingOf(version: string, stand: PolicyStand): RecomputeStanding {
  const { recompute } = stand;
  // The progress of an earlier change says nothing about this one.
  if (recompute?.change !== changeOf(version, stand)) {
    return { state: "waiting", looks: 0, remeasured: 0, at: null };
  }
  const { state, looks, remeasured, at } = recompute;
  return { state, looks, remeasured, at: isoOf(at) };
}

function isoOf(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}
