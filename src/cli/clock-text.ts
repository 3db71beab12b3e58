/** An item's clocks as an operator reads them at a glance. Moments are in UTC. Pure. */
import type { Fact, Held } from "../core/clock-fact.ts";
import type { JournalEntry } from "../core/journal.ts";
import type { ItemDescription } from "../engine/describe-item.ts";
import type { AttentionRow, LateClock } from "../engine/list-attention.ts";
import type { ClocksView, ClockView } from "../sla/describe.ts";
import { momentText, spanText, table, wrapped } from "./text-layout.ts";

/** `undefined` when there is nothing to say. */
export function clocksText({ clocks: view, journal, readAt }: ItemDescription): string | undefined {
  if (view === undefined) return undefined;
  const rows = view.clocks.map((clock) => cellsOf(clock, readAt));
  const lines = table(HEADINGS, rows, "  ").split("\n");
  const parts = [
    ...(rows.length === 0 ? [] : lines.slice(0, 1)),
    ...view.clocks.flatMap((clock, index) => [
      ...lines.slice(index + 1, index + 2),
      ...notesOf(clock, journal, readAt).map((note) => wrapped(note, "    ")),
    ]),
    ...itemNotes(view, readAt).map((note) => wrapped(note, "  ")),
  ];
  return parts.length === 0 ? undefined : parts.join("\n");
}

const HEADINGS = ["CLOCK", "STATE", "USED", "DUE", "UTC", "NEXT REMINDER"];

function cellsOf(clock: ClockView, now: number): string[] {
  const { state, percentage, next } = clock;
  const reminder =
    next === undefined ? "" : `${next.rung} ${aheadText(next.at, now)} → ${next.to.join(", ")}`;
  const cells = (word: string, due: string, moment: string): string[] => [
    clock.clock,
    word,
    `${percentage}%`,
    due,
    moment,
    reminder,
  ];
  if (state.is === "paused") {
    return cells("paused", `waits: ${state.on}`, `until ${momentText(state.limit, now)}`);
  }
  const isLate = clock.breach !== "none" || state.dueAt <= now;
  const due = isLate ? `${spanText(now - state.dueAt)} late` : aheadText(state.dueAt, now);
  return cells(isLate ? "LATE" : "running", due, momentText(state.dueAt, now));
}

function aheadText(at: number, now: number): string {
  return at <= now ? "now" : `in ${spanText(at - now)}`;
}

function notesOf(clock: ClockView, journal: readonly JournalEntry[], now: number): string[] {
  const holds = [
    { kind: "acknowledged", until: clock.ackUntil ?? 0 },
    { kind: "snoozed", until: clock.snoozedUntil ?? 0 },
  ] as const;
  return holds
    .filter(({ until }) => until > now)
    .map(({ kind, until }) => {
      const { by, why } = wordOf(journal, { kind, until, clock: clock.clock });
      return `${kind}${by} until ${momentText(until)}, ${spanText(until - now)} more${why}`;
    });
}

/** Who said it and why: the ledger keeps only the end. */
function wordOf(
  journal: readonly JournalEntry[],
  { kind, clock, until }: Pick<Held, "kind" | "clock" | "until">,
): { readonly by: string; readonly why: string } {
  const isMeant = (fact: Fact): fact is Held =>
    fact.kind === kind && fact.clock === clock && fact.until === until;
  for (const entry of journal.toReversed()) {
    const held = "clocks" in entry ? entry.clocks?.find(isMeant) : undefined;
    if (held === undefined) continue;
    const reason = entry.kind === "event" ? entry.event.data["reason"] : undefined;
    return { by: ` by ${held.by}`, why: typeof reason === "string" ? `: ${reason}` : "" };
  }
  return { by: "", why: "" };
}

function itemNotes({ wait, jeopardy }: ClocksView, now: number): string[] {
  const notes: string[] = [];
  if (jeopardy !== undefined) {
    const { level, predictedAt, committedAt } = jeopardy;
    const spareMs = committedAt - predictedAt;
    const outlook =
      spareMs < 0 ? `${spanText(-spareMs)} too late` : `${spanText(spareMs)} to spare`;
    const word = level === "green" ? level : level.toUpperCase();
    notes.push(
      `Promised date ${word}: expected ${momentText(predictedAt, now)}, promised ${momentText(committedAt, now)}, ${outlook}.`,
    );
  }
  if (wait !== undefined) {
    const { on, since } = wait;
    notes.push(`Waits for the ${on} since ${momentText(since)}, ${spanText(now - since)}.`);
  }
  return notes;
}

const ATTENTION_HEADINGS = ["ITEM", "STATUS", "ACCOUNT", "WHAT", "SINCE (UTC)", "SILENT"];

/** One line for each reason; those of one item stand together under its name. */
export function attentionText(items: readonly AttentionRow[], now: number): string {
  const rows = items.flatMap((item) => {
    const { itemId, status = "-", account = "-" } = item;
    return reasonCells(item, now).map((reason, index) =>
      index === 0 ? [itemId, status, account, ...reason] : ["", "", "", ...reason],
    );
  });
  return table(ATTENTION_HEADINGS, rows);
}

function reasonCells(row: AttentionRow, now: number): string[][] {
  const { late, jeopardy, divergence, since } = row;
  const reasons = late.map((each) => [
    `${each.clock} ${spanText(now - each.dueAt)} late`,
    momentText(each.dueAt),
    silenceText(each, now),
  ]);
  if (jeopardy !== undefined) {
    reasons.push([`promised date ${jeopardy.level}`, momentText(jeopardy.since), ""]);
  }
  for (const { side, status, sinceTime } of divergence?.claims ?? []) {
    reasons.push([`divergent: ${side} says ${status}`, momentText(Date.parse(sinceTime)), ""]);
  }
  return reasons.length > 0 ? reasons : [["-", momentText(since), ""]];
}

function silenceText({ ackUntil = 0, snoozedUntil = 0 }: LateClock, now: number): string {
  if (snoozedUntil > now) return `snoozed, ${spanText(snoozedUntil - now)} more`;
  return ackUntil > now ? `acknowledged, ${spanText(ackUntil - now)} more` : "";
}
