/**
 * What people may do about a ringing clock: acknowledge it, which silences its repeats, or snooze
 * it, which silences everything that operators would hear. Both end by themselves, neither moves a
 * due time, and a breach becomes a fact at its time in any case. When a hold ends, the latest of
 * what fell due meanwhile rings. Another due time ends both.
 */
import { draftOf, emit } from "./draft.ts";
import { collect } from "./due.ts";
import type { Ledger } from "../core/clock-ledger.ts";
import type { HoldOutcome, HoldRefusal, HoldRequest } from "../core/clockwork.ts";
import type { ItemRules } from "./policy.ts";
import { adoptPolicy } from "./recompute.ts";

/** What is silent for longer is forgotten. */
const HOLD_MAX_MS = 7 * 24 * 60 * 60 * 1000;

export function hold(ledger: Ledger, rules: ItemRules, request: HoldRequest): HoldOutcome {
  const draft = draftOf(ledger, rules);
  const { clock, until, by, now: at, kind } = request;
  adoptPolicy(draft, at);
  const reason = refusalOf(draft.ledger, request);
  if (reason !== undefined) return { outcome: "refused", reason, message: MESSAGES[reason](clock) };
  emit(draft, { kind, clock, at, until, by });
  collect(draft, at);
  return { outcome: "held", facts: draft.facts };
}

function refusalOf(ledger: Ledger, request: HoldRequest): HoldRefusal | undefined {
  const { until, now } = request;
  const clock = Object.hasOwn(ledger.clocks, request.clock)
    ? ledger.clocks[request.clock]
    : undefined;
  if (clock === undefined) return "clock-not-open";
  if (until <= now) return "end-not-ahead";
  if (until > now + HOLD_MAX_MS) return "end-too-far";
  const isBeyond = request.kind === "snoozed" && until > clock.dueAt && request.role !== "lead";
  return isBeyond ? "beyond-due" : undefined;
}

const MESSAGES: Readonly<Record<HoldRefusal, (clock: string) => string>> = {
  "clock-not-open": (clock) => `The item has no open clock "${clock}".`,
  "end-not-ahead": () => "The end must lie ahead.",
  "end-too-far": () => "The end must lie within 7 days.",
  "beyond-due": (clock) => `Only a lead may silence "${clock}" beyond its due time.`,
};
