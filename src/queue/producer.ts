/**
 * The producer's side of the front door: events are checked before they are sent, so that whoever
 * wrote a faulty one hears of it at once instead of finding it among the dead letters.
 */
import { randomUUID } from "node:crypto";
import type { Queue } from "bullmq";
import type { z } from "zod";
import type { ArrivedEvent } from "../core/arrival.ts";
import type { Problem } from "../core/errors.ts";
import { EVENT_BATCH_MAX } from "../core/event.ts";
import { groupBy } from "../core/group-by.ts";
import { isOperatorEvent } from "../core/operator-event.ts";
import { dataProblem, unknownType } from "../core/problems.ts";
import { readEvent } from "../core/read-event.ts";

/** Jobs of one round trip: at most a few MiB of ordinary events. */
const JOBS_PER_ADD = 50;

/** Times that an add is tried whose connection breaks each time. */
const TRIES_MAX = 5;

/** One schema of `data` per event type. */
export type EventSchemas = Readonly<Record<string, z.ZodType>>;

export type CheckedEvent =
  | { readonly result: "event"; readonly event: ArrivedEvent }
  | { readonly result: "refused"; readonly problem: Problem };

/** Judges what can be judged without the item: the envelope and the data. `now` in ms. */
export function checkEvent(schemas: EventSchemas, value: unknown, now: number): CheckedEvent {
  const read = readEvent(value, now);
  if (read.result === "unreadable") return { result: "refused", problem: read.problem };
  const { event } = read;
  const schema = Object.hasOwn(schemas, event.type) ? schemas[event.type] : undefined;
  if (schema === undefined) {
    const problem = isOperatorEvent(event.type)
      ? reservedForOperators(event)
      : unknownType([{ events: schemas }], event);
    return { result: "refused", problem };
  }
  const parsed = schema.safeParse(event.data);
  if (!parsed.success) return { result: "refused", problem: dataProblem(event, parsed.error) };
  return { result: "event", event };
}

/** The engine takes it from the queue; whoever may be silent about a promise comes in by a command. */
function reservedForOperators({ id, source, type }: ArrivedEvent): Problem {
  return {
    code: "EVENT_TYPE_RESERVED",
    message: `Event ${id} of ${source} has type "${type}", which only operators send: by a command, or by a route of its own.`,
  };
}

/**
 * Events by job, at most 100 in each. Those of one item stay together and in order, because jobs are
 * worked on side by side; only an item with more than 100 events is spread over several jobs.
 */
export function packJobs<E extends { readonly subject: string }>(events: readonly E[]): E[][] {
  const jobs: E[][] = [];
  let open: E[] = [];
  for (const ofItem of groupBy(events, ({ subject }) => subject).values()) {
    if (open.length + ofItem.length > EVENT_BATCH_MAX && open.length > 0) {
      jobs.push(open);
      open = [];
    }
    open.push(...ofItem);
    while (open.length > EVENT_BATCH_MAX) jobs.push(open.splice(0, EVENT_BATCH_MAX));
  }
  if (open.length > 0) jobs.push(open);
  return jobs;
}

export interface NewJob {
  readonly id: string;
  /** One event, an array of them, or anything at all when it is sent unchecked. */
  readonly data: unknown;
}

export function newJob(data: unknown): NewJob {
  return { id: randomUUID(), data };
}

/** Adding the same jobs again is harmless: BullMQ knows them by their ids, the engine their events. */
export async function addJobs(queue: Queue, jobs: readonly NewJob[]): Promise<void> {
  for (let from = 0; from < jobs.length; from += JOBS_PER_ADD) {
    const part = jobs.slice(from, from + JOBS_PER_ADD);
    await addPart(queue, part, TRIES_MAX);
  }
}

async function addPart(queue: Queue, part: readonly NewJob[], tries: number): Promise<void> {
  try {
    await queue.addBulk(
      part.map(({ id, data }) => ({ name: jobName(data), data, opts: { jobId: id } })),
    );
  } catch (error) {
    if (tries <= 1 || !isAborted(error)) throw error;
    await addPart(queue, part, tries - 1);
  }
}

/** ioredis gives up a transaction whose connection broke before all was answered, carried out or not. */
function isAborted(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Command aborted");
}

/** Only for people who look into the queue: the worker reads the data alone. */
function jobName(data: unknown): string {
  if (Array.isArray(data)) return "events";
  const type: unknown =
    typeof data === "object" && data !== null && "type" in data ? data.type : undefined;
  return typeof type === "string" && type !== "" ? type : "event";
}
