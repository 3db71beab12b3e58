/**
 * How a mapping file says where a value comes from, in one notation everywhere: a bare text is a path,
 * and the other ways are objects of one kind each.
 */
import { z } from "zod";
import type { JsonValue } from "../core/event.ts";
import { headerOf } from "./adapter.ts";
import { headerNameSchema } from "./authentication.ts";
import { chosenSchema, schemaByKey } from "./chosen-schema.ts";
import { pathSchema, type Scope, valueAt } from "./path.ts";

const PLACEHOLDER = /\{([^{}]*)\}/g;

/** "Job {job.number}: {status}". */
export const templateSchema = z
  .string()
  .min(1)
  .max(2_000)
  .superRefine((text, issues) => {
    for (const [, path = ""] of text.matchAll(PLACEHOLDER)) {
      if (pathSchema.safeParse(path).success) continue;
      issues.addIssue({ code: "custom", message: `has {${path}}, which is no path` });
    }
  });

const BY_KEY = {
  /** What the value at the path means; any other value is as if there were none. */
  path: z.strictObject({ path: pathSchema, table: z.record(z.string(), z.json()) }),
  text: z.strictObject({ text: templateSchema }),
  header: z.strictObject({ header: headerNameSchema }),
  value: z.strictObject({ value: z.json() }),
};

export const fieldValueSchema = chosenSchema(
  (value) => (typeof value === "string" ? pathSchema : schemaByKey(value, BY_KEY)),
  'must be a path ("job.id"), {"path", "table"}, {"text": "Job {job.id}"}, {"header"} or {"value"}',
);

export type FieldValue = z.output<typeof fieldValueSchema>;

/** Undefined when the delivery does not hold it. */
export function fieldValue(field: FieldValue, scope: Scope): JsonValue | undefined {
  // The body came out of JSON.parse.
  if (typeof field === "string") return valueAt(scope, field) as JsonValue | undefined;
  if ("path" in field) {
    const key = textOf(valueAt(scope, field.path));
    return key !== undefined && Object.hasOwn(field.table, key) ? field.table[key] : undefined;
  }
  if ("text" in field) return filled(field.text, scope);
  if ("header" in field) return headerOf(scope.headers, field.header);
  return field.value;
}

/** Undefined when one of the places in it is empty: half a sentence helps nobody. */
export function filled(template: string, scope: Scope): string | undefined {
  let isWhole = true;
  const text = template.replaceAll(PLACEHOLDER, (_all, path: string) => {
    const value = textOf(valueAt(scope, path));
    if (value === undefined || value === "") isWhole = false;
    return value ?? "";
  });
  return isWhole ? text : undefined;
}

/** Undefined for what no text is made of. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}
