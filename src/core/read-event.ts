/**
 * The border: anything at all becomes events, or says why not. Used for jobs, HTTP bodies and
 * webhooks alike. Never throws: what a stranger put into the queue must not hurt a worker.
 */
import type { ArrivedEvent } from "./arrival.ts";
import type { Problem } from "./errors.ts";
import { cloudEventSchema, EVENT_BATCH_MAX, EVENT_MAX_BYTES, isReservedType } from "./event.ts";
import { JSON_DEPTH_MAX, isDeeperThan } from "./json-safe.ts";
import { isOperatorEvent } from "./operator-event.ts";

export type ReadEvent =
  | { readonly result: "event"; readonly event: ArrivedEvent }
  | { readonly result: "unreadable"; readonly problem: Problem; readonly data: unknown };

/** Data kept of what cannot be read, in characters: enough to recognise it. */
const EXCERPT_MAX = 2_000;

const NOT_SERIALISABLE = "(not serialisable)…";

/** One event or an array of up to 100. `enqueuedAt` (ms) stands in for a missing `time`. */
export function readEvents(data: unknown, enqueuedAt: number): ReadEvent[] {
  const value = typeof data === "string" ? parseText(data) : { value: data };
  if ("message" in value) return [unreadable("EVENT_NOT_JSON", value.message, data)];
  if (!Array.isArray(value.value)) return [readEvent(value.value, enqueuedAt)];
  const items: unknown[] = value.value;
  if (items.length === 0 || items.length > EVENT_BATCH_MAX) {
    const message = `A job holds one event or an array of 1 to ${EVENT_BATCH_MAX}, and this one holds ${items.length}. Split it.`;
    return [unreadable("EVENT_BATCH_TOO_LARGE", message, items)];
  }
  return items.map((item) => readEvent(item, enqueuedAt));
}

export function readEvent(value: unknown, enqueuedAt: number): ReadEvent {
  // Before anything walks it: a few kilobytes of brackets overflow the stack.
  if (isDeeperThan(JSON_DEPTH_MAX, value)) {
    const message = `The event is nested deeper than ${JSON_DEPTH_MAX} levels. Send it flat.`;
    return unreadable("EVENT_INVALID", message, value);
  }
  const sizeBytes = sizeOf(value);
  if (sizeBytes > EVENT_MAX_BYTES) {
    const message = `The event has ${sizeBytes} bytes, and the limit is ${EVENT_MAX_BYTES}. Send references instead of documents.`;
    return unreadable("EVENT_TOO_LARGE", message, value);
  }
  const parsed = cloudEventSchema.safeParse(value);
  if (!parsed.success) return envelopeProblem(value, parsed.error.issues);
  const { type, id, source } = parsed.data;
  if (isReservedType(type) && !isOperatorEvent(type)) {
    const message = `Event ${id} of ${source} has type "${type}", which only the engine may use.`;
    return unreadable("EVENT_TYPE_RESERVED", message, value);
  }
  const time = parsed.data.time ?? timeOf(enqueuedAt);
  if (time === undefined) {
    const message = `Event ${id} of ${source} has no time, and neither has its job. Send "time".`;
    return unreadable("EVENT_INVALID", message, value);
  }
  const isUndated = parsed.data.time === undefined && { isUndated: true as const };
  return { result: "event", event: { ...parsed.data, time, ...isUndated } };
}

/** A job's timestamp is its producer's word, too. */
function timeOf(enqueuedAt: number): string | undefined {
  const date = new Date(enqueuedAt);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function envelopeProblem(value: unknown, issues: readonly Issue[]): ReadEvent {
  const said = issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.map(String).join(".") || "event"}: ${message}`)
    .join("; ");
  const isObject = typeof value === "object" && value !== null;
  const subject: unknown = isObject && "subject" in value ? value.subject : undefined;
  if (isObject && (subject === undefined || subject === "" || subject === null)) {
    const message = `The event names no item: "subject" must be the item id. ${said}`;
    return unreadable("EVENT_SUBJECT_MISSING", message, value);
  }
  return unreadable("EVENT_INVALID", `This is no CloudEvents 1.0 event. ${said}`, value);
}

function unreadable(code: Problem["code"], message: string, data: unknown): ReadEvent {
  const text = typeof data === "string" ? data : safeStringify(data);
  const excerpt = text.length > EXCERPT_MAX ? `${text.slice(0, EXCERPT_MAX)}…` : text;
  const kept = excerpt === text && text !== NOT_SERIALISABLE ? data : excerpt;
  return { result: "unreadable", problem: { code, message }, data: kept };
}

function parseText(text: string): { value: unknown } | { message: string } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { message: `The data is text of ${text.length} characters, and not JSON.` };
  }
}

function sizeOf(value: unknown): number {
  const text = safeStringify(value);
  // UTF-8 needs at most 3 bytes per UTF-16 unit; only doubtful texts are measured.
  return text.length * 3 <= EVENT_MAX_BYTES ? text.length : new TextEncoder().encode(text).length;
}

function safeStringify(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "undefined";
  } catch {
    return NOT_SERIALISABLE;
  }
}
