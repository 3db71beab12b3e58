/**
 * The two ways in: over HTTP to an API process, and straight into the BullMQ queue. Either resolves only
 * when the events were acknowledged, and rejects in every other case: they may have arrived or not.
 */
import type { Queue } from "bullmq";
import { request } from "undici";
import type { CloudEvent } from "../core/event.ts";
import { EngineError } from "../core/errors.ts";
import { addJobs, newJob, packJobs } from "../queue/producer.ts";

export interface FrontDoor {
  readonly name: string;
  readonly hand: (events: readonly CloudEvent[]) => Promise<void>;
}

/** A producer asks again after this, ms; so no wait is without an end. */
const PATIENCE_MS = 4_000;

/** Of an API process: `url` without a slash at the end. */
export function httpDoor(url: string): FrontDoor {
  return {
    name: url,
    hand: async (events) => {
      const { statusCode, body } = await request(`${url}/v1/events`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(events),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const text = await body.text();
      if (statusCode !== 202) throw refused(`${url} answered ${statusCode}: ${text}`);
      assertAllTaken(text);
    },
  };
}

/** A 202 tells of each event by itself; lives are valid, so every one of them has to be taken. */
function assertAllTaken(text: string): void {
  const { results } = JSON.parse(text) as { readonly results: readonly { outcome: string }[] };
  const other = results.find(({ outcome }) => outcome !== "accepted");
  if (other !== undefined) throw refused(`an event was answered ${JSON.stringify(other)}`);
}

export function queueDoor(queue: Queue): FrontDoor {
  return {
    name: "queue",
    hand: async (events) => {
      const jobs = packJobs(events).map((each) => newJob(each));
      await within(PATIENCE_MS, addJobs(queue, jobs));
    },
  };
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(refused(`the queue did not answer within ${ms} ms`)), ms);
  });
  // What comes after the time limit is heard by nobody, and must not end the process.
  work.catch(() => undefined);
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function refused(message: string): EngineError {
  return new EngineError("INTAKE_UNAVAILABLE", message);
}
