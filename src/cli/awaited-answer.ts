/** One event for the front door, and what became of it. */
import { answerTo as answerAt, type FrontDoor } from "../engine/act/front-door.ts";
import type { JobAnswer } from "../engine/handle-job.ts";
import { openJobAnswers } from "../queue/job-answers.ts";
import { addJobs, type NewJob } from "../queue/producer.ts";
import { CRM_EVENTS, openQueue, type QueueLink } from "../queue/queues.ts";

/** An answer takes milliseconds, and up to a second when the workers are just starting. */
export const PATIENCE_MS = 8_000;

/** Opens what hears of answers only when somebody waits for one. */
export async function withFrontDoor<Result>(
  { link }: { readonly link: QueueLink },
  use: (frontDoor: FrontDoor) => Promise<Result>,
): Promise<Result> {
  const { queue, close } = openQueue(CRM_EVENTS, link);
  let opened: ReturnType<typeof openJobAnswers<JobAnswer>> | undefined;
  try {
    return await use({
      add: (jobs) => addJobs(queue, jobs),
      patienceMs: PATIENCE_MS,
      answers: async () => {
        opened ??= openJobAnswers<JobAnswer>(link);
        await opened.ready;
        return opened;
      },
    });
  } finally {
    await opened?.close();
    await close();
  }
}

/** "none": it is in the queue, and no worker has answered in time. */
export async function answerTo(
  session: { readonly link: QueueLink },
  job: NewJob,
  wait: "awaited" | "not-awaited",
): Promise<JobAnswer | "not-awaited" | "none"> {
  return withFrontDoor(session, async (frontDoor) => {
    if (wait === "awaited") return answerAt(frontDoor, job);
    await frontDoor.add([job]);
    return "not-awaited";
  });
}

export function noAnswer(): string {
  return `No worker has answered within ${PATIENCE_MS / 1_000} s. The event is safe in the queue; is a worker running?`;
}
