/** The ten statuses of an order item, as most people would write them down in XState. */
import { assign, setup } from "xstate";

export interface OrderContext {
  readonly providerNotes: string | undefined;
  readonly scheduledFor: string | undefined;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface OrderEvent {
  readonly type: string;
  readonly data: {
    readonly providerNotes?: string;
    readonly scheduledFor?: string;
    readonly metadata?: Readonly<Record<string, unknown>>;
  };
}

export const orderMachine = setup({
  types: { context: {} as OrderContext, events: {} as OrderEvent },
  actions: {
    note: assign(({ context, event }) => ({
      providerNotes: event.data.providerNotes,
      scheduledFor: event.data.scheduledFor ?? context.scheduledFor,
      metadata: { ...context.metadata, ...event.data.metadata },
    })),
  },
  guards: {
    hasDate: ({ event }) => Date.parse(event.data.scheduledFor ?? "") > Date.now(),
    hasReason: ({ event }) => (event.data.providerNotes ?? "").length > 0,
    hasReference: ({ event }) => typeof event.data.metadata?.["accountNumber"] === "string",
  },
}).createMachine({
  id: "order",
  initial: "pending",
  context: { providerNotes: undefined, scheduledFor: undefined, metadata: {} },
  states: {
    pending: {
      on: {
        "order.submitted": { target: "submitted_to_provider", actions: "note" },
        "order.accepted": { target: "accepted", actions: "note" },
        "order.rejected": { target: "rejected", guard: "hasReason", actions: "note" },
        "order.cancelled": { target: "cancelled", actions: "note" },
      },
    },
    submitted_to_provider: {
      on: {
        "order.accepted": { target: "accepted", actions: "note" },
        "order.rejected": { target: "rejected", guard: "hasReason", actions: "note" },
        "order.cancelled": { target: "cancelled", actions: "note" },
      },
    },
    accepted: {
      on: {
        "appointment.scheduled": { target: "scheduled", guard: "hasDate", actions: "note" },
        "order.cancelled": { target: "cancelled", actions: "note" },
      },
    },
    scheduled: {
      on: {
        "appointment.rescheduled": { target: "scheduled", guard: "hasDate", actions: "note" },
        "work.started": { target: "in_progress", actions: "note" },
        "order.cancelled": { target: "cancelled", actions: "note" },
      },
    },
    in_progress: {
      on: {
        "work.completed": { target: "completed", guard: "hasReference", actions: "note" },
        "work.failed": { target: "failed", guard: "hasReason", actions: "note" },
        "order.cancelled": { target: "cancelled", actions: "note" },
      },
    },
    completed: {
      on: { "service.activated": { target: "active", guard: "hasReference", actions: "note" } },
    },
    failed: {
      on: {
        "appointment.scheduled": { target: "scheduled", guard: "hasDate", actions: "note" },
        "order.cancelled": { target: "cancelled", actions: "note" },
      },
    },
    active: { type: "final" },
    rejected: { type: "final" },
    cancelled: { type: "final" },
  },
});
