/**
 * Changes of the SLA policy in a test, by the rules of production.
 *
 * Always true: a version names one content, because items are measured anew only for another version.
 */
import { isDeepStrictEqual } from "node:util";
import { EngineError } from "../core/errors.ts";
import { readPolicy, textOfPolicy } from "../engine/read-policy.ts";
import { clockworkOf } from "../sla/clockwork.ts";
import type { Policy } from "../sla/policy.ts";
import type { Timeline } from "./timeline.ts";

/** What it returns throws EngineError POLICY_INVALID. */
export function policySetter(timeline: Timeline): (policy: Policy) => Promise<void> {
  const { policy: first } = timeline.engine.clocks();
  const known = new Map([[first.version, first]]);
  return async (policy) => {
    const { version } = policy;
    const read = readPolicy(textOfPolicy(policy), `Policy "${version}"`);
    if (!isDeepStrictEqual(known.get(version) ?? policy, policy)) {
      throw new EngineError(
        "POLICY_INVALID",
        `Policy "${version}" had other content before. Give this one a version of its own.`,
      );
    }
    known.set(version, policy);
    await timeline.setClocks(clockworkOf(read));
  };
}
