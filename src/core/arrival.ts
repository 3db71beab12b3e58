/**
 * An event as the engine holds it, and the order of events. Order comes from the event itself, never
 * from which worker was faster: BullMQ gives stalled jobs back scrambled and retried jobs last.
 */
import type { SourceMark } from "./actor.ts";
import type { MachineEvent } from "./definition.ts";
import type { CloudEvent } from "./event.ts";

/** A CloudEvent with its time filled in: the producer's, else the moment it was enqueued. */
export type ArrivedEvent = CloudEvent & {
  readonly time: string;
  /** The producer gave no time: `time` is when the event was enqueued. */
  readonly isUndated?: true;
};

export type Place =
  /** Next, or at least not behind. */
  | "in-order"
  /** Its source has already told a later part of the story. */
  | "stale"
  /** Its source numbers without holes, and a number is missing. */
  | "gap";

/**
 * Where an event stands in what its source has told so far. A sequence decides when both have one.
 * Equal sequences are stale (one version of the record, told again under another id); equal times are
 * not, for a clock of milliseconds gives two facts the same time. A redrive comes again under the number
 * that its refusal has spent, and whatever its time: a person has decided that it is to be applied now.
 */
export function placeOf(event: ArrivedEvent, mark: SourceMark | undefined): Place {
  if (event.sequence === undefined) {
    const isBehind = mark !== undefined && Date.parse(event.time) < mark.time;
    return isBehind && event.redrive === undefined ? "stale" : "in-order";
  }
  if (event.sequencetype === "Integer" && isGap(event.sequence, mark)) return "gap";
  if (mark?.sequence === undefined) return "in-order";
  const ahead = compareSequences(event.sequence, mark.sequence);
  return ahead > 0 || (ahead === 0 && event.redrive !== undefined) ? "in-order" : "stale";
}

/**
 * The same for an event that has waited. Without a time and a number of its own it is not overtaken by
 * what was merely enqueued later: that may be the very event it waited for.
 */
export function placeAfterWaiting(event: ArrivedEvent, mark: SourceMark | undefined): Place {
  const place = placeOf(event, mark);
  const isOrdered = event.isUndated === undefined || event.sequence !== undefined;
  return place === "stale" && !isOrdered ? "in-order" : place;
}

function isGap(sequence: string, mark: SourceMark | undefined): boolean {
  return Number(sequence) > Number(mark?.sequence ?? 0) + 1;
}

/** Numbers by value, anything else as text (CloudEvents: "lexicographically-orderable"). */
export function compareSequences(left: string, right: string): number {
  if (isNumber(left) && isNumber(right)) {
    return left.length - right.length || compareText(left, right);
  }
  return compareText(left, right);
}

function isNumber(text: string): boolean {
  return /^(0|[1-9]\d*)$/.test(text);
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** The order in which events that wait together are tried. Stable for equal keys. */
export function compareArrivals(left: ArrivedEvent, right: ArrivedEvent): number {
  if (left.source === right.source && left.sequence !== undefined && right.sequence !== undefined) {
    return compareSequences(left.sequence, right.sequence);
  }
  return Date.parse(left.time) - Date.parse(right.time);
}

/** A time ahead of the decision's own counts as that: a clock that runs fast must not make stale what
 * its source tells next. */
export function markAfter(
  event: ArrivedEvent,
  mark: SourceMark | undefined,
  now: number,
): SourceMark {
  const sequence = event.sequence ?? mark?.sequence;
  return {
    time: Math.max(Math.min(Date.parse(event.time), now), mark?.time ?? 0),
    ...(sequence !== undefined && { sequence }),
  };
}

/** A birth is told late by nature: what its source tells of before it is not stale for that. */
export function markOfBirth(
  event: ArrivedEvent,
  before: SourceMark | undefined,
): SourceMark | undefined {
  return event.sequence === undefined ? before : { time: 0, sequence: event.sequence };
}

/** Whether the source's mark is past the event already: several numbers may be given up at once. */
export function isAhead(mark: SourceMark | undefined, { sequence }: ArrivedEvent): boolean {
  if (mark?.sequence === undefined || sequence === undefined) return false;
  return compareSequences(sequence, mark.sequence) < 0;
}

/** CloudEvents: `source` and `id` are an event's identity. A redrive is a new attempt of it. */
export function isSame(left: ArrivedEvent, right: ArrivedEvent): boolean {
  return left.id === right.id && left.source === right.source && left.redrive === right.redrive;
}

export function toMachineEvent(event: ArrivedEvent, at: number): MachineEvent {
  const { type, id, source, time, data } = event;
  return { type, id, source, time, at, data };
}
