/** The clocks of all items by one policy, as the core asks for them. */
import type { ClockScope, Clockwork } from "../core/clockwork.ts";
import type { Ledger } from "../core/clock-ledger.ts";
import { whatFollows, whenDue } from "./clock.ts";
import { DEFAULT_POLICY } from "./default-policy.ts";
import { type ClocksView, describeClocks } from "./describe.ts";
import { hold } from "./hold.ts";
import { openPolicy, type Policy, rulesFor } from "./policy.ts";

export interface PolicyClockwork extends Clockwork {
  readonly policy: Policy;
  /** An item's clocks as people read them. */
  readonly describe: (ledger: Ledger, scope: ClockScope, now: number) => ClocksView;
}

/** @param policy as policySchema returns it */
export function clockworkOf(policy: Policy): PolicyClockwork {
  const open = openPolicy(policy);
  return {
    policy,
    follow: (ledger, scope, happening) => whatFollows(ledger, rulesFor(open, scope), happening),
    due: (ledger, scope, now) => whenDue(ledger, rulesFor(open, scope), now),
    hold: (ledger, scope, request) => hold(ledger, rulesFor(open, scope), request),
    describe: (ledger, scope, now) => describeClocks(ledger, rulesFor(open, scope), now),
  };
}

/** Those of an installation without a policy of its own. */
export const DEFAULT_CLOCKS: PolicyClockwork = clockworkOf(DEFAULT_POLICY);
