/**
 * The SLA policy of a deployment, one hash that all processes read:
 *
 *   policy            JSON text; "" or absent: the program's own default
 *   version           of the text, so that whoever has it need not read it again
 *   setAt             when it was set, ms by Redis' clock
 *   digest:<version>  of the content that a version had when it was first set
 *   asked             how often a late process asked for another recomputation of this policy
 *   recompute         JSON: how far the open clocks have been measured anew
 *
 * Always true: text, version and time change together, in one command. A version never names two
 * contents, because items are measured anew only when their version is another. Progress names the
 * change that it belongs to, so what an older walk still writes never counts for a newer change:
 * that one begins again, which costs time and nothing else.
 */
import { createHash } from "node:crypto";
import type { RedisCommands } from "./commands.ts";
import { type Layout, policyKey } from "./keys.ts";
import type { Store } from "./store.ts";

/** Which policy is in force, without its text. */
export interface PolicyStand {
  /** Absent: none is stored, the default is in force. */
  readonly version?: string;
  /** Ms since the epoch by Redis' clock; 0 when none was ever set. */
  readonly setAt: number;
  readonly asked: number;
  /** Absent until a recomputation has begun. */
  readonly recompute?: RecomputeProgress;
}

export interface StoredPolicy extends PolicyStand {
  /** With `version` and without it absent. */
  readonly text?: string;
}

/** How far the walk over all items has come. */
export type RecomputeProgress = {
  /** What it is for: see `changeOf`. */
  readonly change: string;
  /** Looks at items; a later pass looks at some of them again. */
  readonly looks: number;
  /** Items whose clocks were measured anew. */
  readonly remeasured: number;
  /** When this was written, ms. */
  readonly at: number;
} & (
  | { readonly state: "running"; readonly pass: WalkPass; readonly cursor: WalkCursor }
  | { readonly state: "done" }
);

/** Items whose last decision lies in `from` to `until`, ms, both included. */
export interface WalkPass {
  /** From 1. */
  readonly number: number;
  readonly from: number;
  readonly until: number;
  /** Items that were measured anew in this pass. */
  readonly remeasured: number;
}

/** The last item that was dealt with, and the list it was in. */
export interface WalkCursor {
  readonly status: string;
  readonly shard: number;
  readonly after?: { readonly itemId: string; readonly decidedAt: number };
}

/** What setting a policy asks of Redis beside reading. */
export interface PolicySide {
  readonly redis: Pick<RedisCommands, "hget" | "hmget" | "time"> & {
    readonly hset: (key: string, fields: Readonly<Record<string, string>>) => Promise<number>;
    readonly hsetnx: (key: string, field: string, value: string) => Promise<number>;
  };
  readonly layout: Layout;
}

type Reading = Pick<RedisCommands, "hmget">;
type ReadingStore = { readonly redis: Reading; readonly layout: Layout };

const STAND_FIELDS = ["version", "setAt", "asked", "recompute"] as const;

export async function readPolicyStand({ redis, layout }: ReadingStore): Promise<PolicyStand> {
  return standOf(await redis.hmget(policyKey(layout), ...STAND_FIELDS));
}

/** Text and version of one moment. */
export async function readStoredPolicy({ redis, layout }: ReadingStore): Promise<StoredPolicy> {
  const [text, ...stand] = await redis.hmget(policyKey(layout), "policy", ...STAND_FIELDS);
  return { ...standOf(stand), ...(text && { text }) };
}

/** Names the recomputation that a stand needs; another one when a late process has asked for it. */
export function changeOf(version: string, { setAt, asked }: PolicyStand): string {
  return `${version}@${setAt}+${asked}`;
}

/**
 * Puts a policy into force, `undefined` the default. "unchanged" leaves everything as it is, the
 * time too; "version-taken" says that the version had other content before.
 */
export async function storePolicy(
  side: PolicySide,
  policy: { readonly version: string; readonly text: string } | undefined,
): Promise<"stored" | "unchanged" | "version-taken"> {
  const { redis, layout } = side;
  const key = policyKey(layout);
  const { version = "", text = "" } = policy ?? {};
  if (policy !== undefined && !(await claimVersion(side, version, text))) return "version-taken";
  const present = await readStoredPolicy(side);
  if ((present.version ?? "") === version && (present.text ?? "") === text) return "unchanged";
  const [seconds, microseconds] = await redis.time();
  const setAt = Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  await redis.hset(key, { policy: text, version, setAt: String(setAt), asked: "0" });
  return "stored";
}

/** Whoever comes first fixes what a version means, also when the rest of setting it never happens. */
async function claimVersion(
  { redis, layout }: PolicySide,
  version: string,
  text: string,
): Promise<boolean> {
  const digest = createHash("sha256").update(text).digest("base64url");
  const [key, field] = [policyKey(layout), `digest:${version}`];
  if ((await redis.hsetnx(key, field, digest)) === 1) return true;
  return (await redis.hget(key, field)) === digest;
}

/** All items are walked once more: some may have been measured by the earlier policy again. */
export async function askForRecompute({ redis, layout }: Store): Promise<void> {
  await redis.hincrby(policyKey(layout), "asked", 1);
}

export async function saveProgress(
  { redis, layout }: Store,
  progress: RecomputeProgress,
): Promise<void> {
  await redis.hset(policyKey(layout), "recompute", JSON.stringify(progress));
}

function standOf(fields: readonly (string | null)[]): PolicyStand {
  const [version, setAt, asked, recompute] = fields;
  const progress = recompute ? progressFrom(recompute) : undefined;
  return {
    ...(version && { version }),
    setAt: Number(setAt ?? 0),
    asked: Number(asked ?? 0),
    ...(progress !== undefined && { recompute: progress }),
  };
}

/** Only this program writes it; of another shape it counts as not begun, and the walk begins again. */
function progressFrom(text: string): RecomputeProgress | undefined {
  try {
    const progress = JSON.parse(text) as Partial<RecomputeProgress>;
    const isKnown = progress.state === "done" || progress.state === "running";
    return isKnown ? (progress as RecomputeProgress) : undefined;
  } catch {
    return undefined;
  }
}
