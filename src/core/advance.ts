/**
 * The durable XState step. `begin` and `advance` take an actor and an event and return the next actor
 * with its effects and timers as data, or why not. Pure and synchronous: no clock, no random, no I/O;
 * the same arguments give the same bytes for ever, which is what replay stands on.
 */
import type { Actor, LivingActor, Timer } from "./actor.ts";
import type { MachineEvent } from "./definition.ts";
import type { Effect } from "./effect.ts";
import type { Problem } from "./errors.ts";
import type { JsonObject } from "./event.ts";
import { asStored, jsonFault } from "./json-safe.ts";
import type { Machine } from "./machine.ts";
import { schemaFault } from "./machine.ts";
import type { Snapshot, Step, TakenTransition } from "./xstate-step.ts";
import { initialStep, step } from "./xstate-step.ts";

/** A named action of the machine, bound for the outbox. */
export interface ActionEffect {
  readonly name: string;
  readonly params: JsonObject;
}

export type Advance =
  | {
      readonly outcome: "applied";
      readonly actor: LivingActor;
      readonly effects: readonly ActionEffect[];
      readonly notes: readonly JsonObject[];
      readonly taken: readonly TakenTransition[];
      readonly derived: readonly string[];
    }
  /** Nothing here takes it; `later` when a state that can still be reached does. */
  | { readonly outcome: "not-allowed"; readonly later: boolean; readonly problem: Problem }
  /** The actor has ended. */
  | { readonly outcome: "final"; readonly problem: Problem }
  /** The machine would take the type, but never this event; `refuse` says why. */
  | { readonly outcome: "invalid"; readonly problem: Problem }
  /** The event says what is already so. */
  | { readonly outcome: "stale"; readonly problem: Problem }
  /** The machine threw, or broke its own declarations: a bug in the machine. */
  | { readonly outcome: "error"; readonly problem: Problem };

export interface Birth {
  readonly id: string;
  readonly input: JsonObject;
  readonly at: number;
}

export function begin(machine: Machine, waiting: Actor | undefined, birth: Birth): Advance {
  const unborn: Actor = {
    id: birth.id,
    revision: waiting?.revision ?? 0,
    machine: machine.id,
    version: machine.version,
    timers: {},
    sources: waiting?.sources ?? {},
    parked: waiting?.parked ?? [],
  };
  return conclude(machine, unborn, {
    steps: [initialStep(machine.machine, birth.input)],
    at: birth.at,
  });
}

/** One reported event: one step, or the steps of the path that an observed status implies. */
export function advance(machine: Machine, actor: LivingActor, event: MachineEvent): Advance {
  const refusal = refusalBefore(machine, actor, event);
  if (refusal !== undefined) return refusal;
  const { value, context } = actor.snapshot;
  const path = machine.expand?.(event, { value, context });
  if (path === undefined) return advanceBy(machine, actor, { events: [event], at: event.at });
  if ("code" in path) return { outcome: "not-allowed", later: false, problem: path };
  if (path.length === 0) {
    const message = `Item ${actor.id} is "${machine.status(value)}" already. Nothing to do.`;
    return { outcome: "stale", problem: { code: "EVENT_STALE", message } };
  }
  return advanceBy(machine, actor, { events: path, at: event.at, isDerived: true });
}

/** A timer that fell due. A token of an earlier visit to the state finds no timer, and is dropped. */
export function fire(
  machine: Machine,
  actor: LivingActor,
  timer: { readonly id: string; readonly token: string; readonly at: number },
): Advance {
  const known = actor.timers[timer.id];
  if (known?.token !== timer.token) {
    const message = `Timer ${timer.id} of item ${actor.id} was cancelled or set anew.`;
    return { outcome: "stale", problem: { code: "EVENT_STALE", message } };
  }
  const { [timer.id]: _fired, ...timers } = actor.timers;
  const event = { ...(known.event ?? { type: timer.id }), at: timer.at };
  return advanceBy(machine, { ...actor, timers }, { events: [event], at: timer.at });
}

function refusalBefore(
  machine: Machine,
  actor: LivingActor,
  event: MachineEvent,
): Advance | undefined {
  const { status, value, context } = actor.snapshot;
  const named = `Item ${actor.id} is "${machine.status(value)}"`;
  // XState does not check this itself: a root-level `on` still fires on a done snapshot.
  if (status !== "active") {
    const message = `${named}, which is final, and takes no ${event.type}. Nothing to do.`;
    return { outcome: "final", problem: { code: "ITEM_FINAL", message, allowed: [] } };
  }
  const problem = machine.refuse?.(event, { value, context });
  if (problem === undefined) return undefined;
  return {
    outcome: "invalid",
    problem: { allowed: machine.allowedNow(actor.snapshot), ...problem },
  };
}

function notAllowed(machine: Machine, actor: LivingActor, type: string): Advance {
  const { value } = actor.snapshot;
  const allowed = machine.allowedNow(actor.snapshot);
  // Handled here and yet not taken: a guard said no, and `refuse` had no reason that would hold for
  // ever, so its time may come.
  const later = allowed.includes(type) || machine.mayComeLater(value, type);
  const advice =
    allowed.length > 0 ? `It takes ${allowed.join(", ")}.` : "It waits for its timers.";
  const message = `Item ${actor.id} is "${machine.status(value)}" and does not take ${type}. ${advice}`;
  const code = later ? "EVENT_TOO_EARLY" : "EVENT_NOT_ALLOWED";
  return { outcome: "not-allowed", later, problem: { code, message, allowed } };
}

interface Walk {
  readonly events: readonly { readonly type: string }[];
  readonly at: number;
  readonly isDerived?: true;
}

function advanceBy(machine: Machine, actor: LivingActor, { events, at, isDerived }: Walk): Advance {
  const steps: Step[] = [];
  let snapshot = actor.snapshot;
  for (const event of events) {
    const next = step(machine.machine, snapshot, event);
    if (next.result === "unhandled") return notAllowed(machine, actor, event.type);
    steps.push(next);
    if (next.result === "failed") break;
    snapshot = next.snapshot;
  }
  const derived = isDerived === true ? events.map(({ type }) => type) : [];
  return conclude(machine, actor, { steps, at, derived });
}

interface Walked {
  readonly steps: readonly Step[];
  readonly at: number;
  readonly derived?: readonly string[];
}

/** Turns the steps into the next actor: timers set and cancelled, declarations held to. */
function conclude(machine: Machine, actor: Actor, { steps, at, derived = [] }: Walked): Advance {
  const effects: ActionEffect[] = [];
  const notes: JsonObject[] = [];
  const taken: TakenTransition[] = [];
  let timers = actor.timers;
  let snapshot: Snapshot | undefined;
  for (const [index, each] of steps.entries()) {
    if (each.result !== "moved") {
      return failed(
        machine,
        actor,
        each.result === "failed" ? each.reason : "no transition was taken",
      );
    }
    const sorted = sortEffects(each.effects, timers, {
      token: `${actor.revision + 1}.${index}`,
      at,
    });
    timers = sorted.timers;
    effects.push(...sorted.actions);
    notes.push(...sorted.notes);
    taken.push(...each.taken);
    snapshot = each.snapshot;
  }
  if (snapshot === undefined) return failed(machine, actor, "no transition was taken");
  const isBirth = actor.snapshot === undefined;
  const fault =
    (isBirth ? contextFault(machine, snapshot) : undefined) ??
    declarationFault(machine, snapshot, effects);
  if (fault !== undefined) return failed(machine, actor, fault);
  // A machine that has ended waits for nothing, whatever its states had armed.
  if (snapshot.status !== "active") timers = {};
  const stored = { ...snapshot, context: asStored(snapshot.context) };
  const next = { ...actor, snapshot: stored, timers };
  return { outcome: "applied", actor: next, effects, notes, taken, derived };
}

function failed(machine: Machine, actor: Actor, reason: string): Advance {
  const message = `Machine ${machine.id} ${machine.version} failed on item ${actor.id}: ${reason}. Its state is unchanged; mend the machine, then redrive the event.`;
  return { outcome: "error", problem: { code: "MACHINE_FAILED", message } };
}

function sortEffects(
  effects: readonly Effect[],
  before: Readonly<Record<string, Timer>>,
  visit: { readonly token: string; readonly at: number },
): { timers: Record<string, Timer>; actions: ActionEffect[]; notes: JsonObject[] } {
  const timers = { ...before };
  const actions: ActionEffect[] = [];
  const notes: JsonObject[] = [];
  for (const effect of effects) {
    switch (effect.kind) {
      case "action":
        actions.push({ name: effect.name, params: effect.params });
        break;
      case "timer.set":
        // Due times are whole milliseconds, and a delay computed from a past date fires at once.
        timers[effect.id] = {
          dueAt: Math.ceil(visit.at + Math.max(0, effect.delayMs)),
          token: visit.token,
          ...(isTold(effect) && { event: effect.event }),
        };
        break;
      case "timer.cancel":
        delete timers[effect.id];
        break;
      case "emit":
        notes.push({ emitted: effect.event });
        break;
      case "log":
        notes.push({ logged: String(effect.value), ...(effect.label && { label: effect.label }) });
        break;
    }
  }
  return { timers, actions, notes };
}

/** The event of an `after` bears its timer's id and nothing else: a million actors need not say it twice. */
function isTold({ id, event }: Extract<Effect, { kind: "timer.set" }>): boolean {
  return event.type !== id || Object.keys(event).length > 1;
}

/** Asked at the birth alone: a wrong shape shows there, and the check costs as much as the step. */
function contextFault(machine: Machine, { context }: Snapshot): string | undefined {
  const fault = schemaFault(machine.context, context);
  return fault && `context does not fit its schema: ${fault}`;
}

/** The declarations that registration cannot check: they depend on what the machine computed. */
function declarationFault(
  machine: Machine,
  snapshot: Snapshot,
  effects: readonly ActionEffect[],
): string | undefined {
  const unsafe = jsonFault(snapshot.context, "context");
  if (unsafe !== undefined) return unsafe;
  for (const { name, params } of effects) {
    const declared = machine.effects[name];
    if (declared === undefined) return `action "${name}" is not declared in effects`;
    const fault = jsonFault(params, "params") ?? schemaFault(declared.params, params);
    if (fault !== undefined) return `params of ${name}: ${fault}`;
  }
  return undefined;
}
