/**
 * Where an actor stands, in its machine's own words: the active states' descriptions and `meta`. A
 * state whose `meta` names a `status` bears that status; `definition` and `action` beside it say what
 * is true then and what is owed next. Works for any machine that follows this convention.
 */
import type { Machine } from "../core/machine.ts";
import { activeNodes, type StateNode } from "../core/reachability.ts";

/** What a status means, from the state that bears it. */
export interface StatusWords {
  readonly status: string;
  /** One fact a line; empty when the machine's author gave none. */
  readonly definition: readonly string[];
  /** What the provider owes next. */
  readonly action?: string;
}

/** What is true at the same time as the status: one region of a parallel state. */
export interface Region {
  readonly name: string;
  /** The region's active state, `assessing` or `outer.inner`. */
  readonly state: string;
  readonly description?: string;
}

export interface Standing {
  readonly words?: StatusWords;
  /** Regions that bear no status. */
  readonly regions: readonly Region[];
}

/** `value` is XState's value of a stored snapshot of this machine. */
export function standingOf(machine: Machine["machine"], value: unknown): Standing {
  const nodes = activeNodes(machine.root, value);
  const words = nodes.map(wordsOf).find((found) => found !== undefined);
  const regions = nodes
    .filter(({ parent }) => parent?.type === "parallel")
    .flatMap((region) => regionOf(region, nodes));
  return { regions, ...(words !== undefined && { words }) };
}

/** Every status that a machine's states bear, in the order in which the machine lists them. */
export function statusWordsOf(machine: Machine["machine"]): readonly StatusWords[] {
  return allNodes(machine.root).flatMap((node) => wordsOf(node) ?? []);
}

/**
 * Every status that an item of the machine may have: what its states bear, else what the definition says
 * of each state by itself. The states of a parallel machine are none by themselves, and must bear theirs.
 */
export function statusesOf({ machine, status }: Pick<Machine, "machine" | "status">): string[] {
  const borne = statusWordsOf(machine).map((words) => words.status);
  if (borne.length > 0) return borne;
  return allNodes(machine.root)
    .filter(({ type }) => type === "atomic" || type === "final")
    .map(({ path }) => status(valueOf(path)));
}

/** XState's value of a state: its key, or keys within keys. */
function valueOf([key = "", ...inner]: readonly string[]): unknown {
  return inner.length === 0 ? key : { [key]: valueOf(inner) };
}

const statusesByNode = new WeakMap<Machine["machine"], ReadonlyMap<string, string>>();

/** The status that the state node of this id bears, if it bears one. */
export function statusOfNode(machine: Machine["machine"], id: string): string | undefined {
  let statuses = statusesByNode.get(machine);
  if (statuses === undefined) {
    const bearers = allNodes(machine.root).flatMap((node): [string, string][] => {
      const words = wordsOf(node);
      return words === undefined ? [] : [[node.id, words.status]];
    });
    statuses = new Map(bearers);
    statusesByNode.set(machine, statuses);
  }
  return statuses.get(id);
}

function allNodes(node: StateNode): StateNode[] {
  return [node, ...Object.values(node.states).flatMap(allNodes)];
}

function regionOf(region: StateNode, active: readonly StateNode[]): Region[] {
  const below = active.filter((node) => isWithin(node, region));
  const leaf = below.at(-1);
  if (leaf === undefined || below.some((node) => wordsOf(node) !== undefined)) return [];
  const state = leaf.path.slice(region.path.length).join(".");
  const { description } = leaf;
  return [{ name: region.key, state, ...(description !== undefined && { description }) }];
}

function isWithin(node: StateNode, region: StateNode): boolean {
  return node !== region && region.path.every((key, index) => node.path[index] === key);
}

function wordsOf(node: StateNode): StatusWords | undefined {
  const meta: unknown = node.meta;
  if (typeof meta !== "object" || meta === null) return undefined;
  const { status, definition, action } = meta as Readonly<Record<string, unknown>>;
  if (typeof status !== "string") return undefined;
  return {
    status,
    definition: Array.isArray(definition) ? definition.map(String) : [],
    ...(typeof action === "string" && { action }),
  };
}
