/** A registered machine around any XState machine: the smallest definition that the engine takes. */
import type { AnyStateMachine } from "xstate";
import { z } from "zod";
import type { LivingActor } from "../../src/core/actor.ts";
import { type Advance, advance, begin } from "../../src/core/advance.ts";
import type { ArrivedEvent } from "../../src/core/arrival.ts";
import type { MachineDefinition, MachineEvent } from "../../src/core/definition.ts";
import type { Limits } from "../../src/core/decision.ts";
import type { JsonObject } from "../../src/core/event.ts";
import { type Machine, registerMachine } from "../../src/core/machine.ts";

export const ANY_DATA = z.record(z.string(), z.unknown());

export const LIMITS: Limits = {
  parkedForMs: 60_000,
  unknownItemForMs: 30_000,
  parkedMax: 5,
  journalMax: 1_000,
  timersPerDecision: 20,
};

/** Takes the given event types; "tell" is its only effect; its status is its state's word. */
export function smallDefinition(
  machine: AnyStateMachine,
  types: readonly string[],
  change: Partial<MachineDefinition> = {},
): MachineDefinition {
  return {
    id: "small",
    version: "1",
    machine,
    birth: "born",
    events: Object.fromEntries(["born", ...types].map((type) => [type, ANY_DATA])),
    effects: { tell: { params: ANY_DATA, channel: "operator" } },
    context: ANY_DATA,
    input: (event) => event.data,
    attributes: () => ({ account: "acme" }),
    status: (value) => (typeof value === "string" ? value : JSON.stringify(value)),
    ...change,
  };
}

export function smallMachine(
  machine: AnyStateMachine,
  types: readonly string[],
  change: Partial<MachineDefinition> = {},
): Machine {
  return registerMachine(smallDefinition(machine, types, change));
}

export function beginAt(machine: Machine, at = 0, input: JsonObject = {}): Advance {
  return begin(machine, undefined, { id: "item-1", input, at });
}

export function bornAt(machine: Machine, at = 0, input: JsonObject = {}): LivingActor {
  return appliedActor(beginAt(machine, at, input));
}

export function appliedActor(advanced: Advance): LivingActor {
  if (advanced.outcome === "applied") return advanced.actor;
  throw new Error(`${advanced.outcome}: ${advanced.problem.message}`);
}

export function send(
  machine: Machine,
  actor: LivingActor,
  { type, at = 0 }: { readonly type: string; readonly at?: number },
): Advance {
  const time = new Date(at).toISOString();
  const event: MachineEvent = { type, id: "e", source: "s", time, at, data: {} };
  return advance(machine, actor, event);
}

let count = 0;

/** An event as it comes through the border, with an id of its own. */
export function arrived(type: string, change: Partial<ArrivedEvent> = {}): ArrivedEvent {
  count += 1;
  return {
    specversion: "1.0",
    id: `e${count}`,
    source: "crm/a",
    type,
    subject: "item-1",
    time: "2026-03-02T09:00:00.000Z",
    data: {},
    ...change,
  };
}
