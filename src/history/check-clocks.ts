/**
 * The SLA clocks, judged from the facts in the journal and from nothing that computed them: no clock
 * speaks before its time, none says a thing twice, and none is silent when everything is over.
 *
 * - What a decision says of a clock has come true by the decision's own time. A breach is at the due time
 *   that the clock last got, a pause ends at the maximum that it was given, and no rung needs more used
 *   time than has passed: open time is never more than the wall's.
 * - Whoever was silenced, by a pause, a snooze or an acknowledgement, is silent until that ends.
 * - A notice's key comes once in the life of an item, and a rung once in an epoch, told or passed over.
 * - In the end no pause, no due time and no next look lies behind, and every open clock was measured by
 *   the policy in force.
 */
import type { ClockFact, Fact, Rang, Resumed, Started } from "../core/clock-fact.ts";
import { noticesOf } from "../core/clock-fact.ts";
import type { Ledger, OpenClock } from "../core/clock-ledger.ts";
import { needsPersonSince } from "../core/attention.ts";
import { applyFacts, EMPTY_LEDGER } from "../core/clock-ledger.ts";
import { NOTIFY_EFFECT } from "../core/clock-notice.ts";
import type { DecisionEntry } from "../core/journal.ts";
import { TIMER_SLACK_MS } from "./check-timers.ts";
import type { Evidence, ItemCase } from "./item-case.ts";
import type { Rule, Violation } from "./verdict.ts";

/** An item that is told a late story is given so long to hear the rest of it, before it says anything. */
const CATCHING_UP_MS = 10_000;

type Fault = readonly [rule: Rule, message: string];

/** Decisions whose clocks say something, with the ledger as it was before each fact. */
interface Seen {
  readonly entry: DecisionEntry;
  readonly ledger: Ledger;
}

type SeenClock = Seen & { readonly clock: OpenClock };

export function checkClocks(evidence: Evidence, subject: ItemCase): Violation[] {
  const { itemId } = subject.item;
  const faults = [
    ...factFaults(subject, evidence.history.clockSkewMs),
    ...repeatFaults(subject),
    ...subject.decisions.flatMap(untoldFaults),
    ...endFaults(evidence, subject),
    ...attentionFaults(evidence, subject),
  ];
  return faults.map(([rule, message]) => ({ rule, itemId, message }));
}

export function countRungs(decisions: readonly DecisionEntry[]): number {
  const facts = decisions.flatMap(({ clocks = [] }) => clocks);
  return facts.filter(({ kind }) => kind === "rang").length;
}

function factFaults({ decisions }: ItemCase, clockSkewMs: number): Fault[] {
  const faults: Fault[] = [];
  let ledger = EMPTY_LEDGER;
  for (const entry of decisions) {
    for (const fact of entry.clocks ?? []) {
      const where = `${nameOf(fact)} (decision ${entry.revision})`;
      for (const [rule, message] of faultsOf(fact, { entry, ledger })) {
        faults.push([rule, `${where} ${message}`]);
      }
      if (fact.kind !== "armed" && fact.at > entry.at + clockSkewMs) {
        faults.push(["clock-early", `${where} is ${fact.at - entry.at} ms ahead of its decision`]);
      }
      ledger = applyFacts(ledger, [fact]);
    }
  }
  return faults;
}

function faultsOf(fact: Fact, seen: Seen): Fault[] {
  if (!("clock" in fact)) return [];
  const clock = seen.ledger.clocks[fact.clock];
  if (fact.kind === "started") return startFaults(fact, seen.ledger);
  if (clock === undefined) return [["journal-broken", "tells of a clock that is not open"]];
  return openFaults(fact, { ...seen, clock });
}

function startFaults({ clock, epoch }: Started, { clocks, closed }: Ledger): Fault[] {
  if (clocks[clock] !== undefined) return [["clock-doubled", "starts what runs already"]];
  if (epoch > (closed[clock] ?? -1)) return [];
  return [["clock-doubled", `repeats epoch ${epoch}`]];
}

function openFaults(fact: Exclude<ClockFact, Started>, seen: SeenClock): Fault[] {
  const { clock } = seen;
  switch (fact.kind) {
    case "breached":
      return breachFaults(fact.at, seen);
    case "rang":
      return rungFaults(fact, seen);
    case "resumed":
      return limitFaults(fact, seen);
    case "moved":
      if (fact.epoch > clock.epoch) return [];
      return [["clock-doubled", `does not raise epoch ${clock.epoch}`]];
    case "stopped":
      return stopFaults(fact.at, seen);
    case "paused":
    case "acknowledged":
    case "snoozed":
      return [];
  }
}

function breachFaults(at: number, { clock, entry }: SeenClock): Fault[] {
  if (clock.breach !== "none") return [["clock-doubled", "is breached already"]];
  // What had been used before the pause may be more than a target that was made shorter.
  const isHalted = clock.phase.is === "paused" && clock.accruedMs < clock.targetMs;
  if (isHalted) return [["clock-early", "is paused"]];
  if (at !== clock.dueAt) return [["clock-early", `is told of ${at}, and due at ${clock.dueAt}`]];
  return entry.at < at ? [["clock-early", `comes ${at - entry.at} ms too early`]] : [];
}

function stopFaults(at: number, { clock, entry }: SeenClock): Fault[] {
  // A policy that has no such clock ends it as it stands.
  const isDropped = entry.clocks?.some(({ kind }) => kind === "policy") === true;
  const isSilent = clock.breach === "none" && clock.phase.is !== "paused";
  if (isDropped || !isSilent || at <= clock.dueAt) return [];
  return [["clock-forgotten", `ends ${at - clock.dueAt} ms late, without its breach`]];
}

function limitFaults({ at, by }: Resumed, { clock, entry }: SeenClock): Fault[] {
  if (by === "event") return [];
  if (clock.phase.is !== "paused") return [["clock-doubled", "is not paused"]];
  const { endsAt } = clock.phase;
  if (at !== endsAt) return [["clock-early", `is told of ${at}, and the pause ends at ${endsAt}`]];
  return entry.at < at ? [["clock-early", `comes ${at - entry.at} ms too early`]] : [];
}

const REPEAT = /^breach\+/;

function rungFaults(fact: Rang, { clock, entry }: SeenClock): Fault[] {
  const { rung, at, markMs, epoch } = fact;
  const isLate = REPEAT.test(rung) || rung === "breach";
  const silentUntil = silencedUntil(fact, clock);
  const usedMs = usableBy(clock, entry.at);
  const early = [
    ...(at > entry.at ? [`comes ${at - entry.at} ms too early`] : []),
    ...(markMs > usedMs ? [`needs ${markMs} ms of use, and at most ${usedMs} have passed`] : []),
    ...(isLate && at < clock.dueAt ? [`is told of ${at}, and due at ${clock.dueAt}`] : []),
    ...(isLate && clock.breach === "none" ? ["rings for a breach that is none"] : []),
    ...(silentUntil > entry.at ? [`is to be silent until ${silentUntil}`] : []),
  ];
  return [
    ...early.map((message) => ["clock-early", message] as const),
    ...(epoch === clock.epoch
      ? []
      : [["journal-broken", `is of epoch ${epoch}, and the clock of ${clock.epoch}`] as const]),
  ];
}

function silencedUntil(
  { rung, lane }: Rang,
  { ackUntil = 0, snoozedUntil = 0 }: OpenClock,
): number {
  return Math.max(REPEAT.test(rung) ? ackUntil : 0, lane === "operator" ? snoozedUntil : 0);
}

/** The most that it can have used by then, whatever its calendar. */
function usableBy({ phase, accruedMs, since }: OpenClock, at: number): number {
  return phase.is === "paused" ? accruedMs : accruedMs + Math.max(0, at - since);
}

/** What came before it in the item's life may not come again. */
function repeatFaults({ decisions }: ItemCase): Fault[] {
  const faults: Fault[] = [];
  const known = new Set<string>();
  for (const { revision, clocks = [] } of decisions) {
    for (const fact of clocks) {
      for (const word of sayingsOf(fact)) {
        if (known.has(word)) {
          faults.push(["clock-doubled", `"${word}" comes again by decision ${revision}`]);
        }
        known.add(word);
      }
    }
  }
  return faults;
}

/** The key of its notice, and the rungs that it passes over as if they had been told. */
function sayingsOf(fact: Fact): readonly string[] {
  const keys = noticesOf([fact]).map(({ key }) => key);
  if (fact.kind !== "rang") return keys;
  const { clock, epoch, skipped = [] } = fact;
  return [...keys, ...skipped.map((rung) => `${clock}:${epoch}:${rung}`)];
}

/** A breach's own notice is for the marketplace, in the machine's words, if it has any. */
function untoldFaults({ clocks = [], revision, ...entry }: DecisionEntry): Fault[] {
  const notices = noticesOf(clocks.filter(({ kind }) => kind !== "breached"));
  const effects = ("change" in entry && entry.change?.effects) || [];
  const told = effects.filter(({ name }) => name === NOTIFY_EFFECT);
  if (told.length === notices.length) return [];
  const message = `decision ${revision} has ${notices.length} notices for people, and tells ${told.length}`;
  return [[told.length < notices.length ? "clock-forgotten" : "clock-doubled", message]];
}

function endFaults({ history }: Evidence, { actor }: ItemCase): Fault[] {
  const ledger = actor?.clocks;
  if (ledger === undefined) return [];
  const { endedAt, clockSkewMs, policyVersion = ledger.policy } = history;
  const overdueBefore = endedAt - TIMER_SLACK_MS - clockSkewMs;
  const { nextAt = Infinity } = ledger;
  const clocks = Object.entries(ledger.clocks);
  const isCatchingUp = nextAt >= overdueBefore && nextAt <= endedAt + CATCHING_UP_MS + clockSkewMs;
  const moments = [
    ...clocks.flatMap(([name, clock]) => {
      const at = isCatchingUp ? undefined : nextOf(clock);
      return at === undefined ? [] : ([[`clock ${name}`, at]] as const);
    }),
    ["the next look", nextAt] as const,
  ];
  const overdue = moments.filter(([, at]) => at < overdueBefore);
  const isOld = clocks.length > 0 && ledger.policy !== policyVersion;
  const measured = `its clocks are measured by policy "${ledger.policy}", and "${policyVersion}" is in force`;
  return [
    ...overdue.map(([what, at]): Fault => {
      const message = `${what} was due ${endedAt - at} ms before the end, and nothing has come of it`;
      return ["clock-forgotten", message];
    }),
    ...(isOld ? [["clock-forgotten", measured] as const] : []),
  ];
}

/** When time alone brings about its next fact. */
function nextOf({ phase, breach, dueAt }: OpenClock): number | undefined {
  if (phase.is === "paused") return phase.endsAt;
  return breach === "none" ? dueAt : undefined;
}

function attentionFaults({ machines }: Evidence, { item, actor }: ItemCase): Fault[] {
  const { attentionSince: indexed } = item;
  const since = needsPersonSince(machines, actor);
  if (indexed === since) return [];
  const listed = indexed === undefined ? "is not listed" : `is listed since ${indexed}`;
  const wanted = since === undefined ? "needs no attention" : `needs attention since ${since}`;
  return [["index-differs", `it ${wanted}, and ${listed}`]];
}

function nameOf(fact: Fact): string {
  if (!("clock" in fact)) return `"${fact.kind}"`;
  const { clock, kind } = fact;
  return fact.kind === "rang"
    ? `rung ${fact.rung} of clock ${clock}`
    : `"${kind}" of clock ${clock}`;
}
