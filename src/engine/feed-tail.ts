/**
 * The end of the feed, read once for all who listen, and not at all while nobody does.
 *
 * Each listener has a cursor of its own. It reads by itself until there is nothing more (catching up),
 * then takes a seat and is given what the tail reads. It takes the seat only when the tail has read
 * nothing since its own last read began, so nothing falls between the two; what both have read, its
 * cursor tells apart. A listener that is slower than the feed loses its seat and catches up again, so
 * its backlog is in Redis and not in this process.
 */
import { type FeedBatch, type FeedCursor, furthest, isBehind, readFeed } from "./feed.ts";
import type { Store } from "../store/store.ts";

/** Between looks at a feed that is quiet, ms. */
const LOOK_EVERY_MS = 250;

/** Batches that wait for a listener. */
const SEAT_MAX = 20;

/** Redis may be away for as long before listeners are sent away, ms. */
const PATIENCE_MS = 10_000;

interface Seat {
  readonly batches: FeedBatch[];
  /** Wakes the listener. */
  wake: () => void;
  state: "open" | "overflowed" | { readonly failed: unknown };
}

export class FeedTail {
  readonly #store: Store;
  readonly #seats = new Set<Seat>();
  #cursor: FeedCursor = [];
  /** Reads that were begun. */
  #reads = 0;
  #isReading = false;
  #timer: NodeJS.Timeout | undefined;
  #failingSince: number | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** How many listen and are at the end. */
  get seated(): number {
    return this.#seats.size;
  }

  /**
   * Everything behind the cursor and everything to come, until the signal. Batches may be empty.
   * Throws what reading throws: at once while it catches up, later when Redis stays away.
   */
  async *follow(from: FeedCursor, signal: AbortSignal): AsyncGenerator<FeedBatch> {
    let cursor = from;
    while (!signal.aborted) {
      const readsBefore = this.#isReading ? undefined : this.#reads;
      const batch = await readFeed(this.#store, cursor);
      cursor = batch.cursor;
      // It is joined before the batch is given away: who knows when the listener comes back.
      const isAtEnd = !batch.isMore && readsBefore === this.#reads;
      const seat = isAtEnd ? this.#take(cursor) : undefined;
      try {
        yield batch;
        if (seat === undefined) continue;
        for await (const told of this.#given(seat, signal)) {
          const fresh = told.told.filter((each) => told.isGap || isBehind(each, cursor));
          // Places that Redis has forgotten are given anew: then the tail alone knows which are.
          cursor = told.isGap ? told.cursor : furthest(cursor, told.cursor);
          yield { ...told, told: fresh, cursor };
        }
      } finally {
        if (seat !== undefined) this.#leave(seat);
      }
    }
  }

  /** What comes to the seat, until it overflows. */
  async *#given(seat: Seat, signal: AbortSignal): AsyncGenerator<FeedBatch> {
    const wake = (): void => seat.wake();
    signal.addEventListener("abort", wake);
    try {
      while (!signal.aborted) {
        const batch = seat.batches.shift();
        if (batch !== undefined) {
          yield batch;
          continue;
        }
        if (seat.state === "overflowed") return;
        if (seat.state !== "open") throw seat.state.failed;
        await new Promise<void>((resolve) => (seat.wake = resolve));
      }
    } finally {
      signal.removeEventListener("abort", wake);
    }
  }

  #take(cursor: FeedCursor): Seat {
    const seat: Seat = { batches: [], wake: () => undefined, state: "open" };
    this.#seats.add(seat);
    if (this.#seats.size === 1) {
      this.#cursor = cursor;
      this.#failingSince = undefined;
      this.#lookIn(LOOK_EVERY_MS);
    }
    return seat;
  }

  #leave(seat: Seat): void {
    this.#seats.delete(seat);
    if (this.#seats.size === 0) clearTimeout(this.#timer);
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), ms);
  }

  async #look(): Promise<void> {
    // A read that outlives its listeners must not be joined by the next ones' own.
    if (this.#isReading) return;
    this.#isReading = true;
    this.#reads += 1;
    let isMore = false;
    try {
      const batch = await readFeed(this.#store, this.#cursor);
      this.#cursor = batch.cursor;
      this.#failingSince = undefined;
      ({ isMore } = batch);
      if (batch.told.length > 0 || batch.isGap) this.#give(batch);
    } catch (error) {
      this.#failingSince ??= performance.now();
      if (performance.now() - this.#failingSince > PATIENCE_MS) this.#sendAway(error);
    } finally {
      this.#isReading = false;
    }
    if (this.#seats.size > 0) this.#lookIn(isMore ? 0 : LOOK_EVERY_MS);
  }

  #give(batch: FeedBatch): void {
    for (const seat of this.#seats) {
      if (seat.state !== "open") continue;
      if (seat.batches.length < SEAT_MAX) seat.batches.push(batch);
      else seat.state = "overflowed";
      seat.wake();
    }
  }

  #sendAway(error: unknown): void {
    for (const seat of this.#seats) {
      seat.state = { failed: error };
      seat.wake();
    }
  }
}
