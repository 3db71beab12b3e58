/** Hears what became of jobs. Listening begins before they are added, so that no answer is missed. */
import { QueueEvents } from "bullmq";
import type { JobAnswer } from "../engine/handle-job.ts";
import { CRM_EVENTS, openConnection, type QueueLink } from "../queue/queues.ts";
import type { Store } from "../store/store.ts";

export interface Answers {
  /** By job id; resolves when all are there, or when none has come for `patienceMs`. */
  readonly wait: (patienceMs: number) => Promise<ReadonlyMap<string, readonly JobAnswer[]>>;
  readonly close: () => Promise<void>;
}

export async function listenForAnswers(
  store: Store,
  link: QueueLink,
  jobIds: readonly string[],
): Promise<Answers> {
  const wanted = new Set(jobIds);
  const answers = new Map<string, readonly JobAnswer[]>();
  let heard: () => void = () => undefined;
  // From Redis' own clock on: "from now on" would begin only when the first read has arrived.
  const [seconds, microseconds] = await store.redis.time();
  const sinceMs = Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  const connection = openConnection(link);
  const events = new QueueEvents(CRM_EVENTS, {
    connection,
    prefix: link.prefix,
    lastEventId: `${sinceMs}-0`,
  });
  events.on("error", () => undefined);
  events.on("completed", ({ jobId, returnvalue }) => {
    if (!wanted.has(jobId)) return;
    answers.set(jobId, returnvalue as unknown as readonly JobAnswer[]);
    heard();
  });
  return {
    wait: async (patienceMs) => {
      while (answers.size < wanted.size) {
        if ((await nextOrLate((next) => (heard = next), patienceMs)) === "late") break;
      }
      return answers;
    },
    close: async () => {
      await events.close();
      connection.disconnect();
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
