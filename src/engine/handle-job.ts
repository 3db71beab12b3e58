/** One job of the front door: read it, apply its events, bury what cannot be read. */
import type { Problem } from "../core/errors.ts";
import { readEvents } from "../core/read-event.ts";
import { clearSuspect, countSuspectRun } from "../store/crash-store.ts";
import { bury } from "../store/dead-letter-store.ts";
import type { Applier } from "./apply-events.ts";
import type { EventAnswer } from "./event-answer.ts";
import type { Engine } from "./engine.ts";

export interface JobLike {
  readonly id: string;
  readonly data: unknown;
  /** When it was enqueued, ms. */
  readonly enqueuedAt: number;
}

export type JobAnswer =
  | EventAnswer
  | { readonly outcome: "dead-letter"; readonly problem: Problem };

/** Answers in the order of the job's events. Rejects only when the store cannot be reached. */
export async function handleJob(
  engine: Engine,
  applier: Applier,
  job: JobLike,
): Promise<JobAnswer[]> {
  const reads = readEvents(job.data, job.enqueuedAt);
  return Promise.all(
    reads.map(async (read, index): Promise<JobAnswer> => {
      if (read.result === "event") return applier.apply(read.event);
      const { problem, data } = read;
      await buryUnreadable(engine, { id: `${job.id}.${index}`, problem, data });
      return { outcome: "dead-letter", problem };
    }),
  );
}

/**
 * A job whose worker died while it was under way. Its runs are counted before they begin: one that kills
 * its worker more than `crashLimit` times is a dead letter, and its data is kept as it came.
 */
export async function handleSuspect(
  engine: Engine,
  applier: Applier,
  { crashLimit, ...job }: JobLike & { readonly crashLimit: number },
): Promise<JobAnswer[]> {
  const runs = await countSuspectRun(engine.store, job.id);
  try {
    return runs > crashLimit
      ? await buryCrasher(engine, job, runs)
      : await handleJob(engine, applier, job);
  } finally {
    // A job that could not reach the store has not killed anybody: it comes again without a stain.
    await clearSuspect(engine.store, job.id);
  }
}

async function buryCrasher(engine: Engine, job: JobLike, crashes: number): Promise<JobAnswer[]> {
  const problem: Problem = {
    code: "JOB_CRASHED_WORKER",
    message: `Job ${job.id} was being worked on ${crashes} times when its worker died. Find out why before it is redriven.`,
  };
  await buryUnreadable(engine, { id: job.id, problem, data: job.data });
  return [{ outcome: "dead-letter", problem }];
}

async function buryUnreadable(
  engine: Engine,
  { id, problem, data }: { readonly id: string; readonly problem: Problem; readonly data: unknown },
): Promise<void> {
  const letter = { kind: "unreadable", id: `job:${id}`, at: engine.now(), problem, data } as const;
  await bury(engine.store, letter);
}
