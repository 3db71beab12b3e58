/**
 * The ten statuses of an order item, as the marketplace names them, in the order in which an item
 * usually meets them. One table for the machine's `meta` and `tags`, the CLI and the inspector, so
 * that an operator reads the same words everywhere.
 */
import { z } from "zod";

export const STATUS_NAMES = [
  "pending",
  "submitted_to_provider",
  "accepted",
  "scheduled",
  "in_progress",
  "completed",
  "active",
  "rejected",
  "cancelled",
  "failed",
] as const;

export const statusSchema = z.enum(STATUS_NAMES);

export type Status = z.infer<typeof statusSchema>;

type StatusGroup = "initial" | "accepted" | "completion" | "failure";

export type StatusTag =
  /** Work is still owed. */
  | "open"
  /** Nothing leaves this status. */
  | "terminal"
  | "success"
  | "failure"
  /** A date with the customer is set. */
  | "dated"
  | `${StatusGroup}-group`;

export interface StatusEntry {
  readonly group: StatusGroup;
  /** What is true of an item in this status, one fact a line. */
  readonly definition: readonly string[];
  /** What the provider owes next. */
  readonly action: string;
  readonly tags: readonly StatusTag[];
}

export const STATUSES: Readonly<Record<Status, StatusEntry>> = {
  pending: {
    group: "initial",
    definition: ["A reseller has just created the order.", "It awaits the provider's review."],
    action: "Review the order, then accept or reject it.",
    tags: ["open", "initial-group"],
  },
  submitted_to_provider: {
    group: "initial",
    definition: [
      "The order was sent to the provider's fulfilment system.",
      "It awaits confirmation.",
    ],
    action: "Confirm receipt, then accept or reject it.",
    tags: ["open", "initial-group"],
  },
  accepted: {
    group: "accepted",
    definition: [
      "The provider confirmed that it can fulfil the order.",
      "The customer's information is verified.",
    ],
    action: "Schedule the installation or activation.",
    tags: ["open", "accepted-group"],
  },
  scheduled: {
    group: "accepted",
    definition: [
      "The date of the installation or activation is set.",
      "The customer has been contacted.",
    ],
    action: "Carry out the installation on schedule.",
    tags: ["open", "dated", "accepted-group"],
  },
  in_progress: {
    group: "accepted",
    definition: [
      "The installation or setup is happening now.",
      "A technician is on site, or the service is being activated.",
    ],
    action: "Complete the installation and activate the service.",
    tags: ["open", "accepted-group"],
  },
  completed: {
    group: "completion",
    definition: ["The installation finished successfully.", "The service is activated and tested."],
    action: "None is owed. Report the activation if the service goes live later.",
    tags: ["success", "completion-group"],
  },
  active: {
    group: "completion",
    definition: ["The service is live.", "The customer's subscription is running."],
    action: "Monitor for issues and support the customer.",
    tags: ["terminal", "success", "completion-group"],
  },
  rejected: {
    group: "failure",
    definition: ["The provider cannot fulfil the order.", "A clear reason was given."],
    action: "None: the order is closed.",
    tags: ["terminal", "failure", "failure-group"],
  },
  cancelled: {
    group: "failure",
    definition: [
      "The order was cancelled, as a rule after acceptance.",
      "The provider or the reseller asked for it.",
    ],
    action: "None: the order is closed.",
    tags: ["terminal", "failure", "failure-group"],
  },
  failed: {
    group: "failure",
    definition: [
      "The installation or activation failed.",
      "The cause is a technical or a logistical issue.",
    ],
    action: "Document the reason and coordinate a resolution with the reseller.",
    tags: ["open", "failure", "failure-group"],
  },
};

function childOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

/** The status word in an XState value of this machine. Throws a ZodError for any other value. */
export function statusOf(value: unknown): Status {
  const fulfilment = childOf(childOf(value, "open"), "fulfilment") ?? value;
  const word = childOf(fulfilment, "initial") ?? childOf(fulfilment, "accepting") ?? fulfilment;
  return statusSchema.parse(word);
}
