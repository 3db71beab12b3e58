/**
 * The mapping file: which webhooks are taken, from whom, and what they mean. One adapter per source, by
 * the name under which it is called.
 *
 * A secret is written as it is, or as `{"env": "NAME"}`, so that the file can be kept with the code. No
 * fault repeats a value, because the value may be a secret.
 */
import { z } from "zod";
import { EngineError } from "../core/errors.ts";
import type { Adapter } from "./adapter.ts";
import { cloudEventsAdapter, cloudEventsSchema } from "./cloudevents.ts";
import { hubspotAdapter, hubspotSchema } from "./hubspot.ts";
import { mappingAdapter, mappingSchema } from "./mapping.ts";
import { marketplaceAdapter, marketplaceSchema, type VerifyMarketplace } from "./marketplace.ts";

/** Read from the working directory when nobody names another. */
export const WEBHOOKS_FILE = "orderwright.webhooks.json";

/** A file has as many faults as somebody has patience to read of. */
const FAULTS_MAX = 50;

const sourceSchema = z.discriminatedUnion(
  "kind",
  [cloudEventsSchema, hubspotSchema, marketplaceSchema, mappingSchema],
  { error: 'must be "cloudevents", "hubspot", "offergrid" or "json"' },
);

const webhooksSchema = z.strictObject({
  /** By name: the last part of the address that the sender calls. */
  sources: z.record(
    z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be of lower-case letters, digits and '-'"),
    sourceSchema,
  ),
});

export type Webhooks = z.output<typeof webhooksSchema>;
type Source = Webhooks["sources"][string];

export interface MappingFile {
  readonly text: string;
  /** Names it in messages. */
  readonly from: string;
  /** Where `{"env": "NAME"}` is looked up. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @throws EngineError CONFIG_INVALID with every fault under its path */
export function readWebhooks({ text, from, env }: MappingFile): Webhooks {
  const faults: string[] = [];
  const parsed = webhooksSchema.safeParse(withSecrets(parseJson(text, from), { env, faults }, []));
  for (const { path, message } of parsed.error?.issues ?? []) {
    const place = path.map(String).join(".") || "the file";
    // A secret that is missing from the environment is not of the wrong form as well.
    if (!faults.some((fault) => fault.startsWith(`${place}: `)))
      faults.push(`${place}: ${message}`);
  }
  if (!parsed.success || faults.length > 0) throw invalid(from, faults);
  return parsed.data;
}

/**
 * What is taken without a file: sources that need nothing but a secret, each for as long as the environment
 * has its variable. While a secret is replaced, `<variable>_PREVIOUS` holds the old one.
 * @throws EngineError CONFIG_INVALID with every fault under its path
 */
export function webhooksBySecret(env: MappingFile["env"]): Webhooks {
  const sources = Object.entries(BY_SECRET).flatMap(([name, { variable, sourceOf }]) => {
    const named = [variable, `${variable}_PREVIOUS`].filter((each) => isSet(env[each]));
    return named.length === 0 ? [] : [[name, sourceOf(named.map((each) => ({ env: each })))]];
  });
  const variables = Object.values(BY_SECRET).map(({ variable }) => variable);
  const text = JSON.stringify({ sources: Object.fromEntries(sources) as object });
  return readWebhooks({ text, from: `The environment (${variables.join(", ")})`, env });
}

/** HubSpot is not here: its signature needs to know our address, and its changes need rules. */
const BY_SECRET = {
  events: {
    variable: "ORDERWRIGHT_EVENTS_SECRET",
    sourceOf: (secrets: readonly object[]): object => ({
      kind: "cloudevents",
      authentication: { kind: "standard-webhooks", secrets },
    }),
  },
  offergrid: {
    variable: "OFFERGRID_WEBHOOK_SECRET",
    sourceOf: (secrets: readonly object[]): object => ({ kind: "offergrid", secrets }),
  },
} as const;

function isSet(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== "";
}

/** Adapters by name. `verifyOffergrid`: how the marketplace's signature is verified. */
export function adaptersOf(
  { sources }: Webhooks,
  { verifyOffergrid }: { readonly verifyOffergrid: VerifyMarketplace },
): ReadonlyMap<string, Adapter> {
  return new Map(
    Object.entries(sources).map(([name, source]) => [name, adapterOf(source, verifyOffergrid)]),
  );
}

function adapterOf(source: Source, verifyOffergrid: VerifyMarketplace): Adapter {
  switch (source.kind) {
    case "cloudevents":
      return cloudEventsAdapter(source);
    case "hubspot":
      return hubspotAdapter(source);
    case "offergrid":
      return marketplaceAdapter(source, verifyOffergrid);
    case "json":
      return mappingAdapter(source);
  }
}

/** Event types that no machine takes: probably typing errors. `known`: those that are taken. */
export function typeHints({ sources }: Webhooks, known: readonly string[]): readonly string[] {
  return Object.entries(sources).flatMap(([name, source]) =>
    typesOf(source).flatMap(({ path, type }) =>
      known.includes(type)
        ? []
        : [
            `sources.${name}.${path}: no machine of this installation takes an event "${type}". It takes ${known.join(", ")}.`,
          ],
    ),
  );
}

function typesOf(source: Source): readonly { readonly path: string; readonly type: string }[] {
  if (source.kind === "cloudevents" || source.kind === "offergrid") return [];
  return source.events.flatMap(({ type }, index) => {
    const path = `events.${index}.type`;
    if (typeof type === "string") return [{ path, type }];
    return Object.entries(type.table).map(([value, each]) => ({
      path: `${path}.table.${value}`,
      type: each,
    }));
  });
}

interface Lookup {
  readonly env: MappingFile["env"];
  readonly faults: string[];
}

/** Fields in which a text may come from the environment. */
const SECRET_FIELDS = ["secrets", "clientSecrets", "tokenHashes"];

/** Levels of a mapping file, with some to spare: what is deeper is no mapping file, and is told so. */
const LEVELS_MAX = 12;

function withSecrets(value: unknown, lookup: Lookup, path: readonly string[]): unknown {
  if (typeof value !== "object" || value === null || path.length > LEVELS_MAX) return value;
  if (Array.isArray(value)) {
    const isSecret = SECRET_FIELDS.includes(path.at(-1) ?? "");
    return value.map((each: unknown, index) => {
      const at = [...path, String(index)];
      return isSecret ? secretOf(each, lookup, at) : withSecrets(each, lookup, at);
    });
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, withSecrets(each, lookup, [...path, key])]),
  );
}

function secretOf(value: unknown, { env, faults }: Lookup, path: readonly string[]): unknown {
  const named = z.strictObject({ env: z.string().min(1) }).safeParse(value);
  if (!named.success) return value;
  const name = named.data.env;
  const secret = Object.hasOwn(env, name) ? env[name]?.trim() : undefined;
  if (secret === undefined || secret === "") {
    faults.push(`${path.join(".")}: the environment has no ${name}`);
  }
  return secret;
}

/** The parser's own message is dropped: it quotes the file, and the file may hold a secret. */
function parseJson(text: string, from: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(from, ["the file: is not JSON"]);
  }
}

function invalid(from: string, faults: readonly string[]): EngineError {
  const shown = faults.slice(0, FAULTS_MAX);
  const more = faults.length > shown.length ? [`and ${faults.length - shown.length} more`] : [];
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  return new EngineError(
    "CONFIG_INVALID",
    [`${from} has ${count} to correct:`, ...shown, ...more].join("\n  "),
  );
}
