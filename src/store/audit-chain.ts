/**
 * The audit journal as a chain: who did what, when, to which item, and why. Pure.
 *
 * Always true: an entry carries the hash of the one before it, and its own is made of that and of all
 * that it says, so nobody can change, insert or take out an entry without making all later hashes anew.
 * Whoever may write to Redis can do just that, and can cut entries off the end: the chain shows it only
 * to somebody who has kept an earlier hash elsewhere.
 */
import { createHash } from "node:crypto";
import { canonicalText } from "../core/canonical-json.ts";
import { isDeeperThan, JSON_DEPTH_MAX } from "../core/json-safe.ts";

/** What somebody is about to do. */
export interface Act {
  /** Who: the name of a person, or of the API key's owner. */
  readonly actor: string;
  /** Public id of the API key that it was done with; absent at the command line. */
  readonly key?: string;
  /** Who it was of those that share the key, by their own word. */
  readonly claimed?: string;
  /** As it is typed: "skip", "policy set". */
  readonly action: string;
  readonly item?: string;
  readonly reason: string;
  /** What else tells two acts of a kind apart. No secrets. */
  readonly detail?: Readonly<Record<string, unknown>>;
  /** Number of the entry that announced the act: this one tells its `outcome`, in a word. */
  readonly of?: number;
  readonly outcome?: string;
}

export interface AuditEntry extends Act {
  /** From 1, without a gap. */
  readonly seq: number;
  /** Ms since the epoch, by Redis' clock. */
  readonly at: number;
  /** Hash of the entry before, of the first one zeros. */
  readonly prev: string;
  /** SHA-256 as hex of `prev` and of the entry's canonical JSON without `hash`. */
  readonly hash: string;
}

/** What is known of a journal up to an entry: enough to tell later whether it is still the same. */
export interface AuditHead {
  /** 0 for an empty journal. */
  readonly seq: number;
  readonly hash: string;
}

export const EMPTY_HEAD: AuditHead = { seq: 0, hash: "0".repeat(64) };

export function entryAfter(head: AuditHead, act: Act, at: number): AuditEntry {
  const entry = { ...act, seq: head.seq + 1, at, prev: head.hash };
  return { ...entry, hash: hashOf(entry) };
}

function hashOf(entry: Omit<AuditEntry, "hash">): string {
  return createHash("sha256")
    .update(`${entry.prev}\n${canonicalText(entry)}`)
    .digest("hex");
}

export type Checked =
  | { readonly is: "sound"; readonly entry: AuditEntry }
  /** `why` for people. */
  | { readonly is: "broken"; readonly seq: number; readonly why: string };

/** Whether the stored text is the entry that belongs behind `head`. Never throws. */
export function checkEntry(head: AuditHead, text: string): Checked {
  const seq = head.seq + 1;
  const broken = (why: string): Checked => ({ is: "broken", seq, why });
  const entry = entryFrom(text);
  if (entry === undefined) return broken("it is no audit entry");
  if (entry.seq !== seq) return broken(`it says that it is number ${entry.seq}`);
  if (entry.prev !== head.hash) return broken("it does not follow the entry before it");
  const { hash, ...said } = entry;
  if (hash !== hashOf(said)) return broken("its hash is not that of what it says");
  // Two fields of one name are one for this program, and not for whoever reads the bytes.
  if (canonicalText(entry) !== text) return broken("it is written otherwise than it was");
  return { is: "sound", entry };
}

/** Only what a chain needs is looked at; the hash vouches for the rest. */
export function entryFrom(text: string): AuditEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  // Some kilobytes of brackets would overflow the stack of whoever writes it again.
  if (isDeeperThan(JSON_DEPTH_MAX, value)) return undefined;
  const { seq, at, prev, hash, actor, action, reason } = value as Partial<AuditEntry>;
  const hasNumbers = Number.isSafeInteger(seq) && Number.isSafeInteger(at);
  const hasTexts = [prev, hash, actor, action, reason].every((each) => typeof each === "string");
  return hasNumbers && hasTexts ? (value as AuditEntry) : undefined;
}
