/**
 * Deliveries that were not authentic, as lines of the log: the webhook, what was wrong and how many, and
 * nothing that a stranger has written. The first is told at once, further ones once a minute, so that a
 * flood of forgeries is no flood of lines.
 */
import type { Logger } from "../logger.ts";

const TOLD_EVERY_MS = 60_000;

export interface RefusalLog {
  /** `webhook` is a configured name, so there are few. */
  readonly refused: (webhook: string, reason: string) => void;
  /** Tells of those that nobody was told of yet. */
  readonly close: () => void;
}

interface Tally {
  readonly webhook: string;
  readonly reason: string;
  readonly timer: NodeJS.Timeout;
  count: number;
}

export function openRefusalLog(log: Pick<Logger, "warn">): RefusalLog {
  const tallies = new Map<string, Tally>();
  const tell = ({ webhook, reason, count }: Pick<Tally, "webhook" | "reason" | "count">): void => {
    if (count > 0) log.warn({ webhook, reason, count }, "webhook deliveries were not authentic");
  };
  const tellAgain = (key: string): void => {
    const tally = tallies.get(key);
    if (tally === undefined) return;
    tell(tally);
    if (tally.count > 0) {
      tally.count = 0;
      return;
    }
    clearInterval(tally.timer);
    tallies.delete(key);
  };
  return {
    refused: (webhook, reason) => {
      const key = `${webhook} ${reason}`;
      const tally = tallies.get(key);
      if (tally !== undefined) {
        tally.count += 1;
        return;
      }
      tell({ webhook, reason, count: 1 });
      const timer = setInterval(() => tellAgain(key), TOLD_EVERY_MS);
      timer.unref();
      tallies.set(key, { webhook, reason, timer, count: 0 });
    },
    close: () => {
      for (const tally of tallies.values()) {
        clearInterval(tally.timer);
        tell(tally);
      }
      tallies.clear();
    },
  };
}
