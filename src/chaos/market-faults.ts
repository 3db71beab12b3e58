/** How the marketplace misbehaves: rules of the sandbox, laid upon it for the time of a fault. */
import type { FaultRule } from "../offergrid/sandbox/behaviour.ts";
import type { FaultKind } from "./fault-plan.ts";
import { PUSH_TIMEOUT_MS } from "./tested-deployment.ts";

/** Part of the requests that meet the fault: the others show that one item does not wait for another. */
const probability = 0.4;

export const MARKET_RULES: Readonly<Partial<Record<FaultKind, readonly FaultRule[]>>> = {
  "market-429": [{ kind: "429", probability, retryAfter: 1 }],
  // Reads clear up what became of a push, so they must fail now and then as well.
  "market-500-before": [
    { kind: "500-before", probability },
    { kind: "500-before", probability, match: { method: "GET" } },
  ],
  "market-500-after": [{ kind: "500-after", probability }],
  "market-slow": [{ kind: "slow", probability, delayMs: 2 * PUSH_TIMEOUT_MS }],
  "market-reset": [
    { kind: "reset-before", probability: probability / 2 },
    { kind: "reset-after", probability },
    { kind: "reset-before", probability, match: { method: "GET" } },
  ],
};
