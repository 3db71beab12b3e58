/**
 * The options: each declared once, with its variable, unit, default and when to change it.
 *
 * The shape is that of the JSON file; a variable's text is turned into a number or a JSON value here,
 * so that both sources are checked by one schema. No check repeats a value in its message, because
 * the value may be a secret.
 */
import { z } from "zod";
import { encryptionKeysSchema } from "./core/encryption-keys.ts";
import { autoAcceptSchema } from "./config-auto-accept.ts";
import { receiverSecrets, receiverUrl } from "./config-receiver.ts";

const OFFERGRID_URL = "https://api.offergrid.io";
/** The marketplace's documented burst limit. */
const OFFERGRID_LIMIT_PER_MINUTE = 100;

/** Whom a notice can be for. */
const RECIPIENTS = ["owner", "lead", "customer"] as const;

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const accountSchema = z.strictObject({
  /** What events and journals call the account; also part of Redis keys. */
  name: z.string().regex(/^[\w.-]{1,64}$/, "must be 1 to 64 letters, digits, '.', '_' or '-'"),
  apiKey: z.string().min(1),
  baseUrl: webUrl().default(OFFERGRID_URL),
  /** Requests a minute for this key, all processes together; null for a marketplace without limit. */
  limitPerMinute: z
    .preprocess(limitFromText, z.int().min(1).max(1_000_000).nullable())
    .default(OFFERGRID_LIMIT_PER_MINUTE),
  /** "every" status is pushed in order; "latest" skips the ones that a later one made obsolete. */
  policy: z.enum(["every", "latest"]).default("every"),
});

/** One team at the marketplace: its key, its limit. */
export type Account = z.output<typeof accountSchema>;

export const optionsSchema = z.strictObject({
  redisUrl: option(
    "REDIS_URL",
    z
      .union([z.url({ protocol: /^rediss?$/ }), z.string().regex(/^redis\+sentinel:\/\//)], {
        error: "must be a redis:// or rediss:// URL, or redis+sentinel://host:port,host:port/name",
      })
      .optional(),
    "Redis or Valkey to use; behind Sentinels redis+sentinel://host:26379,host:26379/<name of the master>. Default: none, and a redis-server of our own is started in dataDir. Set it in production, and whenever more than one machine works on the same items.",
  ),
  dataDir: option(
    "ORDERWRIGHT_DATA_DIR",
    z.string().min(1).default(".orderwright/redis"),
    "Folder for the embedded Redis' files. Put it on a disk that survives a restart.",
  ),
  appendfsync: option(
    "ORDERWRIGHT_APPENDFSYNC",
    z.enum(["everysec", "always", "no"]).default("everysec"),
    "When the embedded Redis flushes to disk. A power cut loses up to 1 s with everysec and nothing with always, which costs speed; 'no' leaves it to the operating system.",
  ),
  redisServer: option(
    "ORDERWRIGHT_REDIS_SERVER",
    z.string().min(1).optional(),
    "Path of the redis-server or valkey-server to embed. Default: searched in PATH and the usual folders.",
  ),
  redisInstall: option(
    "ORDERWRIGHT_REDIS_INSTALL",
    z.enum(["auto", "never"]).default("auto"),
    "Whether a missing redis-server may be installed with the system's package manager. Set never where machines must not change themselves.",
  ),
  keyPrefix: option(
    "ORDERWRIGHT_KEY_PREFIX",
    z
      .string()
      .regex(/^[\w-]{1,32}$/, "must be 1 to 32 letters, digits, '_' or '-'")
      .default("ow"),
    "Beginning of every key in Redis. Change it to keep two installations apart in one Redis.",
  ),
  shards: option(
    "ORDERWRIGHT_SHARDS",
    integer(1, 1024).default(8),
    "Hash slots that the items are spread over. Fixed for the life of the data. Raise it before the first start on a Redis Cluster: at least the number of masters.",
  ),
  queuePrefix: option(
    "ORDERWRIGHT_QUEUE_PREFIX",
    z
      .string()
      .regex(/^[\w{}.-]{1,64}$/, "must be 1 to 64 letters, digits or '_{}.-'")
      .default("bull"),
    "BullMQ's key prefix. The default is BullMQ's own, so that plain producers find the queue; on a Redis Cluster use a hash tag: {bull}.",
  ),
  accounts: option(
    "OFFERGRID_ACCOUNTS",
    z.preprocess(jsonFromText, z.array(accountSchema).min(1).max(1000)).optional(),
    "Marketplace accounts: a JSON list of {name, apiKey, baseUrl, limitPerMinute, policy}. For one account OFFERGRID_API_KEY, OFFERGRID_BASE_URL and OFFERGRID_LIMIT_PER_MINUTE are enough; with no key at all the built-in sandbox marketplace is used.",
  ),
  httpHost: option(
    "ORDERWRIGHT_HTTP_HOST",
    z
      .string()
      .regex(
        /^(?:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)$/,
        "must be an address or a name of this machine: 127.0.0.1, 0.0.0.0, ::1, localhost",
      )
      .default("127.0.0.1"),
    "Address that the HTTP API listens on. For other machines take 0.0.0.0 or one of this machine's: they need an API key, also while none was made. Put TLS in front.",
  ),
  httpPort: option(
    "ORDERWRIGHT_HTTP_PORT",
    integer(0, 65_535).default(3100),
    "Port that the HTTP API listens on. 0 takes any that is free.",
  ),
  intakeTimeoutMs: option(
    "ORDERWRIGHT_INTAKE_TIMEOUT_MS",
    integer(50, MINUTE_MS).default(2 * SECOND_MS),
    "Milliseconds until an HTTP client is told that the queue cannot be reached. Keep it below the client's own limit.",
  ),
  intakeMaxInFlight: option(
    "ORDERWRIGHT_INTAKE_MAX_IN_FLIGHT",
    integer(1, 100_000).default(1000),
    "HTTP requests with events that one process works on at a time; more are sent away with 503. Less saves memory.",
  ),
  webhooksFile: option(
    "ORDERWRIGHT_WEBHOOKS_FILE",
    z.string().min(1).optional(),
    "JSON file that says which webhooks are taken at /webhooks/<name>, see webhooks.md. Default: orderwright.webhooks.json where it is in the working directory, else the webhooks for which the environment has a secret (ORDERWRIGHT_EVENTS_SECRET, OFFERGRID_WEBHOOK_SECRET).",
  ),
  pushTimeoutMs: option(
    "ORDERWRIGHT_PUSH_TIMEOUT_MS",
    integer(100, 5 * MINUTE_MS).default(10 * SECOND_MS),
    "Milliseconds until a request to the marketplace counts as unanswered; it is then checked by a read before it is sent again. Raise it for a slow marketplace.",
  ),
  noticesUrl: option(
    "ORDERWRIGHT_NOTICES_URL",
    receiverUrl().optional(),
    "Where notices to operators are sent as signed webhooks, Slack's incoming webhooks among them. Default: none, and they are log lines alone. Set it where people are to hear of a missed deadline. Treated as a secret.",
  ),
  noticesSecrets: option(
    "ORDERWRIGHT_NOTICES_SECRETS",
    z.preprocess(listFromText, receiverSecrets()).optional(),
    "What notices are signed with: whsec_ and 24 to 64 bytes as base64, needed with noticesUrl. Two of them, the new one first, both sign: keep two until the receiver knows the new one.",
  ),
  noticesTo: option(
    "ORDERWRIGHT_NOTICES_TO",
    z.preprocess(listFromText, z.array(z.enum(RECIPIENTS)).min(1)).default([...RECIPIENTS]),
    "For whom a notice must be to be sent to noticesUrl: of owner, lead, customer. Default: all. Leave out whom the receiver has no business with; those notices are log lines alone.",
  ),
  eventConcurrency: option(
    "ORDERWRIGHT_EVENT_CONCURRENCY",
    integer(1, 4096).default(64),
    "Jobs of events that one process works on at a time. More fills bigger commits; less saves memory.",
  ),
  pushConcurrency: option(
    "ORDERWRIGHT_PUSH_CONCURRENCY",
    integer(1, 4096).default(64),
    "Pushes of one account in flight at a time in one process. Raise it with the latency of the marketplace.",
  ),
  autoAccept: option(
    "ORDERWRIGHT_AUTO_ACCEPT",
    z.preprocess(jsonFromText, autoAcceptSchema).optional(),
    "Who is asked whether a new item can be served, by account: a JSON list of {account, url, secrets, timeoutMs, accepted, rejected}, see auto-accept.md. Default: nobody, and people answer. Addresses and secrets are treated as secrets.",
  ),
  parkedForMs: option(
    "ORDERWRIGHT_PARKED_FOR_MS",
    integer(SECOND_MS, 30 * DAY_MS).default(15 * MINUTE_MS),
    "Milliseconds that an early event waits for the ones before it; then it becomes a dead letter. Raise it when sources deliver with long delays.",
  ),
  unknownItemForMs: option(
    "ORDERWRIGHT_UNKNOWN_ITEM_FOR_MS",
    integer(SECOND_MS, 30 * DAY_MS).default(24 * HOUR_MS),
    "Milliseconds that an event for an item nobody has announced waits for the item's first event.",
  ),
  parkedMax: option(
    "ORDERWRIGHT_PARKED_MAX",
    integer(1, 1000).default(50),
    "Events that may wait in one item at a time.",
  ),
  journalMax: option(
    "ORDERWRIGHT_JOURNAL_MAX",
    integer(100, 1_000_000).default(10_000),
    "Journal entries of one item, after which it takes no more events: a loop between systems ends here.",
  ),
  dedupeForMs: option(
    "ORDERWRIGHT_DEDUPE_FOR_MS",
    integer(7 * DAY_MS, 365 * DAY_MS).default(7 * DAY_MS),
    "Milliseconds that an event's identity is remembered: at least 7 days, longer when a source redelivers later than that. Costs about 100 bytes an event for as long.",
  ),
  crashLimit: option(
    "ORDERWRIGHT_CRASH_LIMIT",
    integer(1, 100).default(5),
    "Times that a job may take its worker down before it becomes a dead letter.",
  ),
  sweepIntervalMs: option(
    "ORDERWRIGHT_SWEEP_INTERVAL_MS",
    integer(50, MINUTE_MS).default(SECOND_MS),
    "Milliseconds between looks for due timers: no timer is later than this. Raise it to save Redis work.",
  ),
  pollIntervalMs: option(
    "ORDERWRIGHT_POLL_INTERVAL_MS",
    integer(0, DAY_MS).default(MINUTE_MS),
    "Milliseconds between looks for new orders in the marketplace's list, for each account: two requests a look, ten at most. 0 turns it off, where its webhooks are enough for you.",
  ),
  driftIntervalMs: option(
    "ORDERWRIGHT_DRIFT_INTERVAL_MS",
    integer(0, 7 * DAY_MS).default(15 * MINUTE_MS),
    "Milliseconds between comparisons of all that is open with what the marketplace shows, for each account: a request for each 100 open items, seven at least, and one for each difference. 0 turns it off.",
  ),
  driftGraceMs: option(
    "ORDERWRIGHT_DRIFT_GRACE_MS",
    integer(0, DAY_MS).default(2 * MINUTE_MS),
    "Milliseconds for which an item to which something happened is not compared. Raise it when the marketplace shows late what it was told.",
  ),
  leaseMs: option(
    "ORDERWRIGHT_LEASE_MS",
    integer(SECOND_MS, 10 * MINUTE_MS).default(6 * SECOND_MS),
    "Milliseconds after which work held by a process that died is taken over. Raise it when processes pause for longer, on crowded machines say.",
  ),
  shutdownTimeoutMs: option(
    "ORDERWRIGHT_SHUTDOWN_TIMEOUT_MS",
    integer(SECOND_MS, 10 * MINUTE_MS).default(20 * SECOND_MS),
    "Milliseconds to finish work in hand after SIGTERM. Keep it above pushTimeoutMs and below the grace period of whatever stops the process.",
  ),
  encryptionKeys: option(
    "ORDERWRIGHT_ENCRYPTION_KEYS",
    z.preprocess(listFromText, encryptionKeysSchema).optional(),
    "Keys that what Redis holds of items is sealed with: <id>:<32 bytes as base64>, or the path of a file with them, separated by commas or lines. The first one seals, all of them open. Default: none, and texts are plain. Set it where whoever reads Redis or its backups must not read about customers; every process needs all keys.",
  ),
  orderItem: option(
    "ORDERWRIGHT_ORDER_ITEM",
    z.preprocess(jsonFromText, z.record(z.string(), z.unknown())).default({}),
    "Options of the order-item machine (its fulfilment profile and so on), a JSON object that the machine itself checks.",
  ),
  logLevel: option(
    "ORDERWRIGHT_LOG_LEVEL",
    z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
    "Least severe log line that is written. debug tells of every event.",
  ),
});

export type Options = z.output<typeof optionsSchema>;

/** Every option with its variable and advice, for the reference in the documentation. */
export function configReference(): readonly {
  readonly name: string;
  readonly variable: string;
  readonly advice: string;
}[] {
  return Object.entries(optionsSchema.shape).map(([name, schema]) => ({
    name,
    variable: variableOf(schema),
    advice: schema.description ?? "",
  }));
}

export function variableOf(schema: z.ZodType): string {
  return String(schema.meta()?.["env"]);
}

function option<Schema extends z.ZodType>(
  env: string,
  schema: Schema,
  description: string,
): Schema {
  return schema.meta({ env, description });
}

function integer(min: number, max: number) {
  return z.preprocess(numberFromText, z.int().min(min).max(max));
}

function webUrl() {
  return z
    .url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" })
    .transform((url) => url.replace(/\/+$/, ""));
}

/** Variables hold lists with spaces or commas between. */
function listFromText(value: unknown): unknown {
  return typeof value === "string" ? value.split(/[\s,]+/).filter((each) => each !== "") : value;
}

function numberFromText(value: unknown): unknown {
  return typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
}

function limitFromText(value: unknown): unknown {
  return value === "unlimited" ? null : numberFromText(value);
}

/** The parser's own message is dropped: it quotes the text, and the text may hold an API key. */
function jsonFromText(value: unknown, context: z.core.$RefinementCtx): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    context.addIssue({ code: "custom", message: "is not valid JSON" });
    return z.NEVER;
  }
}
