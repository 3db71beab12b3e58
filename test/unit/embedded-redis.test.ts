import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type EmbeddedRedis,
  type EmbeddedRedisOptions,
  findEmbeddedRedis,
  startEmbeddedRedis,
} from "../../src/embedded/embedded-redis.ts";
import type { CommandResult, Host } from "../../src/embedded/host.ts";
import { ensureRedisBinary } from "../../src/embedded/redis-binary.ts";
import { eventually } from "../support/eventually.ts";

describe("finding a server", () => {
  test("PATH comes before the usual folders, and valkey serves as well as redis", async () => {
    const host = machine({ "/opt/valkey-server": "8.0.1", "/usr/bin/redis-server": "7.0.15" });
    await expect(ensureRedisBinary({ install: "never" }, host)).resolves.toBe("/opt/valkey-server");
  });

  test("a server that is too old is passed over", async () => {
    const host = machine({ "/opt/redis-server": "6.0.16", "/usr/bin/redis-server": "6.2.0" });
    await expect(ensureRedisBinary({ install: "never" }, host)).resolves.toBe(
      "/usr/bin/redis-server",
    );
  });

  test.each([
    ["that is absent", {}, /\/my\/redis is not a program/],
    ["that is too old", { "/my/redis": "5.0.0" }, /\/my\/redis is 5\.0\.0/],
    ["that is something else", { "/my/redis": "none" }, /no Redis or Valkey server/],
  ])("a configured path %s is a fault, whatever else is there", async (_, programs, message) => {
    const host = machine({ ...programs, "/usr/bin/redis-server": "7.0.15" });
    await expect(
      ensureRedisBinary({ serverPath: "/my/redis", install: "auto" }, host),
    ).rejects.toThrow(message);
  });
});

describe("installing a server", () => {
  test("root on Debian gets the package, and is told so in one line", async () => {
    const host = machine({ "/opt/apt-get": "" }, { installs: "apt-get" });
    await expect(ensureRedisBinary({ install: "auto" }, host)).resolves.toBe(
      "/usr/bin/redis-server",
    );
    expect(host.commands.filter((line) => line.includes("apt-get"))).toEqual([
      "env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -o DPkg::Lock::Timeout=120 update",
      "env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -o DPkg::Lock::Timeout=120 " +
        "install -y --no-install-recommends redis-server",
    ]);
    expect(host.said).toEqual([expect.stringContaining("installed with apt-get")]);
  });

  test("a sudo that asks nothing is used", async () => {
    const host = machine({ "/opt/dnf": "" }, { installs: "dnf", isRoot: false, hasSudo: true });
    await ensureRedisBinary({ install: "auto" }, host);
    expect(host.commands).toContain(
      "sudo -n env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 dnf install -y valkey",
    );
  });

  test.each<[string, FakeMachine, RegExp]>([
    ["lacks the rights", machine({ "/opt/apt-get": "" }, { isRoot: false }), /needs root/],
    ["has no package manager", machine({}), /no package manager/],
    ["fails", machine({ "/opt/apt-get": "" }), /apt-get failed: E: no route/],
    [
      "leaves a server that is too old",
      machine({ "/opt/apt-get": "", "/opt/redis-server": "5.0.0" }),
      /too old: \/opt\/redis-server \(5\.0\.0\)/,
    ],
  ])("a machine where it %s says what to do", async (_, host, message) => {
    const failure = ensureRedisBinary({ install: "auto" }, host);
    await expect(failure).rejects.toMatchObject({ code: "REDIS_BINARY_MISSING" });
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toThrow(/apt-get install redis-server.*REDIS_URL=redis:/);
  });

  test("nothing is installed where that is forbidden", async () => {
    const host = machine({ "/opt/apt-get": "" }, { installs: "apt-get" });
    await expect(ensureRedisBinary({ install: "never" }, host)).rejects.toThrow(/switched off/);
    expect(host.commands).toEqual([]);
  });
});

describe("an embedded Redis", { timeout: 30_000 }, () => {
  let dataDir: string;
  const started: EmbeddedRedis[] = [];
  const clients: Redis[] = [];

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), "orderwright-embedded-"));
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.disconnect();
    await Promise.all(started.splice(0).map(async ({ stop }) => stop()));
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function start(options: Partial<EmbeddedRedisOptions> = {}): Promise<EmbeddedRedis> {
    const redis = await startEmbeddedRedis({ dataDir, appendfsync: "everysec", ...options });
    started.push(redis);
    return redis;
  }

  function connect(url: string): Redis {
    const client = new Redis(url);
    client.on("error", () => undefined);
    clients.push(client);
    return client;
  }

  test("keeps an append-only file, never evicts and listens on the loopback only", async () => {
    const client = connect((await start({ appendfsync: "always" })).url);
    const setting = async (name: string) => Object.values(await client.config("GET", name)).at(-1);
    expect(await setting("appendonly")).toBe("yes");
    expect(await setting("appendfsync")).toBe("always");
    expect(await setting("maxmemory-policy")).toBe("noeviction");
    expect(await setting("save")).toBe("");
    expect(await setting("bind")).toBe("127.0.0.1");
  });

  test("keeps nothing on disk when asked to", async () => {
    const client = connect((await start({ persist: false })).url);
    expect(await client.info("persistence")).toContain("aof_enabled:0");
  });

  test("is found by others while it runs, and gone when it stopped", async () => {
    expect(await findEmbeddedRedis(join(dataDir, "absent"))).toBeUndefined();
    expect(await findEmbeddedRedis(dataDir)).toBeUndefined();
    const redis = await start();
    expect(await findEmbeddedRedis(dataDir)).toBe(redis.url);
    await redis.stop();
    await redis.stop();
    expect(await findEmbeddedRedis(dataDir)).toBeUndefined();
  });

  test("one folder has one server, however many start at once", async () => {
    const attempts = await Promise.allSettled([start(), start(), start()]);
    const refused = attempts.flatMap((attempt) =>
      attempt.status === "rejected" ? [attempt.reason] : [],
    );
    expect(refused).toHaveLength(2);
    expect(refused[0]).toMatchObject({ code: "REDIS_DATA_IN_USE" });
    await expect(start()).rejects.toThrow(`Set REDIS_URL=${started[0]?.url}`);
  });

  test("keeps its data over a stop", async () => {
    const first = await start();
    await connect(first.url).set("key", "kept");
    await first.stop();
    expect(await connect((await start()).url).get("key")).toBe("kept");
  });

  test("that is killed says so, and the next one takes over folder and data", async () => {
    const first = await start({ appendfsync: "always" });
    await connect(first.url).set("key", "kept");
    first.kill("SIGKILL");
    expect(await first.exited).toEqual({ code: null, signal: "SIGKILL" });
    const second = await start({ port: first.port });
    expect(second.port).toBe(first.port);
    expect(await connect(second.url).get("key")).toBe("kept");
  });

  test("does not outlive a process that is killed with SIGKILL", async () => {
    const parent = spawn(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "--eval", PARENT, dataDir],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [line] = (await once(parent.stdout.setEncoding("utf8"), "data")) as [string];
    await connect(line).set("key", "kept");
    expect(await findEmbeddedRedis(dataDir)).toBe(line);
    parent.kill("SIGKILL");
    await eventually(async () => {
      expect(await findEmbeddedRedis(dataDir)).toBeUndefined();
    });
    expect(await connect((await start()).url).get("key")).toBe("kept");
  });

  test("that does not come up shows its own last lines, and frees the folder", async () => {
    const serverPath = join(dataDir, "broken-server");
    const script =
      '[ "$1" = --version ] && exec echo "Redis server v=7.0.0"; echo "No room"; exit 3';
    writeFileSync(serverPath, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const failure = start({ serverPath });
    await expect(failure).rejects.toMatchObject({ code: "REDIS_UNREACHABLE" });
    await expect(failure).rejects.toThrow(/ended with exit code 3.*\n {2}No room/);
    await expect(start()).resolves.toBeDefined();
  });

  test("is not mistaken for another Redis that holds its port", async () => {
    const { port } = await start();
    const failure = start({ dataDir: join(dataDir, "second"), port });
    await expect(failure).rejects.toThrow(/ended with exit code 1.*Address already in use/s);
  });

  test("takes a folder whose claim is torn, or names a server that is not its own", async () => {
    const neighbour = await start();
    const folder = join(dataDir, "next door");
    mkdirSync(folder);
    const claim = { state: "running", ownerPid: process.pid, serverPid: process.pid };
    writeFileSync(
      join(folder, "orderwright-redis.7.json"),
      JSON.stringify({ ...claim, port: neighbour.port }),
    );
    expect(await findEmbeddedRedis(folder)).toBeUndefined();
    await (await start({ dataDir: folder })).stop();
    writeFileSync(join(folder, "orderwright-redis.9.json"), "{");
    await expect(start({ dataDir: folder })).resolves.toBeDefined();
  });
});

/** A process that starts a server and then does nothing. */
const PARENT = `
  import { startEmbeddedRedis } from "./src/embedded/embedded-redis.ts";
  const dataDir = process.argv[1];
  const { url } = await startEmbeddedRedis({ dataDir, appendfsync: "everysec" });
  process.stdout.write(url);
  setInterval(() => undefined, 1000);
`;

interface FakeMachine extends Host {
  readonly commands: readonly string[];
  readonly said: readonly string[];
}

interface Abilities {
  readonly isRoot?: boolean;
  readonly hasSudo?: boolean;
  /** The package manager whose install works; any other one fails. */
  readonly installs?: string;
}

/** A machine with these programs, each with the version that it tells; PATH is /opt. */
function machine(
  programs: Readonly<Record<string, string>>,
  { isRoot = true, hasSudo = false, installs }: Abilities = {},
): FakeMachine {
  const versions = new Map(Object.entries(programs));
  const commands: string[] = [];
  const said: string[] = [];
  const run = (command: string, args: readonly string[]): CommandResult => {
    const line = [command, ...args].join(" ");
    commands.push(line);
    if (args[0] === "--version") {
      return { exitCode: 0, output: `Redis server v=${versions.get(command)} bits=64` };
    }
    if (line === "sudo -n true") return { exitCode: hasSudo ? 0 : 1, output: "" };
    if (installs === undefined || !line.includes(installs)) {
      return { exitCode: 100, output: "Reading lists\nE: no route.\n" };
    }
    if (line.includes(" install ")) versions.set("/usr/bin/redis-server", "7.0.15");
    return { exitCode: 0, output: "" };
  };
  return {
    searchPath: "/opt",
    isRoot,
    isExecutable: (path) => versions.has(path),
    run: async (command, args) => run(command, args),
    say: (line) => {
      said.push(line);
    },
    commands,
    said,
  };
}
