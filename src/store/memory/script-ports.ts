/**
 * The Lua scripts in TypeScript, each found by the SHA of its twin: a changed script keeps its port,
 * and the conformance test tells when the two no longer agree.
 */
import * as scripts from "../scripts.ts";
import { appendAudit } from "./audit.ts";
import { commit } from "./commit.ts";
import type { DataCommands } from "./data-commands.ts";
import { bury, endLetter } from "./dead-letters.ts";
import { readFeed } from "./feed.ts";
import { findOverdue, findSettled, takeLook } from "./lagging.ts";
import { hastenLane } from "./hasten-lane.ts";
import { claimLanes, recoverLanes, renewLeases, unblockLane } from "./lanes.ts";
import { pauseAccount, takePermits } from "./permits.ts";
import { settleLanes } from "./settle-lanes.ts";

export type ScriptPort = (redis: DataCommands, key: string, args: readonly string[]) => unknown;

export const SCRIPT_PORTS: ReadonlyMap<string, ScriptPort> = new Map<string, ScriptPort>([
  [scripts.commitScript.sha, commit],
  [scripts.claimLanesScript.sha, claimLanes],
  [scripts.settleLanesScript.sha, settleLanes],
  [scripts.recoverLanesScript.sha, recoverLanes],
  [scripts.renewLeasesScript.sha, renewLeases],
  [scripts.unblockLaneScript.sha, unblockLane],
  [scripts.hastenLaneScript.sha, hastenLane],
  [scripts.readFeedScript.sha, readFeed],
  [scripts.takeLookScript.sha, takeLook],
  [scripts.findOverdueScript.sha, findOverdue],
  [scripts.findSettledScript.sha, findSettled],
  [scripts.takePermitsScript.sha, takePermits],
  [scripts.pauseAccountScript.sha, pauseAccount],
  [scripts.buryScript.sha, bury],
  [scripts.endLetterScript.sha, endLetter],
  [scripts.appendAuditScript.sha, appendAudit],
]);
