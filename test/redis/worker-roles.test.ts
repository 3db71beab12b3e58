/** The work of one deployment, shared out between processes by `orderwright worker --only`. */
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { expect, inject, onTestFinished, test } from "vitest";
import { startSandbox } from "../../src/offergrid/sandbox/server.ts";
import { CRM_EVENTS } from "../../src/queue/queues.ts";
import { runCommand, startCommand } from "../support/command.ts";
import { eventually } from "../support/eventually.ts";
import { LIFE_PUSHED, lifeOf } from "../support/order-item-events.ts";
import { testConfig } from "../support/test-config.ts";

test("one process for events and one for pushes carry an item to its end", async () => {
  const redisUrl = inject("redisUrl");
  const { keyPrefix, queuePrefix } = testConfig(redisUrl);
  const sandbox = await startSandbox({ adoptUnknownItems: true });
  onTestFinished(() => sandbox.close());
  const env = {
    REDIS_URL: redisUrl,
    ORDERWRIGHT_KEY_PREFIX: keyPrefix,
    ORDERWRIGHT_QUEUE_PREFIX: queuePrefix,
  };
  const account = { OFFERGRID_API_KEY: "sandbox-provider-key", OFFERGRID_BASE_URL: sandbox.url };
  // Whoever pushes nothing needs no account. No sweep runs here: only a wake reaches the other process.
  const events = startCommand(["worker", "--only", "events"], env);
  const pushes = startCommand(["worker", "--only", "pushes"], { ...env, ...account });
  for (const { child } of [events, pushes]) onTestFinished(() => void child.kill("SIGKILL"));
  for (const { output } of [events, pushes]) {
    await eventually(() => expect(output().stderr).toContain("workers started"), {
      timeoutMs: 30_000,
    });
  }

  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue(CRM_EVENTS, { connection, prefix: queuePrefix });
  onTestFinished(async () => {
    await queue.close();
    connection.disconnect();
  });
  for (const event of lifeOf("shared-1")) await queue.add(event.type, event);
  await eventually(() => {
    const applied = sandbox.market.log.filter((entry) => entry.applied);
    expect(applied.map(({ status }) => status)).toEqual(LIFE_PUSHED);
  });
  for (const { child, ended } of [events, pushes]) {
    child.kill("SIGTERM");
    expect(await ended).toMatchObject({ exitCode: 0 });
  }
});

test("a role that does not exist is told with those that do", async () => {
  const ended = await runCommand(["worker", "--only", "events,push"], {});
  expect(ended.exitCode).toBe(1);
  expect(ended.stderr).toContain('"push" is none of events, pushes, timers, recovery, polls');
});
