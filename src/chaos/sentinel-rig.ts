/**
 * A Redis with a replica, watched by three Sentinels: what a failover does to whoever uses it. All five
 * are children that end with this process.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { EngineError } from "../core/errors.ts";
import { type EmbeddedRedis, freePort, startEmbeddedRedis } from "../embedded/embedded-redis.ts";
import { ensureRedisBinary } from "../embedded/redis-binary.ts";
import { startSupervised, type SupervisedServer } from "../embedded/supervised-server.ts";
import { connect } from "../store/connection.ts";

export interface SentinelRig {
  /** `redis+sentinel://127.0.0.1:p1,127.0.0.1:p2,127.0.0.1:p3/orderwright` */
  readonly url: string;
  /**
   * Kills the master, after it went without its replica for a moment: the last writes that it acknowledged
   * are lost. Resolves when the replica has been promoted and answers as master, with the time since which
   * acknowledged writes may be lost, ms since 1970; everything acknowledged before was with the replica.
   * There must be a replica: after the first failover, call `healOld` before.
   */
  readonly failOver: () => Promise<{ readonly lostSince: number }>;
  /** The dead one comes back as a replica of the new master; resolves when it has caught up and the
   * Sentinels would promote it. */
  readonly healOld: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const HOST = "127.0.0.1";
const NAME = "orderwright";
const SENTINELS = 3;
const QUORUM = 2;
const DOWN_AFTER_MS = 1000;
/** An attempt that failed is repeated after twice that. */
const FAILOVER_TIMEOUT_MS = 3000;
/** Sentinels hear of each other every 2 s and of replicas every 10 s; a failover takes about 3 s. */
const PATIENCE_MS = 45_000;
const POLL_MS = 20;
/** On one machine a replica is too quick to lose anything by itself. */
const ALONE_MS = 200;
/** Whom replicas log in as, so that they can be kept out while clients come in. Not a secret: nothing but
 * the loopback interface is listened on. */
const REPLICA_USER = "replica";
const REPLICA_PASSWORD = "replica";

interface Node {
  readonly dataDir: string;
  readonly port: number;
  /** To the node whichever process it is. */
  readonly redis: Redis;
  server: EmbeddedRedis;
}

interface Sentinel {
  readonly port: number;
  readonly redis: Redis;
  readonly server: SupervisedServer;
}

interface Deployment {
  master: Node;
  replica: Node;
  readonly sentinels: readonly Sentinel[];
}

/** Throws REDIS_BINARY_MISSING, and REDIS_UNREACHABLE when they do not find each other. */
export async function openSentinelRig(): Promise<SentinelRig> {
  const folder = mkdtempSync(join(tmpdir(), "orderwright-sentinel-"));
  const master = await startNode(join(folder, "a"));
  const replica = await startNode(join(folder, "b"));
  await replica.redis.replicaof(HOST, master.port);
  const sentinels: Sentinel[] = [];
  for (let number = 1; number <= SENTINELS; number += 1) {
    sentinels.push(await startSentinel(join(folder, `sentinel-${number}`), master.port));
  }
  const deployment: Deployment = { master, replica, sentinels };
  await untilReady(deployment);
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `${HOST}:${port}`).join(",")}/${NAME}`,
    failOver: async () => failOver(deployment),
    healOld: async () => healOld(deployment),
    close: async () => {
      await end(deployment);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function failOver(deployment: Deployment): Promise<{ readonly lostSince: number }> {
  const { master, replica, sentinels } = deployment;
  const lostSince = await untilReplicated(master, replica);
  await master.redis.call("ACL", "SETUSER", REPLICA_USER, "off");
  await master.redis.call("CLIENT", "KILL", "TYPE", "replica");
  await delay(ALONE_MS);
  master.server.kill("SIGKILL");
  await master.server.exited;
  await until("The replica was not promoted", async () => {
    const answers = await Promise.all(sentinels.map(async ({ redis }) => masterPort(redis)));
    const role = await replica.redis.info("replication");
    return answers.every((port) => port === replica.port) && role.includes("role:master");
  });
  deployment.master = replica;
  deployment.replica = master;
  return { lostSince };
}

/** A time so that whatever was acknowledged before it is with the replica. */
async function untilReplicated(master: Node, replica: Node): Promise<number> {
  const since = Date.now();
  const written = offsetIn(await master.redis.info("replication"), "master_repl_offset");
  await until("The replica did not catch up", async () => {
    const answer = await replica.redis.info("replication");
    return offsetIn(answer, "slave_repl_offset") >= written;
  });
  return since;
}

async function healOld(deployment: Deployment): Promise<void> {
  const { master, replica } = deployment;
  replica.server = await startServer(replica.dataDir, replica.port);
  await replica.redis.replicaof(HOST, master.port);
  await untilReady(deployment);
}

/** Ready to fail over: the replica has caught up, and all Sentinels know each other and would take it. */
async function untilReady({ replica, sentinels }: Deployment): Promise<void> {
  await until("The Sentinels did not find each other and the replica", async () => {
    const link = await replica.redis.info("replication");
    if (!link.includes("master_link_status:up")) return false;
    const answers = await Promise.all(sentinels.map(async ({ redis }) => knowsAll(redis)));
    return !answers.includes(false);
  });
}

async function knowsAll(sentinel: Redis): Promise<boolean> {
  const known = await sentinel.info("sentinel");
  const replicas = JSON.stringify(await sentinel.call("SENTINEL", "REPLICAS", NAME));
  return (
    known.includes(`name=${NAME},status=ok`) &&
    known.includes(`slaves=1,sentinels=${SENTINELS}`) &&
    // Any other flag, "s_down" say, keeps it from being promoted.
    /"flags"[,:]"slave"/.test(replicas) &&
    /"master-link-status"[,:]"ok"/.test(replicas)
  );
}

async function masterPort(sentinel: Redis): Promise<number> {
  const answer: unknown = await sentinel.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME);
  return Array.isArray(answer) ? Number(answer[1]) : 0;
}

function offsetIn(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
}

async function startNode(dataDir: string): Promise<Node> {
  const server = await startServer(dataDir);
  return { dataDir, port: server.port, redis: connect(server.url), server };
}

async function startServer(dataDir: string, port?: number): Promise<EmbeddedRedis> {
  const server = await startEmbeddedRedis({
    dataDir,
    appendfsync: "everysec",
    ...(port !== undefined && { port }),
  });
  const redis = connect(server.url);
  const rights = ["on", `>${REPLICA_PASSWORD}`, "+psync", "+replconf", "+ping"];
  await redis.call("ACL", "SETUSER", REPLICA_USER, ...rights);
  await redis.config("SET", "masteruser", REPLICA_USER);
  await redis.config("SET", "masterauth", REPLICA_PASSWORD);
  // A replica that comes is served at once, not after the 5 s in which others may come as well.
  await redis.config("SET", "repl-diskless-sync-delay", "0");
  redis.disconnect();
  return server;
}

async function startSentinel(folder: string, master: number): Promise<Sentinel> {
  const port = await freePort();
  const file = join(folder, "sentinel.conf");
  mkdirSync(folder);
  writeFileSync(
    file,
    [
      `bind ${HOST}`,
      `port ${port}`,
      `dir ${folder}`,
      `sentinel monitor ${NAME} ${HOST} ${master} ${QUORUM}`,
      `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${NAME} ${FAILOVER_TIMEOUT_MS}`,
      "",
    ].join("\n"),
  );
  const path = await ensureRedisBinary({ install: "auto" });
  const server = await startSupervised(path, [file, "--sentinel"], () => undefined);
  return { port, server, redis: connect(`redis://${HOST}:${port}`) };
}

async function end({ master, replica, sentinels }: Deployment): Promise<void> {
  const servers = [...sentinels.map(({ server }) => server), master.server, replica.server];
  for (const { redis } of [...sentinels, master, replica]) redis.disconnect();
  for (const server of servers) server.kill("SIGKILL");
  await Promise.all(servers.map(async ({ exited }) => exited));
}

async function until(complaint: string, isTrue: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    if (performance.now() > giveUpAt) {
      throw new EngineError("REDIS_UNREACHABLE", `${complaint} within ${PATIENCE_MS} ms.`);
    }
    await delay(POLL_MS);
  }
}
