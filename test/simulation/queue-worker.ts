/** A BullMQ worker of one queue in one process: takes jobs, renews their locks, ends them. */
import type { Connection } from "./connection.ts";
import type { ModelJob } from "./queue-model.ts";

export interface QueueWorkerOptions {
  readonly queue: string;
  /** Distinguishes the tokens of this worker's locks from those of all others. */
  readonly name: string;
  readonly concurrency: number;
  readonly lockMs: number;
  /** Waits for jobs. */
  readonly blocking: Connection;
  readonly connection: Connection;
  /** Jobs of a schedule need no lock: the next tick does the same again. */
  readonly kind: "locked" | "scheduled";
  readonly process: (job: ModelJob, token: string) => Promise<unknown>;
}

export class QueueWorker {
  readonly #options: QueueWorkerOptions;
  readonly #held = new Map<string, string>();
  #running = 0;
  #taken = 0;
  #isTaking = false;

  constructor(options: QueueWorkerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#takeMore();
    const { kind, lockMs } = this.#options;
    if (kind === "scheduled") return;
    setInterval(() => this.#renew(), lockMs / 4);
    setInterval(() => this.#checkStalled(), lockMs / 3);
    this.#checkStalled();
  }

  #takeMore(): void {
    if (this.#isTaking || this.#running >= this.#options.concurrency) return;
    this.#isTaking = true;
    void this.#takeOne();
  }

  async #takeOne(): Promise<void> {
    const { queue, name, lockMs, blocking } = this.#options;
    this.#taken += 1;
    const token = `${name}:${this.#taken}`;
    const job = (await blocking.call({ kind: "take", queue, token, lockMs })) as ModelJob;
    this.#isTaking = false;
    this.#running += 1;
    void this.#work(job, token);
    this.#takeMore();
  }

  async #work(job: ModelJob, token: string): Promise<void> {
    const { queue, connection, process } = this.#options;
    const { id } = job;
    this.#held.set(id, token);
    try {
      await process(job, token);
      this.#held.delete(id);
      await connection.call({ kind: "finish", queue, id, token });
    } catch (error) {
      this.#held.delete(id);
      await this.#failed(id, token, error);
    }
    this.#running -= 1;
    this.#takeMore();
  }

  async #failed(id: string, token: string, error: unknown): Promise<void> {
    if (error instanceof Error && error.name === "DelayedError") return;
    const { queue, connection } = this.#options;
    // Without its lock the job is another's by now, and BullMQ only tells of it.
    await connection.call({ kind: "fail", queue, id, token }).catch(() => undefined);
  }

  #renew(): void {
    if (this.#held.size === 0) return;
    const { queue, connection, lockMs } = this.#options;
    const held = new Map(this.#held);
    connection.call({ kind: "extend", queue, held, lockMs }).catch(() => undefined);
  }

  #checkStalled(): void {
    const { queue, connection, lockMs } = this.#options;
    const intervalMs = Math.max(1_000, lockMs / 3);
    connection.call({ kind: "check-stalled", queue, intervalMs }).catch(() => undefined);
  }
}
