/**
 * What is probably a typing error in a policy: words that mean something only together with an
 * installation's machines and accounts. No faults, because a policy may be set before the machine
 * or the account that it names. Pure.
 */
import type { MarketplaceConfig } from "../config.ts";
import type { Machines } from "../core/machine.ts";
import { knownStatuses } from "../engine/list-items.ts";
import type { Policy, Trigger } from "../sla/policy.ts";

export interface Installation {
  readonly machines: Machines;
  readonly marketplace: MarketplaceConfig;
}

/** What the engine itself tells the clocks. */
const OWN_EVENTS = ["push.owed", "push.settled"];

export function hintsOf(policy: Policy, installation: Installation): readonly string[] {
  return [
    ...new Set([...triggerHints(policy, installation), ...accountHints(policy, installation)]),
  ];
}

function triggerHints(policy: Policy, { machines }: Installation): readonly string[] {
  const statuses = new Set(knownStatuses({ machines }));
  const events = new Set([
    ...OWN_EVENTS,
    ...machines.all.flatMap((machine) => Object.keys(machine.events)),
  ]);
  const triggers = Object.entries(policy.clocks).flatMap(([name, clock]) =>
    (["starts", "stops", "drops"] as const).flatMap((when) =>
      (clock[when] ?? []).map((trigger) => ({ path: `clocks.${name}.${when}`, trigger })),
    ),
  );
  const stages = (policy.jeopardy?.stages ?? []).map((stage) => ({
    path: "jeopardy.stages",
    trigger: { enters: stage.statuses },
  }));
  return [...triggers, ...stages].flatMap(({ path, trigger }) => [
    ...statusesOf(trigger)
      .filter((status) => !statuses.has(status))
      .map((status) => `${path}: no machine of this installation has a status "${status}".`),
    ...("event" in trigger && !events.has(trigger.event)
      ? [`${path}: no machine of this installation takes an event "${trigger.event}".`]
      : []),
  ]);
}

function statusesOf(trigger: Trigger): readonly string[] {
  if ("enters" in trigger) return trigger.enters;
  if ("leaves" in trigger) return trigger.leaves;
  if ("appointment" in trigger) return trigger.in ?? [];
  return [];
}

function accountHints(
  { exceptions = [] }: Policy,
  { marketplace }: Installation,
): readonly string[] {
  // The built-in imitation of the marketplace takes any account.
  if (marketplace.kind === "sandbox") return [];
  const known = marketplace.accounts.map(({ name }) => name);
  return exceptions.flatMap(({ account }, index) =>
    account === undefined || known.includes(account)
      ? []
      : [`exceptions.${index}: the account "${account}" is not configured.`],
  );
}
