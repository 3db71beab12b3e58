/**
 * What the engine's clocks go by. The marketplace's addresses have no time zone, so an item's zone is
 * the one that its appointment was made in. What is not known is absent.
 */
import type { OrderItemContext } from "./context.ts";

export interface Clocked {
  readonly category?: string;
  readonly zone?: string;
  /** Ms since the epoch. */
  readonly createdAt?: number;
  readonly wait?: { readonly on: string; readonly reason?: string };
  /** Ms since the epoch. */
  readonly appointmentAt?: number;
}

export function clockedBy(context: Readonly<OrderItemContext>): Clocked {
  const { appointment, order, wait } = context;
  const zone = appointment?.zone ?? null;
  const createdAt = Date.parse(order.createdAt ?? "");
  return {
    ...(order.offerCategory !== null && { category: order.offerCategory }),
    ...(!Number.isNaN(createdAt) && { createdAt }),
    ...(wait !== null && { wait: { on: wait.on, ...(wait.reason && { reason: wait.reason }) } }),
    ...(appointment !== null && { appointmentAt: Date.parse(appointment.scheduledFor) }),
    ...(zone !== null && { zone }),
  };
}
