/**
 * A sorted set: members by score, and members of one score by their bytes. Always true: `members`
 * holds each key of `scores` once, in that order.
 */
import { replyError } from "./reply-error.ts";

export interface SortedSet {
  readonly scores: Map<string, number>;
  readonly members: string[];
}

export function emptySortedSet(): SortedSet {
  return { scores: new Map(), members: [] };
}

export function copySortedSet({ scores, members }: SortedSet): SortedSet {
  return { scores: new Map(scores), members: [...members] };
}

export function putMember(set: SortedSet, member: string, score: number): void {
  if (set.scores.get(member) === score) return;
  removeMember(set, member);
  set.members.splice(placeOf(set, score, member), 0, member);
  set.scores.set(member, score);
}

export function removeMember(set: SortedSet, member: string): boolean {
  const score = set.scores.get(member);
  if (score === undefined) return false;
  set.members.splice(placeOf(set, score, member), 1);
  set.scores.delete(member);
  return true;
}

/** Places in `members` of the scores between two bounds as Redis spells them: "5", "(5", "-inf". */
export function rangeOf(set: SortedSet, min: string, max: string): readonly [number, number] {
  const low = readBound(min);
  const high = readBound(max);
  const from = firstPlace(set, (score) => (low.isOpen ? score > low.score : score >= low.score));
  const to = firstPlace(set, (score) => (high.isOpen ? score >= high.score : score > high.score));
  return [from, to];
}

function readBound(text: string): { readonly score: number; readonly isOpen: boolean } {
  const isOpen = text.startsWith("(");
  return { score: readScore(isOpen ? text.slice(1) : text), isOpen };
}

export function readScore(text: string): number {
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  const score = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isNaN(score)) throw replyError("ERR value is not a valid float");
  return score;
}

/** As Redis prints a score in a reply. */
export function printScore(score: number): string {
  if (score === Infinity) return "inf";
  return score === -Infinity ? "-inf" : String(score);
}

/** Where the member stands, or would stand. */
function placeOf(set: SortedSet, score: number, member: string): number {
  return firstPlace(
    set,
    (present, other) => present > score || (present === score && compareBytes(other, member) >= 0),
  );
}

/** The first place that holds, given that all places after one that holds do so too. */
function firstPlace(
  { scores, members }: SortedSet,
  holds: (score: number, member: string) => boolean,
): number {
  let from = 0;
  let to = members.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const member = members[middle] ?? "";
    if (holds(scores.get(member) ?? 0, member)) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** Redis compares UTF-8; JavaScript's own order differs where a surrogate meets a unit above it. */
function compareBytes(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const unit = left.charCodeAt(index);
    const other = right.charCodeAt(index);
    if (unit !== other) return byteRank(unit) - byteRank(other);
  }
  return left.length - right.length;
}

function byteRank(unit: number): number {
  const isSurrogate = unit >= 0xd800 && unit < 0xe000;
  return isSurrogate ? unit + 0x10000 : unit;
}
