/** What whoever sent an event is told. */
import type { ArrivedEvent } from "../core/arrival.ts";
import type { Problem } from "../core/errors.ts";
import type { FirstAnswer } from "./event-identity.ts";
import type { EventVerdict } from "./item-plan.ts";

/** The answer to one event, the same for every arrival of it. */
export interface EventAnswer {
  readonly id: string;
  readonly source: string;
  readonly subject: string;
  readonly outcome: EventVerdict["outcome"];
  /** It had been answered before; nothing was done now. */
  readonly duplicate?: true;
  readonly revision: number;
  readonly status?: string;
  readonly problem?: Problem;
}

export function answerOf(event: ArrivedEvent, verdict: EventVerdict): EventAnswer {
  const { id, source, subject } = event;
  return { id, source, subject, ...verdict };
}

export function repeatOf({ id, source, subject }: ArrivedEvent, first: FirstAnswer): EventAnswer {
  const { outcome, revision, code } = first;
  const message = `Event ${id} of ${source} was answered before: ${outcome} at revision ${revision}. The journal of item ${subject} has the details.`;
  return {
    id,
    source,
    subject,
    outcome,
    duplicate: true,
    revision,
    ...(code !== undefined && { problem: { code, message } }),
  };
}
