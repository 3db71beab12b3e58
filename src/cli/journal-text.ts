/** A journal, one line an entry: when, what, from where to where, who. Pure. */
import type {
  Change,
  DeliveryEntry,
  EventEntry,
  JournalEntry,
  TimerEntry,
} from "../core/journal.ts";
import { isOperatorEvent } from "../core/operator-event.ts";
import { timerName } from "../engine/describe-item.ts";
import { factSentences } from "./clock-story.ts";
import { table, timeText, wrapped } from "./text-layout.ts";

const INDENT = "  ";

/** Under what happened, which stands behind the time. */
const STORY_INDENT = " ".repeat(`${INDENT}2026-01-01T00:00:00Z  `.length);

/** What the clocks made of a decision stands under it. */
export function journalText(journal: readonly JournalEntry[]): string {
  let status: string | undefined;
  const told = journal.map((entry) => {
    const cells = cellsOf(entry, status);
    status = ("change" in entry ? entry.change?.status : undefined) ?? status;
    return { entry, cells };
  });
  const rows = told.flatMap(({ entry, cells }) => (cells ? [[timeText(entry.at), ...cells]] : []));
  const lines = table([], rows, INDENT).split("\n").values();
  return told
    .flatMap(({ entry, cells }) => {
      const story = storyOf(entry);
      if (cells !== undefined) return [lines.next().value ?? "", ...story];
      // Nobody did anything: what time brought about stands on the entry's own line.
      const [first = "", ...more] = story;
      return [`${INDENT}${timeText(entry.at)}  ${first.trimStart()}`, ...more];
    })
    .join("\n");
}

function storyOf(entry: JournalEntry): readonly string[] {
  const facts = "clocks" in entry ? (entry.clocks ?? []) : [];
  return [...factSentences(facts), ...reasonOf(entry)].map((sentence) =>
    wrapped(sentence, STORY_INDENT),
  );
}

/** Why an operator said so. */
function reasonOf(entry: JournalEntry): readonly string[] {
  if (entry.kind !== "event" || !isOperatorEvent(entry.event.type)) return [];
  const { reason } = entry.event.data;
  return typeof reason === "string" ? [`because: ${reason}`] : [];
}

/** None for what the clocks alone did. */
function cellsOf(entry: JournalEntry, before: string | undefined): string[] | undefined {
  switch (entry.kind) {
    case "event":
      return eventCells(entry, before);
    case "timer":
      return timerCells(entry, before);
    case "expired":
      return [entry.event.type, `expired, ${entry.problem.code}`, entry.event.source];
    case "delivery":
      return deliveryCells(entry);
    case "clocks":
      return undefined;
  }
}

function eventCells(entry: EventEntry, before: string | undefined): string[] {
  const { event, outcome, problem, change, reason, retried } = entry;
  const tried = retried ? "after waiting, " : "";
  const type = event.type.replace(/^orderwright\./, "");
  if (outcome === "applied" && change !== undefined) {
    return [type, tried + moveText(change, before), event.source];
  }
  const why = reason ?? problem?.code;
  return [type, `${tried}${outcome}${why === undefined ? "" : `, ${why}`}`, event.source];
}

function timerCells({ timer, outcome, change }: TimerEntry, before: string | undefined): string[] {
  const isMove = change !== undefined && change.status !== before;
  const what = outcome === "applied" && isMove ? moveText(change, before) : outcome;
  return [`timer ${timerName(timer)}`, what === "applied" ? "rang" : what, "the clock"];
}

function moveText({ status, derived, taken }: Change, before: string | undefined): string {
  const steps = derived === undefined ? "" : ` by ${derived.join(", ")}`;
  if (before === undefined) return `begins as ${status}`;
  if (before !== status) return `${before} → ${status}${steps}`;
  const entered = taken.flatMap(({ targets }) => targets).at(-1);
  const region = entered?.split(".").at(-1);
  return region === undefined || region === status
    ? `stays ${status}`
    : `stays ${status}; ${region}`;
}

function deliveryCells(entry: DeliveryEntry): string[] {
  const { name, status, outcome, attempt } = entry;
  const tries = attempt > 1 ? ` (attempt ${attempt})` : "";
  return [`→ ${name}`, [status, outcome].filter(Boolean).join(" ") + tries, answerOf(entry)];
}

/** What the marketplace said, or how an operator decided. A success's body only repeats the item. */
export function answerOf({ outcome, answer, tookMs }: DeliveryEntry): string {
  if (answer === undefined) return "";
  if (outcome !== "delivered") return answer;
  const said = answer.replace(/: \{.*$/, "");
  return tookMs === undefined ? said : `${said}, ${tookMs} ms`;
}
