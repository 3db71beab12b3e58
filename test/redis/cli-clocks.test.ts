/** Operators and their clocks at a running installation: what is late, and who is silent about it. */
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from "vitest";
import type { ItemDescription } from "../../src/engine/describe-item.ts";
import type { AttentionList } from "../../src/engine/list-attention.ts";
import { readAudit } from "../../src/store/audit-store.ts";
import { itemsInNeed } from "../../src/store/item-store.ts";
import { shardPrefix } from "../../src/store/keys.ts";
import { type Ended, runCommand } from "../support/command.ts";
import { type Harness, startHarness } from "../support/engine-harness.ts";
import { eventually } from "../support/eventually.ts";
import { orderEvent } from "../support/order-item-events.ts";

const DAY_MS = 24 * 3_600_000;

let engine: Harness;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  engine = await startHarness({ redisUrl: inject("redisUrl") });
  const { keyPrefix, queuePrefix } = engine.config;
  env = {
    REDIS_URL: inject("redisUrl"),
    ORDERWRIGHT_KEY_PREFIX: keyPrefix,
    ORDERWRIGHT_QUEUE_PREFIX: queuePrefix,
    USER: "ada",
  };
});

afterAll(async () => {
  await engine.stop();
});

/** Made three days ago: the provider's answer is two days late. */
async function begin(subject: string, madeDaysAgo = 3): Promise<void> {
  const createdAt = new Date(engine.engine.now() - madeDaysAgo * DAY_MS).toISOString();
  const received = orderEvent("order.received", { subject });
  await engine.send({ ...received, data: { ...received.data, createdAt } } as typeof received);
  await engine.settled(subject, "pending");
}

async function attention(...flags: readonly string[]): Promise<AttentionList> {
  const { stdout, stderr } = await runCommand(["attention", "--json", ...flags], env);
  expect(stderr).toBe("");
  return JSON.parse(stdout) as AttentionList;
}

async function described(itemId: string): Promise<ItemDescription> {
  const { stdout } = await runCommand(["show", itemId, "--json"], env);
  return JSON.parse(stdout) as ItemDescription;
}

async function silence(words: readonly string[], flags: readonly string[]): Promise<Ended> {
  return runCommand([...words, "--reason", "On it.", ...flags], env);
}

test("what is late is listed, the longest first, in pages, and gone once it is done", async () => {
  await begin("late-1", 3);
  await begin("late-2", 4);
  await begin("fine-1", 0);
  await eventually(async () => {
    const { items } = await attention();
    expect(items.map(({ itemId }) => itemId)).toEqual(["late-2", "late-1"]);
    expect(items[0]).toMatchObject({ status: "pending", late: [{ clock: "respond" }] });
  });
  const first = await attention("--limit", "1");
  const second = await attention("--limit", "1", "--cursor", String(first.next));
  expect(second.items.map(({ itemId }) => itemId)).toEqual(["late-1"]);
  const shown = await runCommand(["attention"], env);
  expect(shown.stdout).toMatch(/^late-2 +pending +\S+ +respond 3 d late /m);

  for (const subject of ["late-1", "late-2"]) {
    await engine.send(orderEvent("order.rejected", { subject }));
    await engine.settled(subject, "rejected");
  }
  expect(await attention()).toEqual({ items: [], next: null });
});

test("pages lose nobody when more items than a page are late since the same moment", async () => {
  const redis = new Redis(inject("redisUrl"));
  onTestFinished(() => redis.disconnect());
  const layout = { prefix: `${engine.config.keyPrefix}-ties`, shards: 1 };
  const ids = Array.from({ length: 700 }, (_, index) => `tie-${index}`);
  await redis.zadd(`${shardPrefix(layout, 0)}attention`, ...ids.flatMap((id) => [1_000, id]));
  const listed: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await itemsInNeed({ redis, layout }, { cursor, limit: 50 });
    listed.push(...page.items.map(({ itemId }) => itemId));
    cursor = page.next;
  } while (cursor !== undefined);
  expect(listed).toEqual(ids.toSorted());
});

test("an acknowledgement is journalled with its name and its reason, and seen by everybody", async () => {
  await begin("ack-1");
  const said = await silence(["ack", "ack-1", "respond"], ["--until", "4h"]);
  expect(said).toMatchObject({ exitCode: 0, stderr: "" });
  expect(said.stdout.replaceAll("\n", " ")).toMatch(
    /^Acknowledged: "respond" of item ack-1, by ada, until \S+ \(in [34] h\)\. Its breach is not/,
  );
  const { clocks, journal, readAt } = await described("ack-1");
  const respond = clocks?.clocks.find(({ clock }) => clock === "respond");
  expect(respond?.ackUntil).toBeGreaterThan(readAt);
  expect(journal).toContainEqual(
    expect.objectContaining({
      event: expect.objectContaining({
        source: "operator:ada",
        data: expect.objectContaining({ by: "ada", role: "owner", reason: "On it." }),
      }),
      clocks: expect.arrayContaining([expect.objectContaining({ kind: "acknowledged" })]),
    }),
  );
  const acts = [];
  for await (const act of readAudit(engine.engine.store)) acts.push(act);
  expect(acts).toMatchObject([
    {
      action: "acknowledge",
      item: "ack-1",
      actor: "ada",
      reason: "On it.",
      detail: { clock: "respond" },
    },
    { action: "acknowledge", item: "ack-1", of: 1, outcome: "applied" },
  ]);
  const text = await runCommand(["show", "ack-1"], env);
  expect(text.stdout).toMatch(/\n {4}acknowledged by ada until .* more: On it\.\n/);
  expect(text.stdout.split("\n").filter((line) => line.length > 110)).toEqual([]);
  const { items } = await attention();
  expect(items).toMatchObject([{ itemId: "ack-1", late: [{ ackUntil: respond?.ackUntil }] }]);
  await engine.assertReplays("ack-1");
});

test("only a lead snoozes what is late, and a refusal says why and exits with 1", async () => {
  await begin("snooze-1");
  const words = ["snooze", "snooze-1", "respond"];
  const refused = await silence(words, ["--until", "30m"]);
  expect(refused).toMatchObject({ exitCode: 1, stderr: "" });
  expect(refused.stdout).toBe(
    'Refused, CLOCK_HOLD_REFUSED: Only a lead may silence "respond" beyond its due time.\n',
  );
  const snoozed = await silence(words, ["--until", "30m", "--role", "lead", "--by", "grace"]);
  expect(snoozed).toMatchObject({ exitCode: 0, stderr: "" });
  expect(snoozed.stdout).toMatch(/^Snoozed: "respond" of item snooze-1, by grace, /);
  await engine.assertReplays("snooze-1");
});

test("a mistyped item or clock is told at once, with what there is", async () => {
  await begin("typo-1", 0);
  const clock = await silence(["ack", "typo-1", "respnod"], ["--until", "1h"]);
  expect(clock.exitCode).toBe(1);
  expect(clock.stdout).toMatch(
    /^Refused, CLOCK_HOLD_REFUSED: .*"respnod"\.\n {2}Open clocks: .*respond/,
  );
  const item = await silence(["ack", "no-such", "respond"], ["--until", "1h"]);
  expect(item).toMatchObject({ exitCode: 1, stdout: "" });
  expect(item.stderr).toMatch(/^ITEM_UNKNOWN: /);
  const until = await silence(["ack", "typo-1", "respond"], ["--until", "tomorrow"]);
  expect(until.exitCode).toBe(1);
  expect(until.stderr).toMatch(/30m, 4h or 2d/);
});
