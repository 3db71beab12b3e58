/**
 * The marketplace's own webhooks: an order came in, an order was cancelled. Pure.
 * Source: https://offergrid.io/docs/providers/webhooks and …/providers/receiving-orders, which show two
 * shapes: an envelope `{id, event, timestamp, data}`, and all fields side by side. Both are taken.
 *
 * The marketplace's list shows the same order, so the birth is one event by whichever road it comes.
 *
 * An order is cancelled as a whole, so the event goes to every item of it; what is finished by then is
 * left alone by the machine. How the signature is verified is the marketplace's business and is passed in.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { JsonObject } from "../core/event.ts";
import { onceId } from "../core/once-id.ts";
import { type Adapter, type Delivery, type Part, sorted, type Translation } from "./adapter.ts";
import { isObject, malformed, readJsonBody } from "./json-body.ts";
import { plainSecretsSchema, TOLERANCE_MS } from "./secrets.ts";

export const marketplaceSchema = z.strictObject({
  kind: z.literal("offergrid"),
  secrets: plainSecretsSchema,
  /** Whose orders these are: an account of the configuration. */
  account: z.string().min(1).max(256).default("default"),
  /** What a webhook does not say of an offer, by `offerId`. */
  offers: z
    .record(
      z.string(),
      z.strictObject({
        offerCategory: z.string().min(1).max(256).optional(),
        requiresInstallation: z.boolean().optional(),
      }),
    )
    .default({}),
});

export type MarketplaceConfig = z.output<typeof marketplaceSchema>;

export type VerifyMarketplace = (webhook: {
  readonly rawBody: Uint8Array;
  readonly headers: Delivery["headers"];
  readonly secrets: readonly string[];
  readonly nowMs: number;
  readonly toleranceMs: number;
}) =>
  | { readonly outcome: "verified" }
  | {
      readonly outcome: "refused";
      readonly reason:
        | "signature-missing"
        | "signature-malformed"
        | "signature-mismatch"
        | "timestamp-malformed"
        | "timestamp-out-of-tolerance";
    };

export function marketplaceAdapter(config: MarketplaceConfig, verify: VerifyMarketplace): Adapter {
  return {
    authenticate: ({ rawBody, headers, nowMs }) => {
      const { secrets } = config;
      const verdict = verify({ rawBody, headers, secrets, nowMs, toleranceMs: TOLERANCE_MS });
      return verdict.outcome === "refused" ? verdict.reason : undefined;
    },
    translate: (delivery) => translate(config, delivery),
  };
}

function translate(config: MarketplaceConfig, { rawBody, nowMs }: Delivery): Translation {
  const body = readJsonBody(rawBody);
  if (body.outcome === "malformed") return body;
  const { value } = body;
  if (!isObject(value)) {
    const message = "The body is JSON and no object, as the marketplace sends them.";
    return malformed({ code: "EVENT_INVALID", message }, value);
  }
  const { data } = value;
  const webhook: Webhook = {
    config,
    // The flat shape has no id: its bytes are its identity.
    id: text(value, "id") ?? createHash("sha256").update(rawBody).digest("hex"),
    timestamp: momentIn(value, "timestamp"),
    fields: isObject(data) ? data : value,
    body: value,
  };
  return sorted(partsOf(webhook, text(value, "event")), nowMs);
}

interface Webhook {
  readonly config: MarketplaceConfig;
  readonly id: string;
  readonly timestamp: string | undefined;
  readonly fields: JsonObject;
  readonly body: JsonObject;
}

function partsOf(webhook: Webhook, event: string | undefined): readonly Part[] {
  if (event === "order.created") return [{ kind: "candidate", value: received(webhook) }];
  if (event === "order.cancelled") return cancelled(webhook);
  const detail = `"${(event ?? "").slice(0, 64)}" is no event that changes an order.`;
  return [{ kind: "ignored", reason: "unmapped", detail }];
}

function received(webhook: Webhook): object {
  const { config, fields, timestamp } = webhook;
  const [offerId, itemId] = [text(fields, "offerId"), text(fields, "itemId")];
  const isKnown = offerId !== undefined && Object.hasOwn(config.offers, offerId);
  return {
    ...frameOf(webhook, "order.received"),
    ...(itemId !== undefined && { id: onceId({ type: "order.received", subject: itemId }) }),
    subject: fields["itemId"],
    data: given({
      orderId: fields["orderId"],
      offerId,
      offerName: text(fields, "offerName"),
      ...(isKnown && config.offers[offerId]),
      account: config.account,
      createdAt: momentIn(fields, "createdAt") ?? timestamp,
      customerInfo: wordsIn(fields["customerInfo"]),
      serviceAddress: wordsIn(fields["serviceAddress"]),
      notes: text(fields, "notes"),
      metadata: metadataOf(fields),
    }),
  };
}

function cancelled(webhook: Webhook): readonly Part[] {
  const { fields, body } = webhook;
  const [orderId, itemId] = [text(fields, "orderId"), text(fields, "itemId")];
  if (orderId === undefined && itemId === undefined) {
    const message = "An order was cancelled, and the webhook names neither orderId nor itemId.";
    return [{ kind: "malformed", problem: { code: "EVENT_SUBJECT_MISSING", message }, data: body }];
  }
  const event = {
    ...frameOf(webhook, "order.cancelled"),
    data: given({
      providerNotes: text(fields, "reason") ?? "Cancelled at the marketplace, without a reason.",
      reasonCode: text(fields, "reasonCode"),
      cancelledBy: text(fields, "cancelledBy") ?? "reseller",
      origin: "marketplace",
    }),
  };
  const own: Part[] =
    itemId === undefined ? [] : [{ kind: "candidate", value: { ...event, subject: itemId } }];
  if (orderId === undefined) return own;
  const order = { orderId, ...(itemId !== undefined && { exceptItem: itemId }), event };
  return [...own, { kind: "order-wide", order }];
}

function frameOf({ config, id, timestamp }: Webhook, type: string) {
  return {
    specversion: "1.0",
    id,
    source: `offergrid/${config.account}`,
    type,
    account: config.account,
    ...(timestamp !== undefined && { time: timestamp }),
  } as const;
}

/** The reseller's own, and which team it is. */
function metadataOf(fields: JsonObject): JsonObject | undefined {
  const team = text(fields, "resellerTeamId");
  const own = isObject(fields["metadata"]) ? fields["metadata"] : undefined;
  return team === undefined ? own : { ...own, resellerTeamId: team };
}

function text(fields: JsonObject, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

const dateTime = z.iso.datetime({ offset: true });

/** A moment without an offset is none; the order must not be lost for it. */
function momentIn(fields: JsonObject, name: string): string | undefined {
  return dateTime.safeParse(fields[name]).data;
}

/** A field that is null, or no text, is a field that was not given. */
function wordsIn(value: unknown): JsonObject | undefined {
  if (!isObject(value)) return undefined;
  return Object.fromEntries(Object.entries(value).filter(([, each]) => typeof each === "string"));
}

function given(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
