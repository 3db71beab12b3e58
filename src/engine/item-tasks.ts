/** What waits to be decided, item by item. */
import { compareArrivals } from "../core/arrival.ts";
import type { EventAnswer } from "./event-answer.ts";
import type { Happening, PlannedEvent } from "./item-plan.ts";

export interface EventTask extends PlannedEvent {
  readonly kind: "event";
  readonly resolve: (answer: EventAnswer) => void;
  readonly reject: (error: unknown) => void;
  tries: number;
}

/** A turn of an item that no event has: time acts on it, or its clocks hear what the engine has seen. */
export interface TurnTask {
  readonly kind: "turn";
  readonly itemId: string;
  /** Absent: it is due. */
  readonly happening?: Happening;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  tries: number;
}

export type Task = EventTask | TurnTask;

export interface ItemTasks {
  readonly itemId: string;
  readonly events: EventTask[];
  readonly turns: TurnTask[];
  /** Arrivals of an event that stands in `events` already. */
  readonly repeats: EventTask[];
}

/** Per item: first arrivals in the order of their events. */
export function groupByItem(tasks: readonly Task[]): ItemTasks[] {
  const items = new Map<string, ItemTasks>();
  for (const task of tasks) {
    const itemId = itemOf(task);
    let item = items.get(itemId);
    if (item === undefined)
      items.set(itemId, (item = { itemId, events: [], turns: [], repeats: [] }));
    if (task.kind === "turn") item.turns.push(task);
    else if (item.events.some(({ mark }) => mark === task.mark)) item.repeats.push(task);
    else item.events.push(task);
  }
  for (const { events } of items.values()) {
    if (events.length > 1) events.sort((left, right) => compareArrivals(left.event, right.event));
  }
  return [...items.values()];
}

export function itemOf(task: Task): string {
  return task.kind === "event" ? task.event.subject : task.itemId;
}

export function rejectAll({ events, repeats, turns }: ItemTasks, error: unknown): void {
  for (const task of [...events, ...repeats, ...turns]) task.reject(error);
}
