/**
 * Compares all that is open, here or at the marketplace, and settles what can be settled: the comparison
 * of `orderwright reconcile`, run again and again by itself in the class of requests that gives way to all
 * others. What was lost is repaired; what a person has to settle is flagged, and a person is asked once.
 *
 * Always true: an item to which something happened a moment ago is left for the next walk, and so is one
 * with a push on its way. A walk that dies has done what it had done, and the next begins from the beginning.
 */
import type { Engine } from "./engine.ts";
import type { PushAccount } from "./push-ending.ts";
import { type Finding, reconcile } from "./reconcile.ts";

export interface DriftSetting {
  readonly engine: Engine;
  readonly account: PushAccount;
  readonly signal: AbortSignal;
  /** How long the marketplace may take to show what it was told, ms. */
  readonly graceMs: number;
  /** Told of each finding that is more than a push on its way. */
  readonly onFinding?: (finding: Finding) => void;
}

export interface DriftResult {
  /** "failed": the marketplace did not show all of it, or the walk was ended. */
  readonly outcome: "done" | "failed";
  readonly compared: number;
  /** Findings by kind. */
  readonly found: Readonly<Record<string, number>>;
  readonly repaired: number;
}

/** Rejects when the store cannot be reached. */
export async function watchDrift(setting: DriftSetting): Promise<DriftResult> {
  const { engine, account, signal, graceMs, onFinding } = setting;
  const found: Record<string, number> = {};
  let [compared, repaired, hasFailed] = [0, 0, false];
  const walk = reconcile(
    {
      engine,
      accounts: [account],
      signal,
      permits: "drift",
      onProgress: (progress) => {
        ({ compared } = progress);
      },
    },
    { repair: "new", divergences: "flag", graceMs },
  );
  for await (const finding of walk) {
    found[finding.kind] = (found[finding.kind] ?? 0) + 1;
    if (finding.kind === "account-unread") hasFailed = true;
    else if (finding.repair?.outcome === "repaired") repaired += 1;
    if (finding.kind !== "on-its-way") onFinding?.(finding);
  }
  const outcome = hasFailed || signal.aborted ? "failed" : "done";
  return { outcome, compared, found, repaired };
}
