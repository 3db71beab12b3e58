/** Many events from a file: all are checked before any is sent, and up to 100 go in one job. */
import { EngineError } from "../core/errors.ts";
import type { JobAnswer } from "../engine/handle-job.ts";
import { openJobAnswers } from "../queue/job-answers.ts";
import {
  addJobs,
  checkEvent,
  type EventSchemas,
  newJob,
  type NewJob,
  packJobs,
} from "../queue/producer.ts";
import { CRM_EVENTS, openQueue } from "../queue/queues.ts";
import { exitCodeOf, tally } from "./answer-text.ts";
import { completedEvent, type EventDefaults } from "./event-arguments.ts";
import { complain, print, printJson } from "./output.ts";
import { type ConfigOption, type Session, withSession } from "./session.ts";
import { count } from "./text-layout.ts";

/** Faulty lines and refused events that are told one by one. */
const TOLD_MAX = 20;

export interface FileToSend extends ConfigOption {
  readonly text: string;
  readonly schemas: EventSchemas;
  readonly source: string;
  readonly defaults: (source: string) => EventDefaults;
  readonly wait: boolean;
  readonly unchecked?: true;
  readonly json?: true;
  readonly patienceMs: number;
}

export async function sendFile(file: FileToSend): Promise<void> {
  const events = readLines(file);
  const jobs = packJobs(events).map((job) => newJob(job.length === 1 ? job[0] : job));
  await withSession(file, async (session) => {
    const answers = await answersTo(session, jobs, file);
    report(events.length, answers, file);
  });
}

interface FileEvent {
  readonly subject: string;
}

function readLines({ text, schemas, source, defaults, unchecked }: FileToSend): FileEvent[] {
  const faults: string[] = [];
  const events = text.split(/\r?\n/).flatMap((line, index): FileEvent[] => {
    if (line.trim() === "") return [];
    const event = completedEvent(line, defaults(source));
    if (event === undefined) {
      faults.push(`line ${index + 1}: EVENT_NOT_JSON: it is no JSON object: ${line.slice(0, 80)}`);
      return [];
    }
    if (unchecked === true) return [{ subject: "", ...event }];
    const checked = checkEvent(schemas, event, Date.now());
    if (checked.result === "event") return [checked.event];
    faults.push(`line ${index + 1}: ${checked.problem.code}: ${checked.problem.message}`);
    return [];
  });
  if (faults.length === 0) return events;
  const told = faults.slice(0, TOLD_MAX);
  const more = faults.length > told.length ? [`and ${faults.length - told.length} more`] : [];
  throw new EngineError(
    "EVENT_INVALID",
    [`Nothing was sent: ${count(faults.length, "faulty line")}.`, ...told, ...more].join("\n  "),
  );
}

async function answersTo(
  { link }: Session,
  jobs: readonly NewJob[],
  { wait, patienceMs }: FileToSend,
): Promise<JobAnswer[] | undefined> {
  const { queue, close } = openQueue(CRM_EVENTS, link);
  const ids = jobs.map(({ id }) => id);
  const listening = wait ? openJobAnswers<JobAnswer>(link) : undefined;
  try {
    await listening?.ready;
    const expected = listening?.expect(ids);
    await addJobs(queue, jobs);
    const answers = await expected?.wait(patienceMs);
    return answers && [...answers.values()].flat();
  } finally {
    await listening?.close();
    await close();
  }
}

function report(sent: number, answers: JobAnswer[] | undefined, { json }: FileToSend): void {
  const refused = (answers ?? []).filter((answer) => exitCodeOf(answer) === 1);
  if (refused.length > 0) process.exitCode = 1;
  if (json) {
    printJson({ sent, answers: answers ?? null });
    return;
  }
  if (answers === undefined) {
    print(`Queued ${count(sent, "event")}.`);
    return;
  }
  const open = sent - answers.length;
  print(`Sent ${count(sent, "event")}: ${tally(answers) || "none answered yet"}.`);
  for (const { problem } of refused.slice(0, TOLD_MAX)) {
    print(`  ${problem?.code}: ${problem?.message}`);
  }
  if (refused.length > TOLD_MAX) print(`  and ${refused.length - TOLD_MAX} more`);
  if (open > 0) complain(`${count(open, "event")} in the queue without an answer yet.`);
}
