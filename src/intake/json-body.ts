/** A body as JSON. Never throws, and never gives back what would overflow the stack of a reader. */
import type { JsonObject } from "../core/event.ts";
import { isDeeperThan, JSON_DEPTH_MAX } from "../core/json-safe.ts";
import type { Malformed } from "./adapter.ts";

/** Characters kept of what cannot be read: enough to recognise it. */
const EXCERPT_MAX = 2_000;

export type JsonBody =
  | { readonly outcome: "json"; readonly value: unknown }
  | ({ readonly outcome: "malformed" } & Malformed);

export function readJsonBody(rawBody: Uint8Array): JsonBody {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(rawBody);
  } catch {
    const excerpt = new TextDecoder().decode(rawBody.subarray(0, EXCERPT_MAX));
    return unreadable("The body is not UTF-8, so it is not JSON.", excerpt);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return unreadable(`The body is not JSON: ${text.slice(0, 120)}`, text.slice(0, EXCERPT_MAX));
  }
  if (isDeeperThan(JSON_DEPTH_MAX, value)) {
    const message = `The body is nested deeper than ${JSON_DEPTH_MAX} levels.`;
    return malformed({ code: "EVENT_INVALID", message }, text.slice(0, EXCERPT_MAX));
  }
  return { outcome: "json", value };
}

/** Neither a list nor null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function malformed(problem: Malformed["problem"], data: unknown) {
  return { outcome: "malformed", problem, data } as const;
}

function unreadable(message: string, excerpt: string) {
  return malformed({ code: "EVENT_NOT_JSON", message }, excerpt);
}
