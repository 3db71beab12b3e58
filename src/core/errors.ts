/**
 * Every failure that Orderwright names. A code is stable for ever and is never reused: producers,
 * alerts and runbooks match on it. docs/errors.md holds one section per code (a test compares both
 * ways), so that whoever meets a code finds what to do about it.
 */
export const ERROR_CODES = [
  // An event that cannot be read.
  "EVENT_NOT_JSON",
  "EVENT_INVALID",
  "EVENT_TYPE_UNKNOWN",
  "EVENT_TYPE_RESERVED",
  "EVENT_SUBJECT_MISSING",
  "EVENT_SUBJECT_FOREIGN",
  "EVENT_DATA_INVALID",
  "EVENT_TOO_LARGE",
  "EVENT_BATCH_TOO_LARGE",
  // Data that the order lifecycle does not take.
  "SCHEDULE_DATE_MISSING",
  "SCHEDULE_DATE_NAIVE",
  "SCHEDULE_DATE_PAST",
  "SCHEDULE_WEEKDAY_MISMATCH",
  "REASON_MISSING",
  "METADATA_INVALID",
  "METADATA_TOO_LARGE",
  "CUSTOMER_INFO_MISSING",
  "LINT_REFUSED",
  // An event that was read, and why it was not applied.
  "EVENT_ID_REUSED",
  "EVENT_NOT_ALLOWED",
  "EVENT_STALE",
  "EVENT_TOO_EARLY",
  "CLOCK_HOLD_REFUSED",
  "ITEM_FINAL",
  "ITEM_UNKNOWN",
  "ITEM_EXISTS",
  "PARKED_EXPIRED",
  "PARKED_FULL",
  "PARKED_ENDED",
  "JOURNAL_FULL",
  "JOB_CRASHED_WORKER",
  // The machine itself is at fault.
  "MACHINE_INVALID",
  "MACHINE_UNKNOWN",
  "MACHINE_FAILED",
  "REPLAY_MISMATCH",
  // Delivery to the marketplace.
  "PUSH_UNAUTHORIZED",
  "PUSH_FORBIDDEN",
  "PUSH_ITEM_NOT_FOUND",
  "PUSH_REFUSED",
  "PUSH_DIVERGENT",
  "PUSH_EXHAUSTED",
  "EFFECT_UNHANDLED",
  // Delivery to the operators.
  "NOTICE_UNDELIVERED",
  // The process and its surroundings.
  "CONFIG_INVALID",
  "POLICY_INVALID",
  "REDIS_BINARY_MISSING",
  "REDIS_UNREACHABLE",
  "REDIS_DATA_IN_USE",
  "STORE_LAYOUT_MISMATCH",
  "STORE_CORRUPT",
  "STORE_KEY_MISSING",
  "COMMIT_CONTENDED",
  "DEADLETTER_UNKNOWN",
  "INTAKE_UNAVAILABLE",
  "SEND_REFUSED",
  // A question over HTTP.
  "REQUEST_INVALID",
  "ACTION_NOT_POSSIBLE",
  "IDEMPOTENCY_KEY_REUSED",
  "ORDER_UNKNOWN",
  "READ_UNAVAILABLE",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/**
 * An expected "no", as data: what happened, with ids, and what to do now. Stored in the journal and
 * in dead letters as it stands, so `message` must make sense to a person weeks later.
 */
export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  /** Event types that the item takes now; present when the answer to "what else?" is known. */
  readonly allowed?: readonly string[];
}

/** A broken promise: a bug, a bad configuration or a lost server. Expected outcomes are returned. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(`${code}: ${message}`, options);
    this.code = code;
  }
}
