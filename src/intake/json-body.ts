/** A body as JSON. Never throws, and never gives back what would overflow the stack of a reader. */
import type { JsonObject } from "../core/event.ts";
import { isDeeperThan, JSON_DEPTH_MAX } from "../core/json-safe.ts";
import type { Malformed } from "./adapter.ts";

export type JsonBody =
  | { readonly outcome: "json"; readonly value: unknown }
  | ({ readonly outcome: "malformed" } & Malformed);

export function readJsonBody(rawBody: Uint8Array): JsonBody {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(rawBody);
  } catch {
    const message = "The body is not UTF-8. Have its sender send JSON in UTF-8.";
    return unreadable(message, new TextDecoder().decode(rawBody));
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const message = `The body is not JSON, which its sender has to send: ${text.slice(0, 120)}`;
    return unreadable(message, text);
  }
  if (isDeeperThan(JSON_DEPTH_MAX, value)) {
    const message = `The body is nested deeper than ${JSON_DEPTH_MAX} levels. Have its sender send it flat.`;
    return malformed({ code: "EVENT_INVALID", message }, text);
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

function unreadable(message: string, text: string) {
  return malformed({ code: "EVENT_NOT_JSON", message }, text);
}
