/** What the checker found: one violation for each way in which a history breaks a promise. */

/** The promises, by the name under which a breach is counted. */
export const RULES = [
  /** An event that was acknowledged has no outcome. */
  "lost",
  /** An event identity was decided upon twice, or applied twice. */
  "applied-twice",
  /** Events of one source were applied to an item against their order. */
  "out-of-order",
  /** Revisions of a journal have a gap, a fork, or go backwards. */
  "journal-broken",
  /** The journal, replayed, does not give the stored actor. */
  "replay-differs",
  /** The journal tells of an event that nobody sent, or with other content. */
  "invented",
  /** An event or an item did not end as it had to. */
  "wrong-outcome",
  /** An effect of the journal has no end, and waits nowhere. */
  "effect-lost",
  /** The journal says delivered, and the marketplace has not applied it. */
  "effect-not-delivered",
  /** The marketplace applied effects of an item against their order. */
  "effects-out-of-order",
  /** The marketplace applied one effect more than once. */
  "duplicate-status-change",
  /** The marketplace got one effect more than once, and no fault explains it. */
  "unexplained-duplicate",
  /** The marketplace got something that no journal tells of, or other than the journal tells. */
  "unexplained-push",
  "timer-early",
  /** A timer that was due long before the end has not fired. */
  "timer-forgotten",
  "timer-doubled",
  /** A clock has said something before it was true, or while it was to be silent. */
  "clock-early",
  /** What an SLA clock had to say has not been said, or it goes by a policy that is not in force. */
  "clock-forgotten",
  /** A clock has said the same twice. */
  "clock-doubled",
  /** The journal says that operators were told, and they have heard nothing. */
  "notice-not-told",
  /** Operators heard what no journal tells of, or once more than a fault explains. */
  "unexplained-notice",
  /** Jobs, lanes or parked events that wait without a dead letter when everything is over. */
  "stuck",
  /** An index of the store does not agree with the actor. */
  "index-differs",
  /** A dead letter where nothing but faults that heal had happened. */
  "needless-dead-letter",
] as const;

export type Rule = (typeof RULES)[number];

export interface Violation {
  readonly rule: Rule;
  readonly itemId?: string;
  /** What is wrong, with the identities that lead to it. */
  readonly message: string;
}

export interface Verdict {
  readonly events: number;
  readonly items: number;
  readonly applied: number;
  readonly pushes: number;
  readonly timersFired: number;
  /** Rungs of SLA clocks that somebody was told of. */
  readonly clocksRung: number;
  /** Requests that the marketplace got more than once, and a fault explains why. */
  readonly explainedDuplicates: number;
  /** Notices that operators heard more than once, and a fault explains why. */
  readonly repeatedNotices: number;
  /** Acknowledged within the window that a fault let the store forget, and gone: within the contract. */
  readonly lostWithinContract: number;
  readonly violations: readonly Violation[];
}
