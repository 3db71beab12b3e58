/** What is yet to happen, the earliest first; what was added first comes first at the same time. */

export interface Task {
  readonly at: number;
  /** Breaks ties: the order in which tasks were added. */
  readonly order: number;
}

export class TaskHeap<T extends Task> {
  readonly #tasks: T[] = [];

  get size(): number {
    return this.#tasks.length;
  }

  add(task: T): void {
    const tasks = this.#tasks;
    let index = tasks.length;
    tasks.push(task);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = tasks[above];
      if (parent === undefined || !isBefore(task, parent)) break;
      tasks[index] = parent;
      index = above;
    }
    tasks[index] = task;
  }

  take(): T | undefined {
    const tasks = this.#tasks;
    const first = tasks[0];
    const last = tasks.pop();
    if (last !== undefined && tasks.length > 0) this.#sink(last);
    return first;
  }

  #sink(task: T): void {
    const tasks = this.#tasks;
    let index = 0;
    for (;;) {
      let below = index * 2 + 1;
      let child = tasks[below];
      const right = tasks[below + 1];
      if (child === undefined) break;
      if (right !== undefined && isBefore(right, child)) {
        below += 1;
        child = right;
      }
      if (!isBefore(child, task)) break;
      tasks[index] = child;
      index = below;
    }
    tasks[index] = task;
  }
}

function isBefore(left: Task, right: Task): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}
