import { keysOf, type SandboxOptions, type Team } from "./behaviour.ts";
import { newFaultMemory, type FaultMemory } from "./faults.ts";
import type { Market } from "./market.ts";
import type { RateWindow } from "./rate-limit.ts";

/** What the routes of one running sandbox share. */
export interface SandboxContext {
  readonly market: Market;
  readonly options: SandboxOptions;
  readonly teamsByKey: ReadonlyMap<string, Team>;
  /** One window per team key, so the map is as small as the list of teams. */
  readonly rateWindows: Map<string, RateWindow>;
  faultMemory: FaultMemory;
  /** Aborted when the sandbox closes: ends waits that a slow answer is in. */
  readonly closing: AbortSignal;
}

export function newContext(
  market: Market,
  options: SandboxOptions,
  closing: AbortSignal,
): SandboxContext {
  return {
    market,
    options,
    teamsByKey: new Map(options.teams.flatMap((team) => keysOf(team).map((key) => [key, team]))),
    rateWindows: new Map(),
    faultMemory: newFaultMemory(options.seed),
    closing,
  };
}
