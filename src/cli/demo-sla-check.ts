/**
 * What was seen of the demonstration's week, as lines of the form in which demo-sla-expected.ts has what
 * must be seen; and the difference. What operators and customers are told is looked for twice: in the
 * items' journals, and in what was delivered. Pure.
 */
import type { Fact } from "../core/clock-fact.ts";
import type { JsonValue } from "../core/event.ts";
import type { Push, ToldNotice } from "../testing/test-engine.ts";
import * as expected from "./demo-sla-expected.ts";
import type { ItemWeek, Week } from "./demo-sla-play.ts";
import type { Step } from "./demo-sla-story.ts";
import { verdictsOf } from "./demo-sla-verdicts.ts";
import { hoursText, wallText } from "./demo-sla-wall.ts";

const DAY_MS = 24 * 3_600_000;

export interface Check {
  readonly expectations: number;
  /** What does not hold, one sentence each. */
  readonly faults: readonly string[];
}

export function checkWeek(week: Week, steps: readonly Step[]): Check {
  const comparisons: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ["told, by the journals", expected.TOLD, linesOf(week, tellingIn)],
    ["told", expected.TOLD, week.notices.map(tellingOf)],
    ["due", expected.DUE, linesOf(week, dueIn)],
    ["silenced", expected.SILENCED, linesOf(week, silenceIn)],
    ["the marketplace got", expected.PATCHED, patchesOf(week, steps)],
    ["refused", expected.REFUSED, refusalsOf(week)],
    ["verdict", expected.VERDICTS, week.items.flatMap(verdictLines)],
    ["figure", expected.FIGURES, figureLines(week)],
    ["in the end", expected.ENDED, week.items.map(endOf)],
  ];
  return {
    expectations: comparisons.reduce((sum, [, wanted]) => sum + wanted.length, 0),
    faults: comparisons.flatMap(([what, wanted, seen]) => [
      ...without(wanted, seen).map((line) => `${what}, expected and not seen: ${line}`),
      ...without(seen, wanted).map((line) => `${what}, seen and not expected: ${line}`),
    ]),
  };
}

/** A note that nobody of the story wrote, and so the engine did. */
export function ownNote(body: Push["body"], steps: readonly Step[]): string | undefined {
  const { providerNotes: note } = body;
  const isWritten = steps.some(
    (step) => step.kind === "event" && step.data["providerNotes"] === note,
  );
  return typeof note === "string" && !isWritten ? note : undefined;
}

/** Each line of `others` stands for one of `lines`. */
function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const left = [...others];
  return lines.filter((line) => {
    const index = left.indexOf(line);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}

/** "26 14:10 phone-3: …" for each fact of which there is something to say. */
function linesOf(week: Week, say: (fact: Fact) => string | undefined): readonly string[] {
  return week.items.flatMap(({ item, journal }) =>
    journal.flatMap((entry) => {
      const said = "clocks" in entry ? (entry.clocks ?? []).map(say) : [];
      return said.flatMap((text) =>
        text === undefined ? [] : `${wallText(entry.at)} ${item}: ${text}`,
      );
    }),
  );
}

function tellingIn(fact: Fact): string | undefined {
  if (!("notice" in fact) || fact.notice === undefined) return undefined;
  const to = fact.notice.to.join(", ");
  if (fact.kind === "jeopardy") return `jeopardy ${fact.level} → ${to}`;
  if (fact.kind === "rang") return rungLine(fact.clock, fact.rung, to);
  // A breach's own notice is the marketplace's: its PATCH is looked for.
  return fact.kind === "breached" ? undefined : `${fact.clock} ${fact.kind} → ${to}`;
}

function tellingOf({ at, itemId, params }: ToldNotice): string {
  const { level, clock, rung, to } = params;
  const audience = Array.isArray(to) ? to.join(", ") : "";
  const said =
    level === undefined
      ? rungLine(wordOf(clock), wordOf(rung), audience)
      : `jeopardy ${wordOf(level)} → ${audience}`;
  return `${wallText(at)} ${itemId}: ${said}`;
}

function wordOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "(no word)";
}

/** Whom it is for stands behind the arrow. */
function rungLine(clock: string, rung: string, to: string): string {
  return `${clock} ${rung.replace(/^customer:/, "")} → ${to}`;
}

function dueIn(fact: Fact): string | undefined {
  const isDue = fact.kind === "started" || fact.kind === "moved" || fact.kind === "resumed";
  return isDue ? `${fact.clock} due ${wallText(fact.dueAt)}` : undefined;
}

function silenceIn(fact: Fact): string | undefined {
  if (fact.kind !== "acknowledged" && fact.kind !== "snoozed") return undefined;
  return `${fact.clock} ${fact.kind} by ${fact.by} until ${wallText(fact.until)}`;
}

function patchesOf({ pushes }: Week, steps: readonly Step[]): readonly string[] {
  return pushes.map(({ at, itemId, status, body }) => {
    const [promise] = ownNote(body, steps)?.split(" and ") ?? [];
    const delay = promise === undefined ? "" : `, delayed: ${promise}`;
    return `${wallText(at)} ${itemId}: ${status}${delay}`;
  });
}

function refusalsOf({ items }: Week): readonly string[] {
  return items.flatMap(({ item, journal }) =>
    journal.flatMap((entry) =>
      entry.kind === "event" && entry.outcome !== "applied"
        ? [`${wallText(entry.at)} ${item}: ${entry.problem?.code ?? entry.outcome}`]
        : [],
    ),
  );
}

function verdictLines({ item, journal }: ItemWeek): readonly string[] {
  return verdictsOf(item, journal).map((verdict) => {
    const { clock, kind, outcome, usedMs, targetMs, dueAt, endedAt } = verdict;
    const used = kind === "duration" ? `, ${hoursText(usedMs)} of ${hoursText(targetMs)}` : "";
    return `${item}: ${clock} ${outcome}${used}, due ${wallText(dueAt)}, ended ${wallText(endedAt)}`;
  });
}

function figureLines({ figures }: Week): readonly string[] {
  const { acceptance, timeToRespond, completion, fulfilmentTime } = figures;
  const { accepted, rejected } = acceptance;
  const { completed, failed, cancelled } = completion;
  const fulfilMs = Math.round((fulfilmentTime.p50Days ?? 0) * DAY_MS);
  return [
    `accepted ${accepted} of ${accepted + rejected}`,
    `median answer after ${hoursText(timeToRespond.p50Ms ?? 0)}`,
    `completed ${completed} of ${completed + failed + cancelled}`,
    `median fulfilment after ${hoursText(fulfilMs)}`,
  ];
}

function endOf({ item, description, isReplayed }: ItemWeek): string {
  const open = description.clocks?.clocks.length ?? 0;
  return [
    `${item}: ${description.state?.status ?? "nothing"}`,
    open === 0 ? "no clock open" : `${open} clocks open`,
    isReplayed ? "the journal gives the stored state" : "the journal gives another state",
  ].join(", ");
}
