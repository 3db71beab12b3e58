/**
 * Delivers things in the order in which they came, each after the delay that held when it came. With
 * no delay, and nothing waiting, a thing is delivered at once, in the caller's own turn.
 */
export interface DelayLane<T> {
  readonly send: (thing: T) => void;
  /** Forgets what waits. */
  readonly clear: () => void;
}

interface Waiting<T> {
  readonly thing: T;
  readonly dueAt: number;
}

export function delayLane<T>(delayMs: () => number, deliver: (thing: T) => void): DelayLane<T> {
  let waiting: Waiting<T>[] = [];
  let timer: NodeJS.Timeout | undefined;
  const deliverDue = (): void => {
    timer = undefined;
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const waitMs = next.dueAt - performance.now();
      // Timers may fire a fraction of a millisecond early.
      if (waitMs >= 1) {
        timer = setTimeout(deliverDue, waitMs);
        return;
      }
      waiting.shift();
      deliver(next.thing);
    }
  };
  return {
    send: (thing) => {
      const delay = delayMs();
      if (delay === 0 && waiting.length === 0) {
        deliver(thing);
        return;
      }
      // What came later is never due earlier, also when the delay has shrunk.
      const dueAt = Math.max(performance.now() + delay, waiting.at(-1)?.dueAt ?? 0);
      waiting.push({ thing, dueAt });
      timer ??= setTimeout(deliverDue, delay);
    },
    clear: () => {
      clearTimeout(timer);
      timer = undefined;
      waiting = [];
    },
  };
}
