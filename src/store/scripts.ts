/** The atomic operations, one Lua file each, called by SHA and loaded again when Redis forgot them. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { RedisCommands } from "./commands.ts";

type Argument = string | number;

/** What running a script asks of Redis. */
export type ScriptHost = Pick<RedisCommands, "evalsha" | "eval">;

export interface Script {
  /** As Redis knows it once it is loaded. */
  readonly sha: string;
  run(host: ScriptHost, key: string, args: readonly Argument[]): Promise<unknown>;
}

function script(...files: readonly string[]): Script {
  const lua = files
    .map((file) => readFileSync(new URL(`./lua/${file}.lua`, import.meta.url), "utf8"))
    .join("\n");
  const sha = createHash("sha1").update(lua).digest("hex");
  return {
    sha,
    run: async (host, key, args) => {
      try {
        return await host.evalsha(sha, 1, key, ...args);
      } catch (error) {
        // A restarted or failed-over Redis has an empty script cache.
        if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
        return host.eval(lua, 1, key, ...args);
      }
    },
  };
}

export const commitScript = script("lane-score", "feed", "commit");
export const claimLanesScript = script("lane-score", "claim-lanes");
export const settleLanesScript = script("lane-score", "feed", "settle-lanes");
export const recoverLanesScript = script("recover-lanes");
export const renewLeasesScript = script("renew-leases");
export const unblockLaneScript = script("feed", "unblock-lane");
export const hastenLaneScript = script("feed", "hasten-lane");
export const readFeedScript = script("read-feed");
export const takeLookScript = script("take-look");
export const findOverdueScript = script("find-overdue");
export const findSettledScript = script("find-settled");
export const takePermitsScript = script("take-permits");
export const pauseAccountScript = script("pause-account");
export const buryScript = script("bury");
export const endLetterScript = script("end-letter");
export const appendAuditScript = script("append-audit");
