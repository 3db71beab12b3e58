/**
 * Gathers what arrives while one call is under way and hands it to the next call as a batch. Nothing
 * waits when idle: the first item leaves at once, alone. Under load the batch grows by itself, and with
 * AOF "always" it shares one fsync.
 */
export class Gatherer<T> {
  #waiting: T[] = [];
  #isRunning = false;
  readonly #batchMax: number;
  readonly #handle: (batch: T[]) => Promise<void>;

  /** `handle` must settle every item of its batch by itself, and not reject. */
  constructor(batchMax: number, handle: (batch: T[]) => Promise<void>) {
    this.#batchMax = batchMax;
    this.#handle = handle;
  }

  add(item: T): void {
    this.#waiting.push(item);
    void this.#run();
  }

  /** Before everything that waits: for items that lost a race and try again. */
  addFirst(items: readonly T[]): void {
    this.#waiting.unshift(...items);
    void this.#run();
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    // One turn of the event loop, so that what the same read from Redis brought goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) await this.#handle(this.#waiting.splice(0, this.#batchMax));
    this.#isRunning = false;
  }
}
