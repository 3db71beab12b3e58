/**
 * The clocks that run while an order item waits for somebody. Each rings once, tells an operator and
 * changes nothing else. A clock is measured from a moment that the actor remembers, never from the
 * time at which a worker happens to look.
 */
import type { OrderItemContext, SeenEvent } from "./context.ts";
import { rulesOf } from "./options.ts";

export type Clock =
  | "respondReminder"
  | "respondBreach"
  | "contactReminder"
  | "scheduleReminder"
  | "appointmentReminder"
  | "appointmentOverdue"
  | "onSiteOverdue"
  | "resolutionReminder";

/** When the clock rings, in ms since the epoch. */
export function dueAtOf(clock: Clock, context: Readonly<OrderItemContext>): number {
  const { sla } = rulesOf(context);
  switch (clock) {
    // A reseller waits from the order on, whoever has confirmed its receipt in between.
    case "respondReminder":
      return context.bornAt + sla.respondReminderMs;
    case "respondBreach":
      return context.bornAt + sla.respondBreachMs;
    case "contactReminder":
      return context.since + sla.contactReminderMs;
    case "scheduleReminder":
      return context.since + sla.scheduleReminderMs;
    case "appointmentReminder":
      return appointmentAt(context) - sla.appointmentReminderMs;
    case "appointmentOverdue":
      return appointmentAt(context) + sla.appointmentOverdueMs;
    case "onSiteOverdue":
      return context.since + sla.onSiteOverdueMs;
    case "resolutionReminder":
      return context.since + sla.resolutionReminderMs;
  }
}

/** An observed appointment may lack its date; its clocks then run as if it were yet to be set. */
function appointmentAt(context: Readonly<OrderItemContext>): number {
  return context.appointment === null
    ? context.since + rulesOf(context).sla.scheduleReminderMs
    : Date.parse(context.appointment.scheduledFor);
}

/** The clock's `after` delay in ms, from the event that starts it. */
export function delayOf(
  clock: Clock,
  context: Readonly<OrderItemContext>,
  event: SeenEvent,
): number {
  return Math.max(0, dueAtOf(clock, context) - (event.at ?? context.since));
}

/** False when the appointment was made too late for a reminder, has no date, or is already over. */
export function isReminderDue(context: Readonly<OrderItemContext>, event: SeenEvent): boolean {
  if (context.appointment === null) return false;
  const isAhead = (event.at ?? 0) < Date.parse(context.appointment.scheduledFor);
  return isAhead && dueAtOf("appointmentReminder", context) > context.since;
}
