/**
 * What this machine and the engine say to each other, restated as local types: a machine imports
 * nothing of the engine, and is checked against its contract by shape.
 */
type Json = null | boolean | number | string | readonly Json[] | JsonMap;
export type JsonMap = { readonly [key: string]: Json | undefined };

/** One reported or derived event, as a definition's functions receive and return it. */
export interface ReportedEvent {
  readonly type: string;
  readonly id: string;
  readonly source: string;
  readonly time: string;
  readonly at: number;
  readonly data: JsonMap;
  readonly derived?: boolean;
}

export interface ActorLook {
  readonly value: unknown;
  readonly context: JsonMap;
}

export interface Refusal {
  readonly code:
    | "SCHEDULE_DATE_PAST"
    | "CUSTOMER_INFO_MISSING"
    | "METADATA_INVALID"
    | "LINT_REFUSED"
    | "EVENT_NOT_ALLOWED";
  readonly message: string;
  readonly allowed?: readonly string[];
}
