/**
 * Who may run a Redis on a data folder. Two servers on one append-only file destroy it, and the file
 * of a killed owner must not lock anybody out, so a claim is checked against the living server.
 *
 * Claims are files `orderwright-redis.<n>.json`; the highest number is the one that counts. A new
 * owner creates number n+1 by link(2), which succeeds for one contender only, and then deletes lower
 * ones. The highest is never deleted, only marked as stopped, so no number is ever used twice.
 * A crash leaves a claim behind whose server does not answer: the next owner passes over it.
 */
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";

export type Claim =
  /** The owner is about to start the server: only the owner's own life proves the claim. */
  | { readonly state: "starting"; readonly ownerPid: number }
  | {
      readonly state: "running";
      readonly ownerPid: number;
      readonly port: number;
      readonly serverPid: number;
    }
  | { readonly state: "stopped" };

export interface HeldClaim {
  /** Replaces what the claim says, in one step. */
  readonly write: (claim: Claim) => void;
}

export type ClaimOutcome =
  | { readonly outcome: "claimed"; readonly held: HeldClaim }
  | { readonly outcome: "in-use"; readonly ownerPid: number; readonly file: string };

/** A server that is alive answers within microseconds; one that loads its data, within milliseconds. */
const ANSWER_TIMEOUT_MS = 2000;

/** Claims the folder, whose path is absolute and free of symbolic links. */
export async function claimDataDir(dataDir: string): Promise<ClaimOutcome> {
  const last = highestClaim(dataDir);
  if (last !== undefined && last.claim.state !== "stopped") {
    const { claim, number } = last;
    if (await isHeld(claim, dataDir)) {
      return { outcome: "in-use", ownerPid: claim.ownerPid, file: fileOf(dataDir, number) };
    }
  }
  const number = (last?.number ?? 0) + 1;
  if (!createClaim(dataDir, number, { state: "starting", ownerPid: process.pid })) {
    return claimDataDir(dataDir);
  }
  for (const older of claimNumbers(dataDir)) {
    if (older < number) rmSync(fileOf(dataDir, older), { force: true });
  }
  return {
    outcome: "claimed",
    held: {
      write: (next) => {
        renameSync(writeDraft(dataDir, next), fileOf(dataDir, number));
      },
    },
  };
}

/** Port of the server that runs on the folder and answers. */
export async function runningPort(dataDir: string): Promise<number | undefined> {
  const claim = highestClaim(dataDir)?.claim;
  if (claim?.state !== "running") return undefined;
  return (await askServer(claim.port, dataDir)) === "ours" ? claim.port : undefined;
}

async function isHeld(
  claim: Exclude<Claim, { state: "stopped" }>,
  dataDir: string,
): Promise<boolean> {
  if (claim.state === "starting") return isAlive(claim.ownerPid);
  const answer = await askServer(claim.port, dataDir);
  switch (answer) {
    case "ours":
      return true;
    case "other":
      return false;
    // A stopped or drowning server may still write later, when it wakes up.
    case "silent":
      return isAlive(claim.serverPid);
  }
}

type Answer = "ours" | "other" | "silent";

async function askServer(port: number, dataDir: string): Promise<Answer> {
  const redis = new Redis({
    host: "127.0.0.1",
    port,
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: null,
  });
  redis.on("error", () => undefined);
  const timer = new AbortController();
  try {
    return await Promise.race([
      askForFolder(redis, dataDir),
      delay(ANSWER_TIMEOUT_MS, "silent" as const, { signal: timer.signal }),
    ]);
  } finally {
    timer.abort();
    redis.disconnect();
  }
}

/** Ports are used again by others, so the server must name its folder; it does so even while it
 * loads its data. */
async function askForFolder(redis: Redis, dataDir: string): Promise<Answer> {
  try {
    await redis.connect();
    const reply: unknown = await redis.config("GET", "dir");
    return JSON.stringify(reply).includes(JSON.stringify(dataDir)) ? "ours" : "other";
  } catch {
    return "other";
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not being allowed to signal it proves that it is there.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function highestClaim(
  dataDir: string,
): { readonly number: number; readonly claim: Claim } | undefined {
  const number = claimNumbers(dataDir).at(-1);
  return number === undefined ? undefined : { number, claim: readClaim(fileOf(dataDir, number)) };
}

function claimNumbers(dataDir: string): readonly number[] {
  const matches = readdirSync(dataDir).map((name) => /^orderwright-redis\.(\d+)\.json$/.exec(name));
  return matches.flatMap((match) => Number(match?.[1] ?? [])).toSorted((a, b) => a - b);
}

function fileOf(dataDir: string, number: number): string {
  return join(dataDir, `orderwright-redis.${number}.json`);
}

/** A claim that cannot be read was torn by a power cut, which no server survives either. */
function readClaim(file: string): Claim {
  try {
    const claim = JSON.parse(readFileSync(file, "utf8")) as Claim;
    return claim.state === "starting" || claim.state === "running" ? claim : { state: "stopped" };
  } catch {
    return { state: "stopped" };
  }
}

function createClaim(dataDir: string, number: number, claim: Claim): boolean {
  const draft = writeDraft(dataDir, claim);
  try {
    linkSync(draft, fileOf(dataDir, number));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function writeDraft(dataDir: string, claim: Claim): string {
  const draft = join(dataDir, `orderwright-redis.draft-${process.pid}.json`);
  writeFileSync(draft, JSON.stringify(claim));
  return draft;
}
