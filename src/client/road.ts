/** A way from a client to the front door, and what every way answers. */
import { EngineError, type ErrorCode } from "../core/errors.ts";
import type { SentEvent } from "./order-item-event.ts";

/** What was said of one event. */
export type SendResult =
  /** The queue has it, as safe as Redis is durable. */
  | { readonly outcome: "accepted"; readonly event: SentEvent }
  /** It is not in the queue and never will be. */
  | { readonly outcome: "refused"; readonly event: SentEvent; readonly problem: Refusal }
  /** It may or may not be in the queue: send this very event again. Told by a SendError alone. */
  | { readonly outcome: "unanswered"; readonly event: SentEvent };

export interface Refusal {
  /** A code of docs/errors.md; a later version of the server may know more of them. */
  readonly code: string;
  readonly message: string;
}

export interface Road {
  /**
   * One result per event, in their order.
   * @throws SendError when some of them have no answer
   */
  readonly send: (events: readonly SentEvent[]) => Promise<readonly SendResult[]>;
  readonly close: () => Promise<void>;
}

/** Some events have no answer. `results` has one per event of the call, and each event with its id. */
export class SendError extends EngineError {
  readonly results: readonly SendResult[];

  constructor(
    code: ErrorCode,
    message: string,
    { results, cause }: { readonly results: readonly SendResult[]; readonly cause?: unknown },
  ) {
    super(code, message, { cause });
    this.results = results;
  }
}

export function unanswered(events: readonly SentEvent[]): SendResult[] {
  return events.map((event) => ({ outcome: "unanswered", event }));
}
