/**
 * The simulated world: one clock, and everything that is yet to happen. It runs one task at a time and
 * lets all that follows from it at once (microtasks) come to rest before it takes the next.
 *
 * Always true: time passes only between tasks; what runs belongs to one process or to nobody; and two
 * runs of one seed are the same run, for nothing is asked of the real clock or of real chance.
 */
import type { Random } from "./random.ts";
import { type Task, TaskHeap } from "./task-heap.ts";

/** A simulated process, as far as the world must know it. */
export interface Owner {
  readonly name: string;
  /** What its clock shows beyond the world's, ms. */
  readonly skewMs: number;
  isAlive: boolean;
  /** It is stopped until then, as by SIGSTOP. */
  pausedUntil: number;
  /** Its immediates run in the order in which they were asked for. */
  lastImmediateAt: number;
}

interface PendingTask extends Task {
  at: number;
  order: number;
  readonly owner: Owner | undefined;
  readonly label: string;
  /** Server-side tasks resolve no promise, so nothing can follow from them at once. */
  readonly wakesCode: boolean;
  readonly run: () => void;
  isCancelled: boolean;
}

interface Happening {
  readonly owner: Owner | undefined;
  /** As a trace tells it; "" is not told. */
  readonly label: string;
}

export interface Handle {
  readonly cancel: () => void;
}

/** A morning on which nothing else happens. */
export const EPOCH_MS = Date.parse("2026-03-02T09:00:00Z");

/** More tasks than this without an end is a livelock. */
const STEPS_MAX = 200_000;

const realSetImmediate = globalThis.setImmediate;

export class World {
  readonly random: Random;
  /** What went wrong beside what the history tells. */
  readonly problems: string[] = [];
  now = EPOCH_MS;
  steps = 0;
  /** Of everything that happened, in order. */
  hash = 0x811c9dc5;
  current: Owner | undefined;
  readonly #tasks = new TaskHeap<PendingTask>();
  readonly #trace: ((line: string) => void) | undefined;
  #added = 0;

  constructor(random: Random, trace?: (line: string) => void) {
    this.random = random;
    this.#trace = trace;
  }

  /** What the clock of the running process shows. */
  localNow(owner: Owner | undefined = this.current): number {
    return Math.floor(this.now + (owner?.skewMs ?? 0));
  }

  /** Something that happens to a process. */
  after(delayMs: number, what: Happening, run: () => void): Handle {
    return this.#add({ ...what, at: this.now + delayMs, run, wakesCode: true });
  }

  /** Something that happens at a server, where no simulated code runs. */
  serve(delayMs: number, label: string, run: () => void): Handle {
    return this.#add({
      at: this.now + delayMs,
      owner: undefined,
      label,
      run,
      wakesCode: false,
    });
  }

  note(line: string): void {
    this.#stir(line);
    this.#trace?.(`${this.#clock()} ${line}`);
  }

  /** Runs until `isOver` says so, or nothing is left to happen. */
  async run(isOver: () => boolean): Promise<void> {
    for (let task = this.#tasks.take(); task !== undefined; task = this.#tasks.take()) {
      if (this.#isDropped(task)) continue;
      this.now = Math.max(this.now, task.at);
      this.steps += 1;
      if (this.steps > STEPS_MAX) {
        this.problems.push(`still busy after ${STEPS_MAX} steps`);
        return;
      }
      await this.#perform(task);
      if (isOver()) return;
    }
  }

  async #perform({ owner, label, run, wakesCode }: PendingTask): Promise<void> {
    this.current = owner;
    if (label !== "") this.note(owner === undefined ? label : `${owner.name}: ${label}`);
    try {
      run();
    } catch (error) {
      this.problems.push(`${label} threw ${String(error)}`);
    }
    if (wakesCode) await new Promise<void>((resolve) => realSetImmediate(resolve));
    this.current = undefined;
  }

  #isDropped(task: PendingTask): boolean {
    const { owner } = task;
    if (task.isCancelled || owner?.isAlive === false) return true;
    if (owner === undefined || owner.pausedUntil <= task.at) return false;
    // Held back, in the order in which it would have come.
    task.at = owner.pausedUntil;
    task.order = this.#added += 1;
    this.#tasks.add(task);
    return true;
  }

  #add(task: Omit<PendingTask, "order" | "isCancelled">): Handle {
    this.#added += 1;
    const pending: PendingTask = { ...task, order: this.#added, isCancelled: false };
    this.#tasks.add(pending);
    return { cancel: () => void (pending.isCancelled = true) };
  }

  #stir(text: string): void {
    let hash = this.hash ^ (this.now & 0xffffffff);
    for (let index = 0; index < text.length; index += 1) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    }
    this.hash = hash >>> 0;
  }

  #clock(): string {
    return `+${((this.now - EPOCH_MS) / 1_000).toFixed(4)}s`;
  }
}
