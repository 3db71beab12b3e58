/**
 * The one file that knows XState's insides. Everything else sees plain data.
 *
 * A step runs `machine.transition` with an inert scope of our own: no actor is created, no action is
 * executed, no clock exists. XState's public `transition()` builds a live actor (and runs the initial
 * transition) on every call: measured 95 µs against 7 µs, and 40 % of a core at our target rate. The
 * scope's shape is internal, so xstate is pinned exactly and test/unit/core-equivalence.test.ts compares
 * it with the public function, on every reachable pair and on random statecharts.
 */
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from "xstate";
import type { Effect } from "./effect.ts";
import type { JsonObject } from "./event.ts";
import { jsonFault } from "./json-safe.ts";

/** Microsteps of one event; XState has no limit of its own, and a loop would hold the worker. */
const MICROSTEPS_MAX = 1_000;

/** What XState would persist, without `children` (durable machines have none). */
export interface Snapshot {
  readonly status: "active" | "done" | "error" | "stopped";
  readonly value: unknown;
  readonly context: JsonObject;
  readonly historyValue?: JsonObject;
  readonly output?: unknown;
}

/** One transition that was taken: which event, from which state node, to which. */
export interface TakenTransition {
  readonly event: string;
  readonly source: string;
  readonly targets: readonly string[];
}

export type Step =
  | {
      readonly result: "moved";
      readonly snapshot: Snapshot;
      readonly effects: readonly Effect[];
      readonly taken: readonly TakenTransition[];
    }
  /** No transition took the event: nobody handles it here, or every guard said no. */
  | { readonly result: "unhandled" }
  /** A guard, an assign or a params function threw, or an action cannot be made durable. */
  | { readonly result: "failed"; readonly reason: string };

interface RawAction {
  readonly type: string;
  readonly params: unknown;
}
interface InspectedMicrostep {
  readonly event: EventObject;
  readonly _transitions?: readonly {
    readonly source: { readonly id: string };
    readonly target?: readonly { readonly id: string }[];
  }[];
}
type Scope = Parameters<AnyStateMachine["transition"]>[2];

export function initialStep(machine: AnyStateMachine, input: JsonObject): Step {
  return run(machine, (scope) => machine.getInitialSnapshot(scope, input), undefined);
}

/** One macrostep. The caller has checked that the snapshot is active: XState does not. */
export function step(machine: AnyStateMachine, from: Snapshot, event: EventObject): Step {
  return run(
    machine,
    (scope, previous) => machine.transition(previous as AnyMachineSnapshot, event, scope),
    restore(machine, from),
  );
}

/** Configurations kept per machine. Few machines have so many; one that has starts anew. */
const RESTORED_MAX = 1_000;

const restored = new WeakMap<AnyStateMachine, Map<string, AnyMachineSnapshot>>();

/**
 * A full XState snapshot. Throws when the state is gone. What XState looks up in the chart depends on
 * the state value alone, so it is looked up once for each value (22 µs of 72 µs a step, measured).
 */
function restore(machine: AnyStateMachine, from: Snapshot): AnyMachineSnapshot {
  const persisted = { historyValue: {}, ...from, children: {} };
  if (from.historyValue !== undefined) {
    return machine.restoreSnapshot(persisted as never, undefined as never) as AnyMachineSnapshot;
  }
  const known = restored.get(machine) ?? new Map<string, AnyMachineSnapshot>();
  restored.set(machine, known);
  const key = JSON.stringify(from.value);
  let sample = known.get(key);
  if (sample === undefined) {
    sample = machine.restoreSnapshot(persisted as never, undefined as never) as AnyMachineSnapshot;
    if (known.size >= RESTORED_MAX) known.clear();
    known.set(key, sample);
  }
  return { ...sample, ...persisted, historyValue: {} } as AnyMachineSnapshot;
}

function run(
  machine: AnyStateMachine,
  take: (scope: Scope, previous: AnyMachineSnapshot | undefined) => unknown,
  previous: AnyMachineSnapshot | undefined,
): Step {
  bound(machine);
  const actions: RawAction[] = [];
  const taken: TakenTransition[] = [];
  let next: AnyMachineSnapshot;
  try {
    next = take(inertScope(actions, taken), previous) as AnyMachineSnapshot;
  } catch (cause) {
    return { result: "failed", reason: messageOf(cause) };
  }
  // An error in the initial transition does not throw: it becomes the snapshot's status.
  if (next.status === "error") return { result: "failed", reason: messageOf(next.error) };
  if (previous !== undefined && taken.length === 0) return { result: "unhandled" };
  const effects: Effect[] = [];
  for (const action of actions) {
    const effect = effectOf(action);
    if (typeof effect === "string") return { result: "failed", reason: effect };
    if (effect !== undefined) effects.push(effect);
  }
  try {
    return { result: "moved", snapshot: persist(machine, next), effects, taken };
  } catch (cause) {
    // XState walks the context, and a context that holds itself has no end.
    return { result: "failed", reason: `the context cannot be stored: ${messageOf(cause)}` };
  }
}

/** XState's own default is `Infinity`, not absence. */
function bound(machine: AnyStateMachine): void {
  machine.options ??= {};
  const { maxIterations = Infinity } = machine.options;
  if (maxIterations === Infinity) machine.options.maxIterations = MICROSTEPS_MAX;
}

function inertScope(actions: RawAction[], taken: TakenTransition[]): Scope {
  const nothing = (): void => undefined;
  const scope = {
    self: {},
    id: "",
    sessionId: "",
    logger: nothing,
    defer: nothing,
    emit: nothing,
    stopChild: nothing,
    actionExecutor: (action: RawAction) => actions.push(action),
    system: {
      _sendInspectionEvent: ({ event, _transitions = [] }: InspectedMicrostep) => {
        for (const { source, target = [] } of _transitions) {
          taken.push({ event: event.type, source: source.id, targets: target.map(({ id }) => id) });
        }
      },
    },
  };
  return scope as unknown as Scope;
}

/** What XState would persist. Its own way there also looks for actors, which durable machines lack. */
function persist(machine: AnyStateMachine, next: AnyMachineSnapshot): Snapshot {
  const { status, value, context, output } = next as unknown as Snapshot;
  const hasHistory = Object.keys(next.historyValue as object).length > 0;
  const { historyValue } = (hasHistory
    ? machine.getPersistedSnapshot(next)
    : next) as unknown as Required<Snapshot>;
  return {
    status,
    value,
    context,
    ...(hasHistory && { historyValue }),
    ...(output !== undefined && { output }),
  };
}

/** A string is the reason why the action cannot be made durable. */
function effectOf({ type, params }: RawAction): Effect | string | undefined {
  const given = (params ?? {}) as Record<string, unknown>;
  switch (type) {
    case "xstate.raise":
      return timerOf(given["event"] as EventObject, given);
    case "xstate.cancel":
      return { kind: "timer.cancel", id: given["sendId"] as string };
    case "xstate.emit":
      return { kind: "emit", event: given["event"] as JsonObject };
    case "xstate.log":
      return {
        kind: "log",
        label: given["label"] as string | undefined,
        value: given["value"] ?? null,
      };
    default:
      if (type.startsWith("xstate.")) {
        return `${type} needs a living child actor; declare an effect and take its result as an event`;
      }
      return { kind: "action", name: type, params: given as JsonObject };
  }
}

function timerOf(
  event: EventObject,
  { id, delay }: { readonly id?: unknown; readonly delay?: unknown },
): Effect | string | undefined {
  if (delay === undefined && !event.type.startsWith("xstate.after.")) {
    // The event was already taken inside this macrostep, and is listed all the same.
    return undefined;
  }
  if (typeof delay !== "number" || !Number.isFinite(delay)) {
    return `the delay of ${event.type} is ${String(delay)}, which is no time in ms`;
  }
  const fault = jsonFault(event, `event ${event.type}`);
  if (fault !== undefined) return fault;
  return {
    kind: "timer.set",
    id: typeof id === "string" ? id : event.type,
    delayMs: delay,
    event,
  };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
