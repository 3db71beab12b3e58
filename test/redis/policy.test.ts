/** The SLA policy of a deployment, from the command that sets it to the due times of its items. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { Applier } from "../../src/engine/apply-events.ts";
import {
  openPolicyHolder,
  POLICY_ADOPTED_WITHIN_MS,
  type PolicyHolder,
} from "../../src/engine/policy-holder.ts";
import { textOfPolicy } from "../../src/engine/read-policy.ts";
import { recomputeClocks } from "../../src/engine/recompute-clocks.ts";
import { DEFAULT_POLICY } from "../../src/sla/default-policy.ts";
import type { Policy } from "../../src/sla/policy.ts";
import { policyKey } from "../../src/store/keys.ts";
import { readPolicyStand, readStoredPolicy, storePolicy } from "../../src/store/policy-store.ts";
import type { ConnectedStore } from "../../src/store/store.ts";
import {
  arrived,
  type ConnectedEngine,
  type Deployment,
  openDeployment,
} from "../crash/deployment.ts";
import { runCommand } from "../support/command.ts";
import { eventually } from "../support/eventually.ts";
import { orderEvent } from "../support/order-item-events.ts";
import { HOUR_MS } from "../support/sla-item.ts";

const NO_SIGNAL = new AbortController().signal;
const EXAMPLE = "docs/examples/sla-policy.json";

/** The default, but an order must be answered within these hours. */
function policyOf(version: string, respondHours: number): Policy {
  const { respond, ...clocks } = DEFAULT_POLICY.clocks;
  if (respond?.kind !== "duration") throw new TypeError("the default has no respond clock");
  const targetMs = respondHours * HOUR_MS;
  return { ...DEFAULT_POLICY, version, clocks: { respond: { ...respond, targetMs }, ...clocks } };
}

async function put(store: ConnectedStore, policy: Policy | undefined) {
  return storePolicy(store, policy && { version: policy.version, text: textOfPolicy(policy) });
}

async function open(): Promise<Deployment> {
  const deployment = await openDeployment({ redisUrl: inject("redisUrl") });
  onTestFinished(() => deployment.close());
  return deployment;
}

interface Logged {
  readonly infos: string[];
  readonly errors: string[];
}

async function openHolder(
  store: ConnectedStore,
  now: () => number = Date.now,
): Promise<PolicyHolder & Logged> {
  const logged: Logged = { infos: [], errors: [] };
  const log = {
    info: (_fields: object, message: string) => void logged.infos.push(message),
    error: (_fields: object, message: string) => void logged.errors.push(message),
  };
  const holder = await openPolicyHolder(store, { now, log });
  onTestFinished(() => holder.close());
  return { ...holder, ...logged };
}

describe("the store", () => {
  test("gives back what was set, whole and with its time", async () => {
    const { store } = (await open()).engine;
    expect(await readStoredPolicy(store)).toEqual({ setAt: 0, asked: 0 });
    const policy = policyOf("a-1", 8);
    expect(await put(store, policy)).toBe("stored");
    const stored = await readStoredPolicy(store);
    expect(stored).toMatchObject({ version: "a-1", text: textOfPolicy(policy), asked: 0 });
    expect(stored.setAt).toBeGreaterThan(0);
    expect(await put(store, policy)).toBe("unchanged");
    expect(await readStoredPolicy(store)).toEqual(stored);
  });

  test("a version never means two contents, not even after another was in force", async () => {
    const { store } = (await open()).engine;
    await put(store, policyOf("a-1", 8));
    expect(await put(store, policyOf("a-1", 9))).toBe("version-taken");
    expect(await put(store, policyOf("a-2", 9))).toBe("stored");
    expect(await put(store, policyOf("a-1", 9))).toBe("version-taken");
    expect(await put(store, policyOf("a-1", 8))).toBe("stored");
    expect(await put(store, undefined)).toBe("stored");
    expect(await put(store, undefined)).toBe("unchanged");
    expect(await readStoredPolicy(store)).not.toHaveProperty("version");
  });
});

describe("running processes", () => {
  test("all take another policy over without a restart, and the default again", async () => {
    const deployment = await open();
    const { store } = deployment.engine;
    const other = await deployment.openEngine();
    const holders = [await openHolder(store), await openHolder(other.store)];
    const versions = () => holders.map((holder) => holder.clocks().policy.version);
    expect(versions()).toEqual([DEFAULT_POLICY.version, DEFAULT_POLICY.version]);
    await put(store, policyOf("a-1", 8));
    // By themselves: nobody asks them to look.
    await eventually(() => expect(versions()).toEqual(["a-1", "a-1"]));
    await put(store, undefined);
    await Promise.all(holders.map((holder) => holder.refresh()));
    expect(versions()).toEqual([DEFAULT_POLICY.version, DEFAULT_POLICY.version]);
    expect(await readPolicyStand(store)).toMatchObject({ asked: 0 });
  });

  test("a policy that cannot be read is not taken over, and ends a start", async () => {
    const { store } = (await open()).engine;
    await put(store, policyOf("a-1", 8));
    const holder = await openHolder(store);
    await storePolicy(store, { version: "z-9", text: '{"version":"z-9","form":2}' });
    await holder.refresh();
    await holder.refresh();
    expect(holder.clocks().policy.version).toBe("a-1");
    expect(holder.errors).toEqual(["the stored SLA policy was refused, and the present one stays"]);
    await expect(openHolder(store)).rejects.toMatchObject({ code: "POLICY_INVALID" });
    await put(store, policyOf("a-2", 8));
    await holder.refresh();
    expect(holder.clocks().policy.version).toBe("a-2");
  });

  test("a Redis that fails leaves them the policy that they have", async () => {
    const deployment = await open();
    const other = await deployment.openEngine();
    await put(other.store, policyOf("a-1", 8));
    const holder = await openHolder(other.store);
    await other.store.redis.quit();
    await holder.refresh();
    expect(holder.errors).toEqual(["looking for another SLA policy failed"]);
    expect(holder.clocks().policy.version).toBe("a-1");
  });
});

describe("recomputation", () => {
  interface Stage {
    readonly deployment: Deployment;
    readonly engine: ConnectedEngine;
    readonly holder: PolicyHolder;
    readonly applier: Applier;
    /** Sets a policy, and lets the time pass that all processes have to take it over. */
    readonly change: (policy: Policy) => Promise<void>;
    readonly items: readonly string[];
    readonly dueTimes: () => Promise<number[]>;
  }

  async function openStage(count: number): Promise<Stage> {
    const deployment = await open();
    const { store } = deployment.engine;
    let aheadMs = 0;
    const now = () => Date.now() + aheadMs;
    const holder = await openHolder(store, now);
    const engine = { ...deployment.engine, now, clocks: holder.clocks };
    const applier = new Applier(engine);
    const items = Array.from({ length: count }, (_, index) => `item-${index}`);
    const time = new Date().toISOString();
    const createdAt = time;
    await Promise.all(
      items.map((subject) =>
        applier.apply(
          arrived(orderEvent("order.received", { subject, time, data: { createdAt } })),
        ),
      ),
    );
    const dueTimes = () =>
      Promise.all(
        items.map(async (itemId) => {
          const actor = await deployment.actor(itemId);
          return actor?.clocks?.clocks["respond"]?.dueAt ?? Number.NaN;
        }),
      );
    const change = async (policy: Policy): Promise<void> => {
      await put(store, policy);
      await holder.refresh();
      aheadMs += POLICY_ADOPTED_WITHIN_MS + 1_000;
    };
    return { deployment, engine, holder, applier, change, items, dueTimes };
  }

  async function untilDone(
    { engine }: Stage,
    applier: Pick<Applier, "applyDue">,
    signal = NO_SIGNAL,
  ): Promise<void> {
    await eventually(async () => {
      await recomputeClocks(engine, applier, signal);
      expect(await readPolicyStand(engine.store)).toMatchObject({ recompute: { state: "done" } });
    });
  }

  /** Counts the looks at each item. */
  function counting(applier: Applier): {
    readonly applyDue: (itemId: string) => Promise<void>;
    readonly looks: Map<string, number>;
  } {
    const looks = new Map<string, number>();
    const applyDue = (itemId: string) => {
      looks.set(itemId, (looks.get(itemId) ?? 0) + 1);
      return applier.applyDue(itemId);
    };
    return { applyDue, looks };
  }

  test("moves the due times of open clocks, once, and replays the same", async () => {
    const stage = await openStage(20);
    const { deployment, engine, applier, change, items, dueTimes } = stage;
    const before = await dueTimes();
    await change(policyOf("a-1", 8));
    const counted = counting(applier);
    await untilDone(stage, counted);
    expect(await dueTimes()).toEqual(before.map((dueAt) => dueAt - 16 * HOUR_MS));
    expect(counted.looks).toEqual(new Map(items.map((itemId) => [itemId, 1])));
    for (const itemId of items) await deployment.assertReplays(itemId);
    const stand = await readPolicyStand(engine.store);
    expect(stand.recompute).toMatchObject({ remeasured: 20 });
    expect(await recomputeClocks(engine, counted, NO_SIGNAL)).toBe(0);
    // What wakes the item is the new time.
    const next = await Promise.all(
      items.map(async (itemId) => (await deployment.actor(itemId))?.clocks?.nextAt ?? Infinity),
    );
    expect(next.every((at, index) => at < (before[index] ?? 0) - 16 * HOUR_MS)).toBe(true);
  });

  test("waits until every process has had the time to take the policy over", async () => {
    const { engine, holder, applier } = await openStage(1);
    await put(engine.store, policyOf("a-1", 8));
    // This one has not.
    const late = { ...engine, now: () => Date.now() + POLICY_ADOPTED_WITHIN_MS + 1_000 };
    expect(await recomputeClocks(late, applier, NO_SIGNAL)).toBe(0);
    await holder.refresh();
    expect(await recomputeClocks(engine, applier, NO_SIGNAL)).toBe(0);
    expect(await recomputeClocks(late, applier, NO_SIGNAL)).toBeGreaterThan(0);
  });

  test("goes on behind the last finished page after it was stopped, and after a kill", async () => {
    const stage = await openStage(60);
    const { engine, applier, change, items, dueTimes } = stage;
    const before = await dueTimes();
    await change(policyOf("a-1", 8));
    const stopping = new AbortController();
    const counted = counting(applier);
    const first = {
      applyDue: (itemId: string) => {
        stopping.abort();
        return counted.applyDue(itemId);
      },
    };
    const visited = await recomputeClocks(engine, first, stopping.signal);
    expect(visited).toBeGreaterThan(0);
    expect(visited).toBeLessThan(items.length);
    expect(counted.looks.size).toBe(visited);
    expect(await recomputeClocks(engine, counted, stopping.signal)).toBe(0);

    // Killed in the middle of a page: half of it is committed, and nobody writes the position.
    const done: string[] = [];
    const killed = {
      applyDue: async (itemId: string) => {
        if (done.push(itemId) > 2) return new Promise<void>(() => undefined);
        return counted.applyDue(itemId);
      },
    };
    void recomputeClocks(engine, killed, NO_SIGNAL);
    await eventually(() => expect(done.length).toBeGreaterThan(2));
    await untilDone(stage, counted);
    expect(await dueTimes()).toEqual(before.map((dueAt) => dueAt - 16 * HOUR_MS));
    expect(counted.looks).toEqual(new Map(items.map((itemId) => [itemId, 1])));
  });

  test("an item that cannot be measured is told of, and does not end the walk", async () => {
    const stage = await openStage(12);
    const { engine, applier, change, dueTimes } = stage;
    const before = await dueTimes();
    await change(policyOf("a-1", 8));
    const faulty = {
      applyDue: (itemId: string) =>
        itemId === "item-3" ? Promise.reject(new Error("ill")) : applier.applyDue(itemId),
    };
    const errors: unknown[] = [];
    await eventually(async () => {
      await recomputeClocks(engine, faulty, NO_SIGNAL).catch((error: unknown) => {
        errors.push(error);
      });
      expect(await readPolicyStand(engine.store)).toMatchObject({ recompute: { state: "done" } });
    });
    expect(errors.length).toBeGreaterThan(0);
    expect(errors[0]).toMatchObject({ message: "the clocks of 1 items are not measured" });
    const moved = (await dueTimes()).filter((dueAt, index) => dueAt !== before[index]);
    expect(moved).toHaveLength(11);
  });

  test("a change meanwhile begins it anew, and items end under the last policy", async () => {
    const stage = await openStage(30);
    const { engine, applier, change, dueTimes } = stage;
    const before = await dueTimes();
    await change(policyOf("a-1", 8));
    const stopping = new AbortController();
    const once = {
      applyDue: (itemId: string) => {
        stopping.abort();
        return applier.applyDue(itemId);
      },
    };
    await recomputeClocks(engine, once, stopping.signal);
    await change(policyOf("a-2", 12));
    await untilDone(stage, applier);
    expect(await dueTimes()).toEqual(before.map((dueAt) => dueAt - 12 * HOUR_MS));
    await change(policyOf("a-1", 8));
    await untilDone(stage, applier);
    expect(await dueTimes()).toEqual(before.map((dueAt) => dueAt - 16 * HOUR_MS));
  });

  test("a process that comes late has what it did by the old policy put right", async () => {
    const stage = await openStage(3);
    const { deployment, engine, applier, change, dueTimes } = stage;
    const other = await deployment.openEngine();
    const late = await openHolder(other.store, engine.now);
    const before = await dueTimes();
    const old = late.clocks();
    const sleeper = new Applier({ ...other, clocks: () => old, now: engine.now });
    await change(policyOf("a-1", 8));
    await untilDone(stage, applier);
    await sleeper.applyDue("item-1");
    expect(await dueTimes()).toEqual([
      ...before.slice(0, 1).map((dueAt) => dueAt - 16 * HOUR_MS),
      before[1],
      ...before.slice(2).map((dueAt) => dueAt - 16 * HOUR_MS),
    ]);
    await late.refresh();
    expect(await readPolicyStand(engine.store)).toMatchObject({ asked: 1 });
    await untilDone(stage, applier);
    expect(await dueTimes()).toEqual(before.map((dueAt) => dueAt - 16 * HOUR_MS));
  });

  test("items of one millisecond are all seen, however many", async () => {
    const stage = await openStage(0);
    const { engine, applier, change } = stage;
    const list = (shard: number) => `${engine.store.layout.prefix}:{s${shard}}:status:pending`;
    const ids = Array.from({ length: 1_300 }, (_, index) => `tie-${index}`);
    await engine.store.redis.zadd(list(0), ...ids.flatMap((id) => [1, id]));
    await change(policyOf("a-1", 8));
    await untilDone(stage, applier);
    expect(await readPolicyStand(engine.store)).toMatchObject({ recompute: { looks: 1_300 } });
  });
});

describe("the command", () => {
  function files(): { readonly write: (name: string, policy: unknown) => string } {
    const folder = mkdtempSync(path.join(tmpdir(), "orderwright-policy-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    return {
      write: (name, policy) => {
        const file = path.join(folder, name);
        writeFileSync(file, JSON.stringify(policy));
        return file;
      },
    };
  }

  test("sets, shows and resets the policy of a running process, and refuses faults", async () => {
    const deployment = await open();
    const { store } = deployment.engine;
    const { keyPrefix, queuePrefix } = deployment.config;
    const env = {
      REDIS_URL: inject("redisUrl"),
      ORDERWRIGHT_KEY_PREFIX: keyPrefix,
      ORDERWRIGHT_QUEUE_PREFIX: queuePrefix,
    };
    const { write } = files();
    const run = (...args: readonly string[]) => runCommand(["policy", ...args], env);

    const checked = await run("check", EXAMPLE);
    expect(checked).toMatchObject({ exitCode: 0, stderr: "" });
    expect(checked.stdout).toContain('is in order: policy "acme-2026-07", 9 clocks, 3 exceptions');
    const faulty = write("faulty.json", { ...policyOf("a-1", 8), zone: "Mars" });
    for (const action of ["check", "set"]) {
      const refused = await run(action, faulty);
      expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
      expect(refused.stderr).toMatch(/^POLICY_INVALID: [^\n]+\n {2}zone: must be an IANA zone\n$/);
    }
    expect(await readStoredPolicy(store)).toEqual({ setAt: 0, asked: 0 });

    const holder = await openHolder(store);
    const set = await run("set", write("policy.json", policyOf("a-1", 8)));
    expect(set).toMatchObject({ exitCode: 0, stderr: "" });
    expect(set.stdout).toContain("Running processes take it over within 10 seconds");
    await holder.refresh();
    expect(holder.clocks().policy.version).toBe("a-1");
    const again = await run("set", write("other.json", policyOf("a-1", 9)));
    expect(again).toMatchObject({ exitCode: 1, stdout: "" });
    expect(again.stderr).toContain('Policy "a-1" had other content');

    const shown = JSON.parse((await run("show", "--json")).stdout) as object;
    expect(shown).toMatchObject({
      version: "a-1",
      source: "stored",
      recompute: { state: "waiting" },
      policy: { version: "a-1" },
    });
    expect((await run("show")).stdout).toMatch(/^Policy "a-1", set /);

    // Whoever cannot read the stored policy can still replace it.
    await store.redis.hset(policyKey(store.layout), { policy: "{}", version: "z-9" });
    expect((await run("show")).stderr).toMatch(/^POLICY_INVALID: The stored policy/);
    expect((await run("reset")).stdout).toMatch(/^The default policy is stored\./);
    expect((await run("show")).stdout).toMatch(/^Policy "default-1" \(the default\)/);
  });

  test("set --wait ends when the running workers have recomputed all open clocks", async () => {
    const deployment = await open();
    const { config } = deployment;
    await deployment.startHere();
    const time = new Date().toISOString();
    await deployment.apply(orderEvent("order.received", { subject: "item-1", time }));
    const file = files().write("policy.json", policyOf("a-1", 8));
    const ended = await runCommand(["policy", "set", file, "--wait"], {
      REDIS_URL: inject("redisUrl"),
      ORDERWRIGHT_KEY_PREFIX: config.keyPrefix,
      ORDERWRIGHT_QUEUE_PREFIX: config.queuePrefix,
    });
    expect(ended.exitCode).toBe(0);
    expect(ended.stdout).toContain("Recomputation: done");
    const actor = await deployment.actor("item-1");
    expect(actor?.clocks?.policy).toBe("a-1");
    await deployment.assertReplays("item-1");
  });
});
