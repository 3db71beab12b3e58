/** The facts of an item's clocks as sentences, as a journal tells them. Moments are in UTC. Pure. */
import type {
  Breached,
  ClockFact,
  Fact,
  ItemFact,
  JeopardyChanged,
  Moved,
  Notice,
  Paused,
  Rang,
  Resumed,
  Started,
  Stopped,
} from "../core/clock-fact.ts";
import { momentText, spanText } from "./text-layout.ts";

/**
 * One sentence for each fact of a decision that means something to people, in their order. What only
 * the engine needs to know is told when there is nothing else.
 */
export function factSentences(facts: readonly Fact[]): readonly string[] {
  const told = facts.filter((fact) => !isNoise(fact) && !isSaidByAnother(fact, facts));
  const kept = told.length > 0 ? told : quietFacts(facts);
  return kept.map((fact) => ("clock" in fact ? clockSentence(fact, facts) : itemSentence(fact)));
}

function isNoise({ kind }: Fact): boolean {
  return kind === "armed" || kind === "policy" || kind === "stage";
}

function quietFacts(facts: readonly Fact[]): readonly Fact[] {
  const policies = facts.filter(({ kind }) => kind === "policy");
  return policies.length > 0 ? policies : facts.slice(0, 1);
}

/** A breach and its telling are one thing to people; so are a wait and the pauses that it brings. */
function isSaidByAnother(fact: Fact, facts: readonly Fact[]): boolean {
  if (fact.kind === "rang" && fact.rung === "breach") {
    return facts.some((other) => other.kind === "breached" && other.clock === fact.clock);
  }
  if (fact.kind !== "wait" || fact.reason !== undefined) return false;
  return facts.some(({ kind }) => kind === (fact.on === null ? "resumed" : "paused"));
}

function clockSentence(fact: ClockFact, facts: readonly Fact[]): string {
  const { clock } = fact;
  switch (fact.kind) {
    case "started":
      return startedSentence(fact);
    case "paused":
      return pausedSentence(fact, facts);
    case "resumed":
      return resumedSentence(fact);
    case "moved":
      return movedSentence(fact);
    case "breached":
      return breachedSentence(fact, facts);
    case "rang":
      return rangSentence(fact);
    case "stopped":
      return stoppedSentence(fact);
    case "acknowledged":
    case "snoozed":
      return `clock ${clock} ${fact.kind} by ${fact.by} until ${momentText(fact.until)}`;
  }
}

function startedSentence({ clock, at, dueAt, markMs }: Started): string {
  const due = momentText(dueAt, at);
  return markMs === undefined
    ? `clock ${clock} started, due ${due}`
    : `clock ${clock} started too late, was due ${due}`;
}

function pausedSentence({ clock, on }: Paused, facts: readonly Fact[]): string {
  const isExplained = facts.some((fact) => fact.kind === "wait" && fact.reason !== undefined);
  return `clock ${clock} paused${isExplained ? "" : `: waits for the ${on}`}`;
}

function resumedSentence({ clock, at, dueAt, by, notice }: Resumed): string {
  const why = by === "limit" ? `: it was paused for as long as is allowed${toText(notice)}` : "";
  return `clock ${clock} runs again, due ${momentText(dueAt, at)}${why}`;
}

function movedSentence({ clock, at, why, dueAt, breach }: Moved): string {
  const due = `due ${momentText(dueAt, at)}`;
  switch (why) {
    case "rescheduled":
      return `clock ${clock} begins anew, ${due}`;
    case "recomputed":
      return `clock ${clock} measured anew, ${due}`;
    case "backdated":
      return `clock ${clock} ${due} after all: a pause was told late${breach === "none" ? ", so it was not late" : ""}`;
  }
}

function breachedSentence({ clock, at, notice }: Breached, facts: readonly Fact[]): string {
  const told = facts.find(
    (fact): fact is Rang => fact.kind === "rang" && fact.clock === clock && fact.rung === "breach",
  );
  const to = [...(told?.notice.to ?? []), ...(notice?.to ?? [])];
  return `BREACH ${clock}, was due ${momentText(at)}${toText({ to })}`;
}

function rangSentence({ clock, rung, notice, skipped = [] }: Rang): string {
  const to = toText(notice);
  if (rung === "breach") return `BREACH ${clock} told${to}`;
  if (rung.startsWith("breach+")) {
    return `${clock} is still late, ${rung.slice("breach+".length)} after it was due${to}`;
  }
  // Whom it is for stands behind the arrow.
  const name = rung.replace(/^customer:/, "");
  const instead = skipped.length === 0 ? "" : `, too late for ${skipped.join(", ")}`;
  return `reminder ${name} of ${clock}${to}${instead}`;
}

function stoppedSentence({ clock, outcome, usedMs, dueAt, at }: Stopped): string {
  switch (outcome) {
    case "met":
      return `clock ${clock} met, ${spanText(usedMs)} used`;
    case "missed":
      return `clock ${clock} MISSED: ended ${spanText(at - dueAt)} late, was due ${momentText(dueAt)}`;
    case "dropped":
      return `clock ${clock} dropped`;
  }
}

function itemSentence(fact: ItemFact): string {
  switch (fact.kind) {
    case "policy":
      return `measured by policy ${fact.version}`;
    case "appointment":
      return fact.date === null
        ? "no appointment any more"
        : `appointment ${momentText(fact.date, fact.at)}`;
    case "wait": {
      if (fact.on === null) return "waits for nobody any more";
      return `waits for the ${fact.on}${fact.reason === undefined ? "" : `: ${fact.reason}`}`;
    }
    case "stage":
      return fact.stage === null ? "no date is promised any more" : `stage ${fact.stage}`;
    case "jeopardy":
      return jeopardySentence(fact);
    case "armed":
      return fact.nextAt === null
        ? "time alone changes nothing any more"
        : `looks again ${momentText(fact.nextAt)}`;
  }
}

function jeopardySentence({
  at,
  was,
  level,
  predictedAt,
  committedAt,
  notice,
}: JeopardyChanged): string {
  const dates = `expected ${momentText(predictedAt, at)}, promised ${momentText(committedAt, at)}`;
  return `jeopardy ${was} → ${level}, ${dates}${toText(notice)}`;
}

function toText(notice: Pick<Notice, "to"> | undefined): string {
  return notice === undefined || notice.to.length === 0 ? "" : ` → ${notice.to.join(", ")}`;
}
