/**
 * One decision about one item: what an arriving event, or the passing of time, does to its actor.
 * Everything that the commit will write comes from here, and only from the arguments.
 *
 * Always true: an event ends as a journal entry of its actor (applied, parked, stale, rejected) or, when
 * there is no actor to tell, as a dead letter. Nothing is dropped.
 */
import type { Actor, LivingActor, ParkedEvent } from "./actor.ts";
import { isLiving } from "./actor.ts";
import type { Advance } from "./advance.ts";
import { advance, begin, fire } from "./advance.ts";
import type { ArrivedEvent } from "./arrival.ts";
import {
  compareArrivals,
  compareSequences,
  placeAfterWaiting,
  placeOf,
  toMachineEvent,
} from "./arrival.ts";
import { Draft } from "./draft.ts";
import type { Decision, Setting, Verdict } from "./decision.ts";
import type { Problem } from "./errors.ts";
import type { JsonObject } from "./event.ts";
import { afterHappening, ledgerOf, scopeOf } from "./item-clocks.ts";
import type { Machine } from "./machine.ts";
import { decideOperatorEvent } from "./operator-decision.ts";
import { isOperatorEvent } from "./operator-event.ts";
import {
  dataProblem,
  existsProblem,
  foreignProblem,
  journalFull,
  noItem,
  unknownMachine,
  unknownType,
} from "./problems.ts";

export function decideEvent(
  setting: Setting,
  actor: Actor | undefined,
  event: ArrivedEvent,
): { readonly decision: Decision; readonly verdict: Verdict } {
  const draft = new Draft(setting, actor);
  const verdict = decideVerdict(draft, actor, event);
  return { decision: draft.finish(), verdict };
}

/** Fires what is due and ends what has been parked too long. */
export function decideDue(setting: Setting, actor: Actor): Decision {
  const draft = new Draft(setting, actor);
  fireDueTimers(draft);
  expireParked(draft);
  ringClocks(draft);
  return draft.finish();
}

/** Tells the item's clocks what the engine itself has seen. Nothing is decided when no clock cares. */
export function decideHappening(
  setting: Setting,
  actor: Actor,
  told: { readonly eventType: string; readonly at: number },
): Decision {
  const draft = new Draft(setting, actor);
  const machine = isLiving(actor) && setting.machines.byId(actor.machine, actor.version);
  if (isLiving(actor) && machine && actor.revision < setting.limits.journalMax) {
    const facts = afterHappening(setting, machine, { actor, ...told });
    if (facts.length > 0) draft.clocks(machine, facts, told.eventType);
  }
  return draft.finish();
}

function decideVerdict(draft: Draft, actor: Actor | undefined, event: ArrivedEvent): Verdict {
  const { journalMax } = draft.setting.limits;
  if (actor !== undefined && actor.revision >= journalMax) {
    return draft.bury(event, journalFull(actor, journalMax));
  }
  return isLiving(actor) ? decideForLiving(draft, actor, event) : decideForUnknown(draft, event);
}

function decideForUnknown(draft: Draft, event: ArrivedEvent): Verdict {
  const { machines, now } = draft.setting;
  if (isOperatorEvent(event.type)) return draft.bury(event, noItem(event));
  const machine = machines.byEventType(event.type);
  if (machine === undefined) return draft.bury(event, unknownType(machines.all, event));
  const parsed =
    event.type === machine.birth ? parseBirth(machine, event) : parseData(machine, event);
  if ("code" in parsed) return draft.bury(event, parsed);
  if (event.type !== machine.birth) return draft.parkUnknown(machine, parsed);
  const birth = { id: event.subject, input: machine.input(toMachineEvent(parsed, now)), at: now };
  const begun = begin(machine, draft.actor, birth);
  if (begun.outcome !== "applied") return draft.bury(event, begun.problem);
  const foreign = foreignProblem(machine, begun.actor, event);
  if (foreign !== undefined) return draft.bury(event, foreign);
  draft.apply(machine, begun, {
    event: parsed,
    birth: { machine: machine.id, version: machine.version, input: birth.input },
  });
  retryParked(machine, draft);
  return { outcome: "applied" };
}

function decideForLiving(draft: Draft, actor: LivingActor, event: ArrivedEvent): Verdict {
  const machine = draft.setting.machines.byId(actor.machine, actor.version);
  if (machine === undefined) return draft.bury(event, unknownMachine(actor));
  const place = placeOf(event, actor.sources[event.source]);
  if (place === "stale") return draft.stale(event);
  const foreign = foreignProblem(machine, actor, event);
  if (foreign !== undefined) return draft.reject(event, foreign);
  // Even a refusal waits for its turn: it spends its number, which would make the missing ones stale.
  if (place === "gap") return draft.park(event, "gap");
  const verdict = isOperatorEvent(event.type)
    ? decideOperatorEvent(draft, machine, { event })
    : decideReport(draft, machine, event);
  // A refusal that spent its number frees its successors as well as a transition does.
  if (verdict.outcome !== "parked") retryParked(machine, draft);
  return verdict;
}

function decideReport(draft: Draft, machine: Machine, event: ArrivedEvent): Verdict {
  const actor = draft.actor as LivingActor;
  const read = readForLiving(machine, actor, event);
  if ("code" in read) return draft.reject(event, read);
  const next = advance(machine, actor, toMachineEvent(read, draft.setting.now));
  return conclude(machine, draft, { event: read, next });
}

/** At its turn: what the item's state has no say in, then the data. */
function readForLiving(
  machine: Machine,
  actor: LivingActor,
  event: ArrivedEvent,
): ArrivedEvent | Problem {
  if (event.type === machine.birth) return existsProblem(machine, actor);
  return parseData(machine, event);
}

function conclude(
  machine: Machine,
  draft: Draft,
  { event, next, wasParked }: { event: ArrivedEvent; next: Advance; wasParked?: true },
): Verdict {
  const retried = wasParked && { retried: wasParked };
  switch (next.outcome) {
    case "applied":
      draft.apply(machine, next, { event, ...retried });
      return { outcome: "applied" };
    case "not-allowed":
      return next.later
        ? draft.park(event, "early", next.problem)
        : draft.reject(event, next.problem, retried);
    case "final":
    case "invalid":
      return draft.reject(event, next.problem, retried);
    case "stale":
      return draft.stale(event, next.problem, retried);
    case "error":
      return draft.fail(event, next.problem, retried);
  }
}

/** After every transition: an event that came early may be next now. */
function retryParked(machine: Machine, draft: Draft): void {
  for (let again = true; again;) {
    again = false;
    const actor = draft.actor;
    if (!isLiving(actor) || actor.parked.length === 0) return;
    const waiting = actor.parked.toSorted((left, right) =>
      compareArrivals(left.event, right.event),
    );
    for (const parked of waiting) {
      // Whatever left the waiting ones may have freed another: by its transition or by its number.
      if (retryOne(machine, draft, parked) !== "parked") {
        again = true;
        break;
      }
    }
  }
}

function retryOne(machine: Machine, draft: Draft, parked: ParkedEvent): Verdict["outcome"] {
  const { event, reason } = parked;
  const actor = draft.actor;
  if (!isLiving(actor)) return "parked";
  const place = placeAfterWaiting(event, actor.sources[event.source]);
  if (place === "gap") return "parked";
  const retried = { retried: true } as const;
  if (place === "stale") {
    draft.unpark(event);
    return draft.stale(event, undefined, retried).outcome;
  }
  if (isOperatorEvent(event.type)) {
    draft.unpark(event);
    return decideOperatorEvent(draft, machine, { event, ...retried }).outcome;
  }
  // Only an event behind a gap is parked unread; reading twice could change what was read.
  const unread = reason === "gap" ? readForLiving(machine, actor, event) : event;
  const read = foreignProblem(machine, actor, event) ?? unread;
  if ("code" in read) {
    draft.unpark(event);
    return draft.reject(event, read, retried).outcome;
  }
  const next = advance(machine, actor, toMachineEvent(read, draft.setting.now));
  if (next.outcome === "not-allowed" && next.later) return "parked";
  draft.unpark(event);
  return conclude(machine, draft, { event: read, next, wasParked: true }).outcome;
}

function fireDueTimers(draft: Draft): void {
  const { machines, limits, now } = draft.setting;
  // A timer may set another that is due at once; the bound keeps a machine that loops from holding us.
  for (let fired = 0; fired < limits.timersPerDecision; fired += 1) {
    const actor = draft.actor;
    if (!isLiving(actor)) return;
    const [next] = Object.entries(actor.timers)
      .filter(([, timer]) => timer.dueAt <= now)
      .toSorted(([, left], [, right]) => left.dueAt - right.dueAt);
    if (next === undefined) return;
    const [id, timer] = next;
    const machine = machines.byId(actor.machine, actor.version);
    if (machine === undefined) return;
    if (actor.revision >= limits.journalMax) {
      return draft.keepTimer(id, journalFull(actor, limits.journalMax));
    }
    const outcome = fire(machine, actor, { id, token: timer.token, at: now });
    draft.timer(machine, { id, ...timer }, outcome);
    if (outcome.outcome === "applied") retryParked(machine, draft);
  }
}

function ringClocks(draft: Draft): void {
  const { machines, limits, clocks, now } = draft.setting;
  const { actor } = draft;
  if (!isLiving(actor) || clocks === undefined) return;
  const machine = machines.byId(actor.machine, actor.version);
  if (machine?.clocked === undefined) return;
  const facts = clocks.due(ledgerOf(actor), scopeOf(machine, actor), now);
  if (facts.length === 0) return;
  if (actor.revision >= limits.journalMax) {
    return draft.keepTimer("clocks", journalFull(actor, limits.journalMax));
  }
  draft.clocks(machine, facts);
}

function expireParked(draft: Draft): void {
  const parked = draft.actor?.parked ?? [];
  const ended = parked.filter(({ until }) => until <= draft.setting.now);
  // A number that is given up makes the lower ones stale, so they end with it and are not lost.
  const overdue = parked.filter(
    (each) => ended.includes(each) || ended.some((end) => isBehind(each.event, end.event)),
  );
  for (const each of overdue) draft.expire(each);
  const { actor } = draft;
  const machine = actor && draft.setting.machines.byId(actor.machine, actor.version);
  // The numbers that were given up are awaited no more.
  if (machine !== undefined && overdue.length > 0) retryParked(machine, draft);
}

function isBehind(event: ArrivedEvent, end: ArrivedEvent): boolean {
  return (
    end.sequencetype === "Integer" &&
    event.source === end.source &&
    event.sequence !== undefined &&
    end.sequence !== undefined &&
    compareSequences(event.sequence, end.sequence) < 0
  );
}

/** Who speaks for an account begins items of it, without saying so once more in the data. */
function parseBirth(machine: Machine, event: ArrivedEvent): ArrivedEvent | Problem {
  const { account, data } = event;
  const isSaid = account === undefined || data["account"] !== undefined;
  const filled = isSaid ? event : { ...event, data: { ...data, account } };
  const parsed = parseData(machine, filled);
  // A machine whose births name no account has another way to tell, and is held to it.
  return "code" in parsed && !isSaid ? parseData(machine, event) : parsed;
}

function parseData(machine: Machine, event: ArrivedEvent): ArrivedEvent | Problem {
  // A stranger may call its type "constructor".
  const schema = Object.hasOwn(machine.events, event.type) ? machine.events[event.type] : undefined;
  const parsed = schema?.safeParse(event.data);
  if (parsed === undefined) return unknownType([machine], event);
  if (!parsed.success) return dataProblem(event, parsed.error);
  return { ...event, data: parsed.data as JsonObject };
}
