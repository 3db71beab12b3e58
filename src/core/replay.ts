/**
 * Replay: an actor built again from its journal alone. The journal explains the snapshot only if this
 * gives the stored bytes; tests, upgrade checks and time travel stand on it.
 *
 * Each decision is taken again with the recorded time, by the machine version that took it, and must
 * write the entry that was recorded. Limits, SLA policy and configuration of today play no part.
 */
import type { Actor } from "./actor.ts";
import { isLiving } from "./actor.ts";
import type { Advance } from "./advance.ts";
import { advance, begin, fire } from "./advance.ts";
import { isSame, toMachineEvent } from "./arrival.ts";
import type { Fact } from "./clock-fact.ts";
import type { Clockwork } from "./clockwork.ts";
import type { Limits } from "./decision.ts";
import { Draft } from "./draft.ts";
import { EngineError } from "./errors.ts";
import type { DecisionEntry, EventEntry, JournalEntry, TimerEntry } from "./journal.ts";
import type { Machine, Machines } from "./machine.ts";
import { isOperatorEvent } from "./operator-event.ts";
import { wasAsked } from "./serviceability.ts";

const NO_LIMITS: Limits = {
  parkedForMs: 0,
  unknownItemForMs: 0,
  parkedMax: Infinity,
  journalMax: Infinity,
  timersPerDecision: Infinity,
};

/** The actor after each decision; the last one is what the store must hold. */
export function* replay(
  machines: Machines,
  itemId: string,
  entries: readonly JournalEntry[],
): Generator<Actor> {
  let actor: Actor | undefined;
  for (const entry of entries) {
    if (entry.kind === "delivery") continue;
    const waitMs = "until" in entry && entry.until !== undefined ? entry.until - entry.at : 0;
    const limits = { ...NO_LIMITS, parkedForMs: waitMs, unknownItemForMs: waitMs };
    const clocks = recorded(entry.clocks ?? []);
    const asksAbout = (): boolean => entry.kind === "event" && wasAsked(entry);
    const draft = new Draft({ machines, limits, clocks, asksAbout, now: entry.at }, actor);
    replayEntry(draft, itemId, entry);
    const [again] = draft.finish().entries;
    if (JSON.stringify(again) !== JSON.stringify(entry)) throw mismatch(itemId, entry, again);
    actor = draft.actor;
    if (actor !== undefined) yield actor;
  }
}

export function replayAll(
  machines: Machines,
  itemId: string,
  entries: readonly JournalEntry[],
): Actor | undefined {
  let last: Actor | undefined;
  for (const actor of replay(machines, itemId, entries)) last = actor;
  return last;
}

/** Clocks that know what was decided, and no policy. */
function recorded(facts: readonly Fact[]): Clockwork {
  return { follow: () => facts, due: () => facts, hold: () => ({ outcome: "held", facts }) };
}

function replayEntry(draft: Draft, itemId: string, entry: DecisionEntry): void {
  const { machines } = draft.setting;
  switch (entry.kind) {
    case "event":
      return replayEvent(draft, itemId, entry);
    case "timer": {
      const machine = machineOf(machines, draft.actor, itemId);
      if (!isLiving(draft.actor)) throw mismatch(itemId, entry, undefined);
      const { timer: id, token, at } = entry;
      const known = draft.actor.timers[id];
      if (known === undefined) throw mismatch(itemId, entry, undefined);
      return draft.timer(
        machine,
        { id, ...known },
        failedAgain(entry) ?? fire(machine, draft.actor, { id, token, at }),
      );
    }
    case "clocks": {
      const machine = machineOf(machines, draft.actor, itemId);
      if (!isLiving(draft.actor)) throw mismatch(itemId, entry, undefined);
      return draft.clocks(machine, entry.clocks, entry.happening);
    }
    case "expired": {
      const parked = draft.actor?.parked.find(({ event }) => isSame(event, entry.event));
      if (parked === undefined) throw mismatch(itemId, entry, undefined);
      return draft.expire(parked, entry.problem);
    }
  }
}

/** A failure is taken at its word: the machine may have been mended since. */
function failedAgain({ outcome, problem }: TimerEntry): Advance | undefined {
  return outcome === "failed" && problem !== undefined ? { outcome: "error", problem } : undefined;
}

function replayEvent(draft: Draft, itemId: string, entry: EventEntry): void {
  const { event, outcome, problem, retried } = entry;
  switch (outcome) {
    case "applied":
      return replayApplied(draft, itemId, entry);
    case "parked": {
      const machine = draft.setting.machines.byEventType(event.type);
      if (draft.actor === undefined && machine !== undefined) draft.parkUnknown(machine, event);
      else draft.park(event, entry.reason ?? "early", problem);
      return;
    }
    case "stale":
    case "rejected":
      if (problem === undefined) throw mismatch(itemId, entry, undefined);
      if (retried === true) draft.unpark(event);
      draft[outcome === "stale" ? "stale" : "reject"](event, problem, retried && { retried });
  }
}

function replayApplied(draft: Draft, itemId: string, entry: EventEntry): void {
  const { event, retried, birth } = entry;
  const { machines } = draft.setting;
  const machine = birth
    ? machines.byId(birth.machine, birth.version)
    : machineOf(machines, draft.actor, itemId);
  if (machine === undefined) throw mismatch(itemId, entry, undefined);
  if (isOperatorEvent(event.type)) {
    if (retried === true) draft.unpark(event);
    draft.note(machine, { event, ...(retried && { retried }) }, entry.clocks);
    return;
  }
  const next = stepAgain(machine, draft, entry);
  if (next?.outcome !== "applied") throw mismatch(itemId, entry, next);
  if (retried === true) draft.unpark(event);
  draft.apply(machine, next, { event, ...(birth && { birth }), ...(retried && { retried }) });
}

function stepAgain(machine: Machine, draft: Draft, entry: EventEntry): Advance | undefined {
  const { event, birth, at } = entry;
  if (birth !== undefined) {
    return begin(machine, draft.actor, { id: event.subject, input: birth.input, at });
  }
  return isLiving(draft.actor)
    ? advance(machine, draft.actor, toMachineEvent(event, at))
    : undefined;
}

function machineOf(machines: Machines, actor: Actor | undefined, itemId: string): Machine {
  const machine = actor && machines.byId(actor.machine, actor.version);
  if (machine !== undefined) return machine;
  throw new EngineError(
    "MACHINE_UNKNOWN",
    `Item ${itemId} runs machine ${actor?.machine} ${actor?.version}, which this deployment does not have. Deploy it beside the new one.`,
  );
}

function mismatch(itemId: string, recorded: DecisionEntry, again: unknown): EngineError {
  return new EngineError(
    "REPLAY_MISMATCH",
    `Decision ${recorded.revision} of item ${itemId} does not replay. Recorded: ${JSON.stringify(recorded)}. Replayed: ${JSON.stringify(again)}. The machine was changed without a new version, or is not pure.`,
  );
}
