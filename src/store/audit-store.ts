/**
 * Where the audit journal is kept, and how it grows: one list of a deployment, to which a script appends.
 *
 * Always true: of two that append at the same time one comes second and makes its entry anew, behind the
 * other's. An append that is sent again after a broken connection finds its own entry and counts as done.
 * An act is recorded before it is done: a crash in between leaves an entry of something that never
 * happened, and never the reverse.
 */
import { canonicalText } from "../core/canonical-json.ts";
import { EngineError } from "../core/errors.ts";
import {
  type Act,
  type AuditEntry,
  type AuditHead,
  checkEntry,
  EMPTY_HEAD,
  entryAfter,
  entryFrom,
} from "./audit-chain.ts";
import type { RedisCommands } from "./commands.ts";
import { auditKey, type Layout, requestKey } from "./keys.ts";
import { appendAuditScript, type ScriptHost } from "./scripts.ts";

export interface AuditSide {
  readonly redis: ScriptHost & Pick<RedisCommands, "lrange" | "time">;
  readonly layout: Layout;
}

/** What reading takes, where nothing is appended. */
interface AuditReader {
  readonly redis: Pick<RedisCommands, "lrange" | "llen">;
  readonly layout: Layout;
}

/** Operators are people: so many that all come first would be a fault elsewhere. */
const APPENDS_MAX = 100;

/** Entries of one reply of Redis. */
const PAGE_SIZE = 500;

/** Something about a request, kept with the entry: a repeat of the request finds it. */
export interface Keeping {
  /** A digest of who asks and of the name that they gave the request. */
  readonly request: string;
  /** "said": what was asked, before it is done; "answer": what came of it. */
  readonly field: "said" | "answer";
  readonly value: string;
}

/** What is known of a request. */
export interface KeptRequest {
  /** Number of the entry that announced it. */
  readonly seq: number;
  readonly said: string;
  /** Absent when its end was not recorded. */
  readonly answer?: string;
}

/** So long the repeat of a request is known as one, ms. */
const REQUEST_KEPT_MS = 24 * 3_600_000;

/**
 * To be called before what it tells of is done.
 * @throws EngineError STORE_CORRUPT when the last entry cannot be read, COMMIT_CONTENDED
 */
export async function recordAct(side: AuditSide, act: Act): Promise<AuditEntry> {
  const entry = await append(side, act);
  if (entry === "kept") throw new TypeError("an act without a request was kept");
  return entry;
}

/**
 * The same with something that is kept; "kept" when it was before, and nothing was recorded.
 * @throws EngineError as `recordAct`
 */
export async function recordRequested(
  side: AuditSide,
  act: Act,
  keeping: Keeping,
): Promise<AuditEntry | "kept"> {
  return append(side, act, keeping);
}

export async function keptRequest(
  { redis, layout }: { readonly redis: Pick<RedisCommands, "hmget">; readonly layout: Layout },
  request: string,
): Promise<KeptRequest | undefined> {
  const [text, answer] = await redis.hmget(requestKey(layout, request), "said", "answer");
  if (typeof text !== "string") return undefined;
  const [, seq = "", said = ""] = /^(\d+) (.*)$/s.exec(text) ?? [];
  return { seq: Number(seq), said, ...(typeof answer === "string" && { answer }) };
}

async function append(side: AuditSide, act: Act, keeping?: Keeping): Promise<AuditEntry | "kept"> {
  const key = auditKey(side.layout);
  const [seconds, microseconds] = await side.redis.time();
  const at = Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  let [last = ""] = await side.redis.lrange(key, -1, -1);
  for (let tries = 0; tries < APPENDS_MAX; tries += 1) {
    const entry = entryAfter(headOf(last, key), act, at);
    const text = canonicalText(entry);
    const args = [last, text, ...keptArguments(entry, keeping)];
    const reply = await appendAuditScript.run(side.redis, key, args);
    if (reply === 1 || reply === text) return entry;
    if (reply === 0) return "kept";
    last = String(reply);
  }
  throw new EngineError(
    "COMMIT_CONTENDED",
    `Others have appended to the audit journal ${APPENDS_MAX} times in between, so "${act.action}" was not recorded and not done. Try again.`,
  );
}

function keptArguments({ seq }: AuditEntry, keeping: Keeping | undefined): (string | number)[] {
  if (keeping === undefined) return [];
  const { request, field, value } = keeping;
  return [request, field, field === "said" ? `${seq} ${value}` : value, REQUEST_KEPT_MS];
}

function headOf(last: string, key: string): AuditHead {
  if (last === "") return EMPTY_HEAD;
  const entry = entryFrom(last);
  if (entry !== undefined) return entry;
  throw new EngineError(
    "STORE_CORRUPT",
    `The last entry of the audit journal, Redis key ${key}, is none of ours, so nothing can follow it. \`orderwright audit verify\` tells since when. Restore the list from a backup, or rename the key to begin a new journal.`,
  );
}

/** Oldest first. What cannot be read is left out: `verifyAudit` is who tells of it. */
export async function* readAudit(side: AuditSide): AsyncGenerator<AuditEntry> {
  for await (const text of storedTexts(side)) {
    const entry = entryFrom(text);
    if (entry !== undefined) yield entry;
  }
}

/** Entries that the journal has, readable or not. */
export async function auditLength({ redis, layout }: AuditReader): Promise<number> {
  return redis.llen(auditKey(layout));
}

/** By place, from 0, both ends included. What cannot be read is left out, as by `readAudit`. */
export async function readAuditRange(
  { redis, layout }: AuditReader,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<AuditEntry[]> {
  const texts = await redis.lrange(auditKey(layout), from, to);
  return texts.flatMap((text) => entryFrom(text) ?? []);
}

export type AuditVerdict =
  | { readonly outcome: "sound"; readonly head: AuditHead }
  /** `seq` is the first entry that does not fit, and `head` that of what is sound before it. */
  | {
      readonly outcome: "broken";
      readonly seq: number;
      readonly why: string;
      readonly head: AuditHead;
    }
  /** Sound by itself, and not the journal whose head was kept. */
  | { readonly outcome: "not-the-kept"; readonly kept: AuditHead; readonly head: AuditHead };

/** `kept`: the head that an earlier verification told, when one was kept elsewhere. */
export async function verifyAudit(side: AuditSide, kept?: AuditHead): Promise<AuditVerdict> {
  let head = EMPTY_HEAD;
  let holdsKept = kept === undefined || isSame(kept, head);
  for await (const text of storedTexts(side)) {
    const checked = checkEntry(head, text);
    if (checked.is === "broken") {
      return { outcome: "broken", seq: checked.seq, why: checked.why, head };
    }
    head = { seq: checked.entry.seq, hash: checked.entry.hash };
    holdsKept ||= kept !== undefined && isSame(kept, head);
  }
  if (kept !== undefined && !holdsKept) return { outcome: "not-the-kept", kept, head };
  return { outcome: "sound", head };
}

function isSame(left: AuditHead, right: AuditHead): boolean {
  return left.seq === right.seq && left.hash === right.hash;
}

async function* storedTexts({ redis, layout }: AuditSide): AsyncGenerator<string> {
  for (let from = 0; ; from += PAGE_SIZE) {
    const page = await redis.lrange(auditKey(layout), from, from + PAGE_SIZE - 1);
    yield* page;
    if (page.length < PAGE_SIZE) return;
  }
}
