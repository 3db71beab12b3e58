/** A Redis that can be killed and started again on what it had written, at the same address. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../src/embedded/embedded-redis.ts";
import { type Fsync, readyLineOf } from "./redis-process.ts";

/** A measurement that fails must leave no process behind. */
export function killedWithUs(child: ChildProcess): ChildProcess {
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  return child;
}

/** Keeps its port and its directory: what comes back is the same Redis. */
export class KillableRedis {
  readonly #port: number;
  readonly #dir: string;
  readonly #fsync: Fsync;
  #server: ChildProcess | undefined;

  private constructor(place: { readonly port: number; readonly dir: string }, fsync: Fsync) {
    this.#port = place.port;
    this.#dir = place.dir;
    this.#fsync = fsync;
  }

  static async start(fsync: Fsync): Promise<KillableRedis> {
    const dir = await mkdtemp(join(tmpdir(), "orderwright-recovery-"));
    const redis = new KillableRedis({ port: await freePort(), dir }, fsync);
    await redis.restart();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  async restart(): Promise<void> {
    const args = Object.entries({
      port: String(this.#port),
      bind: "127.0.0.1",
      dir: this.#dir,
      save: "",
      appendonly: "yes",
      appendfsync: this.#fsync,
      "maxmemory-policy": "noeviction",
    }).flatMap(([name, value]) => [`--${name}`, value]);
    const server = spawn("redis-server", args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#server = killedWithUs(server);
    await readyLineOf(server.stdout);
  }

  async kill(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const exited = once(server, "exit");
    server.kill("SIGKILL");
    await exited;
  }

  async end(): Promise<void> {
    await this.kill();
    await rm(this.#dir, { recursive: true, force: true });
  }
}
