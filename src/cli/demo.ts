/**
 * `orderwright demo`: shows on this machine, in seconds and without an account, that the engine does
 * what it says. Stories about order items go through the front door as plain BullMQ jobs; what came of
 * them is read back from the journals and the sandbox marketplace's log, and compared.
 *
 * Always true: it ends by itself, at the latest with its deadline, and leaves nothing behind, neither
 * a process, a folder nor a key.
 */
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { loadConfig, type Config, type Environment } from "../config.ts";
import { EngineError } from "../core/errors.ts";
import { createLifecycle } from "../lifecycle.ts";
import { createLogger } from "../logger.ts";
import { arrivalStories } from "./demo-arrivals.ts";
import { type Result, resultOf, type Totals, totalsOf } from "./demo-evidence.ts";
import { pairStories } from "./demo-pairs.ts";
import { type DemoRedis, openDemoRedis } from "./demo-redis.ts";
import { refusalStories } from "./demo-refusals.ts";
import { gather, openStage, type Stage, tell } from "./demo-stage.ts";
import { calendarAt, type Calendar, type Story } from "./demo-story.ts";
import { faultsOf, summaryOf, tableOf } from "./demo-table.ts";
import { workflowStories } from "./demo-workflows.ts";
import { complain } from "./output.ts";

export interface DemoOptions {
  /** One line of JSON instead of the table. */
  readonly json: boolean;
  /** Takes stdout's text: whole lines, without the last line's end. */
  readonly out: (text: string) => void;
  /** Default: the process's own. Everything that decides where Redis is counts. */
  readonly env?: Environment;
}

/** The stories take about two seconds; a machine that needs longer than this has a fault. */
const DEADLINE_MS = 15_000;
/** For closing, and for one last look when the deadline has passed, ms. */
const CLOSE_TIMEOUT_MS = 4_000;
const LAST_LOOK_MS = 1_000;

/** 128 and the signal's number, as shells say it. */
const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Runs the demonstration and resolves to the exit code: 0 only when everything is as expected, 128 and
 * the signal's number after SIGINT or SIGTERM.
 * @throws EngineError CONFIG_INVALID; REDIS_UNREACHABLE; and whatever `startEmbeddedRedis` throws
 */
export async function runDemo({ json, out, env = process.env }: DemoOptions): Promise<number> {
  const config = loadConfig(env);
  const calendar = calendarAt(Date.now());
  const stories = storiesOf(calendar);
  const interruption = awaitSignals();
  try {
    const redis = await openDemoRedis(config.redis);
    let played: Played | undefined;
    try {
      if (!json) out(introduction(redis, stories, calendar));
      played = await play(stories, { config, redis, interrupted: interruption.signal });
    } finally {
      await redis.close();
    }
    if (played === undefined) {
      complain("Interrupted. Everything is closed.");
      return interruption.exitCode();
    }
    out(json ? JSON.stringify(played.totals) : reportOf(played));
    if (isGood(played)) return 0;
    if (played.ending === "late") complain(`Not settled within ${DEADLINE_MS / 1_000} s:`);
    complain(faultsOf(played.results));
    return 1;
  } finally {
    interruption.end();
  }
}

function storiesOf(calendar: Calendar): Story[] {
  return [
    ...workflowStories(calendar),
    ...pairStories(calendar),
    ...refusalStories(calendar),
    ...arrivalStories(calendar),
  ];
}

interface Played {
  readonly ending: "settled" | "late";
  readonly results: readonly Result[];
  readonly totals: Totals;
  readonly tookMs: number;
}

interface Setting {
  readonly config: Config;
  readonly redis: DemoRedis;
  readonly interrupted: AbortSignal;
}

/** Undefined when it was interrupted. */
async function play(stories: readonly Story[], setting: Setting): Promise<Played | undefined> {
  const { config, redis, interrupted } = setting;
  const begunAt = performance.now();
  const lifecycle = createLifecycle({ timeoutMs: CLOSE_TIMEOUT_MS, log: createLogger("silent") });
  const stop = stopAt(DEADLINE_MS, interrupted);
  let stage: Stage | undefined;
  const telling = (async () => {
    stage = await openStage(config, redis, lifecycle);
    await tell(stage, stories, stop.signal);
  })();
  try {
    await Promise.race([telling, untilAborted(stop.signal)]);
    if (interrupted.aborted) return undefined;
    const ending = stop.signal.aborted ? "late" : "settled";
    const tookMs = performance.now() - begunAt;
    const evidence = stage && (await inTime(gather(stage, stories)));
    if (evidence === undefined) throw silent(redis);
    const results = stories.map((story) => resultOf(story, evidence));
    return { ending, results, totals: totalsOf(results, evidence), tookMs };
  } finally {
    stop.end();
    // What is still being opened could not be closed.
    const isOver = await inTime(Promise.allSettled([telling]));
    const closing = await lifecycle.shutdown("the demonstration is over");
    if (isOver === undefined || closing.outcome !== "closed") leaveConnections();
  }
}

/** Connections whose Redis has gone look for it for ever, and would keep the process. */
function leaveConnections(): void {
  setTimeout(() => process.exit(), LAST_LOOK_MS).unref();
}

/** Not AbortSignal.any with a timeout signal: Node 20 may collect that one before it fires. */
function stopAt(
  timeoutMs: number,
  interrupted: AbortSignal,
): { readonly signal: AbortSignal; readonly end: () => void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, timeoutMs);
  if (interrupted.aborted) abort();
  else interrupted.addEventListener("abort", abort, { once: true });
  return { signal: controller.signal, end: () => clearTimeout(timer) };
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

/** Undefined when Redis does not answer any more. */
async function inTime<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  const waiting = new AbortController();
  const late = delay(LAST_LOOK_MS, undefined, { signal: waiting.signal });
  try {
    return await Promise.race([answer, late]);
  } finally {
    waiting.abort();
  }
}

function silent({ place }: DemoRedis): EngineError {
  return new EngineError(
    "REDIS_UNREACHABLE",
    `The demonstration could not be judged: ${place} does not answer, or too slowly. See why, then start it again.`,
  );
}

interface Interruption {
  readonly signal: AbortSignal;
  readonly exitCode: () => number;
  readonly end: () => void;
}

/** A signal ends the demonstration instead of the process, so that nothing is left behind. */
function awaitSignals(): Interruption {
  const controller = new AbortController();
  let exitCode: number = INTERRUPTED.SIGINT;
  const listener = (signal: NodeJS.Signals): void => {
    if (signal === "SIGTERM") exitCode = INTERRUPTED.SIGTERM;
    controller.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, listener);
  return {
    signal: controller.signal,
    exitCode: () => exitCode,
    end: () => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, listener);
    },
  };
}

function isGood({ ending, totals }: Played): boolean {
  const { items, asExpected, lost, duplicates, outOfOrder } = totals;
  return ending === "settled" && asExpected === items && lost + duplicates + outOfOrder === 0;
}

function reportOf({ results, totals, tookMs }: Played): string {
  return `
${tableOf(results)}

${summaryOf(totals, tookMs)}

Next: "npm start" runs all of this on this machine and keeps it; "npx orderwright --help" shows what
to do with it.`;
}

function introduction(redis: DemoRedis, stories: readonly Story[], calendar: Calendar): string {
  const { text, date } = calendar.appointment;
  return `${stories.length} order items, told as BullMQ jobs to the queue crm-events; workers, a sandbox marketplace and
${redis.place}.

The lifecycle page's appointment is "Tuesday, Jan 15", 2025: past by now, and a Wednesday. Here it is
Tuesday, ${text}, ${date.slice(0, 4)}; the page's own date is refused, as bad-printed-example and bad-past-date show.`;
}
