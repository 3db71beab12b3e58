/**
 * CloudEvents over HTTP: structured, binary and batched. Pure.
 * Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
 *
 * Plain JSON without `ce-` headers is read as structured, a list as a batch: many senders of signed
 * webhooks cannot choose their content type.
 */
import { z } from "zod";
import {
  type Adapter,
  batchFault,
  type Delivery,
  headerOf,
  type Headers,
  type Part,
  sorted,
  type Translation,
} from "./adapter.ts";
import { authenticationSchema, authenticityFault, isHeaderProven } from "./authentication.ts";
import { isObject, malformed, readJsonBody } from "./json-body.ts";

export const cloudEventsSchema = z.strictObject({
  kind: z.literal("cloudevents"),
  authentication: authenticationSchema,
  /** The only provider account that this sender may speak for. */
  account: z.string().min(1).max(256).optional(),
});

export type CloudEventsConfig = z.output<typeof cloudEventsSchema>;

export function cloudEventsAdapter(config: CloudEventsConfig): Adapter {
  return {
    authenticate: (delivery) => authenticityFault(config.authentication, delivery),
    translate: (delivery) => translate(config, delivery),
  };
}

const UNPROVEN =
  "The event's attributes are in headers, and the signature is of the body alone, so anybody may have written them. Have its sender send it as one JSON document (structured mode).";

function translate(
  { account, authentication }: CloudEventsConfig,
  delivery: Delivery,
): Translation {
  const { headers, nowMs } = delivery;
  const type = (headerOf(headers, "content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const isCloudEvents = type.startsWith("application/cloudevents");
  if (isCloudEvents && !/^application\/cloudevents(-batch)?(\+json)?$/.test(type)) {
    const message = `The body is in the event format "${type.slice(0, 80)}", and only JSON is read.`;
    return malformed({ code: "EVENT_NOT_JSON", message }, null);
  }
  if (!isCloudEvents && headerOf(headers, "ce-specversion") !== undefined) {
    if (!isHeaderProven(authentication, "ce-type")) {
      return malformed({ code: "EVENT_INVALID", message: UNPROVEN }, headersKept(headers));
    }
    return sorted([accounted(binaryEvent(delivery, type), account)], nowMs);
  }
  const body = readJsonBody(delivery.rawBody);
  if (body.outcome === "malformed") return body;
  return structured(body.value, { isBatch: type.includes("-batch"), account, nowMs });
}

interface Structured {
  readonly isBatch: boolean;
  readonly account: string | undefined;
  readonly nowMs: number;
}

function structured(value: unknown, { isBatch, account, nowMs }: Structured): Translation {
  if (isBatch && !Array.isArray(value)) {
    const message = "The content type says that the body is a batch, and it is no JSON array.";
    return malformed({ code: "EVENT_INVALID", message }, value);
  }
  const elements: readonly unknown[] = Array.isArray(value) ? value : [value];
  const fault = batchFault(elements);
  if (fault !== undefined) return { outcome: "malformed", ...fault };
  if (elements.length === 0) {
    return { outcome: "ignored", ignored: [{ reason: "empty", detail: "The batch is empty." }] };
  }
  const parts = elements.map((each) => accounted({ kind: "candidate", value: each }, account));
  return sorted(parts, nowMs);
}

/** The sender speaks for its own account, said or not, and for no other. */
function accounted(part: Part, account: string | undefined): Part {
  if (account === undefined || part.kind !== "candidate" || !isObject(part.value)) return part;
  const said = part.value["account"];
  if (said === undefined || said === account) {
    return { kind: "candidate", value: { ...part.value, account } };
  }
  const message = `The event speaks for another account than "${account}", the only one that this sender may speak for.`;
  return {
    kind: "malformed",
    problem: { code: "EVENT_SUBJECT_FOREIGN", message },
    data: part.value,
  };
}

/** What an event has; other extensions would be dropped at the border anyway. `redrive` is ours alone. */
const ATTRIBUTES = [
  "specversion",
  "id",
  "source",
  "type",
  "subject",
  "time",
  "sequence",
  "sequencetype",
  "account",
];

function binaryEvent({ headers, rawBody }: Delivery, contentType: string): Part {
  const attributes = attributesIn(headers);
  if ("fault" in attributes) return faulty(attributes.fault, headersKept(headers));
  const { found } = attributes;
  if (rawBody.length === 0) return { kind: "candidate", value: found };
  if (contentType !== "" && !/^(application\/json|.*\+json|text\/json)$/.test(contentType)) {
    const message = `The data is "${contentType.slice(0, 80)}", and only a JSON object is taken.`;
    return faulty(message, found);
  }
  const body = readJsonBody(rawBody);
  if (body.outcome === "malformed") return { ...body, kind: "malformed" };
  return { kind: "candidate", value: { ...found, data: body.value } };
}

type Attributes = { readonly found: Readonly<Record<string, string>> } | { readonly fault: string };

function attributesIn(headers: Headers): Attributes {
  if (Object.hasOwn(headers, "ce-datacontenttype")) {
    return { fault: "The header ce-datacontenttype must not be there: content-type says it." };
  }
  const found: Record<string, string> = {};
  for (const name of ATTRIBUTES) {
    if (!Object.hasOwn(headers, `ce-${name}`)) continue;
    const value = decodedHeader(headerOf(headers, `ce-${name}`));
    if (value === undefined) {
      return { fault: `The header ce-${name} is no percent-encoded UTF-8, or is there twice.` };
    }
    found[name] = value;
  }
  const contentType = headerOf(headers, "content-type");
  if (contentType !== undefined) found["datacontenttype"] = contentType;
  return { found };
}

/** First what older senders quoted, then one round of percent-decoding; never a second. */
export function decodedHeader(value: string | undefined): string | undefined {
  if (value === undefined || /[^\x20-\x7e]/.test(value)) return undefined;
  const [, quoted] = /^"((?:[^"\\]|\\.)*)"$/.exec(value.trim()) ?? [];
  const bare = quoted === undefined ? value.trim() : quoted.replaceAll(/\\(.)/g, "$1");
  try {
    return decodeURIComponent(bare);
  } catch {
    return undefined;
  }
}

function headersKept(headers: Headers): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("ce-")));
}

function faulty(message: string, data: unknown): Part {
  return { kind: "malformed", problem: { code: "EVENT_INVALID", message }, data };
}
