/**
 * Hears what became of jobs of the front door: one listener of a process, for any number of jobs. It
 * hears what ends after it was opened, also while its connection is away and is made again.
 */
import { QueueEvents } from "bullmq";
import { CRM_EVENTS, openConnection, type QueueLink } from "./queues.ts";

export interface JobAnswers<Answer> {
  /** Resolves when it listens; what is added to the queue before that may not be heard. */
  readonly ready: Promise<void>;
  /** To be called before the jobs are added. */
  readonly expect: (jobIds: readonly string[]) => Expected<Answer>;
  readonly close: () => Promise<void>;
}

export interface Expected<Answer> {
  /** By job id; resolves when all are there, or when none has come for `patienceMs`. */
  readonly wait: (patienceMs: number) => Promise<ReadonlyMap<string, readonly Answer[]>>;
  /** To be called in any case, in the end. */
  readonly forget: () => void;
}

/** `Answer`: what the queue's worker returns, one for each event of a job. */
export function openJobAnswers<Answer>(link: QueueLink): JobAnswers<Answer> {
  const connection = openConnection(link);
  const hear = new Map<string, (answers: readonly Answer[]) => void>();
  let events: QueueEvents | undefined;
  const begin = async (): Promise<void> => {
    // From Redis' own clock on: "from now on" would begin only when the first read has arrived.
    const [seconds, microseconds] = await connection.time();
    const sinceMs = Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
    events = new QueueEvents(CRM_EVENTS, {
      connection,
      prefix: link.prefix,
      lastEventId: `${sinceMs}-0`,
    });
    events.on("error", () => undefined);
    events.on("completed", ({ jobId, returnvalue }) => {
      hear.get(jobId)?.(returnvalue as unknown as readonly Answer[]);
    });
  };
  const ready = begin();
  // Whoever waits for it hears of the failure; nobody may.
  ready.catch(() => undefined);
  return {
    ready,
    expect: (jobIds) => expectJobs(hear, jobIds),
    close: async () => {
      await events?.close();
      connection.disconnect();
    },
  };
}

function expectJobs<Answer>(
  hear: Map<string, (answers: readonly Answer[]) => void>,
  jobIds: readonly string[],
): Expected<Answer> {
  const answers = new Map<string, readonly Answer[]>();
  let heard: () => void = () => undefined;
  for (const id of jobIds) {
    hear.set(id, (told) => {
      answers.set(id, told);
      heard();
    });
  }
  return {
    wait: async (patienceMs) => {
      while (answers.size < jobIds.length) {
        if ((await nextOrLate((next) => (heard = next), patienceMs)) === "late") break;
      }
      return answers;
    },
    forget: () => {
      for (const id of jobIds) hear.delete(id);
    },
  };
}

async function nextOrLate(
  onNext: (next: () => void) => void,
  patienceMs: number,
): Promise<"next" | "late"> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve("late"), patienceMs);
    onNext(() => {
      clearTimeout(timer);
      resolve("next");
    });
  });
}
