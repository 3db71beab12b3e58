/**
 * A real redis-server as a child process, for everything that runs on one machine: the same code path
 * as production, without setting anything up.
 *
 * It listens on the loopback interface only, writes an append-only file in its data folder and never
 * evicts. One data folder has at most one server at a time (data-claim.ts); other processes of the
 * machine find it with `findEmbeddedRedis`. It ends with the process that started it
 * (supervised-server.ts); whatever ended it, the next start loads the append-only file.
 */
import { mkdirSync, realpathSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { EngineError } from "../core/errors.ts";
import { claimDataDir, type HeldClaim, runningPort } from "./data-claim.ts";
import { type BinaryChoice, ensureRedisBinary } from "./redis-binary.ts";
import { type ServerExit, startSupervised, type SupervisedServer } from "./supervised-server.ts";

const HOST = "127.0.0.1";
/** From the start of the process until it listens; it does so before it loads its data. */
const LISTEN_TIMEOUT_MS = 15_000;
/** A million items load in seconds; a disk that needs longer than this is broken. */
const LOAD_TIMEOUT_MS = 10 * 60_000;
const POLL_MS = 10;
const ANSWER_TIMEOUT_MS = 2000;
/** A free port can be taken by another program before the server binds it. */
const PORT_ATTEMPTS = 3;

export interface EmbeddedLog {
  readonly debug: (fields: object, message: string) => void;
  readonly info: (fields: object, message: string) => void;
  readonly error: (fields: object, message: string) => void;
}

export interface EmbeddedRedisOptions extends Partial<BinaryChoice> {
  /** Made when it does not exist. */
  readonly dataDir: string;
  readonly appendfsync: "everysec" | "always" | "no";
  /** Default: a free one. */
  readonly port?: number;
  /** False keeps nothing on disk: for measurements and throw-away data. Default true. */
  readonly persist?: boolean;
  readonly log?: EmbeddedLog;
}

export interface EmbeddedRedis {
  readonly url: string;
  readonly port: number;
  /** Process id of the server itself. */
  readonly pid: number;
  /** Resolves when the server has ended, asked to or not. */
  readonly exited: Promise<ServerExit>;
  /** Ends it after everything it acknowledged is on disk. May be called twice. */
  readonly stop: () => Promise<void>;
  /** Sends a signal, for example SIGKILL to try what a crash does. */
  readonly kill: (signal: NodeJS.Signals) => void;
}

/**
 * Starts a server on `dataDir` and waits until its data is loaded.
 * @throws EngineError REDIS_BINARY_MISSING, REDIS_DATA_IN_USE when another server runs on the folder,
 *   REDIS_UNREACHABLE with the server's last lines when it does not come up
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const { serverPath, install = "auto" } = options;
  const path = await ensureRedisBinary({ serverPath, install });
  mkdirSync(options.dataDir, { recursive: true });
  const dataDir = realpathSync(options.dataDir);
  const claim = await claimDataDir(dataDir);
  if (claim.outcome === "in-use") throw await inUse(dataDir, claim.ownerPid, claim.file);
  try {
    return await launch({ ...options, dataDir, path, held: claim.held });
  } catch (error) {
    release(claim.held);
    throw error;
  }
}

/** URL of the embedded Redis that another process runs on the folder, when it is there and answers. */
export async function findEmbeddedRedis(dataDir: string): Promise<string | undefined> {
  const folder = existingFolder(dataDir);
  const port = folder === undefined ? undefined : await runningPort(folder);
  return port === undefined ? undefined : urlOf(port);
}

interface Launch extends EmbeddedRedisOptions {
  readonly path: string;
  readonly held: HeldClaim;
}

async function launch(options: Launch): Promise<EmbeddedRedis> {
  const { held, log } = options;
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const server = await startSupervised(options.path, serverArguments(options, port), (line) => {
      log?.debug({ line }, "embedded redis said");
    });
    const start = await untilLoaded(server, port, () => {
      held.write({ state: "running", ownerPid: process.pid, port, serverPid: server.pid });
    });
    if (start.outcome === "ready") return running({ server, port, held, log });
    await server.stop();
    const isPortTaken = server.lastLines().some((line) => line.includes("Address already in use"));
    if (isPortTaken && options.port === undefined && attempt < PORT_ATTEMPTS) continue;
    throw notReady(options.path, start.reason, server.lastLines());
  }
}

function serverArguments(options: EmbeddedRedisOptions, port: number): readonly string[] {
  const { dataDir, appendfsync, persist = true } = options;
  const settings: Readonly<Record<string, string>> = {
    bind: HOST,
    port: String(port),
    dir: dataDir,
    appendonly: persist ? "yes" : "no",
    appendfsync,
    // The append-only file is the only copy: a snapshot beside it would cost a fork and save nothing.
    save: "",
    "maxmemory-policy": "noeviction",
    // Freeing a big value or an expired one must not hold up the next command.
    "lazyfree-lazy-user-del": "yes",
    "lazyfree-lazy-expire": "yes",
    "tcp-keepalive": "60",
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

type Start =
  | { readonly outcome: "ready" }
  | { readonly outcome: "not-ready"; readonly reason: string };

/** `onListening` is called once, as soon as other processes can ask the server for itself. */
async function untilLoaded(
  server: SupervisedServer,
  port: number,
  onListening: () => void,
): Promise<Start> {
  const redis = new Redis({
    host: HOST,
    port,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    commandTimeout: ANSWER_TIMEOUT_MS,
    retryStrategy: () => POLL_MS,
  });
  redis.on("error", () => undefined);
  const end = new AbortController();
  try {
    return await Promise.race([
      pollUntilLoaded(async () => askState(redis, server.pid), onListening, end.signal),
      server.exited.then(ended),
    ]);
  } finally {
    end.abort();
    redis.disconnect();
  }
}

type State = "unreachable" | "loading" | "loaded";

/** Another Redis may hold the port: only the process that was started counts. */
async function askState(redis: Redis, pid: number): Promise<State> {
  const answer = await redis.info().catch(() => "");
  if (!answer.split("\r\n").includes(`process_id:${pid}`)) return "unreachable";
  return /^loading:0/m.test(answer) ? "loaded" : "loading";
}

async function pollUntilLoaded(
  ask: () => Promise<State>,
  onListening: () => void,
  signal: AbortSignal,
): Promise<Start> {
  const begunAt = performance.now();
  let isListening = false;
  while (!signal.aborted) {
    const state = await ask();
    if (state !== "unreachable" && !isListening) {
      isListening = true;
      onListening();
    }
    if (state === "loaded") return { outcome: "ready" };
    const waitedMs = performance.now() - begunAt;
    if (!isListening && waitedMs > LISTEN_TIMEOUT_MS) {
      return { outcome: "not-ready", reason: `did not listen within ${LISTEN_TIMEOUT_MS} ms` };
    }
    if (waitedMs > LOAD_TIMEOUT_MS) {
      return { outcome: "not-ready", reason: `did not load its data within ${LOAD_TIMEOUT_MS} ms` };
    }
    await delay(POLL_MS);
  }
  return { outcome: "not-ready", reason: "ended" };
}

function ended({ code, signal }: ServerExit): Start {
  return { outcome: "not-ready", reason: `ended with ${signal ?? `exit code ${String(code)}`}` };
}

interface Running {
  readonly server: SupervisedServer;
  readonly port: number;
  readonly held: HeldClaim;
  readonly log: EmbeddedLog | undefined;
}

function running({ server, port, held, log }: Running): EmbeddedRedis {
  let isAskedToStop = false;
  log?.info({ port, serverPid: server.pid }, "embedded redis started");
  void server.exited.then(({ code, signal }) => {
    release(held);
    const fields = { port, serverPid: server.pid, code, signal };
    if (isAskedToStop) log?.info(fields, "embedded redis stopped");
    else
      log?.error(
        { ...fields, lastLines: server.lastLines() },
        "embedded redis ended without being stopped",
      );
  });
  return {
    url: urlOf(port),
    port,
    pid: server.pid,
    exited: server.exited,
    stop: async () => {
      isAskedToStop = true;
      await server.stop();
    },
    kill: server.kill,
  };
}

/** A claim that cannot be written, in a folder that was deleted say, is passed over by the next owner:
 * its server does not answer. */
function release(held: HeldClaim): void {
  try {
    held.write({ state: "stopped" });
  } catch {
    return;
  }
}

async function inUse(dataDir: string, ownerPid: number, file: string): Promise<EngineError> {
  const port = await runningPort(dataDir);
  const way =
    port === undefined
      ? "Choose another folder with ORDERWRIGHT_DATA_DIR."
      : `Set REDIS_URL=${urlOf(port)} to work with it, or choose another folder with ORDERWRIGHT_DATA_DIR.`;
  return new EngineError(
    "REDIS_DATA_IN_USE",
    `Process ${ownerPid} already runs an embedded Redis on ${dataDir}. ${way} ` +
      `When no such process is left, delete ${file}.`,
  );
}

function notReady(path: string, reason: string, lastLines: readonly string[]): EngineError {
  const said = lastLines.length === 0 ? "It said nothing." : "Its last lines:";
  return new EngineError(
    "REDIS_UNREACHABLE",
    [`The embedded Redis (${path}) ${reason}. ${said}`, ...lastLines].join("\n  "),
  );
}

function urlOf(port: number): string {
  return `redis://${HOST}:${port}`;
}

function existingFolder(dataDir: string): string | undefined {
  try {
    return realpathSync(dataDir);
  } catch {
    return undefined;
  }
}

/** A port of the loopback interface that nothing listens on now. */
export async function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once("error", fail);
    server.listen(0, HOST, () => {
      const address = server.address();
      server.close(() => {
        done(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  });
}
