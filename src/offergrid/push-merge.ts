/**
 * Which of an item's waiting pushes goes next. When an account's limit or an outage has let several
 * pile up, sending each of them only delays the one that the reseller needs now. Pure.
 *
 * Always true: pushes leave in the order they were decided; the one chosen and those superseded are
 * the head of the queue; and a push that tells the reseller something that no later status repeats
 * is sent by itself: a rejection, a failure, a cancellation, or an appointment's date.
 */
import type { ItemStatus, StatusUpdate } from "./status-update.ts";

export interface PendingPush {
  readonly id: string;
  readonly params: StatusUpdate;
}

export type MergePolicy =
  /** Each status reaches the reseller. */
  | "every"
  /** Statuses that a later one has overtaken are not sent. */
  | "latest";

export interface MergePlan<Push extends PendingPush> {
  readonly send: Push;
  /** Ids of the pushes before `send` that are settled together with it, in order. */
  readonly superseded: readonly string[];
}

const SAID_ONCE: ReadonlySet<ItemStatus> = new Set(["rejected", "failed", "cancelled"]);

/** `pushes`: the item's pending ones, oldest first. `undefined` when there is none. */
export function mergePlan<Push extends PendingPush>(
  pushes: readonly Push[],
  policy: MergePolicy,
): MergePlan<Push> | undefined {
  const chosen = policy === "every" ? 0 : indexOfLatest(pushes);
  const send = pushes[chosen];
  if (send === undefined) return undefined;
  const overtaken = pushes.slice(0, chosen);
  return { send: withOlderMetadata(send, overtaken), superseded: overtaken.map(({ id }) => id) };
}

function indexOfLatest(pushes: readonly PendingPush[]): number {
  const must = pushes.findIndex(({ params }) => isSaidOnce(params));
  return must === -1 ? pushes.length - 1 : must;
}

function isSaidOnce(params: StatusUpdate): boolean {
  return SAID_ONCE.has(params.status) || params.scheduledFor !== undefined;
}

/** References such as a work order's number are given once and are valid for all later statuses, so
 * they must survive the push that carried them. Notes are not: they speak of their own status. */
function withOlderMetadata<Push extends PendingPush>(
  send: Push,
  overtaken: readonly PendingPush[],
): Push {
  const older = overtaken.flatMap(({ params }) => Object.entries(params.metadata ?? {}));
  if (older.length === 0) return send;
  const own = Object.entries(send.params.metadata ?? {});
  return { ...send, params: { ...send.params, metadata: Object.fromEntries([...older, ...own]) } };
}
