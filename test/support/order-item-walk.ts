/**
 * An order item walked by the bare machine, without an engine: what each event leads to.
 */
import { initialTransition, transition } from "xstate";
import type { OrderItemEvent } from "../../machines/order-item/context.ts";
import type { EventType } from "../../machines/order-item/events.ts";
import { orderItemDefinition } from "../../machines/order-item/definition.ts";
import { orderItemMachine } from "../../machines/order-item/machine.ts";
import type { OrderItemOptions } from "../../machines/order-item/options.ts";
import { type Status, statusOf } from "../../machines/order-item/statuses.ts";
import type { JsonObject } from "../../src/core/event.ts";
import type { MachineEvent } from "../../src/core/definition.ts";
import { machineEvent } from "./order-item-events.ts";

type ItemSnapshot = ReturnType<typeof initialTransition<typeof orderItemMachine>>[0];

export interface Walked {
  readonly snapshot: ItemSnapshot;
  readonly status: Status;
  /** Of the last event: params of `pushStatus` and `askOperator`, and what lint said of it. */
  readonly pushes: readonly unknown[];
  readonly tasks: readonly unknown[];
  readonly lint: readonly unknown[];
  readonly isTaken: boolean;
}

export type AnyItemEvent = MachineEvent | { readonly type: string; readonly at: number };

export function born(options: Partial<OrderItemOptions> = {}, data: JsonObject = {}): Walked {
  const event = machineEvent("order.received", { data });
  const input = orderItemDefinition(options).input(event);
  return walked(initialTransition(orderItemMachine, input), true);
}

export function take(from: Walked, event: AnyItemEvent): Walked {
  const [next, actions] = transition(orderItemMachine, from.snapshot, event as OrderItemEvent);
  return walked([next, actions], next !== from.snapshot || actions.length > 0);
}

export function takeAll(from: Walked, events: readonly AnyItemEvent[]): Walked {
  return events.reduce(take, from);
}

/** The item as a definition's functions look at it. */
export function lookAt({ snapshot }: Walked): { value: unknown; context: JsonObject } {
  return { value: snapshot.value, context: snapshot.context };
}

interface TakenAction {
  readonly type: string;
  readonly params: unknown;
}

function walked(
  [snapshot, actions]: readonly [ItemSnapshot, readonly TakenAction[]],
  isTaken: boolean,
): Walked {
  const paramsOf = (type: string) =>
    actions.filter((action) => action.type === type).map((action) => action.params);
  return {
    snapshot,
    status: statusOf(snapshot.value),
    pushes: paramsOf("pushStatus"),
    tasks: paramsOf("askOperator"),
    lint: paramsOf("xstate.emit").map((params) => (params as { event: unknown }).event),
    isTaken,
  };
}

/** The shortest way of reported events to each status. */
export const WAYS: Readonly<Record<Status, readonly EventType[]>> = {
  pending: [],
  submitted_to_provider: ["order.submitted"],
  accepted: ["order.accepted"],
  scheduled: ["order.accepted", "appointment.scheduled"],
  in_progress: ["order.accepted", "appointment.scheduled", "work.started"],
  completed: ["order.accepted", "appointment.scheduled", "work.started", "work.completed"],
  active: ["order.accepted", "appointment.scheduled", "work.started", "service.activated"],
  rejected: ["order.rejected"],
  cancelled: ["order.accepted", "order.cancelled"],
  failed: ["order.accepted", "appointment.scheduled", "work.started", "work.failed"],
};

export function inStatus(
  status: Status,
  options: Partial<OrderItemOptions> = {},
  data: JsonObject = {},
): Walked {
  const events = WAYS[status].map((type) => machineEvent(type));
  return takeAll(born(options, data), events);
}
