/** The SLA policy of the simulated deployment, in Redis as the product keeps it. */
import { testedPolicies } from "../../src/chaos/tested-policies.ts";
import { textOfPolicy } from "../../src/engine/read-policy.ts";
import { POLICY_ADOPTED_WITHIN_MS } from "../../src/engine/policy-holder.ts";
import type { Policy } from "../../src/sla/policy.ts";
import { policyKey } from "../../src/store/keys.ts";
import { type MemoryRedis, memoryCommands } from "../../src/store/memory/memory-redis.ts";
import {
  changeOf,
  readPolicyStand,
  type PolicySide,
  saveProgress,
  storePolicy,
} from "../../src/store/policy-store.ts";
import type { Store } from "../../src/store/store.ts";
import { TOLD_AFTER_MS } from "./lives.ts";
import { LAYOUT } from "./setting.ts";
import { EPOCH_MS } from "./world.ts";

const POLICIES = testedPolicies({ toldAfterMs: TOLD_AFTER_MS });

/** The deployment is not new: every item that it has was measured by its policy long ago. */
export async function beginWithPolicy(memory: MemoryRedis): Promise<void> {
  await setPolicy(memory, POLICIES.first);
  const setAt = EPOCH_MS - 2 * POLICY_ADOPTED_WITHIN_MS;
  memory.call("hset", [policyKey(LAYOUT), "setAt", String(setAt)]);
  const store = storeOf(memory);
  const change = changeOf(POLICIES.first.version, await readPolicyStand(store));
  await saveProgress(store, { state: "done", change, looks: 0, remeasured: 0, at: setAt });
}

/** Somebody puts another policy in the place of the one in force. */
export async function changePolicy(memory: MemoryRedis): Promise<void> {
  const { version } = await readPolicyStand(storeOf(memory));
  await setPolicy(memory, version === POLICIES.first.version ? POLICIES.second : POLICIES.first);
}

export async function policyVersion(memory: MemoryRedis): Promise<string | undefined> {
  return (await readPolicyStand(storeOf(memory))).version;
}

/** Whether every open clock was measured by the policy in force, as far as the store knows. */
export function isMeasured(memory: MemoryRedis): boolean {
  const [version, setAt, asked, recompute] = memory.call("hmget", [
    policyKey(LAYOUT),
    "version",
    "setAt",
    "asked",
    "recompute",
  ]) as string[];
  const stand = { setAt: Number(setAt), asked: Number(asked) };
  const { change, state } = JSON.parse(recompute ?? "{}") as { change?: string; state?: string };
  return state === "done" && change === changeOf(version ?? "", stand);
}

function storeOf(memory: MemoryRedis): Store {
  return { redis: memoryCommands(async (name, args) => memory.call(name, args)), layout: LAYOUT };
}

async function setPolicy(memory: MemoryRedis, policy: Policy): Promise<void> {
  const { redis } = storeOf(memory);
  const side: PolicySide = {
    layout: LAYOUT,
    redis: {
      ...redis,
      hset: async (key, fields) => {
        for (const entry of Object.entries(fields)) memory.call("hset", [key, ...entry]);
        return 0;
      },
      hsetnx: async (key, field, value) => {
        if (memory.call("hget", [key, field]) !== null) return 0;
        memory.call("hset", [key, field, value]);
        return 1;
      },
    },
  };
  await storePolicy(side, { version: policy.version, text: textOfPolicy(policy) });
}
