/** What the producers know: every event that they tried to hand over, and which ones were taken. */
import { isClockEvent } from "../core/clock-event.ts";
import type { CloudEvent } from "../core/event.ts";
import type { SentEvent } from "../history/history.ts";

interface Sending {
  readonly event: CloudEvent;
  readonly sentAt: number;
  acknowledgedAt: number | undefined;
  /** The last time that the front door said so, ms. */
  lastAcknowledgedAt: number | undefined;
}

export class SentLog {
  readonly #sendings = new Map<string, Sending>();

  get size(): number {
    return this.#sendings.size;
  }

  get acknowledged(): number {
    let count = 0;
    for (const { acknowledgedAt } of this.#sendings.values()) count += acknowledgedAt ? 1 : 0;
    return count;
  }

  /** Before the events are handed over: a try that nobody survives to tell of has happened all the same. */
  tried(events: readonly CloudEvent[], now: number): void {
    for (const event of events) {
      if (this.#sendings.has(event.id)) continue;
      const fresh = {
        event,
        sentAt: now,
        acknowledgedAt: undefined,
        lastAcknowledgedAt: undefined,
      };
      this.#sendings.set(event.id, fresh);
    }
  }

  taken(events: readonly CloudEvent[], now: number): void {
    for (const { id } of events) {
      const sending = this.#sendings.get(id);
      if (sending === undefined) continue;
      sending.acknowledgedAt ??= now;
      sending.lastAcknowledgedAt = now;
    }
  }

  /** Events that were taken at `since` or later, ms; those not taken yet are still being sent. */
  takenSince(since: number): CloudEvent[] {
    return [...this.#sendings.values()]
      .filter(({ lastAcknowledgedAt }) => (lastAcknowledgedAt ?? 0) >= since)
      .map(({ event }) => event);
  }

  /** For the checker. Every event of a legal life must have been applied in the end; whether a clock still
   * runs that somebody silences is left to the moment. */
  sent(): SentEvent[] {
    return [...this.#sendings.values()].map(({ event, sentAt, acknowledgedAt }) => ({
      event,
      sentAt,
      ...(!isClockEvent(event.type) && { mustBe: "applied" as const }),
      ...(acknowledgedAt !== undefined && { acknowledgedAt }),
    }));
  }
}
