/**
 * What people may do about a ringing clock: acknowledge it, which silences its repeats, or snooze
 * it, which silences everything that operators would hear. Both end by themselves, neither moves a
 * due time, and a breach becomes a fact at its time in any case. When a hold ends, the latest of
 * what fell due meanwhile rings. Another due time ends both.
 */
import { draftOf, emit } from "./draft.ts";
import { collect } from "./due.ts";
import type { Fact } from "./fact.ts";
import type { Ledger } from "./ledger.ts";
import type { ItemRules, Role } from "./policy.ts";
import { adoptPolicy } from "./recompute.ts";

/** What is silent for longer is forgotten. */
const HOLD_MAX_MS = 7 * 24 * 60 * 60 * 1000;

export interface HoldRequest {
  readonly clock: string;
  /** Ms since the epoch. */
  readonly until: number | undefined;
  readonly by: string;
  readonly role: Role;
  readonly now: number;
}

export type HoldRefusal =
  | "clock-not-open"
  | "end-missing"
  | "end-not-ahead"
  | "end-too-far"
  /** Only a lead may be silent about a breach. */
  | "beyond-due";

export type HoldOutcome =
  | { readonly outcome: "held"; readonly facts: readonly Fact[] }
  | { readonly outcome: "refused"; readonly reason: HoldRefusal; readonly message: string };

export function acknowledge(ledger: Ledger, rules: ItemRules, request: HoldRequest): HoldOutcome {
  return hold(ledger, rules, { ...request, kind: "acknowledged" });
}

export function snooze(ledger: Ledger, rules: ItemRules, request: HoldRequest): HoldOutcome {
  return hold(ledger, rules, { ...request, kind: "snoozed" });
}

type Hold = HoldRequest & { readonly kind: "acknowledged" | "snoozed" };

function hold(ledger: Ledger, rules: ItemRules, request: Hold): HoldOutcome {
  const draft = draftOf(ledger, rules);
  const { clock, until, by, now: at, kind } = request;
  adoptPolicy(draft, at);
  const reason = refusalOf(draft.ledger, request);
  if (reason !== undefined) return { outcome: "refused", reason, message: MESSAGES[reason](clock) };
  emit(draft, { kind, clock, at, until: until ?? at, by });
  collect(draft, at);
  return { outcome: "held", facts: draft.facts };
}

function refusalOf(ledger: Ledger, request: Hold): HoldRefusal | undefined {
  const { until, now } = request;
  const clock = Object.hasOwn(ledger.clocks, request.clock)
    ? ledger.clocks[request.clock]
    : undefined;
  if (clock === undefined) return "clock-not-open";
  if (until === undefined) return "end-missing";
  if (until <= now) return "end-not-ahead";
  if (until > now + HOLD_MAX_MS) return "end-too-far";
  const isBeyond = request.kind === "snoozed" && until > clock.dueAt && request.role !== "lead";
  return isBeyond ? "beyond-due" : undefined;
}

const MESSAGES: Readonly<Record<HoldRefusal, (clock: string) => string>> = {
  "clock-not-open": (clock) => `The item has no open clock "${clock}".`,
  "end-missing": () => "Say until when; a clock is never silent for ever.",
  "end-not-ahead": () => "The end must lie ahead.",
  "end-too-far": () => "The end must lie within 7 days.",
  "beyond-due": (clock) => `Only a lead may silence "${clock}" beyond its due time.`,
};
