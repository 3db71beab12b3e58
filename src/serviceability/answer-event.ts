/**
 * An answer as the event that it stands for, in the provider's own words. Pure.
 *
 * Always true: an item is asked about once in its life, at its birth, so each of these is a fact that it
 * has but once; an answer that comes twice, in other words even, is the same event.
 */
import type { ArrivedEvent } from "../core/arrival.ts";
import type { JsonObject } from "../core/event.ts";
import { onceId } from "../core/once-id.ts";
import { UNDECIDED, type Why } from "../core/serviceability.ts";
import type { Answer } from "./verdict.ts";

const SOURCE = "orderwright:auto-accept";

/** What the reseller reads; `{offer}`, `{item}`, `{order}` and `{notes}` are filled in. */
export interface Templates {
  readonly accepted: { readonly note: string };
  readonly rejected: {
    readonly note: string;
    /** Of a no that gives no reason. */
    readonly reasonCode: string;
    readonly alternatives?: readonly string[] | undefined;
  };
}

export interface Asked {
  readonly itemId: string;
  readonly question: JsonObject;
  /** ms since the epoch. */
  readonly now: number;
}

export function answerEvent(asked: Asked, templates: Templates, answer: Answer): ArrivedEvent {
  const { accepted, rejected } = templates;
  if (answer.is === "yes") {
    const providerNotes = filled(accepted.note, asked, answer);
    return eventOf(asked, "order.accepted", { providerNotes });
  }
  const { note, reasonCode, alternatives } = rejected;
  return eventOf(asked, "order.rejected", {
    providerNotes: filled(note, asked, answer),
    reasonCode: answer.reason ?? reasonCode,
    ...(alternatives !== undefined && { alternatives }),
  });
}

export function undecidedEvent(asked: Asked, why: Why): ArrivedEvent {
  return eventOf(asked, UNDECIDED, { why });
}

function eventOf({ itemId: subject, now }: Asked, type: string, data: JsonObject): ArrivedEvent {
  return {
    specversion: "1.0",
    id: onceId({ type, subject }),
    source: SOURCE,
    type,
    subject,
    time: new Date(now).toISOString(),
    data,
  };
}

/** What is not known leaves no gap: "We offer {offer} here." without an offer is "We offer here." */
function filled(template: string, { itemId, question }: Asked, { notes }: Answer): string {
  const { offer, order } = question;
  const name =
    typeof offer === "object" && offer !== null && "name" in offer ? offer["name"] : undefined;
  const values: Readonly<Record<string, unknown>> = { offer: name, item: itemId, order, notes };
  return template
    .replaceAll(/\{(offer|item|order|notes)\}/g, (_place, field: string) => textOf(values[field]))
    .replaceAll(/ {2,}/g, " ")
    .trim();
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
