import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loadConfig, redactedConfig, type Environment } from "../../src/config.ts";
import { configReference } from "../../src/config-options.ts";
import { EngineError } from "../../src/core/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "orderwright-config-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function configFile(content: unknown): string {
  const path = join(folder, "config.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

function faultOf(env: Environment, path?: string): string {
  try {
    loadConfig(env, path);
  } catch (error) {
    if (error instanceof EngineError && error.code === "CONFIG_INVALID") return error.message;
    throw error;
  }
  return expect.fail("the configuration was taken");
}

describe("an empty environment", () => {
  test("gives an embedded Redis, the sandbox marketplace and every default", () => {
    expect(loadConfig({})).toEqual({
      redis: {
        kind: "embedded",
        dataDir: resolve(".orderwright/redis"),
        appendfsync: "everysec",
        serverPath: undefined,
        install: "auto",
      },
      marketplace: { kind: "sandbox" },
      notices: { kind: "log" },
      keyPrefix: "ow",
      shards: 8,
      queuePrefix: "bull",
      httpHost: "127.0.0.1",
      httpPort: 3100,
      intakeTimeoutMs: 2000,
      intakeMaxInFlight: 1000,
      pushTimeoutMs: 10_000,
      eventConcurrency: 64,
      pushConcurrency: 64,
      parkedForMs: 900_000,
      unknownItemForMs: 86_400_000,
      parkedMax: 50,
      journalMax: 10_000,
      dedupeForMs: 604_800_000,
      crashLimit: 5,
      sweepIntervalMs: 1000,
      pollIntervalMs: 60_000,
      driftIntervalMs: 900_000,
      driftGraceMs: 120_000,
      leaseMs: 6000,
      shutdownTimeoutMs: 20_000,
      orderItem: {},
      logLevel: "info",
    });
  });

  test("is what variables that are set to nothing amount to", () => {
    expect(loadConfig({ REDIS_URL: "", OFFERGRID_API_KEY: " ", ORDERWRIGHT_SHARDS: "" })).toEqual(
      loadConfig({}),
    );
  });
});

describe("marketplace accounts", () => {
  test("one API key makes one account named default, with the marketplace's address and limit", () => {
    expect(loadConfig({ OFFERGRID_API_KEY: "k1" }).marketplace).toEqual({
      kind: "live",
      accounts: [
        {
          name: "default",
          apiKey: "k1",
          baseUrl: "https://api.offergrid.io",
          limitPerMinute: 100,
          policy: "every",
        },
      ],
    });
  });

  test("a limit can be lifted and an address loses its closing slash", () => {
    const { marketplace } = loadConfig({
      OFFERGRID_API_KEY: "k1",
      OFFERGRID_BASE_URL: "http://localhost:3000/",
      OFFERGRID_LIMIT_PER_MINUTE: "unlimited",
    });
    expect(marketplace).toMatchObject({
      accounts: [{ baseUrl: "http://localhost:3000", limitPerMinute: null }],
    });
  });

  test("a JSON list makes several", () => {
    const accounts = [
      { name: "north", apiKey: "k1" },
      { name: "south", apiKey: "k2", limitPerMinute: null, policy: "latest" },
    ];
    expect(loadConfig({ OFFERGRID_ACCOUNTS: JSON.stringify(accounts) }).marketplace).toMatchObject({
      kind: "live",
      accounts,
    });
  });

  test.each<[string, Environment, string]>([
    [
      "an address without a key",
      { OFFERGRID_BASE_URL: "http://x" },
      "OFFERGRID_API_KEY: is missing",
    ],
    [
      "two ways at once",
      { OFFERGRID_ACCOUNTS: '[{"name":"a","apiKey":"k"}]', OFFERGRID_API_KEY: "k" },
      "OFFERGRID_ACCOUNTS: names the accounts already",
    ],
    [
      "one name twice",
      { OFFERGRID_ACCOUNTS: '[{"name":"a","apiKey":"k"},{"name":"a","apiKey":"l"}]' },
      'accounts: "a" is there more than once',
    ],
    [
      "an address that is none",
      { OFFERGRID_API_KEY: "k", OFFERGRID_BASE_URL: "api.offergrid.io" },
      "OFFERGRID_BASE_URL: must be an http:// or https:// URL",
    ],
    [
      "a field that nobody knows",
      { OFFERGRID_ACCOUNTS: '[{"name":"a","apiKey":"k","limit":5}]' },
      'OFFERGRID_ACCOUNTS.0: Unrecognized key: "limit"',
    ],
  ])("%s is a fault", (_, env, fault) => {
    expect(faultOf(env)).toContain(fault);
  });
});

describe("the configuration file", () => {
  test("gives what the environment does not", () => {
    const path = configFile({ shards: 16, keyPrefix: "file", orderItem: { profile: "wholesale" } });
    const config = loadConfig({ ORDERWRIGHT_CONFIG: path, ORDERWRIGHT_KEY_PREFIX: "env" });
    expect(config).toMatchObject({
      shards: 16,
      keyPrefix: "env",
      orderItem: { profile: "wholesale" },
    });
  });

  test("is the one that was named on the command line rather than the variable's", () => {
    const config = loadConfig({ ORDERWRIGHT_CONFIG: "/nowhere" }, configFile({ shards: 3 }));
    expect(config.shards).toBe(3);
  });

  test("that is named must exist", () => {
    expect(faultOf({}, join(folder, "absent.json"))).toMatch(/absent\.json: cannot be read/);
  });

  test("may hold no key that nobody knows", () => {
    expect(faultOf({}, configFile({ shard: 16 }))).toContain('Unrecognized key: "shard"');
  });
});

describe("a bad configuration", () => {
  test("tells all of its faults at once, each under the name to correct", () => {
    const fault = faultOf(
      {
        REDIS_URL: "localhost:6379",
        ORDERWRIGHT_PARKED_MAX: "many",
        ORDERWRIGHT_DEDUPE_FOR_MS: "1000",
        ORDERWRIGHT_LOG_LEVEL: "loud",
      },
      configFile({ shards: 0 }),
    );
    expect(fault.split("\n").map((line) => /^ {2}(\w+):/.exec(line)?.[1])).toEqual([
      undefined,
      "REDIS_URL",
      "shards",
      "ORDERWRIGHT_PARKED_MAX",
      "ORDERWRIGHT_DEDUPE_FOR_MS",
      "ORDERWRIGHT_LOG_LEVEL",
    ]);
    expect(fault).toContain("5 faults");
  });

  test.each<[string, Environment, string]>([
    ["in a variable", { OFFERGRID_ACCOUNTS: '[{"name":"a","apiKey":s3cret}]' }, "{}"],
    ["in the file", {}, '{"accounts":[{"apiKey":s3cret}]}'],
    ["in a wrong field", { OFFERGRID_ACCOUNTS: '[{"name":"a b","apiKey":["s3cret"]}]' }, "{}"],
    ["in an address", { REDIS_URL: "http://:s3cret@host" }, "{}"],
  ])("never repeats a secret %s", (_, env, file) => {
    expect(faultOf(env, configFile(file))).not.toContain("s3cret");
  });
});

test("the HTTP API listens where it is told, by address or by name", () => {
  for (const host of ["0.0.0.0", "::", "::1", "10.0.0.7", "api-1.internal"]) {
    expect(loadConfig({ ORDERWRIGHT_HTTP_HOST: host }).httpHost).toBe(host);
  }
  for (const host of ["http://here", "here:80", "a b", "-a"]) {
    expect(() => loadConfig({ ORDERWRIGHT_HTTP_HOST: host })).toThrow(/ORDERWRIGHT_HTTP_HOST/);
  }
});

describe("notices", () => {
  const SECRET = `whsec_${Buffer.alloc(24, "s3cret").toString("base64")}`;
  const url = "https://hooks.example/services/s3cret/";

  test("are sent to a URL as it stands, signed with one secret or two, for everybody", () => {
    const env = {
      ORDERWRIGHT_NOTICES_URL: url,
      ORDERWRIGHT_NOTICES_SECRETS: `${SECRET}, ${SECRET}`,
    };
    expect(loadConfig(env).notices).toEqual({
      kind: "webhook",
      url,
      secrets: [SECRET, SECRET],
      to: ["owner", "lead", "customer"],
    });
  });

  test("are sent for whom the configuration names", () => {
    const file = { noticesUrl: url, noticesSecrets: [SECRET], noticesTo: ["lead"] };
    expect(loadConfig({}, configFile(file)).notices).toMatchObject({ to: ["lead"] });
  });

  test.each([
    ["without a secret", { ORDERWRIGHT_NOTICES_URL: url }, "ORDERWRIGHT_NOTICES_SECRETS"],
    [
      "with a secret that is too short",
      { ORDERWRIGHT_NOTICES_URL: url, ORDERWRIGHT_NOTICES_SECRETS: "whsec_s3cret" },
      "whsec_ and 24 to 64 bytes",
    ],
    [
      "with three secrets",
      {
        ORDERWRIGHT_NOTICES_URL: url,
        ORDERWRIGHT_NOTICES_SECRETS: `${SECRET} ${SECRET} ${SECRET}`,
      },
      "ORDERWRIGHT_NOTICES_SECRETS",
    ],
    [
      "over another protocol",
      { ORDERWRIGHT_NOTICES_URL: "ftp://s3cret", ORDERWRIGHT_NOTICES_SECRETS: SECRET },
      "http:// or https://",
    ],
    [
      "with a password in the URL",
      { ORDERWRIGHT_NOTICES_URL: "https://a:s3cret@host", ORDERWRIGHT_NOTICES_SECRETS: SECRET },
      "must not hold a user or password",
    ],
    ["to a stranger", { ORDERWRIGHT_NOTICES_TO: "owner,s3cret" }, "ORDERWRIGHT_NOTICES_TO"],
  ])("are refused %s", (_what, env, named) => {
    const fault = faultOf(env);
    expect(fault).toContain(named);
    expect(fault).not.toContain("s3cret");
  });

  test("are redacted down to the receiver's host", () => {
    const env = { ORDERWRIGHT_NOTICES_URL: url, ORDERWRIGHT_NOTICES_SECRETS: SECRET };
    const redacted = JSON.stringify(redactedConfig(loadConfig(env)));
    expect(redacted).toContain("https://hooks.example/[redacted]");
    expect(redacted).not.toContain("s3cret");
    expect(redacted).not.toContain(SECRET);
  });
});

test("a redacted configuration holds no key and no password, and keeps the rest", () => {
  const config = loadConfig({
    REDIS_URL: "rediss://user:s3cret@host:6380/1?password=s3cret",
    OFFERGRID_API_KEY: "s3cret",
  });
  const redacted = redactedConfig(config);
  expect(JSON.stringify(redacted)).not.toContain("s3cret");
  expect(redacted).toMatchObject({
    redis: { url: "rediss://user:redacted@host:6380/1?password=redacted" },
    marketplace: { accounts: [{ name: "default" }] },
    shards: 8,
  });
});

test("every option has a variable of its own and advice that begins with its unit", () => {
  const options = configReference();
  expect(new Set(options.map(({ variable }) => variable)).size).toBe(options.length);
  const unclear = options.filter(({ name, variable, advice }) => {
    const isNamed = /^(ORDERWRIGHT|OFFERGRID|REDIS)_[A-Z_]+$/.test(variable);
    const isAdvised = /^[A-Z].{30,}\.$/.test(advice);
    return !isNamed || !isAdvised || (name.endsWith("Ms") && !advice.startsWith("Milliseconds "));
  });
  expect(unclear).toEqual([]);
});
