/** A journal, one line an entry: when, what, from where to where, who. Pure. */
import type {
  Change,
  DeliveryEntry,
  EventEntry,
  JournalEntry,
  TimerEntry,
} from "../core/journal.ts";
import { timerName } from "../engine/describe-item.ts";
import { table, timeText } from "./text-layout.ts";

export function journalText(journal: readonly JournalEntry[]): string {
  let status: string | undefined;
  const rows = journal.map((entry) => {
    const cells = cellsOf(entry, status);
    status = ("change" in entry ? entry.change?.status : undefined) ?? status;
    return [timeText(entry.at), ...cells];
  });
  return table([], rows, "  ");
}

function cellsOf(entry: JournalEntry, before: string | undefined): string[] {
  switch (entry.kind) {
    case "event":
      return eventCells(entry, before);
    case "timer":
      return timerCells(entry, before);
    case "expired":
      return [entry.event.type, `expired, ${entry.problem.code}`, entry.event.source];
    case "delivery":
      return deliveryCells(entry);
  }
}

function eventCells(entry: EventEntry, before: string | undefined): string[] {
  const { event, outcome, problem, change, reason, retried } = entry;
  const tried = retried ? "after waiting, " : "";
  if (outcome === "applied" && change !== undefined) {
    return [event.type, tried + moveText(change, before), event.source];
  }
  const why = reason ?? problem?.code;
  return [event.type, `${tried}${outcome}${why === undefined ? "" : `, ${why}`}`, event.source];
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
