/**
 * What a push said. The outbox forgets an effect with its delivery, and the journal keeps its identity
 * alone: the decision behind it is taken again, from the journal, as a replay would. Pure.
 */
import type { LivingActor } from "../core/actor.ts";
import { isLiving } from "../core/actor.ts";
import { advance } from "../core/advance.ts";
import { toMachineEvent } from "../core/arrival.ts";
import type { OutboxEffect } from "../core/decision.ts";
import type { JournalEntry } from "../core/journal.ts";
import type { Machines } from "../core/machine.ts";
import { replay } from "../core/replay.ts";

type Decided = Omit<OutboxEffect, "channel" | "at">;

/**
 * `undefined` when no event of the journal decided the effect.
 * @throws EngineError REPLAY_MISMATCH, MACHINE_UNKNOWN when the decision cannot be taken again
 */
export function decidedEffect(
  machines: Machines,
  { itemId, journal }: { readonly itemId: string; readonly journal: readonly JournalEntry[] },
  effectId: string,
): Decided | undefined {
  const [id, revision, place] = partsOf(effectId);
  const entry = journal.find((each) => each.kind === "event" && each.revision === revision);
  const before = actorAt(machines, { itemId, journal }, revision - 1);
  const machine = before && machines.byId(before.machine, before.version);
  if (entry?.kind !== "event" || before === undefined || machine === undefined) return undefined;
  const next = advance(machine, before, toMachineEvent(entry.event, entry.at));
  const effect = next.outcome === "applied" ? next.effects[place] : undefined;
  if (effect === undefined) return undefined;
  const isUrgent = machine.effects[effect.name]?.isUrgent?.(effect.params) ?? false;
  return { id, ...effect, isUrgent, occurredAt: entry.event.time };
}

/** The identity of a push that is told once more: `<effect>.2` the second time, then `.3` … */
export function nextTelling(journal: readonly JournalEntry[], effectId: string): string {
  const [id] = partsOf(effectId);
  const times = journal.filter(
    (entry) =>
      entry.kind === "delivery" &&
      entry.outcome === "delivered" &&
      (entry.effect === id || entry.effect.startsWith(`${id}.`)),
  ).length;
  return `${id}.${times + 1}`;
}

/** `<item>:<revision>:<place>`, and perhaps `.<telling>`. */
function partsOf(effectId: string): [id: string, revision: number, place: number] {
  const [id = effectId, revision, place] = /^.*:(\d+):(\d+)(?=\.\d+$|$)/s.exec(effectId) ?? [];
  return [id, Number(revision), Number(place)];
}

function actorAt(
  machines: Machines,
  { itemId, journal }: { readonly itemId: string; readonly journal: readonly JournalEntry[] },
  revision: number,
): LivingActor | undefined {
  for (const actor of replay(machines, itemId, journal)) {
    if (actor.revision === revision) return isLiving(actor) ? actor : undefined;
  }
  return undefined;
}
