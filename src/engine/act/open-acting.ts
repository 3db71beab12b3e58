/**
 * What operators' actions work with in a process that answers others: every wait has an end, and what
 * hears of outcomes is opened when somebody first waits for one.
 */
import { EngineError } from "../../core/errors.ts";
import type { Limits } from "../../core/decision.ts";
import type { IntakeQueue } from "../../queue/intake-queue.ts";
import { type JobAnswers, openJobAnswers } from "../../queue/job-answers.ts";
import type { EventSchemas } from "../../queue/producer.ts";
import type { QueueLink } from "../../queue/queues.ts";
import { takesNoWrites } from "../../store/write-refusal.ts";
import type { JobAnswer } from "../handle-job.ts";
import type { Reading } from "../reading.ts";
import type { Acting } from "./acting.ts";

/** An answer takes milliseconds while workers run; without them nobody should wait for longer. */
const PATIENCE_MS = 5_000;

export interface OpenActing extends Acting {
  /**
   * To be awaited before anything is done.
   * @throws EngineError STORE_LAYOUT_MISMATCH, POLICY_INVALID
   */
  readonly ready: () => Promise<void>;
  /** Whether an error says that Redis is away or takes no writes: the same may be asked again. */
  readonly isOutage: (error: unknown) => boolean;
  readonly close: () => Promise<void>;
}

export interface ActingOptions {
  /** Its store writes as well, once: what was not answered when a connection breaks is not sent again. */
  readonly reading: Reading;
  readonly queue: Pick<IntakeQueue, "add">;
  readonly link: QueueLink;
  readonly schemas: EventSchemas;
  readonly limits: Limits;
  readonly asksAbout?: Acting["asksAbout"];
  /** Longest wait until answers can be heard, ms. */
  readonly timeoutMs: number;
  /** Longest wait for an event's outcome, ms. */
  readonly patienceMs?: number;
}

export function openActing(options: ActingOptions): OpenActing {
  const { reading, queue, link, schemas, limits, asksAbout, timeoutMs } = options;
  const { store, machines, clocks } = reading;
  let opened: JobAnswers<JobAnswer> | undefined;
  return {
    store,
    machines,
    clocks,
    schemas,
    limits,
    asksAbout,
    frontDoor: {
      add: queue.add,
      patienceMs: options.patienceMs ?? PATIENCE_MS,
      answers: async () => {
        opened ??= openJobAnswers(link);
        await within(timeoutMs, opened.ready);
        return opened;
      },
    },
    ready: async () => {
      await reading.ready();
      await reading.refreshClocks();
    },
    isOutage: (error) => reading.isOutage(error) || isUntaken(error),
    close: async () => opened?.close(),
  };
}

async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const why = `Redis has not answered for ${timeoutMs} ms. Try again.`;
    timer = setTimeout(() => reject(new EngineError("INTAKE_UNAVAILABLE", why)), timeoutMs);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function isUntaken(error: unknown): boolean {
  if (error instanceof EngineError) return error.code === "INTAKE_UNAVAILABLE";
  return takesNoWrites(error) || (error instanceof Error && isBroken(error));
}

/** ioredis gives up a transaction whose connection broke before all was answered. */
function isBroken({ message }: Error): boolean {
  return message.startsWith("Command aborted") || message.startsWith("The connection broke");
}
