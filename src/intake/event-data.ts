/** An event's `data`, put together field by field as a mapping file says. */
import { z } from "zod";
import type { JsonObject, JsonValue } from "../core/event.ts";
import { isReservedType } from "../core/event.ts";
import { type FieldValue, fieldValue, fieldValueSchema } from "./field-value.ts";
import type { Scope } from "./path.ts";

/** `metadata.workOrderId`: a field within a field. */
const TARGET = /^[A-Za-z][\w-]*(?:\.[A-Za-z][\w-]*){0,3}$/;

export const eventTypeSchema = z
  .string()
  .min(1)
  .max(256)
  .refine((type) => !isReservedType(type), "is a type that only the engine may use");

export const dataSchema = z
  .record(
    z.string().regex(TARGET, "must be a field of the event's data: names with dots between"),
    fieldValueSchema,
  )
  .superRefine((fields, issues) => {
    const names = Object.keys(fields);
    for (const name of names) {
      if (!names.some((other) => other.startsWith(`${name}.`))) continue;
      const message = `is mapped as a whole, and a field in it as well`;
      issues.addIssue({ code: "custom", path: [name], message });
    }
  })
  .default({});

/** Fields that the delivery does not hold are left out: the event's own schema says what it needs. */
export function dataOf(fields: Readonly<Record<string, FieldValue>>, scope: Scope): JsonObject {
  const data: Record<string, JsonValue | undefined> = {};
  for (const [target, field] of Object.entries(fields)) {
    const value = fieldValue(field, scope);
    if (value !== undefined) put(data, target.split("."), value);
  }
  return data;
}

type Fields = Record<string, JsonValue | undefined>;

/** The schema lets no field be both whole and in parts, so what is there already is an object of ours. */
function put(data: Fields, [name = "", ...rest]: readonly string[], value: JsonValue): void {
  if (rest.length === 0) {
    data[name] = value;
    return;
  }
  const inner: Fields = Object.hasOwn(data, name) ? (data[name] as Fields) : {};
  put(inner, rest, value);
  data[name] = inner;
}
