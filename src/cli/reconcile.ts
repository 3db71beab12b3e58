/** `orderwright reconcile`: what differs between us and the marketplace, why, and the safe repairs. */
import { type Command, InvalidArgumentError } from "commander";
import type { Config } from "../config.ts";
import { EngineError } from "../core/errors.ts";
import type { Engine } from "../engine/engine.ts";
import type { PushAccount } from "../engine/push-ending.ts";
import { type Finding, reconcile, type ReconcileOptions } from "../engine/reconcile.ts";
import { askingFor } from "../engine/serviceability.ts";
import { openOffergridClient } from "../offergrid/offergrid-client.ts";
import { openQueue, PUSHES } from "../queue/queues.ts";
import { openWaker } from "../queue/wake.ts";
import { type ReasonFlags, recordOperation, withReason } from "./operator.ts";
import { complain, print } from "./output.ts";
import { findingsText, isOpen, type ReconcileSummary, summaryText } from "./reconcile-text.ts";
import { type ConfigOption, newCommand, type Session, withSession } from "./session.ts";

/** Between lines of progress, ms. */
const PROGRESS_EVERY_MS = 2_000;

/** Findings that are kept for the table; more are counted, and --json prints them all as they come. */
const SHOWN_MAX = 10_000;

interface ReconcileFlags extends ConfigOption, ReasonFlags {
  readonly account?: string;
  readonly item?: readonly string[];
  readonly repair?: true;
  readonly adopt?: true;
  readonly json?: true;
}

export function reconcileCommand(): Command {
  return withReason(newCommand("reconcile"))
    .description(
      "Compare what is held here with what the marketplace shows, and explain each difference. Changes nothing without --repair.",
    )
    .option("--account <name>", "only this marketplace account")
    .option("--item <id...>", "only these items, whatever their status")
    .option("--repair", "repair what is safe")
    .option("--adopt", "with --repair: begin items that the marketplace shows and nobody announced")
    .option("--json", "print one JSON document a line: each finding, then the summary")
    .addHelpText("after", HELP)
    .action(run);
}

const HELP = `
It asks with the account's own limit and gives way to pushes: at 100 requests a minute, 70 items
or pages a minute. Ctrl-C ends it; what was found and repaired until then stands.

Exit code: 0 when nothing is left for a person or for --repair, 1 otherwise.`;

async function run(flags: ReconcileFlags): Promise<void> {
  if (flags.adopt && !flags.repair) {
    throw new InvalidArgumentError("--adopt is a repair: give --repair too.");
  }
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    const summary = await withSession(flags, (session) => compare(session, flags, stopping.signal));
    if (summary.open > 0 || !summary.isComplete) process.exitCode = 1;
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}

async function compare(
  session: Session,
  flags: ReconcileFlags,
  signal: AbortSignal,
): Promise<ReconcileSummary> {
  const accounts = openAccounts(session.config, flags.account);
  if (flags.repair) await recordRepair(session, flags);
  const opened = openEngine(session);
  const sum = new Sum(flags.json === true);
  try {
    const setting = { engine: opened.engine, accounts, signal, onProgress: progressTeller(sum) };
    const options: ReconcileOptions = {
      repair: repairWanted(flags),
      ...(flags.item !== undefined && { items: flags.item }),
    };
    for await (const finding of reconcile(setting, options)) sum.add(finding);
    return sum.tell(!signal.aborted);
  } finally {
    await Promise.all([opened.close(), ...accounts.map(({ client }) => client.close())]);
  }
}

/** Which items were repaired, their own journals tell. */
async function recordRepair({ store }: Session, flags: ReconcileFlags): Promise<void> {
  const { account, adopt, item: items } = flags;
  const detail = { ...(account !== undefined && { account }), adopt: adopt === true };
  const act = { action: "reconcile --repair", detail };
  if (items === undefined) await recordOperation(store, flags, act);
  else for (const item of items) await recordOperation(store, flags, { ...act, item });
}

function repairWanted({ repair, adopt }: ReconcileFlags): ReconcileOptions["repair"] {
  if (!repair) return "none";
  return adopt ? "adopt" : "safe";
}

/** Counts what is found, and prints it: at once as JSON, at the end as a table. */
class Sum {
  compared = 0;
  readonly #isJson: boolean;
  readonly #kept: Finding[] = [];
  readonly #byKind: Partial<Record<Finding["kind"], number>> = {};
  #found = 0;
  #repaired = 0;
  #open = 0;

  constructor(isJson: boolean) {
    this.#isJson = isJson;
  }

  add(finding: Finding): void {
    this.#found += 1;
    this.#byKind[finding.kind] = (this.#byKind[finding.kind] ?? 0) + 1;
    if ("repair" in finding && finding.repair?.outcome === "repaired") this.#repaired += 1;
    if (isOpen(finding)) this.#open += 1;
    if (this.#isJson) print(JSON.stringify(finding));
    else if (this.#kept.length < SHOWN_MAX) this.#kept.push(finding);
  }

  tell(isComplete: boolean): ReconcileSummary {
    const summary: ReconcileSummary = {
      compared: this.compared,
      byKind: this.#byKind,
      repaired: this.#repaired,
      open: this.#open,
      isComplete,
    };
    if (this.#isJson) {
      print(JSON.stringify({ summary }));
      return summary;
    }
    if (this.#kept.length > 0) print(`${findingsText(this.#kept)}\n`);
    if (this.#found > SHOWN_MAX) print(`The first ${SHOWN_MAX} are shown; --json tells all.`);
    print(summaryText(summary));
    return summary;
  }
}

function progressTeller(sum: Sum): (progress: { account: string; compared: number }) => void {
  let toldAt = performance.now();
  return ({ account, compared }) => {
    sum.compared = compared;
    if (performance.now() - toldAt < PROGRESS_EVERY_MS) return;
    toldAt = performance.now();
    complain(`… ${compared} items compared, now of account ${account}`);
  };
}

/** @throws EngineError CONFIG_INVALID when there is no account to ask */
function openAccounts(config: Config, wanted: string | undefined): readonly PushAccount[] {
  const { marketplace, pushTimeoutMs: timeoutMs } = config;
  if (marketplace.kind === "sandbox") {
    throw new EngineError(
      "CONFIG_INVALID",
      "No marketplace account is configured, so there is nothing to compare with: set OFFERGRID_API_KEY, and OFFERGRID_BASE_URL for a sandbox.",
    );
  }
  const accounts = marketplace.accounts.filter(({ name }) => (wanted ?? name) === name);
  if (accounts.length === 0) {
    const known = marketplace.accounts.map(({ name }) => name).join(", ");
    throw new InvalidArgumentError(`There is no account "${wanted}". Configured: ${known}.`);
  }
  return accounts.map(({ name, apiKey, baseUrl, limitPerMinute, policy }) => {
    const client = openOffergridClient({ baseUrl, apiKey, timeoutMs, connections: 1 });
    return { name, client, limitPerMinute, policy };
  });
}

/** Decides and commits as a worker does; the pushes that come of it are the workers' to deliver. */
function openEngine({ store, machines, clocks, config, link }: Session): {
  readonly engine: Engine;
  readonly close: () => Promise<void>;
} {
  const { parkedForMs, unknownItemForMs, parkedMax, journalMax, dedupeForMs } = config;
  const pushes = openQueue(PUSHES, link);
  // The recovery sweep finds a lane that nobody was woken for.
  const waker = openWaker(pushes.queue, () => undefined);
  return {
    engine: {
      store,
      machines,
      // Time is the workers' business.
      limits: { parkedForMs, unknownItemForMs, parkedMax, journalMax, timersPerDecision: 0 },
      clocks,
      asksAbout: askingFor(config.autoAccept),
      dedupeForMs,
      now: Date.now,
      wake: waker.wake,
    },
    close: async () => {
      await waker.idle();
      await pushes.close();
    },
  };
}
