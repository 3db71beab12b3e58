/**
 * The configuration: read once, at the start, from the environment and an optional JSON file.
 *
 * The environment wins over the file, an empty variable counts as absent, and a bad configuration
 * stops the start with all of its faults in one CONFIG_INVALID. Unknown keys of the file are faults.
 * Unknown ORDERWRIGHT_* variables are let through, because Kubernetes invents some of its own
 * (ORDERWRIGHT_PORT=tcp://…) for a service of that name.
 */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { z } from "zod";
import { type Account, optionsSchema, type Options, variableOf } from "./config-options.ts";
import { withoutSecrets } from "./config-receiver.ts";
import { encryptionKeyId } from "./core/encryption-keys.ts";
import { EngineError } from "./core/errors.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Read from the working directory when neither --config nor ORDERWRIGHT_CONFIG names a file. */
const DEFAULT_FILE = "orderwright.config.json";

/** Variables that stand for one account, and the account's own names for them. */
const SINGLE_ACCOUNT = {
  apiKey: "OFFERGRID_API_KEY",
  baseUrl: "OFFERGRID_BASE_URL",
  limitPerMinute: "OFFERGRID_LIMIT_PER_MINUTE",
} as const;

/** Where Redis is. */
export type RedisConfig =
  | { readonly kind: "url"; readonly url: string }
  | {
      readonly kind: "embedded";
      /** Absolute. */
      readonly dataDir: string;
      readonly appendfsync: Options["appendfsync"];
      readonly serverPath: string | undefined;
      readonly install: Options["redisInstall"];
    };

/** Which marketplace hears of the items: real accounts, or the built-in imitation. */
export type MarketplaceConfig =
  | { readonly kind: "sandbox" }
  | { readonly kind: "live"; readonly accounts: readonly Account[] };

/** How operators hear of notices: log lines alone, or signed webhooks too. */
export type NoticesConfig =
  | { readonly kind: "log" }
  | {
      readonly kind: "webhook";
      readonly url: string;
      readonly secrets: readonly string[];
      readonly to: Options["noticesTo"];
    };

type Grouped =
  | "redisUrl"
  | "dataDir"
  | "appendfsync"
  | "redisServer"
  | "redisInstall"
  | "accounts"
  | "noticesUrl"
  | "noticesSecrets"
  | "noticesTo";

export type Config = Readonly<Omit<Options, Grouped>> & {
  readonly redis: RedisConfig;
  readonly marketplace: MarketplaceConfig;
  readonly notices: NoticesConfig;
};

/**
 * Reads the configuration; `configPath` is the value of --config, and `defaults` are a command's own,
 * which both the file and the environment override.
 * @throws EngineError CONFIG_INVALID with every fault that was found
 */
export function loadConfig(
  env: Environment,
  configPath?: string,
  defaults: Readonly<Partial<Options>> = {},
): Config {
  const faults: string[] = [];
  const file = readConfigFile(configPath ?? present(env["ORDERWRIGHT_CONFIG"]), faults);
  const values = {
    ...defaults,
    ...file,
    ...readEnvironment(env),
    ...readSingleAccount(env, faults),
  };
  const parsed = optionsSchema.safeParse(withKeysOfFile(values, faults));
  for (const issue of parsed.error?.issues ?? []) faults.push(describeIssue(issue, env));
  faults.push(...repeatedNames(parsed.data?.accounts ?? []), ...unsigned(parsed.data));
  if (!parsed.success || faults.length > 0) throw invalid(faults);
  return grouped(parsed.data);
}

/** What may be printed: the configuration without API keys, secrets and passwords. */
export function redactedConfig(config: Config): Config {
  const { redis, marketplace, notices, autoAccept, encryptionKeys: keys } = config;
  return {
    ...config,
    encryptionKeys: keys?.map((key) => `${encryptionKeyId(key)}:[redacted]`),
    redis: redis.kind === "url" ? { ...redis, url: withoutPassword(redis.url) } : redis,
    marketplace:
      marketplace.kind === "live"
        ? { ...marketplace, accounts: marketplace.accounts.map(withoutKey) }
        : marketplace,
    notices: notices.kind === "webhook" ? withoutSecrets(notices) : notices,
    autoAccept: autoAccept?.map(withoutSecrets),
  };
}

function readConfigFile(path: string | undefined, faults: string[]): Readonly<object> {
  if (path === undefined && !existsSync(DEFAULT_FILE)) return {};
  const name = path ?? DEFAULT_FILE;
  let text: string;
  try {
    text = readFileSync(name, "utf8");
  } catch (error) {
    faults.push(`${name}: cannot be read (${error instanceof Error ? error.message : "unknown"})`);
    return {};
  }
  const value = parseJson(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  faults.push(`${name}: must hold one JSON object`);
  return {};
}

/** The parser's own message is dropped: it quotes the file, and the file may hold an API key. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A path in the place of keys: secrets are often mounted as files. */
function withKeysOfFile(values: Readonly<Record<string, unknown>>, faults: string[]): object {
  const { encryptionKeys: path, ...others } = values;
  if (typeof path !== "string" || !/^[./]/.test(path)) return values;
  try {
    return { ...others, encryptionKeys: readFileSync(path, "utf8") };
  } catch (error) {
    const why = error instanceof Error ? error.message : "unknown";
    faults.push(`ORDERWRIGHT_ENCRYPTION_KEYS: ${path} cannot be read (${why})`);
    return others;
  }
}

function readEnvironment(env: Environment): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const [name, schema] of Object.entries(optionsSchema.shape)) {
    const value = present(env[variableOf(schema)]);
    if (value !== undefined) values[name] = value;
  }
  return values;
}

function readSingleAccount(env: Environment, faults: string[]): Readonly<object> {
  const account: Record<string, string> = { name: "default" };
  for (const [name, variable] of Object.entries(SINGLE_ACCOUNT)) {
    const value = present(env[variable]);
    if (value !== undefined) account[name] = value;
  }
  const used = Object.keys(SINGLE_ACCOUNT).filter((name) => name in account);
  if (used.length === 0) return {};
  if (present(env["OFFERGRID_ACCOUNTS"]) !== undefined) {
    faults.push(
      "OFFERGRID_ACCOUNTS: names the accounts already, so unset the variables of one account",
    );
    return {};
  }
  if (account["apiKey"] !== undefined) return { accounts: [account] };
  faults.push("OFFERGRID_API_KEY: is missing, and the other OFFERGRID_ variables need it");
  return {};
}

function present(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === "" ? undefined : value.trim();
}

function describeIssue(issue: z.core.$ZodIssue, env: Environment): string {
  const [option, ...rest] = issue.path.map(String);
  if (option === undefined) return `the configuration file: ${issue.message}`;
  return `${sourceOf(option, rest, env)}: ${issue.message}`;
}

/** The place where a person corrects the value: its variable when that is set, else the file's key. */
function sourceOf(option: string, rest: readonly string[], env: Environment): string {
  const field = rest[1];
  if (option === "accounts" && present(env[SINGLE_ACCOUNT.apiKey]) !== undefined) {
    const variable = Object.entries(SINGLE_ACCOUNT).find(([name]) => name === field);
    if (variable !== undefined) return variable[1];
  }
  const schema = Object.entries(optionsSchema.shape).find(([name]) => name === option)?.[1];
  const variable = schema && variableOf(schema);
  const isFromEnvironment = variable !== undefined && present(env[variable]) !== undefined;
  return [isFromEnvironment ? variable : option, ...rest].join(".");
}

function repeatedNames(accounts: readonly Account[]): readonly string[] {
  const names = accounts.map(({ name }) => name);
  const repeated = names.filter((name, index) => names.indexOf(name) !== index);
  return repeated.map((name) => `accounts: "${name}" is there more than once`);
}

function unsigned(options: Options | undefined): readonly string[] {
  if (options?.noticesUrl === undefined || options.noticesSecrets !== undefined) return [];
  return [
    "noticesSecrets (ORDERWRIGHT_NOTICES_SECRETS): is missing, and noticesUrl needs it: notices are signed",
  ];
}

function invalid(faults: readonly string[]): EngineError {
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  return new EngineError("CONFIG_INVALID", [`${count} to correct:`, ...faults].join("\n  "));
}

function grouped(options: Options): Config {
  const { redisUrl, dataDir, appendfsync, redisServer, redisInstall, accounts, ...others } =
    options;
  const { noticesUrl: url, noticesSecrets: secrets, noticesTo: to, ...rest } = others;
  const embedded = {
    kind: "embedded",
    dataDir: resolve(dataDir),
    appendfsync,
    serverPath: redisServer,
    install: redisInstall,
  } as const;
  return {
    ...rest,
    redis: redisUrl === undefined ? embedded : { kind: "url", url: redisUrl },
    marketplace: accounts === undefined ? { kind: "sandbox" } : { kind: "live", accounts },
    notices:
      url === undefined || secrets === undefined
        ? { kind: "log" }
        : { kind: "webhook", url, secrets, to },
  };
}

function withoutPassword(url: string): string {
  // Several hosts are no URL that could be parsed.
  if (!URL.canParse(url)) return url.replace(/:[^:@/]*@/, ":redacted@");
  const parsed = new URL(url);
  if (parsed.password !== "") parsed.password = "redacted";
  // ioredis takes options, the password among them, from the query too.
  if (parsed.searchParams.has("password")) parsed.searchParams.set("password", "redacted");
  return parsed.href;
}

function withoutKey(account: Account): Account {
  return { ...account, apiKey: "[redacted]" };
}
