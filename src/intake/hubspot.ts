/**
 * HubSpot's webhooks: lists of up to 100 changes of CRM objects. Pure.
 * Source: https://developers.hubspot.com/docs/api/webhooks
 *
 * Always true: a change is the same event however often it is sent, because its identity is made of what
 * it says and not of `eventId` alone, which HubSpot does not promise to be unique; a change that our own
 * app has made is dropped, or two systems would answer each other for ever.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { JsonObject } from "../core/event.ts";
import {
  type Adapter,
  batchFault,
  type Delivery,
  type Part,
  sorted,
  type Translation,
} from "./adapter.ts";
import { dataOf, dataSchema, eventTypeSchema } from "./event-data.ts";
import { filled, templateSchema, textOf } from "./field-value.ts";
import { hubspotFault, hubspotSignatureShape } from "./hubspot-signature.ts";
import { isObject, malformed, readJsonBody } from "./json-body.ts";
import type { Scope } from "./path.ts";

/** What a change can hold. */
const FIELDS = [
  "objectId",
  "objectTypeId",
  "propertyName",
  "propertyValue",
  "subscriptionType",
  "subscriptionId",
  "portalId",
  "appId",
  "eventId",
  "occurredAt",
  "changeSource",
  "changeFlag",
  "sourceId",
  "fromObjectId",
  "toObjectId",
  "associationType",
];

const subjectSchema = templateSchema.refine(
  (text) => [...text.matchAll(/\{([^{}]*)\}/g)].every(([, field = ""]) => FIELDS.includes(field)),
  `may have these places: ${FIELDS.map((field) => `{${field}}`).join(" ")}`,
);

const oneOf = z.union([z.string(), z.array(z.string()).min(1)]);

const ruleSchema = z.strictObject({
  /** All that are given must fit. */
  on: z.strictObject({
    /** "object.propertyChange", or of older apps "deal.propertyChange". */
    subscriptionType: oneOf.optional(),
    /** "0-3" for deals, "2-…" for custom objects. Older apps' changes have none. */
    objectTypeId: oneOf.optional(),
    propertyName: oneOf.optional(),
    propertyValue: oneOf.optional(),
  }),
  type: eventTypeSchema,
  subject: subjectSchema.optional(),
  data: dataSchema,
});

export const hubspotSchema = z.strictObject({
  kind: z.literal("hubspot"),
  ...hubspotSignatureShape,
  account: z.string().min(1).max(256).optional(),
  /** Which order item a change is about. */
  subject: subjectSchema.default("{objectId}"),
  /** Who we are to HubSpot: what comes from there is our own writing. */
  ownChanges: z
    .array(
      z.strictObject({
        changeSource: z.string().min(1).default("INTEGRATION"),
        sourceId: z.string().min(1),
      }),
    )
    .default([]),
  /** The first that fits makes the event. */
  events: z.array(ruleSchema).min(1).max(500),
});

export type HubspotConfig = z.output<typeof hubspotSchema>;
type Rule = HubspotConfig["events"][number];

export function hubspotAdapter(config: HubspotConfig): Adapter {
  return {
    authenticate: (delivery) => hubspotFault(config, delivery),
    translate: (delivery) => translate(config, delivery),
  };
}

function translate(config: HubspotConfig, delivery: Delivery): Translation {
  const read = readJsonBody(delivery.rawBody);
  if (read.outcome === "malformed") return read;
  if (!Array.isArray(read.value)) {
    const message =
      "The body is JSON and no list of changes, as HubSpot's subscriptions send them. What its workflows send is for a source of kind json.";
    return malformed({ code: "EVENT_INVALID", message }, withoutAttempt(read.value));
  }
  const changes = read.value.map(withoutAttempt);
  const fault = batchFault(changes);
  if (fault !== undefined) return { outcome: "malformed", ...fault };
  const parts = changes.map((change) =>
    partOf(config, { body: changes, element: change, headers: delivery.headers }),
  );
  return sorted(parts, delivery.nowMs);
}

/** Which attempt of sending it this is says nothing of the change: nothing may be made of it. */
function withoutAttempt(change: unknown): unknown {
  if (!isObject(change)) return change;
  const { attemptNumber: _, ...others } = change;
  return others;
}

function partOf(config: HubspotConfig, scope: Scope): Part {
  const change = scope.element;
  if (!isObject(change)) {
    const message = "An element of the list is no change of an object.";
    return { kind: "malformed", problem: { code: "EVENT_INVALID", message }, data: change };
  }
  const named = `${said(change, "subscriptionType")} of ${said(change, "objectId")}`;
  if (isOwn(config, change)) {
    return { kind: "ignored", reason: "loop", detail: `${named} is our own writing.` };
  }
  const rule = config.events.find(({ on }) => fits(on, change));
  if (rule === undefined) {
    const property = said(change, "propertyName");
    return { kind: "ignored", reason: "unmapped", detail: `${named}, ${property}: no rule fits.` };
  }
  const subject = filled(rule.subject ?? config.subject, scope);
  if (subject === undefined) {
    // A property that was cleared, for one: it names no item any more.
    return { kind: "ignored", reason: "unmapped", detail: `${named} names no item.` };
  }
  return { kind: "candidate", value: eventOf({ config, rule, subject }, change, scope) };
}

function isOwn({ ownChanges }: HubspotConfig, change: JsonObject): boolean {
  return ownChanges.some(
    (own) =>
      own.changeSource === textOf(change["changeSource"]) &&
      own.sourceId === textOf(change["sourceId"]),
  );
}

function fits(on: Rule["on"], change: JsonObject): boolean {
  return Object.entries(on).every(([field, wanted]) => {
    const value = textOf(change[field]);
    if (wanted === undefined) return true;
    return value !== undefined && [wanted].flat().includes(value);
  });
}

interface Mapped {
  readonly config: HubspotConfig;
  readonly rule: Rule;
  readonly subject: string;
}

function eventOf({ config, rule, subject }: Mapped, change: JsonObject, scope: Scope) {
  const time = timeOf(change["occurredAt"]);
  return {
    specversion: "1.0",
    id: identityOf(change),
    source: `hubspot/${textOf(change["portalId"]) ?? "unknown"}`,
    type: rule.type,
    subject,
    ...(time !== undefined && { time }),
    ...(config.account !== undefined && { account: config.account }),
    data: dataOf(rule.data, scope),
  };
}

/** Of all that makes the change what it is; `attemptNumber` is of the sending alone. */
const IDENTITY = [
  "portalId",
  "subscriptionId",
  "eventId",
  "objectId",
  "propertyName",
  "propertyValue",
  "occurredAt",
];

function identityOf(change: JsonObject): string {
  const parts = IDENTITY.map((field) => change[field] ?? null);
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** Milliseconds; undefined for what is no moment. */
function timeOf(occurredAt: unknown): string | undefined {
  if (typeof occurredAt !== "number") return undefined;
  const date = new Date(occurredAt);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

function said(change: JsonObject, field: string): string {
  return (textOf(change[field]) ?? "?").slice(0, 64);
}
