/**
 * The switchboard of the sandbox: one zod schema holds every option with its unit and default.
 * The marketplace leaves much undocumented (a repeated status, transition checks, paging, webhook
 * retries, which signature scheme is live), so each open question is a switch, and a client that
 * works under every position works whatever the live API turns out to do.
 */
import { z } from "zod";
import { EngineError } from "../../core/errors.ts";
import { ITEM_STATUSES } from "../status-update.ts";

/** Longest wait that any option may ask for, in ms: a sandbox must not look hung for ever. */
const WAIT_MAX_MS = 600_000;

const waitMs = z.number().nonnegative().max(WAIT_MAX_MS);
const name = z.string().min(1).max(128);
const retryAfterIn = z.enum(["body", "header", "both"]);

const faultRuleSchema = z.strictObject({
  /** `…-before` leaves the item as it was, `…-after` changes it first. `slow` and `malformed` also
   * change it. `cancel-race`: the reseller's cancel lands just before the PATCH. */
  kind: z.enum([
    "429",
    "500-before",
    "500-after",
    "slow",
    "reset-before",
    "reset-after",
    "404",
    "401",
    "403",
    "malformed",
    "cancel-race",
  ]),
  /** Which provider requests the rule concerns; an absent field matches all. `method` is PATCH
   * unless said, because faults are mostly about pushes. */
  match: z
    .strictObject({
      itemId: name.optional(),
      status: z.enum(ITEM_STATUSES).optional(),
      method: z.enum(["PATCH", "GET", "any"]).optional(),
    })
    .optional(),
  /** How often the rule fires; without it, for ever. */
  times: z.int().positive().optional(),
  /** Chance of firing per matching request, 0 to 1, drawn from the seeded generator. */
  probability: z.number().min(0).max(1).optional(),
  /** Wait of a `slow` answer, in ms. Default 15,000: beyond the 10 s that the docs tell clients to wait. */
  delayMs: waitMs.optional(),
  /** Hint of a `429`, in seconds. Default 1. */
  retryAfter: z.number().nonnegative().optional(),
  /** Where a `429` puts its hint. Default: as the behaviour says. */
  retryAfterIn: retryAfterIn.optional(),
});

const webhookSchema = z.strictObject({ url: z.url(), secret: z.string().min(1) });

const behaviourSchema = z.strictObject({
  /** A PATCH of the status that the item has: taken as an update, refused with 409, or answered 200
   * without any effect. */
  sameStatusPatch: z.enum(["accept", "refuse409", "ignore"]).default("accept"),
  transitionChecks: z.enum(["none", "seed", "extended"]).default("none"),
  /** What a step refused by `transitionChecks` is answered with. */
  illegalTransitionStatus: z.union([z.literal(400), z.literal(409), z.literal(422)]).default(409),
  /** Until when a reseller may cancel: the API reference and the cancellations page differ. */
  cancelWindow: z.enum(["pre-acceptance", "until-completed"]).default("pre-acceptance"),
  /** The platform moves new items to submitted_to_provider after this long (live: about 5,000 ms);
   * null leaves them pending. */
  autoSubmitMs: waitMs.nullable().default(null),
  /** Body keys of a PATCH that UpdateItemStatusDto does not know. */
  unknownKeys: z.enum(["refuse", "ignore"]).default("refuse"),
  /** What a provider sees of an item: the documented fields, or also the last notes, appointment and
   * change time. */
  itemView: z.enum(["documented", "extended"]).default("extended"),
  /** Read or PATCH of an id that nobody ordered: 404, or the item comes into being as pending. */
  adoptUnknownItems: z.boolean().default(false),
  /** Shape of lists: a bare array, `?page=&limit=`, or `?cursor=&limit=`. */
  listPaging: z.enum(["none", "page", "cursor"]).default("none"),
  /** Requests per key and window (live: 100); null turns limits off. */
  limitPerMinute: z.int().positive().nullable().default(null),
  /** Length of the limit's window, in ms. Shorter windows are for tests that wait one out. */
  limitWindowMs: z.int().positive().max(WAIT_MAX_MS).default(60_000),
  /** `fixed`: the clock minute. `sliding`: the last minute before the request. */
  limitStyle: z.enum(["fixed", "sliding"]).default("fixed"),
  /** Where a 429 puts its hint; the docs show the body only. */
  retryAfterIn: retryAfterIn.default("body"),
  envelope: z.enum(["nested", "flat"]).default("nested"),
  /** `timestamped`: HMAC of `${timestamp}.${payload}`. `plain`: of the payload, no timestamp header. */
  signature: z.enum(["timestamped", "plain"]).default("timestamped"),
  /** Where events go for teams without an endpoint of their own; null sends none. */
  webhook: webhookSchema.nullable().default(null),
  /** Waits before each further attempt of a webhook, in ms. */
  webhookRetriesMs: z.array(waitMs).max(20).default([1_000, 5_000, 30_000]),
  /** How long a receiver may take, in ms. */
  webhookTimeoutMs: z.int().positive().max(WAIT_MAX_MS).default(5_000),
  /** How often each event is delivered: 2 makes every webhook a duplicate. */
  webhookCopies: z.int().min(1).max(10).default(1),
  /** Tried in order; the first rule that matches and fires wins. */
  faults: z.array(faultRuleSchema).max(1_000).default([]),
});

const apiKey = z.string().min(1).max(256);

const teamSchema = z.strictObject({
  id: name,
  role: z.enum(["provider", "reseller", "hybrid"]),
  /** Value of the x-api-key header. */
  key: apiKey,
  /** Further keys of the same team. */
  extraKeys: z.array(apiKey).max(100).optional(),
  webhook: webhookSchema.optional(),
});

const offerSchema = z.strictObject({ id: name, name, account: name });

const optionsSchema = z
  .strictObject({
    ...behaviourSchema.shape,
    /** Address to listen on. Others than 127.0.0.1 let the network in. */
    host: name.default("127.0.0.1"),
    /** 0 takes a free port. */
    port: z.int().min(0).max(65_535).default(0),
    teams: z
      .array(teamSchema)
      .min(1)
      .default([
        {
          id: "team-provider",
          role: "provider",
          key: "sandbox-provider-key",
          extraKeys: ["sandbox"],
        },
        { id: "team-reseller", role: "reseller", key: "sandbox-reseller-key" },
      ]),
    /** What can be ordered, and from which provider team. */
    offers: z.array(offerSchema).default([
      { id: "off-internet-1000", name: "Internet 1000 Mbps", account: "team-provider" },
      { id: "off-home-insurance", name: "Home insurance", account: "team-provider" },
    ]),
    /** Entries of the request log that are kept; the oldest go first. */
    logLimit: z.int().positive().default(200_000),
    /** Items that fit; further orders are answered 503. */
    itemLimit: z.int().positive().default(1_000_000),
    /** Seed of the generator that faults draw from. */
    seed: z.int().default(1),
  })
  .superRefine((options, context) => {
    const values = {
      id: options.teams.map(({ id }) => id),
      key: options.teams.flatMap(keysOf),
    };
    for (const [field, all] of Object.entries(values)) {
      if (new Set(all).size === all.length) continue;
      context.addIssue({
        code: "custom",
        path: ["teams"],
        message: `two teams share one ${field}`,
      });
    }
  });

export type FaultRule = z.infer<typeof faultRuleSchema>;
export type WebhookTarget = z.infer<typeof webhookSchema>;
export type Team = z.infer<typeof teamSchema>;

export function keysOf({ key, extraKeys = [] }: Team): readonly string[] {
  return [key, ...extraKeys];
}

/** Its fields are writable on purpose: a test turns a switch by assigning to it. */
export type SandboxBehaviour = z.infer<typeof behaviourSchema>;
export type SandboxOptions = z.infer<typeof optionsSchema>;

export type BehaviourChange =
  | { readonly outcome: "changed" }
  | { readonly outcome: "invalid"; readonly message: string };

/** @throws EngineError CONFIG_INVALID, naming every faulty option. */
export function parseOptions(options: Partial<SandboxOptions>): SandboxOptions {
  const parsed = optionsSchema.safeParse(options);
  if (parsed.success) return parsed.data;
  throw new EngineError("CONFIG_INVALID", `Sandbox options: ${issueText(parsed.error)}`);
}

/** The switches among the options, as an object of their own. */
export function behaviourOf(options: SandboxOptions): SandboxBehaviour {
  const own = Object.entries(options).filter(([key]) => key in behaviourSchema.shape);
  return behaviourSchema.parse(Object.fromEntries(own));
}

/** Turns the switches that `change` names and leaves the rest, in place: holders of the object see
 * it. Only named keys are written, so that fault rules that go on keep their count of firings. */
export function changeBehaviour(behaviour: SandboxBehaviour, change: unknown): BehaviourChange {
  if (typeof change !== "object" || change === null || Array.isArray(change)) {
    return { outcome: "invalid", message: "Expected an object of switches." };
  }
  const parsed = behaviourSchema.safeParse({ ...behaviour, ...change });
  if (!parsed.success) return { outcome: "invalid", message: issueText(parsed.error) };
  const named = Object.entries(parsed.data).filter(([key]) => key in change);
  Object.assign(behaviour, Object.fromEntries(named));
  return { outcome: "changed" };
}

/** All issues in one line: `faults[0].kind: Invalid option …; port: …`. */
export function issueText(error: z.ZodError): string {
  return error.issues.map((issue) => `${issuePath(issue.path)}: ${issue.message}`).join("; ");
}

/** A path as the marketplace writes it: `items[0].offerId`. */
export function issuePath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? String(part) : `${text}.${String(part)}`;
  }, "");
}
