/** Streams as Redis keeps them: records by id, which is a millisecond and a number within it. */
import { replyError } from "./reply-error.ts";

export interface StreamId {
  readonly ms: number;
  readonly seq: number;
}

export interface StreamRecord {
  readonly id: StreamId;
  /** Field and value in turn. */
  readonly fields: readonly string[];
}

export type RangeReply = (readonly [id: string, fields: string[]])[];

/** Ids only grow, also where the clock goes back. */
export function nextId(last: StreamId | undefined, now: number): StreamId {
  const ms = Math.floor(now);
  return last === undefined || ms > last.ms ? { ms, seq: 0 } : { ms: last.ms, seq: last.seq + 1 };
}

/** `from` and `to` as XRANGE takes them. */
export function rangeOfStream(
  records: readonly StreamRecord[],
  from: string,
  to: string,
): readonly StreamRecord[] {
  const isAfter = bound(from, 0);
  const isBefore = bound(to, Infinity);
  return records.filter(({ id }) => isAfter(id) >= 0 && isBefore(id) <= 0);
}

/** Compares an id with the bound; "(" leaves the bound itself out. */
function bound(text: string, seqByDefault: number): (id: StreamId) => number {
  if (text === "-") return () => 1;
  if (text === "+") return () => -1;
  const [, isOpen, ms, seq] = /^(\()?(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  if (ms === undefined) {
    throw replyError("ERR Invalid stream ID specified as stream command argument");
  }
  const other = { ms: Number(ms), seq: seq === undefined ? seqByDefault : Number(seq) };
  return (id) => {
    const order = id.ms - other.ms || id.seq - other.seq;
    if (order !== 0 || isOpen === undefined) return order;
    return seqByDefault === 0 ? -1 : 1;
  };
}
