/**
 * BullMQ's contract, as far as the workers and producers rely on it, in place of its Redis scripts.
 * Like those it lives in Redis: it forgets with it what Redis forgets.
 *
 * What is true of BullMQ 6.7, and so of this model: a job is active under a lock that its worker renews;
 * a lock that ended is noticed by a check that looks twice, and gives the job back in no particular
 * order, next in line, with its count of stalls raised; so a job runs twice at once when its worker was
 * only paused. Whoever finishes a job without its lock changes nothing. A job of a deduplication id is
 * added once while one waits, and kept for later while one is active.
 */
import type { Random } from "./random.ts";

export interface NewModelJob {
  readonly id: string | undefined;
  readonly data: unknown;
  readonly deduplicationId: string | undefined;
}

export interface ModelJob {
  readonly id: string;
  readonly data: unknown;
  readonly timestamp: number;
  readonly stalledCounter: number;
}

interface StoredJob {
  readonly id: string;
  readonly data: unknown;
  readonly timestamp: number;
  readonly deduplicationId: string | undefined;
  stalledCounter: number;
  lock: { readonly token: string; readonly until: number } | undefined;
}

/** What a snapshot holds. */
interface QueueState {
  readonly jobs: Map<string, StoredJob>;
  /** The last is taken next. */
  wait: string[];
  active: string[];
  delayed: { readonly id: string; readonly until: number }[];
  failed: string[];
  stalling: Set<string>;
  stalledCheckUntil: number;
  readonly deduplicated: Map<string, string>;
  readonly kept: Map<string, unknown>;
  added: number;
}

export class QueueModel {
  readonly name: string;
  readonly #now: () => number;
  readonly #random: Random;
  #state: QueueState = emptyState();

  constructor(name: string, now: () => number, random: Random) {
    this.name = name;
    this.#now = now;
    this.#random = random;
  }

  /** Jobs that nobody has finished. */
  get size(): number {
    return this.#state.jobs.size;
  }

  get hasWaiting(): boolean {
    return this.#state.wait.length > 0;
  }

  get nextDelayed(): number | undefined {
    const moments = this.#state.delayed.map(({ until }) => until);
    return moments.length === 0 ? undefined : Math.min(...moments);
  }

  add({ id, data, deduplicationId }: NewModelJob): string {
    const state = this.#state;
    state.added += 1;
    const jobId = id ?? String(state.added);
    if (state.jobs.has(jobId)) return jobId;
    if (deduplicationId !== undefined) {
      const present = state.deduplicated.get(deduplicationId);
      if (present !== undefined && state.jobs.has(present)) {
        if (state.active.includes(present)) state.kept.set(deduplicationId, data);
        return present;
      }
      state.kept.delete(deduplicationId);
      state.deduplicated.set(deduplicationId, jobId);
    }
    this.#enqueue(jobId, data, deduplicationId);
    return jobId;
  }

  /** The next job, now active under the token. */
  take(token: string, lockMs: number): ModelJob | undefined {
    const state = this.#state;
    this.#promote();
    const id = state.wait.pop();
    const job = id === undefined ? undefined : state.jobs.get(id);
    if (job === undefined) return undefined;
    state.active.push(job.id);
    job.lock = { token, until: this.#now() + lockMs };
    const { data, timestamp, stalledCounter } = job;
    return { id: job.id, data, timestamp, stalledCounter };
  }

  /** Throws as BullMQ does when the lock is gone. */
  finish(id: string, token: string): void {
    const job = this.#unlocked(id, token, "moveToFinished");
    this.#forget(job);
  }

  fail(id: string, token: string): void {
    const job = this.#unlocked(id, token, "moveToFinished");
    if (job.deduplicationId === undefined) this.#state.failed.push(id);
    else this.#forget(job);
  }

  delay(id: string, token: string, until: number): void {
    this.#unlocked(id, token, "moveToDelayed");
    this.#state.delayed.push({ id, until });
  }

  extendLocks(held: ReadonlyMap<string, string>, lockMs: number): void {
    for (const [id, token] of held) {
      const job = this.#state.jobs.get(id);
      if (this.#holder(job) === token && job !== undefined) {
        job.lock = { token, until: this.#now() + lockMs };
        this.#state.stalling.delete(id);
      }
    }
  }

  /** Two checks in a row must find a job without its lock. Only one worker checks per interval. */
  checkStalled(intervalMs: number): void {
    const state = this.#state;
    if (state.stalledCheckUntil > this.#now()) return;
    state.stalledCheckUntil = this.#now() + intervalMs;
    for (const id of this.#random.shuffle([...state.stalling])) {
      const job = state.jobs.get(id);
      if (job === undefined || this.#holder(job) !== undefined) continue;
      if (!removeFrom(state.active, id)) continue;
      job.stalledCounter += 1;
      state.wait.push(id);
    }
    state.stalling = new Set(state.active);
  }

  failedCount(): number {
    return this.#state.failed.length;
  }

  retryFailed(): void {
    this.#state.wait.unshift(...this.#state.failed);
    this.#state.failed = [];
  }

  snapshot(): QueueState {
    return structuredClone(this.#state);
  }

  restore(state: QueueState): void {
    this.#state = structuredClone(state);
  }

  describe(): string {
    const { wait, active, delayed, failed } = this.#state;
    return `${this.name}: waiting ${wait.join()}; active ${active.join()}; delayed ${delayed.map(({ id }) => id).join()}; failed ${failed.join()}`;
  }

  #enqueue(id: string, data: unknown, deduplicationId: string | undefined): void {
    const [stalledCounter, lock] = [0, undefined];
    const timestamp = Math.floor(this.#now());
    this.#state.jobs.set(id, { id, data, timestamp, deduplicationId, stalledCounter, lock });
    this.#state.wait.unshift(id);
  }

  #promote(): void {
    const state = this.#state;
    const due = state.delayed.filter(({ until }) => until <= this.#now());
    if (due.length === 0) return;
    state.delayed = state.delayed.filter((each) => !due.includes(each));
    state.wait.unshift(...due.map(({ id }) => id));
  }

  #unlocked(id: string, token: string, operation: string): StoredJob {
    const job = this.#state.jobs.get(id);
    if (job === undefined) throw new Error(`Missing key for job ${id}. ${operation}`);
    const holder = this.#holder(job);
    if (holder === undefined) throw new Error(`Missing lock for job ${id}. ${operation}`);
    if (holder !== token) throw new Error(`Lock mismatch for job ${id}. ${operation}`);
    job.lock = undefined;
    this.#state.stalling.delete(id);
    if (!removeFrom(this.#state.active, id)) {
      throw new Error(`Job ${id} is not in the active state. ${operation}`);
    }
    return job;
  }

  #holder(job: StoredJob | undefined): string | undefined {
    if (job?.lock === undefined || job.lock.until <= this.#now()) return undefined;
    return job.lock.token;
  }

  #forget({ id, deduplicationId }: StoredJob): void {
    const state = this.#state;
    state.jobs.delete(id);
    if (deduplicationId === undefined) return;
    if (state.deduplicated.get(deduplicationId) === id) state.deduplicated.delete(deduplicationId);
    if (!state.kept.has(deduplicationId)) return;
    const data = state.kept.get(deduplicationId);
    state.kept.delete(deduplicationId);
    state.added += 1;
    state.deduplicated.set(deduplicationId, String(state.added));
    this.#enqueue(String(state.added), data, deduplicationId);
  }
}

function emptyState(): QueueState {
  return {
    jobs: new Map(),
    wait: [],
    active: [],
    delayed: [],
    failed: [],
    stalling: new Set(),
    stalledCheckUntil: 0,
    deduplicated: new Map(),
    kept: new Map(),
    added: 0,
  };
}

function removeFrom(ids: string[], id: string): boolean {
  const index = ids.indexOf(id);
  if (index !== -1) ids.splice(index, 1);
  return index !== -1;
}
