/**
 * Follows docs/connect-your-crm.md literally, in a folder that looks like a clone. What is changed is what
 * differs between machines: ports, the place of a log file, and `npm start` and `npx orderwright`, which
 * run the sources instead of what `npm ci` would have built.
 */
import { type ChildProcess, spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../src/embedded/embedded-redis.ts";
import { eventually } from "../support/eventually.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** What one terminal's block needs at most: four child processes on a busy machine. */
const BLOCK_TIMEOUT_MS = 30_000;

interface Block {
  readonly terminal: number;
  readonly command: string;
  /** The reseller's view that it is repeated for. */
  readonly until?: { readonly item: string; readonly status: string };
}

const clone = mkdtempSync(path.join(tmpdir(), "orderwright-clone-"));
const children: ChildProcess[] = [];
let ports: { readonly sandbox: number; readonly api: number };

/** As this machine has it. */
function here(text: string): string {
  return text
    .replaceAll("--port 3000", `--port ${ports.sandbox}`)
    .replaceAll("127.0.0.1:3000", `127.0.0.1:${ports.sandbox}`)
    .replaceAll("127.0.0.1:3100", `127.0.0.1:${ports.api}`)
    .replaceAll("/tmp/orderwright.log", path.join(clone, "orderwright.log"));
}

function blocksOf(page: string): Block[] {
  const found = page.matchAll(
    /^```sh terminal (\d)(?: until "([^"]+)" is "([^"]+)")?\n([\s\S]*?)^```$/gm,
  );
  return [...found].map(([, terminal, item, status, command = ""]) => ({
    terminal: Number(terminal),
    command: here(command),
    ...(item !== undefined && status !== undefined && { until: { item, status } }),
  }));
}

function openTerminal() {
  const child = spawn("bash", [], {
    cwd: clone,
    env: {
      PATH: `${path.join(clone, "bin")}:${process.env["PATH"]}`,
      HOME: process.env["HOME"],
      USER: "newcomer",
      NODE_OPTIONS: "--import tsx",
      ORDERWRIGHT_HTTP_PORT: String(ports.api),
    },
    stdio: "pipe",
    // A terminal that is closed ends what runs in it.
    detached: true,
  });
  children.push(child);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  let count = 0;
  return {
    type: (command: string) => void child.stdin.write(command),
    output: () => output,
    /** Resolves with what the command has said, when it has ended. */
    run: async (command: string): Promise<string> => {
      const begin = output.length;
      const mark = `ended-${(count += 1)}-with-`;
      child.stdin.write(`set -eo pipefail; trap 'echo ${mark}$?' EXIT\n`);
      child.stdin.write(`${command}\ntrap - EXIT; echo; echo ${mark}0\n`);
      const ended = new RegExp(`${mark}(\\d+)`);
      await eventually(() => expect(output.slice(begin)).toMatch(ended), {
        timeoutMs: BLOCK_TIMEOUT_MS,
      });
      const said = output.slice(begin);
      expect({ command, said, exitCode: ended.exec(said)?.[1] }).toMatchObject({ exitCode: "0" });
      return said;
    },
  };
}

function statusIn(view: string, item: string): unknown {
  const order = JSON.parse(view.slice(view.indexOf("{"), view.lastIndexOf("}") + 1)) as {
    readonly items: readonly { readonly itemId: string; readonly status: string }[];
  };
  return order.items.find(({ itemId }) => itemId === item)?.status;
}

function write(name: string, text: string, mode = 0o644): void {
  mkdirSync(path.dirname(path.join(clone, name)), { recursive: true });
  writeFileSync(path.join(clone, name), text, { mode });
}

beforeAll(async () => {
  ports = { sandbox: await freePort(), api: await freePort() };
  cpSync(path.join(ROOT, "docs/examples"), path.join(clone, "docs/examples"), { recursive: true });
  for (const name of [
    "client.js",
    "hubspot-webhooks.json",
    "hubspot-delivery.sh",
    "send-events.py",
  ]) {
    const file = path.join("docs/examples", name);
    write(file, here(readFileSync(path.join(ROOT, file), "utf8")));
  }
  cpSync(path.join(ROOT, "package.json"), path.join(clone, "package.json"));
  symlinkSync(path.join(ROOT, "node_modules"), path.join(clone, "node_modules"));
  write("dist/src/client.js", `export * from ${JSON.stringify(path.join(ROOT, "src/client.ts"))};`);
  const main = path.join(ROOT, "src/cli/main.ts");
  write("bin/npx", `#!/bin/sh\nshift\nexec node ${main} "$@"\n`, 0o755);
  write("bin/npm", `#!/bin/sh\nexec node ${main} "$@"\n`, 0o755);
});

afterAll(async () => {
  for (const child of children) if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
  await Promise.all(
    children.map((child) => new Promise((resolve) => child.once("close", resolve))),
  );
  rmSync(clone, { recursive: true, force: true });
});

test("whoever follows the page gets each status to the reseller, by every road", async () => {
  const blocks = blocksOf(readFileSync(path.join(ROOT, "docs/connect-your-crm.md"), "utf8"));
  expect(blocks.filter(({ until }) => until !== undefined).length).toBe(4);
  const long = [1, 2].map((terminal) => {
    const opened = openTerminal();
    for (const block of blocks) if (block.terminal === terminal) opened.type(block.command);
    return opened;
  });
  await eventually(
    () => {
      expect(long[0]?.output()).toContain("The sandbox marketplace is running");
      expect(long[1]?.output()).toContain("Orderwright is running");
    },
    { timeoutMs: BLOCK_TIMEOUT_MS },
  );
  const third = openTerminal();
  for (const { terminal, command, until } of blocks) {
    if (terminal !== 3) continue;
    if (until === undefined) {
      await third.run(command);
      continue;
    }
    await eventually(
      async () => expect(statusIn(await third.run(command), until.item)).toBe(until.status),
      { timeoutMs: BLOCK_TIMEOUT_MS },
    );
  }
}, 180_000);
