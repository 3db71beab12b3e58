/**
 * Wakes the push workers: one job says that a channel of a shard has effects to deliver. BullMQ keeps at
 * most one such job waiting and one active; here, calls made while an add is under way become one more.
 */
import type { Queue } from "bullmq";

export interface Wake {
  readonly shard: number;
  readonly channel: string;
}

interface Waker {
  readonly wake: (lane: Wake) => void;
  /** Resolves when nothing is being added any more. */
  readonly idle: () => Promise<void>;
}

export function openWaker(queue: Queue, onError: (error: unknown, lane: Wake) => void): Waker {
  const adding = new Map<string, Promise<void>>();
  const repeated = new Set<string>();

  const add = async (id: string, lane: Wake): Promise<void> => {
    try {
      await queue.add("drain", lane, {
        deduplication: { id, keepLastIfActive: true },
        removeOnComplete: true,
        removeOnFail: true,
      });
    } catch (error) {
      onError(error, lane);
    }
    adding.delete(id);
    if (repeated.delete(id)) wake(lane);
  };
  const wake = (lane: Wake): void => {
    const id = `${lane.shard}-${lane.channel}`;
    if (adding.has(id)) repeated.add(id);
    else adding.set(id, add(id, lane));
  };
  const idle = async (): Promise<void> => {
    while (adding.size > 0) await Promise.all(adding.values());
  };
  return { wake, idle };
}
