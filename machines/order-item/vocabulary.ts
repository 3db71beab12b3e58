/**
 * The words that the order item's machine is written in: its actions, guards and delays by name.
 * Each only asks a pure function; none touches the world.
 */
import { assign, enqueueActions, setup } from "xstate";
import { type Clock, delayOf, dueAtOf, isReminderDue } from "./clocks.ts";
import type { OrderItemContext, OrderItemEvent, OrderItemInput } from "./context.ts";
import { notePushFor, type PushStatus, pushFor, type Remind, reminder } from "./effects.ts";
import { cancellationRequest, remembered, waitBegun } from "./memory.ts";
import { cancelVerdict, isPastReturn, isTaken } from "./rules.ts";
import type { Status, StatusEntry, StatusTag } from "./statuses.ts";

export interface StatusMeta extends Omit<StatusEntry, "tags"> {
  readonly status: Status;
}

/** What a finished item ended as. */
export interface OrderItemOutput {
  readonly status: Status;
}

type EffectAction =
  | { readonly type: "pushStatus"; readonly params: PushStatus }
  | { readonly type: "remind"; readonly params: Remind };

interface Seen {
  readonly context: OrderItemContext;
  readonly event: OrderItemEvent;
}

/** An action that decides on an effect, or on none, and leaves its delivery to the engine. */
function tell<Params extends Readonly<Record<string, unknown>> | undefined = undefined>(
  effectOf: (seen: Seen, params: Params) => EffectAction | undefined,
) {
  return enqueueActions<
    OrderItemContext,
    OrderItemEvent,
    Params,
    OrderItemEvent,
    never,
    EffectAction,
    never,
    never
  >(({ context, event, enqueue }, params) => {
    const effect = effectOf({ context, event }, params);
    if (effect !== undefined) enqueue(effect);
  });
}

function pushed(params: PushStatus | undefined): EffectAction | undefined {
  return params && { type: "pushStatus", params };
}

function reminded(clock: string, { status }: OrderItemContext, dueAtMs: number): EffectAction {
  return { type: "remind", params: reminder(clock, status, dueAtMs) };
}

/** Named parts only: an inline action could not be stored, replayed or shown. */
export const vocabulary = setup({
  types: {} as {
    context: OrderItemContext;
    events: OrderItemEvent;
    input: OrderItemInput;
    output: OrderItemOutput;
    tags: StatusTag;
    meta: StatusMeta;
  },
  actions: {
    // Effects: the engine delivers them after its commit, nothing happens here.
    pushStatus: (_args, _params: PushStatus) => {},
    remind: (_args, _params: Remind) => {},
    /** Runs before `enter`, because what is pushed depends on the status that is left. */
    announce: tell(({ context, event }, { status }: { status: Status }) =>
      pushed(pushFor(context, event, status)),
    ),
    announceNote: tell(({ context, event }) => pushed(notePushFor(context, event))),
    /** XState's own first event has no `at`; a birth's is in the context already. */
    enter: assign(({ context, event }, { status }: { status: Status }) => ({
      status,
      since: event.at ?? context.since,
    })),
    remember: assign(({ context, event }) => remembered(context, event)),
    ring: tell(({ context }, { clock }: { clock: Clock }) =>
      reminded(clock, context, dueAtOf(clock, context)),
    ),
    askForDecision: tell(({ context, event }) => reminded("cancellation", context, event.at)),
    /** Cancelled elsewhere with work under way: somebody has to call the technician back. */
    askToStopWork: tell(({ context, event }) =>
      isPastReturn(context) && event.data.approvedBy === undefined
        ? reminded("workToStop", context, event.at)
        : undefined,
    ),
    rememberRequest: assign(({ context, event }) => cancellationRequest(context, event)),
    forgetRequest: assign({ cancellation: null }),
    beginWait: assign(({ event }) => waitBegun(event)),
    endWait: assign({ wait: null }),
  },
  guards: {
    isLegal: ({ context, event }, { pair }: { pair: number }) => isTaken(context, event, pair),
    isCancelled: ({ context, event }) => cancelVerdict(context, event) === "cancel",
    needsDecision: ({ context, event }) => cancelVerdict(context, event) === "assess",
    isBornSubmitted: ({ context }) => context.bornAs === "submitted_to_provider",
    isReminderDue: ({ context, event }) => isReminderDue(context, event),
    waitsOnProvider: ({ event }) => event.data.on === "provider",
  },
  delays: {
    respondReminder: ({ context, event }) => delayOf("respondReminder", context, event),
    respondBreach: ({ context, event }) => delayOf("respondBreach", context, event),
    contactReminder: ({ context, event }) => delayOf("contactReminder", context, event),
    scheduleReminder: ({ context, event }) => delayOf("scheduleReminder", context, event),
    appointmentReminder: ({ context, event }) => delayOf("appointmentReminder", context, event),
    appointmentOverdue: ({ context, event }) => delayOf("appointmentOverdue", context, event),
    onSiteOverdue: ({ context, event }) => delayOf("onSiteOverdue", context, event),
    resolutionReminder: ({ context, event }) => delayOf("resolutionReminder", context, event),
  },
});
