/** The example senders of docs/examples, as their own interpreters run them, against a real API. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { eventSchemas } from "../../machines/order-item/events.ts";
import { openClient } from "../../src/client.ts";
import { startHttpServer } from "../../src/http/server.ts";
import { createLogger } from "../../src/logger.ts";
import { OPEN_DOOR } from "../support/open-door.ts";
import { orderEvent } from "../support/order-item-events.ts";

const KEY = "ow_a_key";

/** An API with one key, whose queue is away for the first `outages` requests. */
async function startApi({ outages = 0 } = {}) {
  const batches: unknown[] = [];
  let left = outages;
  const server = await startHttpServer(
    {
      keys: {
        ...OPEN_DOOR,
        hasKeys: async () => true,
        check: async (text) =>
          text === KEY
            ? {
                standing: "good",
                grant: { keyId: "a", name: "CRM", scopes: ["events:write"], perMinute: null },
              }
            : { standing: "unknown" },
      },
      queue: {
        add: async (jobs) => {
          if (left > 0) {
            left -= 1;
            throw new Error("away");
          }
          batches.push(...jobs.map(({ data }) => data));
        },
        probe: async () => undefined,
      },
      schemas: eventSchemas(8 * 1024),
      log: createLogger("silent"),
      intakeTimeoutMs: 5_000,
      intakeMaxInFlight: 10,
    },
    { host: "127.0.0.1", port: 0 },
  );
  onTestFinished(() => server.close());
  return { url: server.url, events: () => batches.flat() };
}

interface Sender {
  readonly program: string;
  readonly needs: readonly string[];
  readonly batchesAreCut: boolean;
}

const SENDERS: Readonly<Record<string, Sender>> = {
  "send-events.sh": { program: "sh", needs: ["curl", "--version"], batchesAreCut: false },
  "send-events.py": { program: "python3", needs: ["python3", "--version"], batchesAreCut: true },
  "send-events.php": {
    program: "php",
    needs: ["php", "-r", "exit(extension_loaded('curl') ? 0 : 1);"],
    batchesAreCut: true,
  },
};

function isMissing({ needs: [program = "", ...args] }: Sender): boolean {
  return spawnSync(program, args, { timeout: 10_000 }).status !== 0;
}

async function run(name: string, sending: { url: string; events: unknown; key?: string }) {
  const { url, events, key = KEY } = sending;
  const child = spawn(SENDERS[name]?.program ?? "", [`docs/examples/${name}`], {
    env: { PATH: process.env["PATH"], ORDERWRIGHT_URL: url, ORDERWRIGHT_API_KEY: key },
    stdio: "pipe",
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.resume();
  child.stdin.end(JSON.stringify(events));
  const [exitCode] = (await once(child, "close")) as [number];
  return { exitCode, output };
}

function notes(amount: number): object[] {
  return Array.from({ length: amount }, (_, place) => ({
    ...orderEvent("order.noted", { data: { providerNotes: "Zażółć gęślą jaźń." } }),
    id: `note-${place}`,
  }));
}

describe.each(Object.entries(SENDERS))("%s", (name, sender) => {
  test("sends all events in order, and waits for a queue that is away", async ({ skip }) => {
    skip(isMissing(sender), `not run: this machine has not what it needs (${sender.needs[0]})`);
    const api = await startApi({ outages: 1 });
    const events = notes(sender.batchesAreCut ? 230 : 100);
    const { exitCode, output } = await run(name, { url: api.url, events });
    expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
    expect(api.events()).toEqual(events);
    expect(output.match(/accepted/g)?.length).toBe(events.length);
  });

  test("tells which event was refused, and why", async ({ skip }) => {
    skip(isMissing(sender), `not run: this machine has not what it needs (${sender.needs[0]})`);
    const api = await startApi();
    const [good, ...others] = notes(2);
    const faulty = { ...others[0], data: {} };
    const { exitCode, output } = await run(name, { url: api.url, events: [good, faulty] });
    // The API took one of them, which for curl is a success.
    expect(exitCode).toBe(sender.batchesAreCut ? 1 : 0);
    expect(output).toMatch(/note-0.*accepted/);
    expect(output).toMatch(/note-1.*refused.*EVENT_DATA_INVALID/s);
    expect(api.events()).toEqual([good]);
  });

  test("does not repeat what is refused for its key", async ({ skip }) => {
    skip(isMissing(sender), `not run: this machine has not what it needs (${sender.needs[0]})`);
    const api = await startApi();
    const began = performance.now();
    const { exitCode } = await run(name, { url: api.url, events: notes(1), key: "wrong" });
    expect(exitCode).not.toBe(0);
    // Whoever repeats gives up after a minute.
    expect(performance.now() - began).toBeLessThan(50_000);
  });
});

test("the client sends to the same API with its key, and is refused with a wrong one", async () => {
  const api = await startApi({ outages: 1 });
  const client = openClient({ url: api.url, apiKey: KEY });
  const sent = await client.send({
    type: "order.noted",
    subject: "item-1",
    source: "crm/test",
    data: { providerNotes: "The customer called." },
  });
  expect(api.events()).toEqual([sent]);
  const stranger = openClient({ url: api.url, apiKey: "wrong" });
  await expect(stranger.sendAll([sent as never])).rejects.toMatchObject({ code: "SEND_REFUSED" });
});
