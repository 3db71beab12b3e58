/**
 * Every PATCH that reached the marketplace, with what became of it. Bounded: once full, the oldest
 * tenth goes at a time, so that trimming costs nothing per request.
 */
import type { ItemStatus } from "../status-update.ts";

export interface PushLogEntry {
  /** When the answer was decided, in ms since the epoch. */
  readonly at: number;
  readonly itemId: string;
  /** Team of the API key; absent when the key is nobody's. */
  readonly account: string | undefined;
  /** The API key; only its last characters when it is nobody's, as it may be a real one. */
  readonly key: string | undefined;
  readonly idempotencyKey: string | undefined;
  /** As received; absent when it was not JSON. */
  readonly body: unknown;
  /** The status asked for, when it is one. */
  readonly status: ItemStatus | undefined;
  /** Whether the item changed, whatever was answered. */
  readonly applied: boolean;
  /** HTTP status, or `reset` when the connection was cut instead. */
  readonly answer: number | "reset";
}

export class PushLog {
  readonly #limit: number;
  readonly #entries: PushLogEntry[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get entries(): readonly PushLogEntry[] {
    return this.#entries;
  }

  add(entry: PushLogEntry): void {
    if (this.#entries.length >= this.#limit) {
      this.#entries.splice(0, Math.max(1, Math.floor(this.#limit / 10)));
    }
    this.#entries.push(entry);
  }

  clear(): void {
    this.#entries.length = 0;
  }
}
