/**
 * What may happen to an order item, as pure questions. The machine's guards and the definition's
 * `refuse` ask the same ones, so that the bare machine is as safe as the engine around it.
 *
 * A refusal is final, so only what no later event could make right is refused with a reason. What
 * merely came too early is denied by a guard alone and may wait for its predecessor.
 */
import type { OrderItemContext, SeenEvent } from "./context.ts";
import type { Refusal } from "./contract.ts";
import { lintProblem } from "./lint.ts";
import { hasServiceReference, withReferencesOf } from "./metadata.ts";
import { rulesOf } from "./options.ts";
import { isLegalPair, PAIRS, type Pair } from "./pairs.ts";
import type { Status } from "./statuses.ts";

/** The context as far as rules look at it; `status` is the one the event meets. */
type Known = Readonly<OrderItemContext>;

/** True when the numbered pair leaves the item's status now, with everything it asks for. */
export function isTaken(context: Known, event: SeenEvent, number: number): boolean {
  const pair = PAIRS.find((each) => each.number === number && each.from === context.status);
  return (
    pair !== undefined &&
    pair.event === event.type &&
    isOpen(context, event, pair) &&
    problemOf(context, event, pair.to) === undefined
  );
}

/** True when profile, options and the pair's own condition let it happen. */
function isOpen(context: Known, event: SeenEvent, pair: Pair): boolean {
  const rules = rulesOf(context);
  if (!isLegalPair(pair, rules.profile, rules)) return false;
  if (pair.condition === "withdrawn") return isWithdrawal(event.data?.origin);
  const isVisitNeeded = event.derived !== true && context.order.requiresInstallation;
  return pair.condition !== "no-installation" || !isVisitNeeded;
}

/** False for a step that this actor's profile, options or product rule out. */
export function isOffered(context: Known, type: string): boolean {
  // Found by a comparison, not by somebody who asks what to send next.
  if (type === "order.diverged") return false;
  if (type === "order.converged") return context.divergence !== undefined;
  const steps = PAIRS.filter((pair) => pair.event === type && pair.from === context.status);
  if (steps.length === 0) return true;
  // A withdrawal depends on who sends it, which is not known before it is sent.
  const sender = { type, data: { origin: "reseller" } } as const;
  return steps.some((pair) => isOpen(context, sender, pair));
}

export function isWithdrawal(origin: unknown): boolean {
  return origin === "reseller" || origin === "marketplace";
}

/** Why the event can never be applied, or undefined. A derived step reports nothing to judge. */
export function refusalOf(context: Known, event: SeenEvent): Refusal | undefined {
  const late = datePastProblem(event);
  if (late !== undefined) return late;
  if (event.type === "order.noted") return lintProblem({ context, event, status: context.status });
  const expected = PAIRS.find(
    (pair) =>
      pair.event === event.type && pair.from === context.status && isOpen(context, event, pair),
  );
  // What only asks for a cancellation is no update yet.
  const isRequest = event.type === "order.cancelled" && !isDecided(context, event);
  return expected && !isRequest ? problemOf(context, event, expected.to) : undefined;
}

function problemOf(context: Known, event: SeenEvent, status: Status): Refusal | undefined {
  if (event.derived === true) return undefined;
  return factProblem(context, event) ?? lintProblem({ context, event, status });
}

function factProblem(context: Known, event: SeenEvent): Refusal | undefined {
  switch (event.type) {
    case "order.accepted":
      return customerProblem(context, event);
    case "appointment.scheduled":
    case "appointment.rescheduled":
      return datePastProblem(event);
    case "work.completed":
    case "service.activated":
      return referenceProblem(context, event);
    default:
      return undefined;
  }
}

function datePastProblem(event: SeenEvent): Refusal | undefined {
  if (event.derived === true || !event.type.startsWith("appointment.")) return undefined;
  const { scheduledFor } = event.data ?? {};
  // Only the schema knows how to name a missing or naive date; here it is merely no date ahead.
  const isAhead =
    scheduledFor !== undefined && Date.parse(scheduledFor) > Date.parse(event.time ?? "");
  if (isAhead) return undefined;
  return {
    code: "SCHEDULE_DATE_PAST",
    message: `scheduledFor ${scheduledFor ?? "(none)"} is not after ${event.time ?? "(no time)"}, when it was set. Send the event again with a date ahead.`,
  };
}

const CUSTOMER_FIELDS = ["fullName", "email", "phone"] as const;
const ADDRESS_FIELDS = ["street", "city", "state", "zipCode", "country"] as const;

/**
 * Acceptance says that the customer's information is verified. Many sources do not repeat it, so an
 * item that was given none at all is taken; once a part of it is known, all of it is needed.
 */
function customerProblem(context: Known, event: SeenEvent): Refusal | undefined {
  const customer = { ...context.customerInfo, ...event.data?.customerInfo };
  const address = { ...context.serviceAddress, ...event.data?.serviceAddress };
  const missing = [
    ...CUSTOMER_FIELDS.filter((field) => !customer[field]?.trim()),
    ...ADDRESS_FIELDS.filter((field) => !address[field]?.trim()),
  ];
  const isNoneGiven = missing.length === CUSTOMER_FIELDS.length + ADDRESS_FIELDS.length;
  if (missing.length === 0 || isNoneGiven) return undefined;
  return {
    code: "CUSTOMER_INFO_MISSING",
    message: `The item of order ${context.order.orderId} lacks ${missing.join(", ")}. Send order.accepted with customerInfo and serviceAddress that complete it.`,
  };
}

function referenceProblem(context: Known, event: SeenEvent): Refusal | undefined {
  if (hasServiceReference(withReferencesOf(context.references, event.data?.metadata))) {
    return undefined;
  }
  return {
    code: "METADATA_INVALID",
    message: `The item of order ${context.order.orderId} has no accountNumber, policyNumber or orderRef. Send ${event.type} with one of them in metadata.`,
  };
}

/** What an `order.cancelled` does now. */
export type CancelVerdict = "cancel" | "assess" | "deny";

const PAST_RETURN: Readonly<Record<"scheduled" | "in_progress" | "never", readonly Status[]>> = {
  scheduled: ["scheduled", "in_progress"],
  in_progress: ["in_progress"],
  never: [],
};

/**
 * Past the point of no return a cancellation is a request that somebody decides. What the
 * marketplace or an observed status reports is no request: it has happened, and is followed.
 * A failed item has nothing under way, so giving it up needs nobody's leave.
 */
export function cancelVerdict(context: Known, event: SeenEvent): CancelVerdict {
  if (event.type !== "order.cancelled") return "deny";
  const pair = PAIRS.find((each) => each.event === event.type && each.from === context.status);
  if (pair === undefined || !isOpen(context, event, pair)) return "deny";
  if (!isDecided(context, event)) return "assess";
  return problemOf(context, event, "cancelled") === undefined ? "cancel" : "deny";
}

function isDecided(context: Known, event: SeenEvent): boolean {
  if (!isPastReturn(context)) return true;
  const hasHappened = event.derived === true || event.data?.origin === "marketplace";
  return hasHappened || event.data?.approvedBy !== undefined;
}

export function isPastReturn(context: Known): boolean {
  return PAST_RETURN[rulesOf(context).pointOfNoReturn].includes(context.status);
}
