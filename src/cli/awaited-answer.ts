/** One event for the front door, and what became of it. */
import type { JobAnswer } from "../engine/handle-job.ts";
import { addJobs, type NewJob } from "../queue/producer.ts";
import { CRM_EVENTS, openQueue } from "../queue/queues.ts";
import { listenForAnswers } from "./answers.ts";
import type { StoreSession } from "./session.ts";

/** An answer takes milliseconds, and up to a second when the workers are just starting. */
export const PATIENCE_MS = 8_000;

/** "none": it is in the queue, and no worker has answered in time. */
export async function answerTo(
  { store, link }: Pick<StoreSession, "store" | "link">,
  job: NewJob,
  wait: "awaited" | "not-awaited",
): Promise<JobAnswer | "not-awaited" | "none"> {
  const { queue, close } = openQueue(CRM_EVENTS, link);
  const listening = wait === "awaited" ? await listenForAnswers(store, link, [job.id]) : undefined;
  try {
    await addJobs(queue, [job]);
    if (listening === undefined) return "not-awaited";
    const answers = await listening.wait(PATIENCE_MS);
    return answers.get(job.id)?.[0] ?? "none";
  } finally {
    await listening?.close();
    await close();
  }
}

export function noAnswer(): string {
  return `No worker has answered within ${PATIENCE_MS / 1_000} s. The event is safe in the queue; is a worker running?`;
}
