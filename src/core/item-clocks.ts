/** From an item and what a decision did to it, to what its clocks are asked; and their facts back. */
import type { Actor, LivingActor } from "./actor.ts";
import { isLiving } from "./actor.ts";
import type { ArrivedEvent } from "./arrival.ts";
import type { Fact } from "./clock-fact.ts";
import { applyFacts, EMPTY_LEDGER, type Ledger } from "./clock-ledger.ts";
import type { ClockScope, Happening } from "./clockwork.ts";
import type { Setting } from "./decision.ts";
import type { ClockedItem } from "./definition.ts";
import type { Machine } from "./machine.ts";

export function ledgerOf(actor: Actor): Ledger {
  return actor.clocks ?? EMPTY_LEDGER;
}

export function withFacts<Held extends Actor>(actor: Held, facts: readonly Fact[]): Held {
  if (facts.length === 0) return actor;
  return { ...actor, clocks: applyFacts(ledgerOf(actor), facts) };
}

export function scopeOf(
  machine: Machine,
  actor: LivingActor,
  { category, zone }: ClockedItem = clockedBy(machine, actor),
): ClockScope {
  const { account } = machine.attributes(actor.snapshot.context);
  return {
    account,
    ...(category !== undefined && { category }),
    ...(zone !== undefined && { zone }),
  };
}

interface Decided {
  readonly before: Actor | undefined;
  readonly after: LivingActor;
  /** Absent when time brought it about. */
  readonly event?: ArrivedEvent;
}

/** What a transition means to the clocks. A machine that has none is not asked. */
export function afterDecision(
  setting: Setting,
  machine: Machine,
  { before, after, event }: Decided,
): readonly Fact[] {
  const { clocks, now } = setting;
  if (clocks === undefined || machine.clocked === undefined) return [];
  const clocked = clockedBy(machine, after);
  const isBirth = !isLiving(before);
  const toldAt = event === undefined ? now : Date.parse(event.time);
  const at = (isBirth ? clocked.createdAt : undefined) ?? toldAt;
  return clocks.follow(ledgerOf(after), scopeOf(machine, after, clocked), {
    at,
    now,
    ...(event !== undefined && { eventType: event.type }),
    ...(!isBirth && { statusBefore: machine.status(before.snapshot.value) }),
    ...standing(machine, after, clocked),
  });
}

/** What the engine itself has seen, and the machine is not told. */
export function afterHappening(
  setting: Setting,
  machine: Machine,
  { actor, eventType, at }: { actor: LivingActor; eventType: string; at: number },
): readonly Fact[] {
  const { clocks, now } = setting;
  if (clocks === undefined || machine.clocked === undefined) return [];
  const clocked = clockedBy(machine, actor);
  const standingNow = standing(machine, actor, clocked);
  const statusBefore = standingNow.statusAfter;
  return clocks.follow(ledgerOf(actor), scopeOf(machine, actor, clocked), {
    at,
    now,
    eventType,
    statusBefore,
    ...standingNow,
  });
}

function standing(
  machine: Machine,
  { snapshot }: LivingActor,
  { wait, appointmentAt }: ClockedItem,
): Pick<Happening, "statusAfter" | "waitAfter" | "appointmentAfter"> {
  return {
    statusAfter: machine.status(snapshot.value),
    ...(wait !== undefined && { waitAfter: wait }),
    ...(appointmentAt !== undefined && { appointmentAfter: appointmentAt }),
  };
}

function clockedBy(machine: Machine, { snapshot }: LivingActor): ClockedItem {
  const { value, context } = snapshot;
  return machine.clocked?.({ value, context }) ?? {};
}
