/** Since when a person should look at an item: a promise is broken or will be, or the sides disagree. Pure. */
import { type Actor, isLiving } from "./actor.ts";
import { attentionSince } from "./clock-ledger.ts";
import type { ItemDivergence } from "./definition.ts";
import type { Machines } from "./machine.ts";

/** Ms since the epoch; `undefined` when nobody has to. */
export function needsPersonSince(machines: Machines, actor: Actor | undefined): number | undefined {
  const late = actor?.clocks && attentionSince(actor.clocks);
  const divergence = divergenceOf(machines, actor);
  if (divergence === undefined) return late;
  return Math.min(late ?? Infinity, Date.parse(divergence.sinceTime));
}

export function divergenceOf(
  machines: Machines,
  actor: Actor | undefined,
): ItemDivergence | undefined {
  // An item that has ended is past settling: nothing can be told to it.
  if (!isLiving(actor) || actor.snapshot.status !== "active") return undefined;
  return machines.byId(actor.machine, actor.version)?.divergence?.(actor.snapshot);
}
