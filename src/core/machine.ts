/**
 * Registration: a definition becomes a machine that the engine will run, or is refused at start-up
 * with all its faults at once. What passes here can be persisted, replayed and resumed anywhere.
 */
import type { AnyStateMachine } from "xstate";
import type { z } from "zod";
import { NOTIFY_EFFECT } from "./clock-notice.ts";
import type { ActorView, MachineDefinition } from "./definition.ts";
import { EngineError } from "./errors.ts";
import { isReservedType } from "./event.ts";
import { canComeLater, handledTypes } from "./reachability.ts";
import { CHECK_EFFECT } from "./serviceability.ts";

export interface Machine extends MachineDefinition {
  /** Event types that the actor takes now, as far as that can be said without their data. */
  readonly allowedNow: (actor: ActorView) => readonly string[];
  /** Whether a state reachable from here handles the type: too early, or never. */
  readonly mayComeLater: (value: unknown, type: string) => boolean;
}

/**
 * The machines of a deployment, found by an actor's machine and version or by an event's type. Several
 * versions of one machine may be listed, newest first: an actor keeps the one it was begun with.
 */
export interface Machines {
  readonly byId: (id: string, version: string) => Machine | undefined;
  readonly byEventType: (type: string) => Machine | undefined;
  readonly all: readonly Machine[];
}

export function registerMachines(definitions: readonly MachineDefinition[]): Machines {
  const all = definitions.map(registerMachine);
  refuseTwins(all);
  const ids = new Map<string, Map<string, Machine>>();
  for (const machine of all) {
    const versions = ids.get(machine.id) ?? new Map<string, Machine>();
    ids.set(machine.id, versions.set(machine.version, machine));
  }
  const types = new Map<string, Machine>();
  for (const machine of all.toReversed()) {
    for (const type of Object.keys(machine.events)) types.set(type, machine);
  }
  return {
    all,
    byId: (id, version) => ids.get(id)?.get(version),
    byEventType: (type) => types.get(type),
  };
}

/** Two machines that cannot be told apart: by their stored name, or by the event that begins them. */
function refuseTwins(machines: readonly Machine[]): void {
  for (const [index, machine] of machines.entries()) {
    const twin = machines.slice(index + 1).find((other) => {
      const isSameMachine = other.id === machine.id;
      return isSameMachine ? other.version === machine.version : other.birth === machine.birth;
    });
    if (twin === undefined) continue;
    throw new EngineError(
      "MACHINE_INVALID",
      `Machines ${machine.id} ${machine.version} and ${twin.id} ${twin.version} cannot be told apart: give each its own version, or its own birth event.`,
    );
  }
}

export function registerMachine(definition: MachineDefinition): Machine {
  const faults = [...declarationFaults(definition), ...nodeFaults(definition)];
  if (faults.length > 0) {
    throw new EngineError(
      "MACHINE_INVALID",
      `Machine "${definition.id}" cannot run durably: ${faults.join("; ")}.`,
    );
  }
  const { machine } = definition;
  const known = new Set(Object.keys(definition.events));
  return {
    ...definition,
    allowedNow: (actor) =>
      handledTypes(machine, actor.value).filter(
        (type) => known.has(type) && definition.offers?.(type, actor) !== false,
      ),
    mayComeLater: (value, type) => canComeLater(machine, value, type),
  };
}

function declarationFaults(definition: MachineDefinition): string[] {
  const faults: string[] = [];
  if (definition.events[definition.birth] === undefined) {
    faults.push(`its birth event "${definition.birth}" has no schema in events`);
  }
  for (const type of Object.keys(definition.events)) {
    if (isReservedType(type)) faults.push(`event type "${type}" is reserved`);
  }
  for (const name of [NOTIFY_EFFECT, CHECK_EFFECT]) {
    if (definition.effects[name] !== undefined) faults.push(`effect "${name}" is the engine's own`);
  }
  return faults;
}

type StateNode = AnyStateMachine["root"];
type ActionLike = string | { readonly type: string } | ((...args: never[]) => unknown);

function nodeFaults(definition: MachineDefinition): string[] {
  const faults = new Set<string>();
  const visit = (node: StateNode): void => {
    if (node.invoke.length > 0) {
      faults.add(
        `state "${node.id}" invokes an actor: declare an effect, take its result as an event`,
      );
    }
    for (const fault of timingFaults(definition, node)) faults.add(fault);
    const transitions = [...node.transitions.values()].flat();
    const fromInitial = node.initial?.actions ?? [];
    const actions = [...node.entry, ...node.exit, ...fromInitial].concat(
      ...transitions.map((transition) => transition.actions),
      ...(node.always ?? []).map((transition) => transition.actions),
    );
    for (const action of actions as readonly ActionLike[]) {
      const fault = actionFault(definition, action);
      if (fault !== undefined) faults.add(`${fault} in state "${node.id}"`);
    }
    for (const child of Object.values(node.states)) visit(child);
  };
  visit(definition.machine.root);
  return [...faults];
}

/** What XState takes without a word, and what would then not happen, or happen at once. */
function timingFaults({ machine }: MachineDefinition, node: StateNode): string[] {
  const wildcards = [...node.transitions.keys()].filter((type) => type.includes("*"));
  const unknown = node.after
    .map(({ delay }) => delay)
    .filter(
      (delay) => typeof delay === "string" && machine.implementations.delays[delay] === undefined,
    );
  return [
    ...wildcards.map((type) => `"${type}" in state "${node.id}": name each event type instead`),
    ...unknown.map((delay) => `delay "${String(delay)}" in state "${node.id}" is not defined`),
  ];
}

/** Built-ins that are pure or become effects. The others need a living actor. */
const DURABLE_BUILT_INS = new Set([
  "xstate.assign",
  "xstate.raise",
  "xstate.cancel",
  "xstate.enqueueActions",
  "xstate.emit",
  "xstate.log",
]);

function actionFault(definition: MachineDefinition, action: ActionLike): string | undefined {
  if (typeof action === "function") return builtInFault(action, action.name || "(anonymous)");
  const name = typeof action === "string" ? action : action.type;
  const implementation = definition.machine.implementations.actions[name] as unknown;
  if (isBuiltIn(implementation)) return builtInFault(implementation, name);
  if (definition.effects[name] !== undefined) return undefined;
  return `action "${name}" is not pure and not declared in effects`;
}

function isBuiltIn(action: unknown): action is (...args: never[]) => unknown {
  return typeof action === "function" && "resolve" in action;
}

function builtInFault(action: (...args: never[]) => unknown, name: string): string | undefined {
  if (!isBuiltIn(action)) {
    return `action "${name}" is an inline function, which cannot be stored: name it and declare it in effects`;
  }
  const type = (action as unknown as { type?: string }).type ?? name;
  return DURABLE_BUILT_INS.has(type) ? undefined : `action "${type}" needs a living child actor`;
}

/** First problem of a value against its schema, as one sentence; `undefined` when it fits. */
export function schemaFault(schema: z.ZodType, value: unknown): string | undefined {
  const parsed = schema.safeParse(value);
  if (parsed.success) return undefined;
  const issue = parsed.error.issues[0];
  const path = issue?.path.join(".");
  return `${path ? `${path}: ` : ""}${issue?.message ?? "does not fit its schema"}`;
}
