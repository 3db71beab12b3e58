/** How a fault changes what a request is answered with, before or after the item changed. */
import { INVALID_KEY, type Admission } from "./admission.ts";
import { refusal, tooManyRequests, type Answer } from "./answer.ts";
import type { FaultRule, SandboxBehaviour, Team } from "./behaviour.ts";
import { drawFault, type FaultRequest } from "./faults.ts";
import type { SandboxContext } from "./sandbox-context.ts";

export const ITEM_NOT_FOUND = refusal(404, "Order item not found or does not belong to your team");

/** Wait of a slow answer that names none, in ms: beyond the 10 s that the docs tell clients to wait. */
const SLOW_DEFAULT_MS = 15_000;

const SERVER_ERROR = refusal(500, "Internal server error");

const FIXED_ANSWERS: Readonly<Partial<Record<FaultRule["kind"], Answer>>> = {
  "500-before": SERVER_ERROR,
  "reset-before": { kind: "reset" },
  "404": ITEM_NOT_FOUND,
  "401": INVALID_KEY,
  "403": refusal(403, "Forbidden - Provider role required"),
};

export interface FaultyStep {
  readonly request: FaultRequest;
  /** The answer without a fault; not asked for when the fault comes before it. */
  readonly answer: (team: Team, fault: FaultRule | undefined) => Answer;
}

/** Answers a request, with the fault that strikes it, if one does. */
export function withFault(context: SandboxContext, admission: Admission, step: FaultyStep): Answer {
  if (admission.outcome === "refused") return admission.answer;
  const { behaviour, counters } = context.market;
  const fault =
    behaviour.faults.length === 0
      ? undefined
      : drawFault(context.faultMemory, behaviour.faults, step.request);
  if (!fault) return step.answer(admission.team, undefined);
  counters.faults += 1;
  return (
    answerBefore(fault, behaviour.retryAfterIn) ??
    answerAfter(fault, step.answer(admission.team, fault))
  );
}

/** The answer of a fault that keeps the request from being processed. */
function answerBefore(
  fault: FaultRule,
  retryAfterIn: SandboxBehaviour["retryAfterIn"],
): Answer | undefined {
  if (fault.kind !== "429") return FIXED_ANSWERS[fault.kind];
  return tooManyRequests(fault.retryAfter ?? 1, fault.retryAfterIn ?? retryAfterIn);
}

/** What becomes of the true answer once the request has been processed. */
function answerAfter(fault: FaultRule, answer: Answer): Answer {
  if (fault.kind === "500-after") return SERVER_ERROR;
  if (fault.kind === "reset-after") return { kind: "reset" };
  if (fault.kind === "malformed") return { kind: "malformed" };
  if (fault.kind !== "slow") return answer;
  return { kind: "slow", delayMs: fault.delayMs ?? SLOW_DEFAULT_MS, answer };
}
