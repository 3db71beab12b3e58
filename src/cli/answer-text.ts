/** An event's outcome in words, and what may be sent next. Pure. */
import type { JobAnswer } from "../engine/handle-job.ts";
import { wrapped } from "./text-layout.ts";

/** What a sender learns of one event. */
export interface Told {
  readonly type: string;
  readonly item: string;
  readonly answer: JobAnswer;
  /** Event types that the item takes now, when that is known. */
  readonly allowed?: readonly string[];
}

/** 0 when the item has it or will have it, 1 when it was refused. */
export function exitCodeOf({ outcome }: JobAnswer): 0 | 1 {
  return outcome === "rejected" || outcome === "dead-letter" ? 1 : 0;
}

export function answerText({ type, item, answer, allowed }: Told): string {
  const { problem } = answer;
  // Most refusals name what is taken instead.
  const isNamed = allowed === undefined || problem?.message.includes(allowed.join(", ")) === true;
  return [
    headline(type, item, answer),
    ...(problem === undefined ? [] : [wrapped(problem.message, "  ")]),
    ...(isNamed ? [] : [wrapped(nextText(allowed), "  ")]),
  ].join("\n");
}

export function nextText(allowed: readonly string[]): string {
  return allowed.length === 0
    ? "Nothing more is taken: the item has ended."
    : `Next: ${allowed.join(", ")}`;
}

function headline(type: string, item: string, answer: JobAnswer): string {
  const again = "duplicate" in answer ? " (it had come before)" : "";
  const code = answer.problem === undefined ? "" : `, ${answer.problem.code}`;
  switch (answer.outcome) {
    case "applied": {
      const status = "status" in answer ? ` is "${answer.status}"` : " took it";
      return `Applied${again}: ${type}. Item ${item}${status}.`;
    }
    case "parked":
      return `Parked${again}${code}: ${type} waits for its turn.`;
    case "stale":
      return `Stale${again}${code}: ${type} changes nothing.`;
    case "rejected":
      return `Rejected${again}${code}: ${type} was not taken.`;
    case "dead-letter":
      return `Dead letter${again}${code}: ${type} needs a person. See: orderwright dead`;
  }
}

/** Of many events: how many had which outcome, "3 applied, 1 rejected". */
export function tally(answers: readonly JobAnswer[]): string {
  const counts = new Map<string, number>();
  for (const { outcome } of answers) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return [...counts].map(([outcome, amount]) => `${amount} ${outcome}`).join(", ");
}
