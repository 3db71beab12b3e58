/**
 * Which fault, if any, a request meets. Firings are counted per rule object, so replacing the list
 * starts the new rules afresh. Probabilities come from one seeded generator: the same seed and the
 * same requests give the same faults.
 */
import type { FaultRule } from "./behaviour.ts";

export interface FaultMemory {
  random: () => number;
  fired: WeakMap<FaultRule, number>;
}

export interface FaultRequest {
  readonly method: "GET" | "PATCH";
  readonly itemId: string | undefined;
  readonly status: unknown;
}

export function newFaultMemory(seed: number): FaultMemory {
  return { random: mulberry32(seed), fired: new WeakMap() };
}

/** The first rule that matches and fires; its firing is counted. */
export function drawFault(
  memory: FaultMemory,
  rules: readonly FaultRule[],
  request: FaultRequest,
): FaultRule | undefined {
  return rules.find((rule) => {
    const fired = memory.fired.get(rule) ?? 0;
    if (rule.times !== undefined && fired >= rule.times) return false;
    if (!concerns(rule, request)) return false;
    if (rule.probability !== undefined && memory.random() >= rule.probability) return false;
    memory.fired.set(rule, fired + 1);
    return true;
  });
}

function concerns(rule: FaultRule, request: FaultRequest): boolean {
  const { itemId, status, method = "PATCH" } = rule.match ?? {};
  if (method !== "any" && method !== request.method) return false;
  if (itemId !== undefined && itemId !== request.itemId) return false;
  return status === undefined || status === request.status;
}

/** Mulberry32: small, fast and good enough to draw faults; never for secrets. In [0, 1). */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
