/**
 * Installs a Redis or Valkey server with the system's own package manager.
 *
 * The package may start a service of its own on port 6379; ours takes a free port, so the two never
 * meet, and on Debian the start is suppressed anyway (RUNLEVEL=1).
 */
import { delimiter, join } from "node:path";
import type { CommandResult, Host } from "./host.ts";

interface PackageManager {
  readonly command: string;
  /** Homebrew refuses to run as root; the others demand it. */
  readonly privilege: "root" | "user";
  /** Alternatives, best first: each is a list of commands that must all succeed. */
  readonly recipes: readonly (readonly (readonly string[])[])[];
}

/** Waits for another package manager that holds the lock, for example at the first start of a VM. */
const APT = ["apt-get", "-o", "DPkg::Lock::Timeout=120"];
const APT_INSTALL = [...APT, "install", "-y", "--no-install-recommends", "redis-server"];

const PACKAGE_MANAGERS: readonly PackageManager[] = [
  {
    command: "apt-get",
    privilege: "root",
    recipes: [
      [[...APT, "update"], APT_INSTALL],
      // One broken source fails the update; the lists of the others may serve all the same.
      [APT_INSTALL],
    ],
  },
  {
    command: "dnf",
    privilege: "root",
    recipes: [[["dnf", "install", "-y", "valkey"]], [["dnf", "install", "-y", "redis"]]],
  },
  {
    command: "apk",
    privilege: "root",
    recipes: [[["apk", "add", "--no-cache", "redis"]], [["apk", "add", "--no-cache", "valkey"]]],
  },
  { command: "brew", privilege: "user", recipes: [[["brew", "install", "redis"]]] },
];

const QUIET = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"];

export type Installation =
  | { readonly outcome: "installed" }
  /** `reason` continues a sentence: "no server was found, …". */
  | { readonly outcome: "not-possible"; readonly reason: string };

export async function installRedis(host: Host): Promise<Installation> {
  const manager = PACKAGE_MANAGERS.find(({ command }) => isInstalled(command, host));
  if (manager === undefined) {
    return {
      outcome: "not-possible",
      reason: "and no package manager that could install one is here",
    };
  }
  const prefix = await rightsPrefix(manager, host);
  if (prefix === undefined) {
    const rights = manager.privilege === "root" ? "needs root" : "is not possible as root";
    return { outcome: "not-possible", reason: `and installing with ${manager.command} ${rights}` };
  }
  host.say(
    `orderwright: no redis-server found, so one is being installed with ${manager.command} ` +
      "(set REDIS_URL to use your own, or ORDERWRIGHT_REDIS_INSTALL=never to forbid this)",
  );
  return tryRecipes(manager, prefix, host);
}

async function tryRecipes(
  { command, recipes }: PackageManager,
  prefix: readonly string[],
  host: Host,
): Promise<Installation> {
  let complaint = "";
  for (const recipe of recipes) {
    const failed = await firstFailure(recipe, prefix, host);
    if (failed === undefined) return { outcome: "installed" };
    complaint = lastLine(failed.output);
  }
  return {
    outcome: "not-possible",
    reason: `and installing with ${command} failed: ${complaint}`.replace(/[.\s]+$/, ""),
  };
}

async function firstFailure(
  recipe: readonly (readonly string[])[],
  prefix: readonly string[],
  host: Host,
): Promise<CommandResult | undefined> {
  for (const step of recipe) {
    const [command = "", ...args] = [...prefix, ...step];
    const result = await host.run(command, args);
    if (result.exitCode !== 0) return result;
  }
  return undefined;
}

/** What goes before a command so that it may install: undefined when nothing gives the right. */
async function rightsPrefix(
  { privilege }: PackageManager,
  host: Host,
): Promise<readonly string[] | undefined> {
  if (privilege === "user") return host.isRoot ? undefined : [];
  if (host.isRoot) return QUIET;
  // `sudo -n` fails instead of asking for a password.
  const { exitCode } = await host.run("sudo", ["-n", "true"]);
  return exitCode === 0 ? ["sudo", "-n", ...QUIET] : undefined;
}

function isInstalled(command: string, host: Host): boolean {
  const folders = [...host.searchPath.split(delimiter), "/usr/bin", "/sbin", "/opt/homebrew/bin"];
  return folders.some((folder) => folder !== "" && host.isExecutable(join(folder, command)));
}

function lastLine(output: string): string {
  return output.trimEnd().split("\n").at(-1) ?? "";
}
