/**
 * What an order item asks of the world: a status for the marketplace, a task for an operator.
 */
import { z } from "zod";
import { isoOf } from "./appointment-date.ts";
import type { OrderItemContext, SeenEvent } from "./context.ts";
import { type Side, sideSchema } from "./divergence.ts";
import { type Metadata, metadataRecordSchema } from "./metadata.ts";
import { rulesOf } from "./options.ts";
import { type Status, statusSchema } from "./statuses.ts";

const pushStatusSchema = z.strictObject({
  status: statusSchema,
  providerNotes: z.string().optional(),
  /** ISO 8601 in UTC. */
  scheduledFor: z.string().optional(),
  metadata: metadataRecordSchema.optional(),
});

const askOperatorSchema = z.strictObject({
  task: z.enum([
    /** A cancellation past the point of no return: approve or deny it. */
    "decideCancellation",
    /** Cancelled elsewhere with work under way: call the technician back. */
    "stopWork",
    /** A side says something else: find out which one is right. */
    "settleDivergence",
  ]),
  /** The status in which the item was cancelled, or which is doubted. */
  status: statusSchema,
  /** Of a cancellation. */
  cancelledBy: z.string().optional(),
  providerNotes: z.string().optional(),
  /** Of a divergence: who says what instead, and why it cannot be followed. */
  side: sideSchema.optional(),
  says: z.string().optional(),
  reason: z.string().optional(),
  /** ISO 8601 in UTC. */
  askedAt: z.string(),
});

export type PushStatus = {
  readonly status: Status;
  readonly providerNotes?: string;
  readonly scheduledFor?: string;
  readonly metadata?: Metadata;
};

export type AskOperator = {
  readonly task: "decideCancellation" | "stopWork" | "settleDivergence";
  readonly status: Status;
  readonly cancelledBy?: string;
  readonly providerNotes?: string;
  readonly side?: Side;
  readonly says?: string;
  readonly reason?: string;
  readonly askedAt: string;
};

/** People act at once on these: they make other plans, or open the door at a set time. */
const URGENT: readonly unknown[] = ["rejected", "failed", "cancelled", "scheduled"];

export const effects = {
  pushStatus: {
    params: pushStatusSchema,
    channel: "marketplace",
    isUrgent: (params: { readonly [key: string]: unknown }) => URGENT.includes(params["status"]),
  },
  askOperator: { params: askOperatorSchema, channel: "operator" },
} as const;

/** The task that a disagreement gives to an operator. */
export function divergenceTask(context: Readonly<OrderItemContext>, event: SeenEvent): AskOperator {
  const { side, status: says, reason } = event.data ?? {};
  return {
    task: "settleDivergence",
    status: context.status,
    ...(side !== undefined && { side }),
    ...(says !== undefined && { says }),
    ...(reason !== undefined && { reason }),
    askedAt: isoOf(event.at ?? context.bornAt),
  };
}

/** The task that a cancellation gives to an operator; `context` as the cancellation meets it. */
export function taskFor(
  context: Readonly<OrderItemContext>,
  event: SeenEvent,
  task: "decideCancellation" | "stopWork",
): AskOperator {
  const providerNotes = event.data?.providerNotes?.trim();
  return {
    task,
    status: context.status,
    cancelledBy: cancellerOf(context, event),
    ...(providerNotes ? { providerNotes } : {}),
    askedAt: isoOf(event.at ?? context.bornAt),
  };
}

/**
 * The push for entering `status`, or undefined when the marketplace knows already or is not to be
 * told. Asked before the status is entered: `context.status` is still the one that is left.
 */
export function pushFor(
  context: Readonly<OrderItemContext>,
  event: SeenEvent,
  status: Status,
): PushStatus | undefined {
  return isTold(context, event, status) ? pushOf(context, event, status) : undefined;
}

/** Whether the event that leads to `status` is for the marketplace to hear. */
export function isTold(
  context: Readonly<OrderItemContext>,
  { data }: SeenEvent,
  status: Status,
): boolean {
  // No data: XState's own events, the birth among them, which the marketplace itself reported.
  if (data === undefined || data.quiet === true || data.origin === "marketplace") return false;
  // An order that is withdrawn before acceptance was cancelled at the marketplace first.
  const isWithdrawn = context.status === "pending" || context.status === "submitted_to_provider";
  return status !== "cancelled" || !isWithdrawn;
}

/** The push of an unchanged status with a note, or undefined when the installation has none. */
export function notePushFor(
  context: Readonly<OrderItemContext>,
  event: SeenEvent,
): PushStatus | undefined {
  const { noteUpdates, profile } = rulesOf(context);
  const isOn = noteUpdates && profile === "extended";
  return isOn ? pushOf(context, event, context.status) : undefined;
}

function pushOf(context: Readonly<OrderItemContext>, event: SeenEvent, status: Status): PushStatus {
  const providerNotes = event.data?.providerNotes?.trim();
  const metadata = pushedMetadata(context, event, status);
  const isDated = status === "scheduled" && event.type !== "order.noted";
  return {
    status,
    ...(providerNotes ? { providerNotes } : {}),
    ...(isDated && context.appointment !== null
      ? { scheduledFor: context.appointment.scheduledFor }
      : {}),
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
  };
}

function pushedMetadata(
  context: Readonly<OrderItemContext>,
  event: SeenEvent,
  status: Status,
): Metadata {
  const { metadata, reasonCode, alternatives, zone } = event.data ?? {};
  return {
    ...context.references,
    ...metadata,
    ...(reasonCode === undefined ? {} : { reasonCode }),
    ...(alternatives === undefined ? {} : { alternatives }),
    ...(zone === undefined ? {} : { zone }),
    ...(status === "cancelled" ? { cancelledBy: cancellerOf(context, event) } : {}),
  };
}

/** Who cancelled: as reported, else whoever asked before, else by where the report came from. */
export function cancellerOf(context: Readonly<OrderItemContext>, event: SeenEvent): string {
  const { cancelledBy, metadata, origin } = event.data ?? {};
  const named = cancelledBy ?? metadata?.["cancelledBy"];
  if (typeof named === "string" && named !== "") return named;
  if (context.cancellation !== null) return context.cancellation.requestedBy;
  return origin === "reseller" || origin === "marketplace" ? "reseller" : "provider";
}
