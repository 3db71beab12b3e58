/**
 * Wakes the push workers: one job says that a channel has effects to deliver. BullMQ keeps at
 * most one such job waiting and one active per channel; here, calls made while an add is under way
 * become one more.
 */
import type { Queue } from "bullmq";

export interface Wake {
  readonly channel: string;
}

interface Waker {
  readonly wake: (wake: Wake) => void;
  /** Resolves when nothing is being added any more. */
  readonly idle: () => Promise<void>;
}

export function openWaker(queue: Queue, onError: (error: unknown, wake: Wake) => void): Waker {
  const adding = new Map<string, Promise<void>>();
  const repeated = new Set<string>();

  const add = async (channel: string): Promise<void> => {
    const job: Wake = { channel };
    try {
      await queue.add("drain", job, {
        deduplication: { id: channel, keepLastIfActive: true },
        removeOnComplete: true,
        removeOnFail: true,
      });
    } catch (error) {
      onError(error, job);
    }
    adding.delete(channel);
    if (repeated.delete(channel)) wake(job);
  };
  const wake = ({ channel }: Wake): void => {
    if (adding.has(channel)) repeated.add(channel);
    else adding.set(channel, add(channel));
  };
  const idle = async (): Promise<void> => {
    while (adding.size > 0) await Promise.all(adding.values());
  };
  return { wake, idle };
}
