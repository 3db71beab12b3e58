/** The read model of the SLA policy: what is in force, and how far the clocks go by it. */
import type { Policy } from "../sla/policy.ts";
import type { Store } from "../store/store.ts";
import { type PolicyStanding, standingOf } from "./policy-standing.ts";
import { readPolicyInForce } from "./read-policy.ts";

export type PolicyDescription = PolicyStanding & { readonly policy: Policy };

/** @throws EngineError POLICY_INVALID when this version of the program cannot read the stored one */
export async function describePolicy(store: Store): Promise<PolicyDescription> {
  const { policy, stored } = await readPolicyInForce(store);
  return { ...standingOf(policy, stored), policy };
}
