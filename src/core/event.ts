/**
 * The public event: a CloudEvents 1.0 JSON object, the same in a BullMQ job, an HTTP body and a
 * signed webhook. `type` is the machine's own event type, `subject` the order item.
 * Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
 */
import { z } from "zod";

/** Serialised size of one event, in bytes. CloudEvents asks receivers to take at least 64 KiB. */
export const EVENT_MAX_BYTES = 64 * 1024;

/** Events in one job or one HTTP body. HubSpot and Salesforce also send at most 100. */
export const EVENT_BATCH_MAX = 100;

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };
export type JsonObject = { readonly [key: string]: JsonValue | undefined };

/**
 * CloudEvents' own type of text has neither. A digest and a Redis key are made of UTF-8, in which all lone
 * surrogates are one character: two identities would be one.
 */
const CONTROL_OR_SURROGATE = /[\p{Cc}\p{Cs}]/u;

const name = z
  .string()
  .min(1)
  .max(256)
  .refine(isWellFormed, "must have no control characters and no lone surrogates");
const dateTime = z.iso.datetime({ offset: true });

const attributes = z.object({
  specversion: z.literal("1.0"),
  id: name,
  source: name,
  type: name,
  /** Item id. Braces and control characters would break keys; `/`, `:` and spaces are taken. */
  subject: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[^\p{Cc}\p{Cs}{}]+$/u),
  /** When it happened, not when it was sent. RFC 3339 with an offset. */
  time: dateTime.optional(),
  /** Place in the source's own order for this item: compared as a number, else as text. */
  sequence: z
    .union([z.string().min(1).max(64), z.int().nonnegative().transform(String)])
    .optional(),
  /** "Integer" promises 1, 2, 3 … without holes, so the engine waits for a missing one. */
  sequencetype: z.literal("Integer").optional(),
  /** Provider account the sender speaks for; refused when the item belongs to another one. */
  account: name.optional(),
  datacontenttype: z.string().max(128).optional(),
  /** An object; what is in it is the business of the type's own schema. */
  data: z.custom<JsonObject>(isPlainObject, "must be an object").default({}),
  /** Set by a redrive from the dead letters: a new attempt of the same event. */
  redrive: z.int().positive().optional(),
});

export const cloudEventSchema = attributes.refine(
  ({ sequence, sequencetype }) =>
    sequencetype === undefined || /^(0|[1-9]\d*)$/.test(sequence ?? ""),
  { path: ["sequence"], message: 'must be a whole number where sequencetype is "Integer"' },
);

function isWellFormed(text: string): boolean {
  return !CONTROL_OR_SURROGATE.test(text);
}

/** A job's data has been through JSON, so its values need no second look here. */
function isPlainObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** As a producer writes it: `data` may be absent and `sequence` may be a number. */
export type CloudEventInput = z.input<typeof cloudEventSchema>;

/** As the engine holds it after the border. */
export type CloudEvent = z.output<typeof cloudEventSchema>;

/** Names the engine keeps for itself: XState's own events and the engine's timers. */
export function isReservedType(type: string): boolean {
  return type.startsWith("xstate.") || type.startsWith("orderwright.");
}
