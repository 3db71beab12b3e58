/** Who an event is and what it says, as short texts: the keys and values of the dedupe marks. */
import { hash } from "node:crypto";
import type { ArrivedEvent } from "../core/arrival.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { Verdict } from "../core/decision.ts";
import { onceId } from "../core/once-id.ts";

/** 96 bits of `source` + `id`: a collision among a billion events has a chance of 1 in 10^11. */
export function markOf({ source, id, redrive }: ArrivedEvent): string {
  return digest(`${source}\u0000${id}\u0000${redrive ?? 0}`, 16);
}

/**
 * The name of an event's dead letter. Marks are kept item by item, letters side by side: a source that
 * gives one id to facts of two items must find both.
 */
export function letterIdOf(event: ArrivedEvent): string {
  return `event:${digest(`${markOf(event)}${event.subject}`, 16)}`;
}

/**
 * What the event says, without when and in which order: an id may come again only with the same. What an
 * item has but once may be told in other words.
 */
export function contentOf({ id, type, subject, data }: ArrivedEvent): string {
  const said = id === onceId({ type, subject }) ? [type, subject] : [type, subject, data];
  return digest(JSON.stringify(said), 8);
}

function digest(text: string, length: number): string {
  return hash("sha1", text, "base64url").slice(0, length);
}

/** The first answer to an event, kept for as long as the event may come again. */
export interface FirstAnswer {
  readonly content: string;
  readonly outcome: Verdict["outcome"];
  readonly revision: number;
  readonly code?: ErrorCode;
}

export function encodeAnswer({ outcome, revision, code }: Omit<FirstAnswer, "content">): string {
  return code === undefined ? `${outcome} ${revision}` : `${outcome} ${revision} ${code}`;
}

export function decodeAnswer(text: string): FirstAnswer {
  const [content = "", outcome, revision, code] = text.split(" ");
  return {
    content,
    outcome: outcome as FirstAnswer["outcome"],
    revision: Number(revision),
    ...(code !== undefined && { code: code as ErrorCode }),
  };
}
