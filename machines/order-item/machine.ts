/**
 * An order item's life at the provider, from the reseller's order to a running service.
 *
 * While the item is open, three things are true of it at once: how far fulfilment has come, whom it
 * waits for, and whether a cancellation is being decided. Only the first is a status that the
 * marketplace knows. `completed` lies outside `open`: nothing is owed any more, but a later
 * activation may still be reported.
 *
 * There is one machine for all installations. What they may choose lies in each actor's context and
 * is asked by guards, so that an actor keeps the rules it was born with. Every transition between
 * statuses names its pair in pairs.ts. Entry actions announce a status to the marketplace. Nothing is
 * timed here: the engine's clocks follow the item by its statuses. Actions and guards are named here
 * and defined in vocabulary.ts.
 */
import { initialContext } from "./context.ts";
import { STATUSES, type Status } from "./statuses.ts";
import { vocabulary } from "./vocabulary.ts";

/** Raised whenever a stored actor would behave differently, or no longer load, under the new code. */
export const ORDER_ITEM_VERSION = "2.1.0";

/** What is the same for every status: its words, its tags, its announcement. */
function statusState<const Name extends Status>(status: Name) {
  const { tags, ...words } = STATUSES[status];
  return {
    id: status,
    description: words.definition.join(" "),
    meta: { status, ...words },
    tags: [...tags],
    entry: [
      { type: "announce", params: { status } },
      { type: "enter", params: { status } },
    ],
  } as const;
}

/** One step between two statuses, by its number in pairs.ts. */
const step = <const Target extends Status>(pair: number, target: Target) =>
  ({
    target: `#${target}`,
    guard: { type: "isLegal", params: { pair } },
    actions: [{ type: "check", params: { status: target } }, "remember"],
  }) as const;

const cancel = {
  target: "#cancelled",
  guard: "isCancelled",
  actions: [{ type: "check", params: { status: "cancelled" } }, "remember", "askToStopWork"],
} as const;

const noted = { guard: "isNoted", actions: ["checkNote", "remember", "announceNote"] } as const;

/** A disagreement and its end: no step, so no status is entered and nothing is pushed. */
const diverging = {
  "order.diverged": { actions: ["diverge", "askToSettle"] },
  "order.converged": { guard: "isDoubted", actions: "converge" },
} as const;

export const orderItemMachine = vocabulary.createMachine({
  id: "order-item",
  version: ORDER_ITEM_VERSION,
  initial: "open",
  context: ({ input }) => initialContext(input),
  output: ({ context }) => ({ status: context.status }),
  states: {
    open: {
      type: "parallel",
      description: "The provider still owes something.",
      exit: "endWait",
      on: { "order.noted": noted, ...diverging },
      states: {
        fulfilment: {
          initial: "initial",
          states: {
            initial: {
              initial: "pending",
              description: "The reseller waits for an answer.",
              states: {
                pending: {
                  ...statusState("pending"),
                  always: { target: "#submitted_to_provider", guard: "isBornSubmitted" },
                  on: {
                    "order.submitted": step(1, "submitted_to_provider"),
                    "order.accepted": step(2, "accepted"),
                    "order.rejected": step(3, "rejected"),
                    "order.cancelled": cancel,
                  },
                },
                submitted_to_provider: {
                  ...statusState("submitted_to_provider"),
                  on: {
                    "order.accepted": step(4, "accepted"),
                    "order.rejected": step(5, "rejected"),
                    "order.cancelled": cancel,
                  },
                },
              },
            },
            accepting: {
              initial: "accepted",
              description: "The provider has promised to fulfil the order.",
              states: {
                accepted: {
                  ...statusState("accepted"),
                  on: {
                    "appointment.scheduled": step(6, "scheduled"),
                    "service.activated": step(7, "active"),
                    "order.cancelled": cancel,
                    "work.started": step(18, "in_progress"),
                    "work.failed": step(20, "failed"),
                  },
                },
                scheduled: {
                  ...statusState("scheduled"),
                  on: {
                    "work.started": step(9, "in_progress"),
                    "order.cancelled": cancel,
                    // Re-entered: a new date is announced again.
                    "appointment.rescheduled": { ...step(17, "scheduled"), reenter: true },
                    "work.failed": step(19, "failed"),
                  },
                },
                in_progress: {
                  ...statusState("in_progress"),
                  on: {
                    "work.completed": step(10, "completed"),
                    "service.activated": step(11, "active"),
                    "work.failed": step(13, "failed"),
                    "order.cancelled": cancel,
                    "appointment.rescheduled": step(23, "scheduled"),
                  },
                },
              },
            },
            failed: {
              ...statusState("failed"),
              on: {
                "appointment.rescheduled": step(21, "scheduled"),
                "order.cancelled": cancel,
              },
            },
          },
        },
        waiting: {
          initial: "none",
          description: "Whom the item waits for; the marketplace has no status for it.",
          on: {
            "wait.started": [
              { guard: "waitsOnProvider", target: "#waiting-provider", actions: "beginWait" },
              { target: "#waiting-customer", actions: "beginWait" },
            ],
          },
          states: {
            none: {},
            customer: {
              id: "waiting-customer",
              description: "The customer or the reseller has to act.",
              on: { "wait.ended": { target: "none", actions: "endWait" } },
            },
            provider: {
              id: "waiting-provider",
              description: "The provider's own side has to act: stock, a permit, a crew.",
              on: { "wait.ended": { target: "none", actions: "endWait" } },
            },
          },
        },
        cancellation: {
          initial: "none",
          description: "Whether a cancellation past the point of no return is being decided.",
          states: {
            none: {
              on: {
                "order.cancelled": {
                  guard: "needsDecision",
                  target: "assessing",
                  actions: ["rememberRequest", "askForDecision"],
                },
              },
            },
            assessing: {
              description: "Somebody decides: a cancellation with approvedBy, or a denial.",
              on: {
                "order.cancelled": { guard: "needsDecision", actions: "rememberRequest" },
                "cancellation.denied": { target: "none", actions: "forgetRequest" },
              },
            },
          },
        },
      },
    },
    completed: {
      ...statusState("completed"),
      on: { "service.activated": step(12, "active"), "order.noted": noted, ...diverging },
    },
    active: { ...statusState("active"), type: "final" },
    rejected: { ...statusState("rejected"), type: "final" },
    cancelled: { ...statusState("cancelled"), type: "final" },
  },
});
