/** How the simulated deployment is configured: short times, so that a run meets all of them. */
import type { Limits } from "../../src/core/decision.ts";
import { type Machines, registerMachines } from "../../src/core/machine.ts";
import type { Layout } from "../../src/store/keys.ts";
import { TESTED_DEFINITIONS } from "../../src/chaos/tested-definitions.ts";

export const LAYOUT: Layout = { prefix: "ow", shards: 2 };

export const ACCOUNT = "default";

/** Longer than a push lasts, and twice as long as until the next renewal. */
export const LEASE_MS = 9_000;

export const SWEEP_MS = 2_000;

export const PUSH_TIMEOUT_MS = 3_000;

/** A process's clock is wrong by this at most. */
export const SKEW_MAX_MS = 20_000;

export const EVENT_CONCURRENCY = 4;
export const DRAINS_MAX = 8;
export const PUSH_CONCURRENCY = 3;

/** No run brings a job down as often as this with its worker. */
export const CRASH_LIMIT = 50;

export const DEDUPE_FOR_MS = 24 * 3_600_000;

/** Longer than any fault. What waits behind an event that Redis forgot is pushed when its wait is over, and
 * that must be while pushes still begin with a look. */
const PARKED_FOR_MS = 90_000;

export const LIMITS: Limits = {
  parkedForMs: PARKED_FOR_MS,
  unknownItemForMs: PARKED_FOR_MS,
  parkedMax: 100,
  journalMax: 1_000,
  timersPerDecision: 100,
};

export const MACHINES: Machines = registerMachines(TESTED_DEFINITIONS);
