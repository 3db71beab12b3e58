/** The event queue for somebody who waits for what becomes of an event. */
import type { JobAnswers } from "../../queue/job-answers.ts";
import type { NewJob } from "../../queue/producer.ts";
import type { JobAnswer } from "../handle-job.ts";

export interface FrontDoor {
  /** Resolves when the queue has the jobs. */
  readonly add: (jobs: readonly NewJob[]) => Promise<void>;
  /** Resolves when answers are heard. */
  readonly answers: () => Promise<Pick<JobAnswers<JobAnswer>, "expect">>;
  /** How long an answer is waited for, ms. */
  readonly patienceMs: number;
}

/** "none": it is in the queue, and no worker has answered in time. */
export async function answerTo(
  { add, answers, patienceMs }: FrontDoor,
  job: NewJob,
): Promise<JobAnswer | "none"> {
  const expected = (await answers()).expect([job.id]);
  try {
    await add([job]);
    const told = await expected.wait(patienceMs);
    return told.get(job.id)?.[0] ?? "none";
  } finally {
    expected.forget();
  }
}
