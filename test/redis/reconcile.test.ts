import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { PushAccount } from "../../src/engine/push-ending.ts";
import { type Finding, reconcile, type ReconcileOptions } from "../../src/engine/reconcile.ts";
import { explain } from "../../src/engine/reconcile-explain.ts";
import { readOurs } from "../../src/engine/reconcile-ours.ts";
import { type Found, repair } from "../../src/engine/reconcile-repair.ts";
import { skip } from "../../src/engine/redrive.ts";
import type { ItemStatus } from "../../src/offergrid/status-update.ts";
import { readAudit } from "../../src/store/audit-store.ts";
import { listDeadLetters } from "../../src/store/dead-letter-store.ts";
import { limiterKey } from "../../src/store/keys.ts";
import { holdAccount, releaseAccount } from "../../src/store/limiter.ts";
import { runCommand } from "../support/command.ts";
import { type Harness, startHarness } from "../support/engine-harness.ts";
import { eventually } from "../support/eventually.ts";
import { addOrder, leadTo, sandboxAccount } from "../support/marketplace-orders.ts";
import { orderEvent } from "../support/order-item-events.ts";

let engine: Harness;
let account: PushAccount;

beforeAll(async () => {
  engine = await startHarness({
    redisUrl: inject("redisUrl"),
    sandbox: { adoptUnknownItems: false },
  });
  account = sandboxAccount(engine);
});

afterAll(async () => {
  await account.client.close();
  await engine.stop();
});

function order(...ids: readonly string[]): void {
  // Long, so that a list without pages is more than the body of an item may be.
  addOrder(engine, ids, { notes: "Ring twice. ".repeat(30) });
}

/** Ordered at the marketplace, announced here, and led to `status` by ordinary events. */
async function lead(subject: string, status: "pending" | "accepted" | "scheduled"): Promise<void> {
  order(subject);
  await leadTo(engine, subject, status);
}

/** Somebody, or a backup, changes the item without us. */
function change(id: string, status: ItemStatus): void {
  const item = engine.sandbox.market.items.get(id);
  if (item !== undefined) engine.sandbox.market.update(item, { status });
}

function shown(id: string): string | undefined {
  return engine.sandbox.market.items.get(id)?.status;
}

async function run(options: ReconcileOptions): Promise<Record<string, Finding>> {
  const { signal } = new AbortController();
  const findings: Record<string, Finding> = {};
  const setting = { engine: engine.engine, accounts: [account], signal };
  for await (const finding of reconcile(setting, options)) {
    findings["itemId" in finding ? finding.itemId : finding.account] = finding;
  }
  return findings;
}

function kindsOf(findings: Record<string, Finding>): Record<string, string> {
  return Object.fromEntries(Object.entries(findings).map(([id, { kind }]) => [id, kind]));
}

test("each difference is explained, a run with repair mends it, and the next finds nothing", async () => {
  await lead("lost", "scheduled");
  change("lost", "accepted");
  await lead("ahead", "accepted");
  change("ahead", "in_progress");
  await lead("cancelled", "scheduled");
  change("cancelled", "cancelled");
  await lead("handed-on", "pending");
  change("handed-on", "submitted_to_provider");
  order("unheard");
  change("unheard", "scheduled");
  await engine.send(orderEvent("order.received", { subject: "nowhere" }));
  await engine.settled("nowhere", "pending");
  await lead("blocked", "pending");
  engine.sandbox.market.behaviour.faults.push({ kind: "404", match: { itemId: "blocked" } });
  await engine.send(
    orderEvent("order.accepted", { subject: "blocked" }),
    orderEvent("appointment.scheduled", { subject: "blocked" }),
  );
  await eventually(async () => {
    expect(await listDeadLetters(engine.engine.store, 9)).toHaveLength(1);
    const { ours } = await readOurs(engine.engine, "blocked", 0);
    expect(ours).toMatchObject({ status: "scheduled" });
  });
  engine.sandbox.market.behaviour.faults.pop();
  change("blocked", "accepted");
  await lead("same", "accepted");

  const expected = {
    lost: "behind-us-delivered",
    ahead: "ahead-of-us",
    cancelled: "cancelled-there",
    "handed-on": "handed-on",
    unheard: "unknown-to-us",
    nowhere: "unknown-there",
    blocked: "blocked-but-done",
  };
  for (const listPaging of ["none", "page", "cursor"] as const) {
    engine.sandbox.market.behaviour.listPaging = listPaging;
    expect(kindsOf(await run({ repair: "none" }))).toEqual(expected);
  }
  expect(engine.seen("lost")).toEqual(["accepted", "scheduled"]);

  const repaired = await run({ repair: "adopt" });
  const { nowhere: _, ...mended } = expected;
  for (const id of Object.keys(mended)) {
    expect(repaired[id]).toMatchObject({ repair: { outcome: "repaired" } });
  }
  await engine.settled("lost", "scheduled");
  await eventually(() => expect(shown("lost")).toBe("scheduled"));
  await engine.settled("ahead", "in_progress");
  await engine.settled("cancelled", "cancelled");
  await engine.settled("handed-on", "submitted_to_provider");
  await engine.settled("unheard", "scheduled");
  await engine.settled("blocked", "scheduled");
  await eventually(async () => {
    expect(kindsOf(await run({ repair: "none" }))).toEqual({ nowhere: "unknown-there" });
  });
  // What was lost went out again with all that it said; nothing else was pushed.
  const pushes = engine.sandbox.market.log.filter(({ itemId }) => itemId === "lost");
  expect(pushes.map(({ idempotencyKey }) => idempotencyKey)).toEqual([
    "lost:2:0",
    "lost:3:0",
    "lost:3:0.2",
  ]);
  expect(pushes[2]?.body).toEqual(pushes[1]?.body);
  expect(engine.seen("ahead")).toEqual(["accepted"]);
  expect(engine.seen("unheard")).toEqual([]);
  expect(engine.seen("blocked")).toEqual(["scheduled"]);
  expect(await listDeadLetters(engine.engine.store, 9)).toEqual([]);
  for (const id of Object.keys(mended)) await engine.assertReplays(id);
});

test("a notice that names the status is not taken for the push that told it", async () => {
  await lead("noticed", "accepted");
  const said = { side: "crm", status: "pending" };
  await engine.send(orderEvent("order.diverged", { subject: "noticed", data: said }));
  await eventually(async () => {
    const last = (await engine.journal("noticed")).findLast(({ kind }) => kind === "delivery");
    expect(last).toMatchObject({ name: "askOperator", status: "accepted", outcome: "delivered" });
  });
  change("noticed", "pending");
  const found = await run({ items: ["noticed"], repair: "safe" });
  expect(found["noticed"]).toMatchObject({
    effect: "noticed:2:0",
    repair: { outcome: "repaired" },
  });
  await eventually(() => expect(engine.seen("noticed")).toEqual(["accepted", "accepted"]));
});

test("an update that is lost twice is pushed a third time", async () => {
  await lead("twice", "accepted");
  for (const key of ["twice:2:0.2", "twice:2:0.3"]) {
    change("twice", "pending");
    await run({ items: ["twice"], repair: "safe" });
    await eventually(async () => {
      expect(kindsOf(await run({ items: ["twice"], repair: "none" }))).toEqual({});
      expect(engine.sandbox.market.log.at(-1)?.idempotencyKey).toBe(key);
    });
  }
  expect(engine.seen("twice")).toEqual(["accepted", "accepted", "accepted"]);
});

test("an item that is still to be delivered is on its way, and is left alone", async () => {
  await lead("waiting", "pending");
  const fault = { kind: "500-before", match: { itemId: "waiting" } } as const;
  engine.sandbox.market.behaviour.faults.push(fault);
  await engine.send(orderEvent("order.accepted", { subject: "waiting" }));
  const options = { items: ["waiting"], repair: "adopt" } as const;
  await eventually(async () => {
    expect(kindsOf(await run(options))).toEqual({ waiting: "on-its-way" });
  });
  engine.sandbox.market.behaviour.faults.pop();
  await engine.settled("waiting", "accepted");
  expect(await run(options)).toEqual({});
  expect(engine.seen("waiting")).toEqual(["accepted"]);
});

test("what an operator left out stays left out", async () => {
  await lead("skipped", "pending");
  const fault = { kind: "404", match: { itemId: "skipped" }, times: 1 } as const;
  engine.sandbox.market.behaviour.faults.push(fault);
  await engine.send(orderEvent("order.accepted", { subject: "skipped" }));
  const { store } = engine.engine;
  const letter = await eventually(async () => {
    const [found] = await listDeadLetters(store, 1);
    if (found === undefined) throw new Error("no dead letter yet");
    return found;
  });
  const options = { items: ["skipped"], repair: "adopt" } as const;
  expect(kindsOf(await run(options))).toEqual({ skipped: "blocked" });
  await skip({ store, now: Date.now }, letter, "told by phone");
  expect(kindsOf(await run(options))).toEqual({ skipped: "left-out" });
  expect(engine.seen("skipped")).toEqual([]);
});

test("what nothing explains is for a person, and an item that nobody knows is told", async () => {
  await lead("odd", "accepted");
  change("odd", "rejected");
  const findings = await run({ items: ["odd", "nobody"], repair: "adopt" });
  expect(kindsOf(findings)).toEqual({ odd: "divergent", nobody: "unread" });
  expect(shown("odd")).toBe("rejected");
});

test("a list of several pages is walked to its end, whichever paging it has", async () => {
  const many = Array.from({ length: 130 }, (_, index) => `many-${index}`);
  order(...many);
  for (const listPaging of ["none", "page", "cursor"] as const) {
    engine.sandbox.market.behaviour.listPaging = listPaging;
    const kinds = kindsOf(await run({ repair: "none" }));
    expect(many.filter((id) => kinds[id] !== "unknown-to-us")).toEqual([]);
  }
});

test("an account that is closed is one finding, not one for each item", async () => {
  engine.sandbox.market.behaviour.faults.push({ kind: "401", match: { method: "GET" } });
  const refused = await run({ repair: "safe" });
  engine.sandbox.market.behaviour.faults.pop();
  expect(kindsOf(refused)).toEqual({ default: "account-unread" });

  const { redis, layout } = engine.engine.store;
  await holdAccount(redis, limiterKey(layout, "default"), "the key was refused");
  const held = await run({ repair: "safe" });
  await releaseAccount(redis, limiterKey(layout, "default"));
  expect(held["default"]).toMatchObject({
    kind: "account-unread",
    sentence: "Account default: cannot be asked: the key was refused.",
  });
});

test("a run that is stopped ends after the item in hand", async () => {
  const stopping = new AbortController();
  let compared = 0;
  const setting = {
    engine: engine.engine,
    accounts: [account],
    signal: stopping.signal,
    onProgress: () => {
      compared += 1;
      stopping.abort();
    },
  };
  for await (const { kind } of reconcile(setting, { repair: "none" })) {
    expect(kind).not.toBe("account-unread");
  }
  expect(compared).toBe(1);
});

describe("a repair that races", () => {
  async function foundOf(itemId: string): Promise<Found> {
    const read = await readOurs(engine.engine, itemId, Date.now());
    const item = { id: itemId, status: String(shown(itemId)) };
    const theirs = { state: "shown", item } as const;
    const looked = { itemId, account: "default", ours: read.ours, theirs };
    return { looked, read, difference: explain(looked) };
  }
  const safe = { adopt: "none" } as const;

  test("with an event changes nothing", async () => {
    await lead("raced-lost", "accepted");
    change("raced-lost", "pending");
    await lead("raced-ahead", "accepted");
    change("raced-ahead", "in_progress");
    const lost = await foundOf("raced-lost");
    const ahead = await foundOf("raced-ahead");
    expect([lost.difference.kind, ahead.difference.kind]).toEqual([
      "behind-us-delivered",
      "ahead-of-us",
    ]);
    for (const subject of ["raced-lost", "raced-ahead"]) {
      await engine.send(orderEvent("appointment.scheduled", { subject }));
      await engine.settled(subject, "scheduled");
    }
    expect(await repair(engine.engine, lost, safe)).toEqual({ outcome: "moved" });
    expect(await repair(engine.engine, ahead, safe)).toEqual({ outcome: "moved" });
    expect(engine.seen("raced-lost")).toEqual(["accepted", "scheduled"]);
    await engine.settled("raced-ahead", "scheduled");
  });

  test("with another repair is done once", async () => {
    await lead("both-lost", "accepted");
    change("both-lost", "pending");
    await lead("both-ahead", "accepted");
    change("both-ahead", "in_progress");
    for (const id of ["both-lost", "both-ahead"]) {
      const found = await foundOf(id);
      const done = await Promise.all([
        repair(engine.engine, found, safe),
        repair(engine.engine, found, safe),
      ]);
      const outcomes = done.map((each) => each?.outcome);
      expect(new Set(outcomes)).toEqual(new Set(["moved", "repaired"]));
    }
    await eventually(() => expect(shown("both-lost")).toBe("accepted"));
    await engine.settled("both-ahead", "in_progress");
    expect(engine.seen("both-lost")).toEqual(["accepted", "accepted"]);
    expect(engine.seen("both-ahead")).toEqual(["accepted"]);
  });
});

test("the command tells what it found, repairs when it is asked to, and exits with 0 when nothing is left", async () => {
  const { keyPrefix, queuePrefix } = engine.config;
  const env = {
    REDIS_URL: inject("redisUrl"),
    ORDERWRIGHT_KEY_PREFIX: keyPrefix,
    ORDERWRIGHT_QUEUE_PREFIX: queuePrefix,
    OFFERGRID_API_KEY: "sandbox-provider-key",
    OFFERGRID_BASE_URL: engine.sandbox.url,
    OFFERGRID_LIMIT_PER_MINUTE: "unlimited",
  };
  await lead("by-command", "accepted");
  change("by-command", "pending");
  const found = await runCommand(["reconcile", "--item", "by-command"], env);
  expect(found).toMatchObject({ exitCode: 1, stderr: "" });
  expect(found.stdout).toContain("The marketplace is behind (1)");
  expect(found.stdout).toContain("1 item compared, 1 finding, 1 open.");
  expect(found.stdout.split("\n").filter((line) => line.length > 100)).toEqual([]);

  const json = await runCommand(["reconcile", "--item", "by-command", "--repair", "--json"], env);
  expect(json).toMatchObject({ exitCode: 0, stderr: "" });
  const lines = json.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as object);
  expect(lines).toMatchObject([
    { itemId: "by-command", kind: "behind-us-delivered", repair: { outcome: "repaired" } },
    { summary: { compared: 1, repaired: 1, open: 0, isComplete: true } },
  ]);
  await eventually(() => expect(shown("by-command")).toBe("accepted"));
  // Comparing alone is no act.
  const acts = [];
  for await (const act of readAudit(engine.engine.store)) acts.push(act);
  expect(acts).toMatchObject([{ action: "reconcile --repair", item: "by-command" }]);
});
