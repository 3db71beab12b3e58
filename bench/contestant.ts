/**
 * A system under measurement. The harness knows nothing more about it, so that all of them are
 * started, fed, timed and checked by the same code.
 *
 * The worker is always a process of its own (one process); the harness is the producer.
 */
export type Effects = "with-patch" | "without-patch";

export interface Surroundings {
  readonly redisUrl: string;
  /** Base URL of the marketplace stub. */
  readonly stubUrl: string;
  /** Without PATCH nothing is sent upstream: the run ends with the last durable state. */
  readonly effects: Effects;
}

export interface Contestant {
  readonly name: string;
  /** Starts the worker process and the producer's connection. Redis is empty. */
  start(surroundings: Surroundings): Promise<void>;
  /** Enqueues what brings every item to `pending`; the harness then waits until it is drained. */
  begin(items: readonly string[]): Promise<void>;
  /** Enqueues the five measured events of every item, durably, in the workload's order. */
  enqueueAll(items: readonly string[]): Promise<void>;
  /** Enqueued events whose new state is not yet in Redis; the run is drained at 0. Rejects when the
   * worker process has died. */
  openEvents(): Promise<number>;
  /** Process id of the worker, for its CPU time. */
  workerPid(): number;
  /** Faults that only the contestant can see, such as failed jobs, and items that are not `active`.
   * Called after `stopWorker`; an empty list means right. */
  verify(items: readonly string[]): Promise<readonly string[]>;
  /** Ends the worker process in the ordinary way: what it has in flight is finished. */
  stopWorker(): Promise<void>;
  /** Closes the producer's connections. */
  close(): Promise<void>;
}
