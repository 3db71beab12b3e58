/**
 * The words that the order item's machine is written in: its actions and guards by name.
 * Each only asks a pure function; none touches the world.
 */
import { assign, enqueueActions, setup } from "xstate";
import type { OrderItemContext, OrderItemEvent, OrderItemInput } from "./context.ts";
import { convergedBy, divergedBy, divergenceAfter } from "./divergence.ts";
import {
  type AskOperator,
  divergenceTask,
  notePushFor,
  type PushStatus,
  pushFor,
  taskFor,
} from "./effects.ts";
import { warningOf, type Warning } from "./findings.ts";
import { findingsOf, lintProblem } from "./lint.ts";
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
  | { readonly type: "askOperator"; readonly params: AskOperator };

interface Seen {
  readonly context: OrderItemContext;
  readonly event: OrderItemEvent;
}

/** Kept in the journal beside the decision. */
export interface LintNote extends Warning {
  readonly type: "lint";
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
    never,
    LintNote
  >(({ context, event, enqueue }, params) => {
    const effect = effectOf({ context, event }, params);
    if (effect !== undefined) enqueue(effect);
  });
}

function pushed(params: PushStatus | undefined): EffectAction | undefined {
  return params && { type: "pushStatus", params };
}

function asked({ context, event }: Seen, task: Parameters<typeof taskFor>[2]): EffectAction {
  return { type: "askOperator", params: taskFor(context, event, task) };
}

/** Before anything is remembered: a check compares with what was known until now. */
function checked<Params extends { readonly status: Status } | undefined>() {
  return enqueueActions<
    OrderItemContext,
    OrderItemEvent,
    Params,
    OrderItemEvent,
    never,
    never,
    never,
    never,
    LintNote
  >(({ context, event, enqueue }, params) => {
    const warnings = [...findingsOf({ context, event, status: params?.status ?? context.status })];
    // Both are empty as a rule, and an assignment copies the context.
    if (warnings.length > 0 || context.warnings.length > 0) enqueue.assign({ warnings });
    for (const found of warnings) enqueue.emit({ type: "lint", ...warningOf(found) });
  });
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
    emitted: LintNote;
  },
  actions: {
    // Effects: the engine delivers them after its commit, nothing happens here.
    pushStatus: (_args, _params: PushStatus) => {},
    askOperator: (_args, _params: AskOperator) => {},
    check: checked<{ readonly status: Status }>(),
    checkNote: checked<undefined>(),
    /** Runs before `enter`, because what is pushed depends on the status that is left. */
    announce: tell(({ context, event }, { status }: { status: Status }) =>
      pushed(pushFor(context, event, status)),
    ),
    announceNote: tell(({ context, event }) => pushed(notePushFor(context, event))),
    enter: assign(({ context, event }, { status }: { status: Status }) =>
      context.divergence === undefined
        ? { status }
        : { status, divergence: divergenceAfter(context, event, status) },
    ),
    remember: assign(({ context, event }) => remembered(context, event)),
    askForDecision: tell((seen) => asked(seen, "decideCancellation")),
    /** Cancelled elsewhere with work under way: somebody has to call the technician back. */
    askToStopWork: tell((seen) =>
      isPastReturn(seen.context) && seen.event.data.approvedBy === undefined
        ? asked(seen, "stopWork")
        : undefined,
    ),
    rememberRequest: assign(({ context, event }) => cancellationRequest(context, event)),
    forgetRequest: assign({ cancellation: null }),
    beginWait: assign(({ event }) => waitBegun(event)),
    endWait: assign({ wait: null }),
    diverge: assign(({ context, event }) => ({ divergence: divergedBy(context, event) })),
    askToSettle: tell(({ context, event }) => ({
      type: "askOperator",
      params: divergenceTask(context, event),
    })),
    converge: assign(({ context, event }) => ({ divergence: convergedBy(context, event) })),
  },
  guards: {
    isLegal: ({ context, event }, { pair }: { pair: number }) => isTaken(context, event, pair),
    isCancelled: ({ context, event }) => cancelVerdict(context, event) === "cancel",
    needsDecision: ({ context, event }) => cancelVerdict(context, event) === "assess",
    isBornSubmitted: ({ context }) => context.bornAs === "submitted_to_provider",
    isNoted: ({ context, event }) =>
      lintProblem({ context, event, status: context.status }) === undefined,
    isDoubted: ({ context }) => context.divergence !== undefined,
    waitsOnProvider: ({ event }) => event.data.on === "provider",
  },
});
