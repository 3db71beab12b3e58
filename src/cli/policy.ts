/** `orderwright policy`: the SLA policy that all running processes go by. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { loadConfig } from "../config.ts";
import { EngineError } from "../core/errors.ts";
import { registerMachines } from "../core/machine.ts";
import { POLICY_ADOPTED_WITHIN_MS } from "../engine/policy-holder.ts";
import { standingOf } from "../engine/policy-standing.ts";
import { readPolicy, readPolicyInForce, textOfPolicy } from "../engine/read-policy.ts";
import type { Policy } from "../sla/policy.ts";
import { storePolicy } from "../store/policy-store.ts";
import { configuredDefinitions } from "./configured-machines.ts";
import { type ReasonFlags, recordOperation, withReason } from "./operator.ts";
import { complain, print, printJson } from "./output.ts";
import { hintsOf } from "./policy-hints.ts";
import { policyText } from "./policy-text.ts";
import { awaitRecompute } from "./policy-wait.ts";
import { type ConfigOption, newCommand, type StoreSession, withStore } from "./session.ts";
import { count } from "./text-layout.ts";

interface JsonOption extends ConfigOption {
  readonly json?: true;
}

interface SetFlags extends ConfigOption, ReasonFlags {
  readonly wait?: true;
}

const ADOPTED_WITHIN = `${POLICY_ADOPTED_WITHIN_MS / 1_000} seconds`;

export function policyCommand(): Command {
  return new Command("policy")
    .description(
      "The SLA policy: which clocks an item has, and whom they tell. docs/sla.md has it all.",
    )
    .addCommand(
      newCommand("show")
        .description(
          "Show the policy in force, when it was set, and how far clocks are recomputed.",
        )
        .option("--json", "print one JSON document; its `policy` is what `policy set` takes")
        .action(show),
    )
    .addCommand(
      newCommand("check")
        .description(
          "List what is wrong with a policy file. Changes nothing; exit code 1 on a fault.",
        )
        .argument("<file>", "JSON file")
        .action(check),
    )
    .addCommand(
      withReason(newCommand("set"))
        .description("Put a policy into force. Running processes take it over by themselves.")
        .argument("<file>", "JSON file")
        .option("--wait", "end when all open clocks are recomputed")
        .action(set),
    )
    .addCommand(
      withReason(newCommand("reset"))
        .description("Put the program's own default policy into force.")
        .option("--wait", "end when all open clocks are recomputed")
        .action(reset),
    );
}

async function show({ json, ...options }: JsonOption): Promise<void> {
  const { policy, standing } = await withStore(options, async ({ store }) => {
    const { policy, stored } = await readPolicyInForce(store);
    return { policy, standing: standingOf(policy, stored) };
  });
  if (json) printJson({ ...standing, policy });
  else print(policyText(policy, standing, Date.now()));
}

async function check(file: string, options: ConfigOption): Promise<void> {
  const policy = readFile(file);
  const config = loadConfig(process.env, options.config);
  tellHints(policy, {
    machines: registerMachines(configuredDefinitions(config)),
    marketplace: config.marketplace,
  });
  const clocks = count(Object.keys(policy.clocks).length, "clock");
  const exceptions = count(policy.exceptions?.length ?? 0, "exception");
  print(`${file} is in order: policy "${policy.version}", ${clocks}, ${exceptions}.`);
}

async function set(file: string, flags: SetFlags): Promise<void> {
  const policy = readFile(file);
  await withStore(flags, async (session) => {
    tellHints(policy, { machines: session.machines, marketplace: session.config.marketplace });
    await put(session, policy, flags);
  });
}

async function reset(flags: SetFlags): Promise<void> {
  await withStore(flags, (session) => put(session, "default", flags));
}

async function put(
  session: StoreSession,
  policy: Policy | "default",
  flags: SetFlags,
): Promise<void> {
  const stored =
    policy === "default" ? undefined : { version: policy.version, text: textOfPolicy(policy) };
  const name = stored === undefined ? "The default policy" : `Policy "${stored.version}"`;
  await recordOperation(
    session.store,
    flags,
    stored === undefined
      ? { action: "policy reset" }
      : { action: "policy set", detail: { version: stored.version } },
  );
  const outcome = await storePolicy(session.store, stored);
  if (outcome === "version-taken") {
    throw new EngineError(
      "POLICY_INVALID",
      `${name} had other content when it was first set. Items are measured anew only for another version: give the file a version of its own.`,
    );
  }
  print(
    outcome === "unchanged"
      ? `${name} is in force already; nothing was changed.`
      : `${name} is stored. Running processes take it over within ${ADOPTED_WITHIN}; then all open clocks are recomputed.`,
  );
  if (flags.wait) await awaitRecompute(session.store);
}

function readFile(file: string): Policy {
  return readPolicy(readFileSync(file, "utf8"), file);
}

function tellHints(policy: Policy, installation: Parameters<typeof hintsOf>[1]): void {
  for (const hint of hintsOf(policy, installation)) complain(`hint: ${hint}`);
}
