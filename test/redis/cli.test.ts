import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import type { ItemDescription } from "../../src/engine/describe-item.ts";
import { runCommand, startCommand } from "../support/command.ts";
import { type Harness, startHarness } from "../support/engine-harness.ts";
import { eventually } from "../support/eventually.ts";
import { orderEvent } from "../support/order-item-events.ts";

describe("start", () => {
  test("runs everything without configuration, and ends with 0 on SIGTERM", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "orderwright-cli-"));
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    const env = { ORDERWRIGHT_DATA_DIR: dataDir, ORDERWRIGHT_HTTP_PORT: "0" };
    const running = startCommand(["start"], env);
    onTestFinished(() => void running.child.kill("SIGKILL"));
    await eventually(() => expect(running.output().stdout).toContain("npx orderwright send"));

    const received = await runCommand(
      ["send", "order.received", "item 1", "--order", "order-1"],
      env,
    );
    expect(received).toMatchObject({ exitCode: 0, stderr: "" });
    expect(received.stdout).toContain('Item item 1 is "pending"');
    const shown = await runCommand(["show", "item 1", "--json"], env);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      itemId: "item 1",
      state: { status: "pending", order: "order-1", account: "default" },
    });

    running.child.kill("SIGTERM");
    // Nothing but whom the door is open to.
    expect(await running.ended).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/^(?:\{"level":"warn",[^\n]+HTTP API is open [^\n]+\n)?$/),
    });
    const after = await runCommand(["items"], env);
    expect(after).toMatchObject({ exitCode: 1, stdout: "" });
    expect(after.stderr).toMatch(/^REDIS_UNREACHABLE: .*npm start/);
  });

  test("tells a wrong configuration in words, not in a stack", async () => {
    const ended = await runCommand(["start"], { ORDERWRIGHT_ORDER_ITEM: '{"profile":"loose"}' });
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(/^CONFIG_INVALID: [^\n]+\n {2}orderItem\.profile: /);
    expect(ended.stderr).not.toContain(" at ");
  });
});

describe("at a running installation", () => {
  let engine: Harness;
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    engine = await startHarness({ redisUrl: inject("redisUrl") });
    const { keyPrefix, queuePrefix } = engine.config;
    env = {
      REDIS_URL: inject("redisUrl"),
      ORDERWRIGHT_KEY_PREFIX: keyPrefix,
      ORDERWRIGHT_QUEUE_PREFIX: queuePrefix,
    };
  });

  afterAll(async () => {
    await engine.stop();
  });

  async function json(...args: readonly string[]): Promise<unknown> {
    const { stdout, stderr } = await runCommand([...args, "--json"], env);
    expect(stderr).toBe("");
    return JSON.parse(stdout);
  }

  test("send refuses a faulty event before it is queued, and names the flag that helps", async () => {
    const ended = await runCommand(["send", "order.accepted", "cli-1"], env);
    expect(ended).toMatchObject({ exitCode: 1, stdout: "" });
    expect(ended.stderr).toMatch(/^EVENT_DATA_INVALID: .*\n {2}Give it with --note TEXT\.\n$/);
    expect(await engine.actor("cli-1")).toBeUndefined();
  });

  test("send tells what became of an event, and exits with 1 when it was refused", async () => {
    await engine.send(orderEvent("order.received", { subject: "cli-2" }));
    await engine.settled("cli-2", "pending");
    const ended = await runCommand(["send", "wait.ended", "cli-2"], env);
    expect(ended.exitCode).toBe(0);
    expect(ended.stdout).toMatch(/^Parked, EVENT_TOO_EARLY: /);
    const refused = await runCommand(
      ["send", "order.received", "cli-2", "--data", '{"orderId":"order-2"}'],
      env,
    );
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout).toMatch(/^Rejected, ITEM_EXISTS: /);
  });

  test("send --file sends all lines or none", async () => {
    const lines = [
      '{"type":"order.received","subject":"cli-3","data":{"orderId":"order-3"}}',
      '{"type":"order.accepted","subject":"cli-3","data":{"providerNotes":"Yes."}}',
    ];
    const faulty = [...lines, '{"type":"order.accepted","subject":"cli-3"}'].join("\n");
    const refused = await runCommand(["send", "--file", "-"], env, faulty);
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toContain("line 3: EVENT_DATA_INVALID");
    expect(await engine.actor("cli-3")).toBeUndefined();

    const sent = await runCommand(["send", "--file", "-"], env, lines.join("\n"));
    expect(sent).toMatchObject({ exitCode: 0, stdout: "Sent 2 events: 2 applied.\n" });
    await engine.settled("cli-3", "accepted");
    expect(await json("items", "--order", "order-3")).toMatchObject({
      items: [{ itemId: "cli-3", status: "accepted", pending: 0, isBlocked: false }],
    });
  });

  test("show tells what blocks an item and how to solve it; skip goes on without the push", async () => {
    const subject = "cli-4";
    const fault = { kind: "404", match: { itemId: subject, status: "accepted" } } as const;
    engine.sandbox.market.behaviour.faults.push(fault);
    await engine.send(
      orderEvent("order.received", { subject }),
      orderEvent("order.accepted", { subject }),
      orderEvent("appointment.scheduled", { subject }),
    );
    const letter = await eventually(async () => {
      const { deadLetters, lanes } = (await json("show", subject)) as ItemDescription;
      expect(lanes).toMatchObject([{ state: "blocked", problem: { code: "PUSH_ITEM_NOT_FOUND" } }]);
      expect(lanes[0]?.pending).toHaveLength(2);
      return String(deadLetters[0]?.id);
    });
    const shown = await runCommand(["show", subject], env);
    expect(shown.stdout).toContain(`npx orderwright retry ${letter}`);
    expect(shown.stdout.split("\n").filter((line) => line.length > 100)).toEqual([]);

    const skipped = await runCommand(["skip", letter, "--reason", "told by phone"], env);
    expect(skipped).toMatchObject({ exitCode: 0, stderr: "" });
    await engine.settled(subject, "scheduled");
    expect(engine.seen(subject)).toEqual(["scheduled"]);
    expect(await engine.journal(subject)).toContainEqual(
      expect.objectContaining({ outcome: "skipped", answer: "told by phone", status: "accepted" }),
    );
    const audited = await runCommand(["audit", "--item", subject], env);
    expect(audited.stdout).toMatch(
      / discard +cli-4 +told by phone\n.* discard 1: skipped +cli-4 /m,
    );
  });

  test("retry takes an event from the dead letters back into the queue", async () => {
    const subject = "cli-5";
    await engine.send({ ...orderEvent("order.noted", { subject }), type: "order.unheard" });
    const [letter] = await eventually(async () => {
      const letters = (await json("dead")) as readonly { id: string; problem: unknown }[];
      expect(letters).toHaveLength(1);
      return letters;
    });
    expect(letter?.problem).toMatchObject({ code: "EVENT_TYPE_UNKNOWN" });
    expect(await json("retry", "--all")).toEqual([{ id: letter?.id, outcome: "enqueued" }]);
    const audited = await runCommand(["audit", "--item", subject, "--json"], env);
    const [announced = "", ended = ""] = audited.stdout.split("\n");
    expect(JSON.parse(ended)).toMatchObject({ action: "redrive", outcome: "enqueued" });
    expect(JSON.parse(announced)).toMatchObject({
      action: "redrive",
      reason: "(none given)",
      detail: { letter: letter?.id },
    });
    // Nothing knows the type now either, so the event comes back: as another letter, not as the same.
    await eventually(async () => {
      const [again] = (await json("dead")) as readonly { id: string; event: unknown }[];
      expect(again?.id).not.toBe(letter?.id);
      expect(again?.event).toMatchObject({ redrive: 1 });
    });
  });
});
