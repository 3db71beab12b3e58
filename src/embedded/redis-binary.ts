/**
 * Finds a redis-server or valkey-server to embed, and installs one when there is none.
 *
 * Looked for in this order: the configured path, PATH, the usual folders; a server that is too old is
 * passed over. A configured path is a decision, so nothing else is tried when it does not serve.
 * Installing uses the system's own package manager as root or through a sudo that asks nothing, says
 * so in one line, and can be forbidden.
 */
import { delimiter, join } from "node:path";
import { EngineError } from "../core/errors.ts";
import { type Host, thisHost } from "./host.ts";
import { installRedis } from "./redis-package.ts";

/** BullMQ 6 and our scripts need 6.2: LMOVE, ZRANGE with BYSCORE, GETDEL. */
const VERSION_MIN = { major: 6, minor: 2 } as const;

const SERVER_NAMES = ["redis-server", "valkey-server"] as const;
const USUAL_FOLDERS = [
  "/usr/bin",
  "/usr/sbin",
  "/usr/local/bin",
  "/usr/local/sbin",
  "/opt/homebrew/bin",
  "/snap/bin",
];

export interface BinaryChoice {
  /** Configured path; searched when absent. */
  readonly serverPath?: string | undefined;
  /** Whether a missing server may be installed. */
  readonly install: "auto" | "never";
}

/**
 * Path of a server that is new enough.
 * @throws EngineError REDIS_BINARY_MISSING when there is none and none could be installed
 */
export async function ensureRedisBinary(
  { serverPath, install }: BinaryChoice,
  host: Host = thisHost(),
): Promise<string> {
  if (serverPath !== undefined) return checkedBinary(serverPath, host);
  const found = await findRedisBinary(host);
  if (found.outcome === "found") return found.path;
  if (install === "never") throw missing(found.tooOld, "and installing one is switched off");
  const attempt = await installRedis(host);
  if (attempt.outcome === "not-possible") throw missing(found.tooOld, attempt.reason);
  const installed = await findRedisBinary(host);
  if (installed.outcome === "found") return installed.path;
  throw missing(installed.tooOld, "and the system's package did not bring one");
}

type Search =
  | { readonly outcome: "found"; readonly path: string }
  | { readonly outcome: "missing"; readonly tooOld: readonly string[] };

async function findRedisBinary(host: Host): Promise<Search> {
  const folders = new Set([...host.searchPath.split(delimiter), ...USUAL_FOLDERS]);
  const tooOld: string[] = [];
  for (const folder of folders) {
    for (const name of SERVER_NAMES) {
      const path = join(folder, name);
      if (folder === "" || !host.isExecutable(path)) continue;
      const version = await versionOf(path, host);
      if (isNewEnough(version)) return { outcome: "found", path };
      tooOld.push(`${path} (${version?.text ?? "of unknown version"})`);
    }
  }
  return { outcome: "missing", tooOld };
}

async function checkedBinary(path: string, host: Host): Promise<string> {
  const fault = "Correct or unset ORDERWRIGHT_REDIS_SERVER.";
  if (!host.isExecutable(path)) {
    throw new EngineError("REDIS_BINARY_MISSING", `${path} is not a program. ${fault}`);
  }
  const version = await versionOf(path, host);
  if (isNewEnough(version)) return path;
  throw new EngineError(
    "REDIS_BINARY_MISSING",
    `${path} is ${version?.text ?? "no Redis or Valkey server"}; at least 6.2 is needed. ${fault}`,
  );
}

interface Version {
  readonly major: number;
  readonly minor: number;
  readonly text: string;
}

async function versionOf(path: string, host: Host): Promise<Version | undefined> {
  const { output } = await host.run(path, ["--version"]);
  const match = /\bv=((\d+)\.(\d+)\S*)/.exec(output);
  if (match === null) return undefined;
  return { major: Number(match[2]), minor: Number(match[3]), text: String(match[1]) };
}

function isNewEnough(version: Version | undefined): boolean {
  if (version === undefined) return false;
  const { major, minor } = VERSION_MIN;
  return version.major > major || (version.major === major && version.minor >= minor);
}

function missing(tooOld: readonly string[], reason: string): EngineError {
  const seen = tooOld.length === 0 ? "" : ` (too old: ${tooOld.join(", ")})`;
  return new EngineError(
    "REDIS_BINARY_MISSING",
    `No redis-server or valkey-server of version 6.2 or newer was found${seen}, ${reason}. ` +
      "Install one (Debian, Ubuntu: apt-get install redis-server; Fedora, RHEL: dnf install valkey; " +
      "Alpine: apk add redis; macOS: brew install redis), or start one with " +
      "`docker compose up -d redis` and set REDIS_URL=redis://127.0.0.1:6379.",
  );
}
