/** Waits at a terminal until the running processes have recomputed all open clocks. */
import { setTimeout as pause } from "node:timers/promises";
import { recomputeStandingOf } from "../engine/policy-standing.ts";
import { DEFAULT_POLICY } from "../sla/default-policy.ts";
import { readPolicyStand } from "../store/policy-store.ts";
import type { Store } from "../store/store.ts";
import { complain, print } from "./output.ts";
import { recomputeText } from "./policy-text.ts";

const LOOK_EVERY_MS = 500;

/** Between lines of progress, ms. */
const PROGRESS_EVERY_MS = 5_000;

/** Longer than the wait for all processes, and than a sweep of an installation that sweeps seldom, ms. */
const IDLE_MAX_MS = 120_000;

/** Exit code 1 when nothing goes on; what was set stands all the same. */
export async function awaitRecompute(store: Store): Promise<void> {
  const lines = { told: performance.now(), moved: performance.now(), last: "" };
  for (;;) {
    const stand = await readPolicyStand(store);
    const standing = recomputeStandingOf(stand.version ?? DEFAULT_POLICY.version, stand);
    const text = recomputeText(standing);
    if (standing.state === "done") return print(`Recomputation: ${text}.`);
    const now = performance.now();
    if (text !== lines.last) [lines.last, lines.moved] = [text, now];
    if (now - lines.moved > IDLE_MAX_MS) break;
    if (now - lines.told > PROGRESS_EVERY_MS) {
      lines.told = now;
      complain(`… ${text}`);
    }
    await pause(LOOK_EVERY_MS);
  }
  complain(
    "The recomputation does not go on. It is the work of processes with the role timers: `orderwright start` or `orderwright worker`. The policy stays as it is set.",
  );
  process.exitCode = 1;
}
