/**
 * How an event changes what an order item remembers, apart from its status.
 */
import { toUtc } from "./appointment-date.ts";
import type { OrderItemContext, SeenEvent } from "./context.ts";
import { cancellerOf } from "./effects.ts";
import { withReferencesOf } from "./metadata.ts";

type Change = Partial<OrderItemContext>;
type Known = Readonly<OrderItemContext>;

/** What an event that is taken leaves behind: notes, references, customer, appointment. */
export function remembered(context: Known, event: SeenEvent): Change {
  const { data } = event;
  if (data === undefined) return {};
  return {
    references: withReferencesOf(context.references, data.metadata),
    note: data.providerNotes?.trim() || context.note,
    appointment: appointmentAfter(context, event),
    ...(data.customerInfo && { customerInfo: { ...context.customerInfo, ...data.customerInfo } }),
    ...(data.serviceAddress && {
      serviceAddress: { ...context.serviceAddress, ...data.serviceAddress },
    }),
    ...(event.type === "order.cancelled" && cancellationRequest(context, event)),
  };
}

function appointmentAfter(context: Known, event: SeenEvent): OrderItemContext["appointment"] {
  const { scheduledFor, zone, metadata } = event.data ?? {};
  if (scheduledFor !== undefined) {
    const window = metadata?.["appointmentWindow"];
    return {
      scheduledFor: toUtc(scheduledFor),
      zone: zone ?? null,
      window: typeof window === "string" ? window : null,
    };
  }
  // A derived new appointment has no date: the former one must not be pushed as if it still held.
  return event.type === "appointment.rescheduled" ? null : context.appointment;
}

/** Who asks for a cancellation and why, for whoever decides. The latest request stands. */
export function cancellationRequest(context: Known, event: SeenEvent): Change {
  return {
    cancellation: {
      requestedBy: cancellerOf(context, event),
      providerNotes: event.data?.providerNotes?.trim() || null,
      reasonCode: reasonCodeOf(event),
      requestedAt: event.time ?? "",
    },
  };
}

function reasonCodeOf(event: SeenEvent): string | null {
  const given = event.data?.reasonCode ?? event.data?.metadata?.["reasonCode"];
  return typeof given === "string" ? given : null;
}

export function waitBegun(event: SeenEvent): Change {
  const { on = "customer", reason = "" } = event.data ?? {};
  return { wait: { on, reason, sinceTime: event.time ?? "" } };
}
