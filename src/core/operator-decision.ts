/**
 * What an event does that only operators and the engine itself send: the machine does not see it. It is
 * decided at its turn as any other event is, also when that turn came late.
 */
import { ZodError } from "zod";
import type { LivingActor } from "./actor.ts";
import { isClockEvent, readHold } from "./clock-event.ts";
import type { Verdict } from "./decision.ts";
import type { Draft, ToldEvent } from "./draft.ts";
import { ledgerOf, scopeOf } from "./item-clocks.ts";
import type { Machine } from "./machine.ts";
import { decideRelease, PARKED_RELEASED } from "./operator-event.ts";
import { dataProblem, noClocks } from "./problems.ts";
import { decideUndecided } from "./serviceability.ts";

export function decideOperatorEvent(draft: Draft, machine: Machine, told: ToldEvent): Verdict {
  const { type } = told.event;
  if (isClockEvent(type)) return decideHold(draft, machine, told);
  return type === PARKED_RELEASED
    ? decideRelease(draft, machine, told)
    : decideUndecided(draft, machine, told);
}

function decideHold(draft: Draft, machine: Machine, told: ToldEvent): Verdict {
  const { event, retried } = told;
  const { clocks, now } = draft.setting;
  const actor = draft.actor as LivingActor;
  const again = retried && { retried };
  const request = readHold(event, now);
  if (request instanceof ZodError) return draft.reject(event, dataProblem(event, request), again);
  if (clocks === undefined || machine.clocked === undefined) {
    return draft.reject(event, noClocks(machine), again);
  }
  const held = clocks.hold(ledgerOf(actor), scopeOf(machine, actor), request);
  if (held.outcome === "held") return draft.note(machine, told, held.facts);
  return draft.reject(event, { code: "CLOCK_HOLD_REFUSED", message: held.message }, again);
}
