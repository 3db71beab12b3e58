/** The words of auto-accept, tried on an order of our own before any reseller reads them. */
import type { AutoAccept } from "../config-auto-accept.ts";
import type { Config } from "../config.ts";
import { type Actor, isLiving } from "../core/actor.ts";
import type { ArrivedEvent } from "../core/arrival.ts";
import { decideEvent } from "../core/decide.ts";
import type { Setting } from "../core/decision.ts";
import type { MachineDefinition } from "../core/definition.ts";
import { EngineError } from "../core/errors.ts";
import { registerMachines } from "../core/machine.ts";
import { questionOf } from "../core/serviceability.ts";
import { answerEvent } from "../serviceability/answer-event.ts";

const NOW = Date.parse("2031-03-11T10:00:00Z");

const ORDER: ArrivedEvent = {
  specversion: "1.0",
  id: "try",
  source: "orderwright:auto-accept",
  type: "order.received",
  subject: "ITEM-1",
  time: new Date(NOW).toISOString(),
  data: {
    orderId: "ORDER-1",
    offerName: "Internet 1000 Mbps",
    customerInfo: { fullName: "Ada Example", email: "ada@example.com", phone: "+1 555 0100" },
    serviceAddress: {
      street: "1 Main St",
      city: "Denver",
      state: "CO",
      zipCode: "80202",
      country: "US",
    },
  },
};

/**
 * An answer that lint would refuse or warn of is not given to hundreds of resellers first.
 * @throws EngineError CONFIG_INVALID with every fault
 */
export function assertTemplates(
  { autoAccept = [] }: Pick<Config, "autoAccept">,
  definitions: readonly MachineDefinition[],
): void {
  if (autoAccept.length === 0) return;
  const setting: Setting = {
    machines: registerMachines(definitions),
    limits: {
      parkedForMs: 0,
      unknownItemForMs: 0,
      parkedMax: 1,
      journalMax: 100,
      timersPerDecision: 1,
    },
    now: NOW,
  };
  const faults = autoAccept.flatMap((each) => faultsOf(setting, each));
  if (faults.length === 0) return;
  const message = ["Correct what auto-accept says to resellers:", ...faults].join("\n  ");
  throw new EngineError("CONFIG_INVALID", message);
}

function faultsOf(setting: Setting, { account, ...templates }: AutoAccept): readonly string[] {
  const { actor } = decideEvent(setting, undefined, ORDER).decision;
  const question = isLiving(actor) ? questionOf(machineOf(setting, actor), actor) : undefined;
  if (question === undefined)
    return [`autoAccept.${account}: no machine of this deployment waits for an answer`];
  return (["yes", "no"] as const).flatMap((is) => {
    const asked = { itemId: ORDER.subject, question, now: NOW };
    const event = answerEvent(asked, templates, { is });
    const part = is === "yes" ? "accepted" : "rejected";
    return saidOf(setting, actor, event).map((said) => `autoAccept.${account}.${part}: ${said}`);
  });
}

function saidOf(
  setting: Setting,
  actor: Actor | undefined,
  event: ArrivedEvent,
): readonly string[] {
  const { decision, verdict } = decideEvent(setting, actor, event);
  if (verdict.outcome !== "applied") return [verdict.problem?.message ?? verdict.outcome];
  if (!isLiving(decision.actor)) return [];
  const { value, context } = decision.actor.snapshot;
  const warnings = machineOf(setting, decision.actor).warnings?.({ value, context }) ?? [];
  return warnings.map(({ rule, message }) => `${rule}: ${message}`);
}

function machineOf({ machines }: Setting, { machine, version }: Actor) {
  const found = machines.byId(machine, version);
  if (found === undefined) throw new TypeError("a machine that has just decided");
  return found;
}
