/**
 * Gathers what arrives while calls are under way and hands it to the next call as a batch. Nothing waits
 * when idle: the first item leaves at once, alone. Under load the batch grows by itself, and with AOF
 * "always" it shares one fsync.
 */
export interface GathererOptions<T> {
  /** Items in one batch. */
  readonly batchMax: number;
  /** Batches under way at a time: with two, one is made while Redis works on the other. */
  readonly sideBySide: number;
  /** Items of one key are never in two batches at a time, and keep their order. */
  readonly keyOf: (item: T) => string;
  /** Must settle every item of its batch by itself, and not reject. */
  readonly handle: (batch: T[]) => Promise<void>;
  /** Runs something one turn of the event loop later. Default: `setImmediate`. */
  readonly soon?: ((run: () => void) => void) | undefined;
}

export class Gatherer<T> {
  readonly #options: GathererOptions<T>;
  #waiting: T[] = [];
  readonly #busyKeys = new Set<string>();
  #underWay = 0;
  #isLookDue = false;

  constructor(options: GathererOptions<T>) {
    this.#options = options;
  }

  add(item: T): void {
    this.#waiting.push(item);
    this.#lookSoon();
  }

  /** Before everything that waits: for items that lost a race and try again. */
  addFirst(items: readonly T[]): void {
    this.#waiting.unshift(...items);
    this.#lookSoon();
  }

  /** One turn of the event loop later, so that what the same read from Redis brought goes together. */
  #lookSoon(): void {
    if (this.#isLookDue) return;
    this.#isLookDue = true;
    const { soon = setImmediate } = this.#options;
    soon(() => {
      this.#isLookDue = false;
      while (this.#underWay < this.#options.sideBySide && this.#start());
    });
  }

  /** False when nothing can be begun now. */
  #start(): boolean {
    const batch = this.#take();
    if (batch.length === 0) return false;
    void this.#run(batch);
    return true;
  }

  async #run(batch: T[]): Promise<void> {
    const { keyOf, handle } = this.#options;
    const keys = new Set(batch.map(keyOf));
    for (const key of keys) this.#busyKeys.add(key);
    this.#underWay += 1;
    await handle(batch);
    this.#underWay -= 1;
    for (const key of keys) this.#busyKeys.delete(key);
    if (this.#waiting.length > 0) this.#lookSoon();
  }

  #take(): T[] {
    const { batchMax, keyOf } = this.#options;
    if (this.#busyKeys.size === 0) return this.#waiting.splice(0, batchMax);
    const batch: T[] = [];
    const left: T[] = [];
    for (const item of this.#waiting) {
      const isFree = batch.length < batchMax && !this.#busyKeys.has(keyOf(item));
      (isFree ? batch : left).push(item);
    }
    this.#waiting = left;
    return batch;
  }
}
