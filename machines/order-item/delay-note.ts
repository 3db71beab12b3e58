/**
 * What a reseller reads when a clock is late: what is late, by when it was promised, and what happens
 * next. The status stays as it is. Whether and how often such notes are sent is the SLA policy's
 * choice; these are only its words.
 */
import { longDateOf } from "./appointment-date.ts";
import type { OrderItemContext } from "./context.ts";
import type { PushStatus } from "./effects.ts";
import type { Metadata } from "./metadata.ts";
import type { Status } from "./statuses.ts";

/** By the clock's name in the policy. `by` is a date as a person reads it. */
const SENTENCES: Readonly<Record<string, (by: string) => string>> = {
  respond: (by) =>
    `Our answer to this order was due by ${by} and is late; we are still reviewing it and will accept or reject it next.`,
  contact: (by) =>
    `The customer was to be contacted by ${by}, and that is late; we will reach out next to agree on a date.`,
  schedule: (by) =>
    `A date for the installation or activation was due by ${by} and is not set yet; we will agree on one with the customer and send it to you.`,
  install: (by) =>
    `The service was to be ready by ${by} and is not; we are working on it and will send you its next step.`,
  appointment: (by) =>
    `The appointment of ${by} has passed and the work has not started; we will send you either its start or a new date.`,
  arrival: (by) =>
    `The work was to start by ${by} and has not started; we will send you either its start or a new date.`,
  "on-site": (by) =>
    `The work on site was to be done by ${by} and is taking longer; we will send you its outcome as soon as it ends.`,
  resolution: (by) =>
    `A resolution of the failure was due by ${by} and is late; we will send you either a new date or the end of the order next.`,
};

/**
 * Statuses whose update may be repeated with a note. A pending item is handed on by the marketplace
 * itself, and a late "pending" would take it back; a finished one is late for nothing any more.
 */
const NOTED: readonly Status[] = [
  "submitted_to_provider",
  "accepted",
  "scheduled",
  "in_progress",
  "failed",
];

/**
 * Undefined when the marketplace is not to be told: by its status, or because the clock is none that
 * a reseller waits for. That updates arrive late ("push-lag") would itself arrive behind them.
 */
export function delayNoteFor(
  context: Readonly<OrderItemContext>,
  { clock, dueAt }: { readonly clock: string; readonly dueAt: number },
): PushStatus | undefined {
  const { status, appointment } = context;
  const sentence = Object.hasOwn(SENTENCES, clock) ? SENTENCES[clock] : undefined;
  if (sentence === undefined || !NOTED.includes(status)) return undefined;
  // A reseller who reads "scheduled" looks for the date beside it.
  const dated = status === "scheduled" ? appointment : null;
  const metadata = { ...context.references, ...placeOf(dated) };
  return {
    status,
    providerNotes: sentence(longDateOf(dueAt, appointment?.zone ?? "UTC")),
    ...(dated !== null && { scheduledFor: dated.scheduledFor }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
}

function placeOf(appointment: OrderItemContext["appointment"]): Metadata {
  const { window = null, zone = null } = appointment ?? {};
  return {
    ...(window !== null && { appointmentWindow: window }),
    ...(zone !== null && { zone }),
  };
}
