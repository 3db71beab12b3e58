/**
 * Any other JSON webhook, by rules that people write: which elements, which item, what happened. Pure.
 *
 * Always true: the first rule whose conditions hold makes the event of an element, and no rule means
 * that nobody wants to hear of it; what a rule names and the element lacks is missing from the event, so
 * that the border and the event's own schema say what is wrong, and never a guess.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { asStored } from "../core/json-safe.ts";
import {
  type Adapter,
  batchFault,
  type Delivery,
  headerOf,
  type Part,
  sorted,
  type Translation,
} from "./adapter.ts";
import { authenticationSchema, authenticityFault, isHeaderProven } from "./authentication.ts";
import { chosenSchema, schemaByKey } from "./chosen-schema.ts";
import { dataOf, dataSchema, eventTypeSchema } from "./event-data.ts";
import { type FieldValue, fieldValue, fieldValueSchema, textOf } from "./field-value.ts";
import { malformed, readJsonBody } from "./json-body.ts";
import { pathSchema, type Scope, valueAt } from "./path.ts";

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const CONDITIONS = {
  equals: z.strictObject({ path: pathSchema, equals: scalar }),
  oneOf: z.strictObject({ path: pathSchema, oneOf: z.array(scalar).min(1) }),
  present: z.strictObject({ path: pathSchema, present: z.boolean() }),
};

const conditionSchema = chosenSchema(
  (value) => schemaByKey(value, CONDITIONS),
  'must be {"path", "equals"}, {"path", "oneOf": […]} or {"path", "present": true}',
);

const typeTableSchema = z.strictObject({
  path: pathSchema,
  table: z.record(z.string(), eventTypeSchema),
});

const typeSchema = chosenSchema(
  (value) =>
    typeof value === "string" ? eventTypeSchema : schemaByKey(value, { path: typeTableSchema }),
  'must be an event type, or {"path", "table": {<value>: <event type>}}',
);

const ruleSchema = z.strictObject({
  /** All of them must hold. */
  when: z.array(conditionSchema).max(20).default([]),
  type: typeSchema,
  data: dataSchema,
});

const timeNumberSchema = z.strictObject({ path: pathSchema, unit: z.enum(["s", "ms"]) });

/** ISO 8601 with an offset, or a number since 1970. */
const timeSchema = chosenSchema(
  (value) => schemaByKey(value, { unit: timeNumberSchema }) ?? fieldValueSchema,
  "",
);

const mappingShape = z.strictObject({
  kind: z.literal("json"),
  authentication: authenticationSchema,
  /** Who tells it: identity and order are kept per source. */
  source: z.string().min(1).max(256),
  account: z.string().min(1).max(256).optional(),
  /** Of a list in the body, each element of which is an event. */
  each: pathSchema.optional(),
  subject: fieldValueSchema,
  /** Default: the delivery's `webhook-id` when it is signed by Standard Webhooks, else a digest of it. */
  id: fieldValueSchema.optional(),
  time: timeSchema.optional(),
  sequence: fieldValueSchema.optional(),
  events: z.array(ruleSchema).min(1).max(500),
});

export const mappingSchema = mappingShape.superRefine(({ authentication, ...fields }, issues) => {
  for (const { path, header } of headersIn(fields, [])) {
    if (isHeaderProven(authentication, header)) continue;
    const message = `is a header that the signature does not cover, so anybody may have written it`;
    issues.addIssue({ code: "custom", path: [...path], message });
  }
});

interface UsedHeader {
  readonly path: readonly string[];
  readonly header: string;
}

/** Wherever a value comes from a header: `{"header": "x-request-id"}` and nothing else in it. */
function headersIn(value: unknown, path: readonly string[]): readonly UsedHeader[] {
  if (typeof value !== "object" || value === null || "value" in value) return [];
  if ("header" in value && typeof value.header === "string" && Object.keys(value).length === 1) {
    return [{ path, header: value.header }];
  }
  return Object.entries(value).flatMap(([key, each]) => headersIn(each, [...path, key]));
}

export type Mapping = z.output<typeof mappingSchema>;
type Rule = Mapping["events"][number];

export function mappingAdapter(mapping: Mapping): Adapter {
  return {
    authenticate: (delivery) => authenticityFault(mapping.authentication, delivery),
    translate: (delivery) => translate(mapping, delivery),
  };
}

function translate(mapping: Mapping, delivery: Delivery): Translation {
  const read = readJsonBody(delivery.rawBody);
  if (read.outcome === "malformed") return read;
  const headers = headersToRead(mapping, delivery.headers);
  const whole: Scope = { body: read.value, element: read.value, headers };
  const elements = mapping.each === undefined ? [read.value] : valueAt(whole, mapping.each);
  if (!Array.isArray(elements)) {
    const message = `There is no list at "${mapping.each}".`;
    return malformed({ code: "EVENT_INVALID", message }, read.value);
  }
  const fault = batchFault(elements);
  if (fault !== undefined) return { outcome: "malformed", ...fault };
  if (elements.length === 0) {
    return { outcome: "ignored", ignored: [{ reason: "empty", detail: "The list is empty." }] };
  }
  const deliveryId = deliveryIdOf(mapping, delivery);
  const parts = elements.map((element: unknown, index) => {
    const id = mapping.each === undefined ? deliveryId : `${deliveryId}:${index}`;
    return partOf(mapping, { ...whole, element }, id);
  });
  return sorted(parts, delivery.nowMs);
}

/** What lets the sender in must not become part of an event. */
function headersToRead({ authentication }: Mapping, headers: Delivery["headers"]) {
  const secrets = ["authorization", "proxy-authorization", "cookie"];
  if (authentication.kind === "bearer") secrets.push(authentication.header);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !secrets.includes(name)));
}

/** The same for every sending of the same bytes. */
function deliveryIdOf({ authentication }: Mapping, { headers, rawBody }: Delivery): string {
  const given = authentication.kind === "standard-webhooks" && headerOf(headers, "webhook-id");
  return given || createHash("sha256").update(rawBody).digest("hex");
}

function partOf(mapping: Mapping, scope: Scope, deliveryId: string): Part {
  const found = ruleFor(mapping.events, scope);
  if (found === undefined) {
    return { kind: "ignored", reason: "unmapped", detail: "No rule fits." };
  }
  const { account, id, time, sequence } = mapping;
  const value = asStored({
    specversion: "1.0",
    id: id === undefined ? deliveryId : asText(id, scope),
    source: mapping.source,
    type: found.type,
    subject: asText(mapping.subject, scope),
    time: time === undefined ? undefined : timeOf(time, scope),
    sequence: sequence === undefined ? undefined : asText(sequence, scope),
    account,
    data: dataOf(found.rule.data, scope),
  });
  return { kind: "candidate", value };
}

function ruleFor(rules: readonly Rule[], scope: Scope) {
  for (const rule of rules) {
    if (!rule.when.every((condition) => holds(condition, scope))) continue;
    const type = typeOf(rule.type, scope);
    if (type !== undefined) return { rule, type };
  }
  return undefined;
}

function typeOf(type: Rule["type"], scope: Scope): string | undefined {
  if (typeof type === "string") return type;
  const value = textOf(valueAt(scope, type.path));
  return value !== undefined && Object.hasOwn(type.table, value) ? type.table[value] : undefined;
}

function holds(condition: Rule["when"][number], scope: Scope): boolean {
  const value = valueAt(scope, condition.path);
  if ("present" in condition) return (value !== undefined && value !== "") === condition.present;
  const wanted = "equals" in condition ? [condition.equals] : condition.oneOf;
  const said = textOf(value);
  return said !== undefined && wanted.some((each) => String(each) === said);
}

/** Numbers are names in many systems. What is neither is left for the border to refuse. */
function asText(field: FieldValue, scope: Scope): unknown {
  const value = fieldValue(field, scope);
  return textOf(value) ?? value;
}

/** What is no moment is left as it is, for the border to refuse. */
function timeOf(time: NonNullable<Mapping["time"]>, scope: Scope): unknown {
  if (typeof time === "string" || !("unit" in time)) return fieldValue(time, scope);
  const value = valueAt(scope, time.path);
  const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof number !== "number") return value;
  const date = new Date(time.unit === "s" ? number * 1000 : number);
  return Number.isNaN(date.getTime()) ? value : date.toISOString();
}
