/** The SLA policy of the deployment under test, as an operator puts it into force. */
import { setTimeout as delay } from "node:timers/promises";
import { textOfPolicy } from "../engine/read-policy.ts";
import { DEFAULT_POLICY } from "../sla/default-policy.ts";
import type { Policy } from "../sla/policy.ts";
import { changeOf, readPolicyStand, storePolicy } from "../store/policy-store.ts";
import type { ConnectedStore, Store } from "../store/store.ts";
import { testedPolicies } from "./tested-policies.ts";

/** Events are told at once. */
export const TESTED_POLICIES = testedPolicies({ toldAfterMs: 0 });

export async function putIntoForce(store: ConnectedStore, policy: Policy): Promise<void> {
  await storePolicy(store, { version: policy.version, text: textOfPolicy(policy) });
}

const AGAIN_MS = 300;

interface PlannedChange {
  readonly policy: Policy;
  /** From now, ms. */
  readonly afterMs: number;
  readonly signal: AbortSignal;
  /** Hears that it was done. */
  readonly onDone: () => void;
}

/** Whoever does it tries until Redis takes it; aborted, it is left as it is. */
export async function changePolicy(store: ConnectedStore, change: PlannedChange): Promise<void> {
  const { policy, afterMs, signal, onDone } = change;
  await delay(afterMs, undefined, { signal }).catch(() => undefined);
  while (!signal.aborted) {
    const isDone = await putIntoForce(store, policy).then(
      () => true,
      () => false,
    );
    if (isDone) {
      onDone();
      return;
    }
    await delay(AGAIN_MS);
  }
}

/** Of the policy in force. */
export async function policyVersion(store: Store): Promise<string> {
  const { version = DEFAULT_POLICY.version } = await readPolicyStand(store);
  return version;
}

/** Whether the walk that measures all open clocks by the policy in force is over. */
export async function isRecomputed(store: Store): Promise<boolean> {
  const stand = await readPolicyStand(store);
  const { version = DEFAULT_POLICY.version, recompute } = stand;
  return recompute?.state === "done" && recompute.change === changeOf(version, stand);
}
