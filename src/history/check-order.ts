/**
 * The events of one source are applied to an item in the order of the source. What that means is said
 * here again, apart from the engine that keeps it:
 *
 * - With a sequence, each applied event is after the last one; a redrive may have its number, which its
 *   own refusal has spent. Numbers compare by value, anything else as text.
 * - Where the source promises 1, 2, 3 … without holes ("Integer"), no number is jumped over. A number is
 *   spent by whatever ends it: applied, rejected, or parked too long.
 * - Without a sequence, no applied event is older than one applied before it. Equal times are in order,
 *   and an event without a time of its own that had to wait is in order too. A time ahead of the
 *   decision's clock counts as the clock's.
 * - A birth tells no time: nothing is older than it.
 */
import type { EventEntry } from "../core/journal.ts";
import { nameOf } from "./event-identity.ts";
import type { ItemCase, Told } from "./item-case.ts";
import type { Violation } from "./verdict.ts";

/** How far a source has told its story. */
interface Progress {
  readonly time: number;
  readonly sequence: string | undefined;
}

const NOTHING_TOLD: Progress = { time: 0, sequence: undefined };

export function checkOrder({ item, decisions }: ItemCase): Violation[] {
  const { itemId } = item;
  const sources = new Map<string, Progress>();
  const violations: Violation[] = [];
  for (const entry of decisions) {
    if (entry.kind === "timer" || entry.kind === "clocks") continue;
    const { source } = entry.event;
    const before = sources.get(source) ?? NOTHING_TOLD;
    if (entry.kind === "event" && entry.outcome === "applied") {
      const fault = entry.birth === undefined ? faultOf(entry, before) : undefined;
      const message = `${nameOf(entry.event)} was applied by decision ${entry.revision}, and ${fault}`;
      if (fault !== undefined) violations.push({ rule: "out-of-order", itemId, message });
      sources.set(source, afterApplied(entry, before));
    } else if (spendsNumber(entry)) {
      sources.set(source, afterSpent(entry, before));
    }
  }
  return violations;
}

function faultOf({ event, retried }: EventEntry, before: Progress): string | undefined {
  if (event.sequence !== undefined)
    return sequenceFault({ ...event, sequence: event.sequence }, before);
  if (Date.parse(event.time) >= before.time) return undefined;
  if (event.isUndated === true && retried === true) return undefined;
  return `its source had told of ${new Date(before.time).toISOString()} before, after its own ${event.time}`;
}

function sequenceFault(
  { sequence, sequencetype, redrive }: EventEntry["event"] & { readonly sequence: string },
  { sequence: last }: Progress,
): string | undefined {
  if (sequencetype === "Integer" && Number(sequence) > Number(last ?? 0) + 1) {
    return `its number ${sequence} leaves a hole after ${last ?? "0"}`;
  }
  const step = last === undefined ? 1 : compare(sequence, last);
  if (step > 0 || (step === 0 && redrive !== undefined)) return undefined;
  return `its sequence ${sequence} is not after ${last}`;
}

function afterApplied({ event, at, birth }: EventEntry, before: Progress): Progress {
  const sequence = event.sequence ?? before.sequence;
  if (birth !== undefined) return event.sequence === undefined ? before : { time: 0, sequence };
  return { time: Math.max(before.time, Math.min(Date.parse(event.time), at)), sequence };
}

/** A refusal of a stranger's event, or of one that is behind, spends nothing of its source. */
function spendsNumber(entry: Told): boolean {
  if (entry.event.sequencetype !== "Integer") return false;
  if (entry.kind === "expired") return true;
  return entry.outcome === "rejected" && entry.problem?.code !== "EVENT_SUBJECT_FOREIGN";
}

function afterSpent({ event, at }: Told, before: Progress): Progress {
  const { sequence, time } = event;
  if (sequence === undefined) return before;
  if (before.sequence !== undefined && compare(sequence, before.sequence) < 0) return before;
  return { time: Math.max(before.time, Math.min(Date.parse(time), at)), sequence };
}

const WHOLE = /^(?:0|[1-9]\d*)$/;

function compare(left: string, right: string): number {
  const [a, b] =
    WHOLE.test(left) && WHOLE.test(right) ? [BigInt(left), BigInt(right)] : [left, right];
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
