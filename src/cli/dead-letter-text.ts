/** A dead letter in words: what happened, and what to type now. Pure. */
import { isExcerpt } from "../engine/redrive.ts";
import type { DeadLetter } from "../store/dead-letter-store.ts";
import { relativeText, timeText, wrapped } from "./text-layout.ts";

export function letterText(letter: DeadLetter, now: number): string {
  const { id, at, problem } = letter;
  return [
    `  ${id}`,
    `    ${problem.code}  ${timeText(at)} (${relativeText(at, now)})  ${subjectOf(letter)}`,
    wrapped(problem.message, "    "),
    ...commandsFor(letter),
  ].join("\n");
}

function commandsFor(letter: DeadLetter): string[] {
  const { kind, id } = letter;
  const skip = `    npx orderwright skip ${quoted(id)} --reason "why it is not needed"`;
  if (kind === "timer") return ["    It is tried again by itself.", skip];
  if (isExcerpt(letter)) return ["    Only its source can send it again. Then:", skip];
  const retry = `    npx orderwright retry ${quoted(id)}`;
  return kind === "account" ? [retry] : [retry, skip];
}

function subjectOf(letter: DeadLetter): string {
  switch (letter.kind) {
    case "event":
      return `${letter.event.type} for item ${letter.event.subject}`;
    case "effect":
      return `${letter.effect.name} of item ${letter.itemId}`;
    case "timer":
      return `a timer of item ${letter.itemId}`;
    case "account":
      return `account ${letter.account}`;
    case "unreadable": {
      const [, webhook] = /^webhook:([^:]+):/.exec(letter.id) ?? [];
      return webhook === undefined ? "a job that is no event" : `a delivery to webhook ${webhook}`;
    }
  }
}

/** Item ids may hold spaces and more, and the line is there to be copied. */
function quoted(id: string): string {
  return /^[\w:.@/-]+$/.test(id) ? id : `'${id.replaceAll("'", `'\\''`)}'`;
}
