/**
 * Whose turn it is to poll an account, and when again.
 *
 * Always true: of all processes one polls an account at a time, each walk for itself. A turn that the
 * marketplace cut short is put off, longer with each in a row, so that a sick marketplace is asked little.
 * A process that dies in its turn has lost nothing: the next turn begins from the beginning.
 */
import { turnKey } from "../store/keys.ts";
import {
  endTurn,
  keepTurn,
  readFailures,
  saveFailures,
  takeTurn,
  type TurnLease,
} from "../store/turn-store.ts";
import type { Engine } from "./engine.ts";

/** What is walked: what is new, or everything. */
export type Walk = "new" | "drift";

export interface PollTurn {
  readonly account: string;
  readonly walk: Walk;
  /** After this, ms, the turn of a process that died is another's. */
  readonly leaseMs: number;
  /** Between two turns, ms. */
  readonly everyMs: number;
  /** A turn that was stopped is not put off: the marketplace has not failed. */
  readonly signal: AbortSignal;
}

/** The longest that a failing account is left alone: a new order waits no longer once it is well. */
const PUT_OFF_MAX_MS = 15 * 60_000;

/** Rejects with what `run` rejects with, and when the store cannot be reached. */
export async function inTurn<Result extends { readonly outcome: string }>(
  engine: Engine,
  turn: PollTurn,
  run: () => Promise<Result>,
): Promise<Result | { readonly outcome: "not-ours" }> {
  const { redis, layout } = engine.store;
  const { leaseMs } = turn;
  const lease: TurnLease = { key: turnKey(layout, turn.account, turn.walk), leaseMs };
  if (!(await takeTurn(redis, lease, engine.now()))) return { outcome: "not-ours" };
  const keeping = setInterval(() => {
    // A turn that cannot be kept is another's soon, which is harmless.
    keepTurn(redis, lease, engine.now()).catch(() => undefined);
  }, leaseMs / 3);
  let until = 0;
  const isFailed = ({ outcome }: Result): boolean => outcome !== "done" && !turn.signal.aborted;
  try {
    const result = await run();
    until = await putOffUntil(engine, { lease, turn }, isFailed(result));
    return result;
  } finally {
    clearInterval(keeping);
    await endTurn(redis, lease, until);
  }
}

async function putOffUntil(
  { store: { redis }, now }: Engine,
  { lease, turn }: { readonly lease: TurnLease; readonly turn: PollTurn },
  hasFailed: boolean,
): Promise<number> {
  const before = await readFailures(redis, lease);
  const failures = hasFailed ? before + 1 : 0;
  if (failures !== before) await saveFailures(redis, lease, failures);
  return hasFailed ? now() + Math.min(PUT_OFF_MAX_MS, turn.everyMs * 2 ** failures) : 0;
}
