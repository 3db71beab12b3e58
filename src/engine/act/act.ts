/**
 * One act of an operator, from the request to the record of its end.
 *
 * Always true: what is refused leaves no trace, and what is done was recorded before. A request with a name
 * of its own is done once: its repeat is given the first one's answer, for as long as that is kept. A crash
 * in between leaves an entry without an outcome; the repeat then goes on with what is still to do.
 */
import { createHash } from "node:crypto";
import { canonicalText } from "../../core/canonical-json.ts";
import type { Act } from "../../store/audit-chain.ts";
import {
  type KeptRequest,
  keptRequest,
  readAuditRange,
  recordAct,
  recordRequested,
} from "../../store/audit-store.ts";
import { planLetter } from "./act-on-letters.ts";
import { planRelease } from "./act-on-parked.ts";
import { planPush } from "./act-on-pushes.ts";
import {
  type Action,
  type Operator,
  type Outcome,
  type Plan,
  type Refused,
  refused,
  type Result,
  type Target,
} from "./action.ts";
import type { Acting } from "./acting.ts";
import { planEvent, planHold } from "./send-event.ts";

export interface Order {
  readonly operator: Operator;
  readonly action: Action;
  /** The name that its sender gave the request; the same for a repeat. */
  readonly idempotencyKey?: string | undefined;
}

/** `audit`: number of the entry in the audit journal that announced it. */
export type Acted = (Outcome & { readonly audit: number; readonly repeated?: true }) | Refused;

interface Request {
  readonly name: string;
  /** Digest of what is asked. */
  readonly said: string;
}

export async function act(acting: Acting, order: Order): Promise<Acted> {
  const request = requestOf(order);
  if (request === undefined) return carryOut({ acting, order });
  const kept = await keptRequest(acting.store, request.name);
  const answered = kept && answerOf(request, kept);
  return answered ?? carryOut({ acting, order, request, ...(kept && { kept }) });
}

interface Job {
  readonly acting: Acting;
  readonly order: Order;
  readonly request?: Request;
  /** The request was begun before, and nobody knows how it ended. */
  readonly kept?: KeptRequest;
}

async function carryOut(job: Job): Promise<Acted> {
  const { acting, order, request, kept } = job;
  const target = kept && (await announcedTarget(acting, kept));
  const plan = await planOf(acting, order, { request: request?.name, target });
  if (plan.is === "refused") {
    if (kept === undefined || plan.why === "invalid") return plan;
    // What it was about is no more.
    return finish(job, { seq: kept.seq }, { outcome: "done-before" });
  }
  const seq = kept?.seq ?? (await announce(job, plan));
  // The same request came twice at once, and the other one was faster.
  if (seq === "kept") return act(acting, order);
  const outcome = await plan.run();
  if (outcome.is === "pending") return { ...outcome, audit: seq };
  return finish(job, { seq, item: plan.item }, outcome.result);
}

/** An idempotency key is its sender's own: two API keys may use one. */
function requestOf({ operator, action, idempotencyKey }: Order): Request | undefined {
  if (idempotencyKey === undefined) return undefined;
  const { key = "", actor, claimed, reason } = operator;
  return {
    name: digest([key, actor, idempotencyKey]),
    said: digest([action, claimed ?? null, reason]),
  };
}

function digest(value: unknown): string {
  return createHash("sha256").update(canonicalText(value)).digest("base64url").slice(0, 32);
}

/** `undefined` when nobody knows how it ended. */
function answerOf({ said }: Request, kept: KeptRequest): Acted | undefined {
  if (kept.said !== said) {
    const message = `The idempotency key was that of another request, number ${kept.seq} of the audit journal. Give each request its own, and the same only to its repeat.`;
    return refused("other-request", "IDEMPOTENCY_KEY_REUSED", message);
  }
  if (kept.answer === undefined) return undefined;
  const result = JSON.parse(kept.answer) as Result;
  return { is: "done", result, audit: kept.seq, repeated: true };
}

/** What the entry of a request that was begun says it is about. */
async function announcedTarget(
  { store }: Acting,
  { seq }: KeptRequest,
): Promise<Target | undefined> {
  const [entry] = await readAuditRange(store, { from: seq - 1, to: seq - 1 });
  return entry?.detail as Target | undefined;
}

interface Begun {
  readonly request: string | undefined;
  readonly target: Target | undefined;
}

/** A request that is gone on with is about what it was about, whatever is in its place by now. */
function planOf(
  acting: Acting,
  { action, operator }: Order,
  { request, target }: Begun,
): Promise<Plan | Refused> {
  switch (action.action) {
    case "event":
      return planEvent(acting, action, { item: action.item, operator, request });
    case "acknowledge":
    case "snooze":
      return planHold(acting, action, { item: action.item, operator, request });
    case "retry-push":
    case "skip-push":
      return planPush(acting, { ...action, ...target?.push }, { item: action.item, operator });
    case "release-parked":
      return planRelease(
        acting,
        { ...action, ...target?.parked },
        { item: action.item, operator, request, letter: target?.letter },
      );
    case "redrive":
    case "discard":
      return planLetter(acting, action, operator);
  }
}

/** Before it is done. The number of its entry; "kept" when the same request is being done. */
async function announce(
  { acting: { store }, order, request }: Job,
  { item, detail }: Plan,
): Promise<number | "kept"> {
  const entry = { ...actOf(order, item), detail };
  if (request === undefined) return (await recordAct(store, entry)).seq;
  const { name, said } = request;
  const recorded = await recordRequested(store, entry, {
    request: name,
    field: "said",
    value: said,
  });
  return recorded === "kept" ? "kept" : recorded.seq;
}

/** After it was done. */
async function finish(
  { acting: { store }, order, request }: Job,
  { seq, item }: { readonly seq: number; readonly item?: string | undefined },
  result: Result,
): Promise<Acted> {
  const entry = { ...actOf(order, item), of: seq, outcome: result.outcome };
  if (request === undefined) await recordAct(store, entry);
  else {
    const value = JSON.stringify(result);
    await recordRequested(store, entry, { request: request.name, field: "answer", value });
  }
  return { is: "done", result, audit: seq };
}

function actOf({ operator, action }: Order, item: string | undefined): Act {
  const { actor, key, claimed, reason } = operator;
  return {
    actor,
    action: action.action,
    reason,
    ...(key !== undefined && { key }),
    ...(claimed !== undefined && { claimed }),
    ...(item !== undefined && { item }),
  };
}
