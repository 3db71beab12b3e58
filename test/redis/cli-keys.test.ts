/** Keys and the audit journal at the command line, as operators use them. */
import { Redis } from "ioredis";
import { beforeAll, expect, inject, test } from "vitest";
import type { AuditEntry } from "../../src/store/audit-chain.ts";
import { apiKeysKey, auditKey } from "../../src/store/keys.ts";
import { type Ended, runCommand } from "../support/command.ts";

const prefix = `cli-keys-${Date.now()}`;
const layout = { prefix, shards: 8 };
let env: Readonly<Record<string, string>>;

beforeAll(() => {
  env = { REDIS_URL: inject("redisUrl"), ORDERWRIGHT_KEY_PREFIX: prefix, USER: "ada" };
});

async function run(...args: readonly string[]): Promise<Ended> {
  const ended = await runCommand(args, env);
  expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
  return ended;
}

async function json<Result>(...args: readonly string[]): Promise<Result> {
  return JSON.parse((await run(...args, "--json")).stdout) as Result;
}

async function audited(): Promise<AuditEntry[]> {
  const { stdout } = await run("audit", "--json");
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as AuditEntry);
}

interface Listed {
  readonly id: string;
  readonly standing: string;
}

test("a key lives its life, and each step of it is in the audit journal", async () => {
  expect((await run("keys", "list")).stdout).toContain("No key was made yet");
  const flags = ["--name", "CRM", "--scope", "events:write", "items:read", "--account", "acme"];
  const made = await json<{ id: string; text: string }>(
    "keys",
    "create",
    ...flags,
    "--expires",
    "90d",
    "--reason",
    "OPS-7",
  );
  expect(made).toMatchObject({ scopes: ["events:write", "items:read"], account: "acme" });
  const rotated = await run("keys", "rotate", made.id, "--overlap", "2h", "--by", "eve");
  const [, id = "", text = ""] = /(?=ow_(\w{12})_)(\S+)/.exec(rotated.stdout) ?? [];
  expect(rotated.stdout).toContain(`Key ${made.id} is good until`);
  expect(await json("keys", "revoke", id, "--reason", "leaked")).toEqual({
    id,
    outcome: "revoked",
  });
  const listed = await json<Listed[]>("keys", "list");
  expect(listed.map(({ standing }) => standing)).toEqual(["good", "revoked"]);
  expect((await run("keys", "list")).stdout).toMatch(
    /CRM +events:write items:read +acme +replaced in /,
  );

  const entries = await audited();
  expect(entries.map(({ action, actor, reason }) => [action, actor, reason])).toEqual([
    ["keys create", "ada", "OPS-7"],
    ["keys rotate", "eve", "(none given)"],
    ["keys revoke", "ada", "leaked"],
  ]);
  const redis = new Redis(inject("redisUrl"));
  const kept = [
    await redis.hgetall(apiKeysKey(layout)),
    await redis.lrange(auditKey(layout), 0, -1),
  ];
  redis.disconnect();
  for (const secret of [made.text, text]) {
    expect(secret).toMatch(/^ow_\w{12}_\w{49}$/);
    expect(JSON.stringify(kept)).not.toContain(secret.slice(16));
  }
});

test("what cannot be is said, and changes nothing", async () => {
  const complaint = async (...args: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await runCommand(args, env);
    expect([exitCode, stdout]).toEqual([1, ""]);
    return stderr;
  };
  expect(await complaint("keys", "create", "--name", "x", "--scope", "all")).toContain(
    "A scope is",
  );
  expect(await complaint("keys", "revoke", "nobody", "--reason", "r")).toContain('no key "nobody"');
  const past = ["--expires", "2001-01-01T00:00:00Z"];
  expect(await complaint("keys", "create", "--name", "x", "--scope", "admin", ...past)).toContain(
    "a later time",
  );
});

test("the journal is verified, against a head that was kept too, and a change is found", async () => {
  const { stdout } = await run("audit", "verify");
  const [, head = ""] = /^Head: (\S+)$/m.exec(stdout) ?? [];
  const policy = await run("policy", "reset", "--reason", "OPS-8");
  expect(policy.stdout).toContain("default policy");
  const verified = await json<object>("audit", "verify", "--head", head);
  expect(verified).toMatchObject({ outcome: "sound" });
  expect((await audited()).at(-1)).toMatchObject({ action: "policy reset", reason: "OPS-8" });

  const redis = new Redis(inject("redisUrl"));
  const second = (await redis.lindex(auditKey(layout), 1)) ?? "";
  await redis.lset(auditKey(layout), 1, second.replace('"eve"', '"bob"'));
  redis.disconnect();
  const broken = await runCommand(["audit", "verify"], env);
  expect(broken.exitCode).toBe(1);
  expect(broken.stderr).toContain("Entry 2 does not fit");
});
