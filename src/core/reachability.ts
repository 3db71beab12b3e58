/**
 * "Too early" or "never": an event that no active state handles may still be taken later. Asked of the
 * machine's graph alone; guards are not evaluated, so the answer errs towards "later", which costs a
 * wait in the parked events and never loses one.
 */
import type { AnyStateMachine, StateValue } from "xstate";

export type StateNode = AnyStateMachine["root"];

const reachedTypes = new WeakMap<StateNode, ReadonlySet<string>>();

/** Event types handled by the active states and their ancestors, those of the deepest state first: they
 * move the actor on, the others may happen any time. */
export function handledTypes(machine: AnyStateMachine, value: unknown): readonly string[] {
  const types = new Set<string>();
  const nodes = activeNodes(machine.root, value);
  for (const node of nodes.toSorted((left, right) => right.path.length - left.path.length)) {
    for (const type of node.ownEvents) types.add(type);
  }
  return [...types];
}

export function canComeLater(machine: AnyStateMachine, value: unknown, type: string): boolean {
  return activeNodes(machine.root, value).some((node) => typesReachedFrom(node).has(type));
}

/** The active state nodes from the root down, in document order. */
export function activeNodes(root: StateNode, value: unknown): StateNode[] {
  const nodes: StateNode[] = [root];
  const known = value as StateValue;
  const children = typeof known === "string" ? { [known]: undefined } : known;
  for (const [key, below] of Object.entries(children)) {
    const child = root.states[key];
    if (child === undefined) continue;
    nodes.push(...(below === undefined ? [child] : activeNodes(child, below)));
  }
  return nodes;
}

function typesReachedFrom(start: StateNode): ReadonlySet<string> {
  const known = reachedTypes.get(start);
  if (known !== undefined) return known;
  const types = new Set<string>();
  const seen = new Set<StateNode>();
  const queue = [...targetsOf(start)];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const type of node.ownEvents) types.add(type);
    // Entering a state may enter any of its children, and keeps its ancestors active.
    queue.push(...Object.values(node.states), ...targetsOf(node));
    for (let up = node.parent; up !== undefined; up = up.parent) {
      for (const type of up.ownEvents) types.add(type);
      queue.push(...targetsOf(up));
    }
  }
  reachedTypes.set(start, types);
  return types;
}

function targetsOf(node: StateNode): StateNode[] {
  const transitions = [...node.transitions.values()].flat().concat(node.always ?? []);
  return transitions.flatMap((transition) => transition.target ?? []);
}
