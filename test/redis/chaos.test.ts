/** A short chaos run by the real command: everything between the faults and the verdict works. */
import { expect, test } from "vitest";
import type { ChaosTotals } from "../../src/chaos/chaos-report.ts";
import { runCommand } from "../support/command.ts";

const PATIENCE_MS = 240_000;

test(
  "real processes that are killed, cut off and refused lose nothing and do nothing twice",
  { timeout: PATIENCE_MS },
  async () => {
    // With an fsync for every write Redis forgets nothing, and every promise holds without exception.
    const ended = await runCommand(
      ["chaos", "--seed", "3", "--minutes", "0.25", "--rate", "50", "--aof", "always", "--json"],
      {},
    );
    const totals = JSON.parse(ended.stdout) as ChaosTotals;
    expect(totals).toMatchObject({
      lost: 0,
      appliedTwice: 0,
      outOfOrder: 0,
      stuck: 0,
      timersEarly: 0,
      timersForgotten: 0,
      timersDoubled: 0,
      duplicateStatusChanges: 0,
      unexplainedUpstreamDuplicates: 0,
      violations: [],
    });
    // Whether processes keep their deadlines depends on the machine, and is left to longer runs.
    expect(ended.exitCode).toBe(totals.misbehaviour.length === 0 ? 0 : 1);
    expect(totals.applied).toBeGreaterThan(0.9 * totals.events);
    expect(totals.clocksRung).toBeGreaterThan(100);
    expect(totals.events).toBeGreaterThan(100);
    expect(Object.keys(totals.faults).length).toBeGreaterThan(1);
  },
);
