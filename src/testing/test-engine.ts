/**
 * `orderwright/testing`: the engine for a test of your machine. It is the real one, over a Redis in memory
 * and a marketplace that you script, on a clock that you turn: a process of thirty days takes milliseconds.
 *
 *   const engine = await startTestEngine({ machines: [refundDefinition], now: "2026-03-02T09:00:00Z" });
 *   await engine.send({ type: "refund.requested", subject: "r-1", data: { … } });
 *   await engine.advance({ days: 2 });
 *   expect(engine.notices).toMatchObject([{ itemId: "r-1", name: "askToDecide" }]);
 *
 * Always true: when a call resolves, all that it brings about has happened; the same calls give the same
 * journals. It needs no Redis, no network and no fake timers, and there is nothing to close.
 */
import { encodeActor } from "../core/actor.ts";
import type { Limits } from "../core/decision.ts";
import type { MachineDefinition } from "../core/definition.ts";
import { EngineError } from "../core/errors.ts";
import { registerMachines } from "../core/machine.ts";
import { replayAll } from "../core/replay.ts";
import type { Notice } from "../engine/notice.ts";
import { describeItem, type ItemDescription } from "../engine/describe-item.ts";
import type { EventAnswer } from "../engine/event-answer.ts";
import { handleJob } from "../engine/handle-job.ts";
import { letterOf, redrive, type Redriven, skip, type Skipped } from "../engine/redrive.ts";
import type { MergePolicy } from "../offergrid/push-merge.ts";
import { clockworkOf, DEFAULT_CLOCKS } from "../sla/clockwork.ts";
import type { Policy } from "../sla/policy.ts";
import { loadActors } from "../store/actor-store.ts";
import { type DeadLetter, listDeadLetters } from "../store/dead-letter-store.ts";
import { readJournal } from "../store/item-store.ts";
import { isoOf, readMoment, readSpan, type Span } from "./moment.ts";
import { policySetter } from "./policy-setter.ts";
import { MarketplaceModel, type Push, type TestMarketplace } from "./test-marketplace.ts";
import { Timeline } from "./timeline.ts";

export { EngineError } from "../core/errors.ts";
export { DEFAULT_POLICY } from "../sla/default-policy.ts";
export type { Policy } from "../sla/policy.ts";
export type { Span } from "./moment.ts";
export type {
  MarketplaceAnswer,
  MarketplaceRequest,
  Push,
  TestMarketplace,
} from "./test-marketplace.ts";

/** A CloudEvent as a producer sends it, where nobody need fill in what does not matter. */
export interface TestEvent {
  readonly type: string;
  /** Item id. */
  readonly subject: string;
  /** Default `{}`. */
  readonly data?: object;
  /** Default "test". */
  readonly source?: string;
  /** Default "event-1", "event-2" … */
  readonly id?: string;
  /** When it happened, ISO 8601 with an offset. Default: now. */
  readonly time?: string;
  readonly sequence?: string | number;
  readonly sequencetype?: "Integer";
  readonly account?: string;
}

/** A notice to the operators, as they got it. */
export interface ToldNotice extends Notice {
  /** ms since the epoch. */
  readonly at: number;
  /** The same as ISO 8601 in UTC. */
  readonly time: string;
}

/** How pushes of a marketplace account leave. */
export interface TestAccount {
  /** Requests a minute. Default null: no limit. */
  readonly limitPerMinute?: number | null;
  /** Default "every". */
  readonly policy?: MergePolicy;
}

export interface TestEngineOptions {
  /** Several versions of one machine: the newest first. */
  readonly machines: readonly MachineDefinition[];
  /** Where the clock starts: ISO 8601 with an offset, or ms. Default 2026-01-01T00:00:00Z. */
  readonly now?: string | number;
  /** What differs from the limits of a deployment that configures nothing. */
  readonly limits?: Partial<Limits>;
  /** The SLA policy. Default: that of a deployment that has none of its own. */
  readonly policy?: Policy;
  /** By name. Every account that a machine names is there; only limits and merging need saying. */
  readonly accounts?: Readonly<Record<string, TestAccount>>;
  /** Moments at which something may fall due in one call: a machine that sets a timer again and again is
   * stopped there. Default 100,000; raise it when a test advances that far. */
  readonly momentsMax?: number;
}

export interface TestEngine {
  /** What time it is, ms since the epoch. */
  readonly now: number;
  /** The same as ISO 8601 in UTC. */
  readonly time: string;
  /** Like a job of the queue: resolves with what became of the event, faulty or not; effects that leave at
   * once have been delivered then. */
  readonly send: (event: TestEvent) => Promise<EventAnswer>;
  /** All of them at one moment; those of one item in this order. Answers stand in the order of the events. */
  readonly sendAll: (events: readonly TestEvent[]) => Promise<readonly EventAnswer[]>;
  /**
   * Time passes. Whatever falls due happens at its own moment and in the order of the moments: timers, the
   * end of parked events, repeats of pushes.
   * @throws RangeError for what is no span of time, and past `momentsMax`
   */
  readonly advance: (span: Span) => Promise<void>;
  /** @throws RangeError also for a moment that has passed */
  readonly advanceTo: (moment: string | number) => Promise<void>;
  /**
   * Another SLA policy is in force, as after `orderwright policy set`: all open clocks are measured by it,
   * and what it puts into the past is told.
   * @throws EngineError POLICY_INVALID also for a version that had other content before
   */
  readonly setPolicy: (policy: Policy) => Promise<void>;
  /** What `orderwright show --json` prints; `undefined` when nothing is known of the item. */
  readonly item: (itemId: string) => Promise<ItemDescription | undefined>;
  /** The item's status; `undefined` while nobody has announced it. */
  readonly status: (itemId: string) => Promise<string | undefined>;
  /** Updates that the marketplace has taken, the oldest first. */
  readonly pushes: readonly Push[];
  /** What operators were told, the oldest first. */
  readonly notices: readonly ToldNotice[];
  readonly marketplace: TestMarketplace;
  /** What waits for a person, the newest first; at most 1,000. */
  readonly deadLetters: () => Promise<readonly DeadLetter[]>;
  /** What `orderwright retry` does. @throws EngineError DEADLETTER_UNKNOWN */
  readonly retry: (letterId: string) => Promise<Redriven>;
  /** What `orderwright skip` does. @throws EngineError DEADLETTER_UNKNOWN */
  readonly skip: (letterId: string, reason: string) => Promise<Skipped>;
  /**
   * The journal explains the item: replayed, it gives the stored bytes.
   * @throws EngineError ITEM_UNKNOWN, or REPLAY_MISMATCH when the machine is not pure
   */
  readonly assertReplays: (itemId: string) => Promise<void>;
}

const START = "2026-01-01T00:00:00Z";

const HOUR_MS = 3_600_000;

const MOMENTS_MAX = 100_000;

const DEDUPE_FOR_MS = 7 * 24 * HOUR_MS;

/** Those of a deployment that configures nothing. */
const LIMITS: Limits = {
  parkedForMs: HOUR_MS / 4,
  unknownItemForMs: 24 * HOUR_MS,
  parkedMax: 50,
  journalMax: 10_000,
  timersPerDecision: 100,
};

const DEAD_LETTERS_MAX = 1_000;

/** @throws EngineError MACHINE_INVALID with every fault of a machine */
export async function startTestEngine(options: TestEngineOptions): Promise<TestEngine> {
  const { accounts = {} } = options;
  const notices: ToldNotice[] = [];
  const now = (): number => timeline.now;
  const marketplace = new MarketplaceModel(now);
  const timeline: Timeline = await Timeline.open({
    machines: registerMachines(options.machines),
    limits: { ...LIMITS, ...options.limits },
    clocks: options.policy === undefined ? DEFAULT_CLOCKS : clockworkOf(options.policy),
    dedupeForMs: DEDUPE_FOR_MS,
    now: readMoment(options.now ?? START),
    momentsMax: options.momentsMax ?? MOMENTS_MAX,
    accountOf: (name) => ({
      name,
      client: marketplace.client,
      limitPerMinute: accounts[name]?.limitPerMinute ?? null,
      policy: accounts[name]?.policy ?? "every",
    }),
    tell: (notice) => notices.push({ ...notice, at: now(), time: isoOf(now()) }),
  });
  return {
    get now() {
      return now();
    },
    get time() {
      return isoOf(now());
    },
    get pushes() {
      return marketplace.requests.filter(({ applied }) => applied).map(pushOf);
    },
    notices,
    marketplace,
    ...inbound(timeline),
    setPolicy: policySetter(timeline),
    ...outlook(timeline),
  };
}

type Inbound = "send" | "sendAll" | "advance" | "advanceTo" | "retry" | "skip";

/** What a test does to the engine. */
function inbound(timeline: Timeline): Pick<TestEngine, Inbound> {
  const { engine } = timeline;
  const tell = teller(timeline);
  const setting = {
    store: engine.store,
    now: engine.now,
    enqueue: async (data: unknown) => void (await tell(data as TestEvent)),
  };
  return {
    send: (event) => timeline.run(() => tell(event)),
    sendAll: (events) => timeline.run(() => Promise.all(events.map(tell))),
    advance: async (span) => {
      const spanMs = readSpan(span);
      await timeline.advanceTo(() => timeline.now + spanMs);
    },
    advanceTo: async (moment) => {
      const at = readMoment(moment);
      await timeline.advanceTo(() => at);
    },
    retry: (letterId) =>
      timeline.run(async () => {
        const redriven = await redrive(setting, await letterOf(engine.store, letterId));
        await timeline.wakeAll();
        return redriven;
      }),
    skip: (letterId, reason) =>
      timeline.run(async () => {
        const skipped = await skip(setting, await letterOf(engine.store, letterId), reason);
        await timeline.wakeAll();
        return skipped;
      }),
  };
}

type Outlook = "item" | "status" | "deadLetters" | "assertReplays";

/** What a test asks of the engine. */
function outlook({ engine }: Timeline): Pick<TestEngine, Outlook> {
  const item = (itemId: string): Promise<ItemDescription | undefined> =>
    describeItem(engine, itemId, engine.now());
  return {
    item,
    status: async (itemId) => (await item(itemId))?.state?.status,
    deadLetters: () => listDeadLetters(engine.store, DEAD_LETTERS_MAX),
    assertReplays: async (itemId) => {
      const [stored] = await loadActors(engine.store, [itemId]);
      if (stored === undefined) {
        throw new EngineError("ITEM_UNKNOWN", `Nothing is known of item ${itemId}.`);
      }
      const journal = await readJournal(engine.store, itemId);
      const replayed = replayAll(engine.machines, itemId, journal);
      const again = replayed && encodeActor(replayed);
      if (again === stored) return;
      throw new EngineError(
        "REPLAY_MISMATCH",
        `The journal of item ${itemId} gives ${again}, and stored is ${stored}. The machine is not pure.`,
      );
    },
  };
}

/** Through the front door, as a job of the queue: whatever a stranger might send. */
function teller({ engine, applier }: Timeline): (event: TestEvent) => Promise<EventAnswer> {
  let count = 0;
  return async (event) => {
    count += 1;
    const id = `event-${count}`;
    const time = isoOf(engine.now());
    // As JSON carries it: a field that is undefined is absent, a Date is text.
    const written = JSON.parse(JSON.stringify(event)) as TestEvent;
    const data = { specversion: "1.0", id, source: "test", time, ...written };
    const job = { id: `job-${count}`, data, enqueuedAt: engine.now() };
    const [answer] = await handleJob(engine, applier, job);
    if (answer === undefined) throw new TypeError("an event without an answer");
    if ("id" in answer) return answer;
    const { source, subject } = data;
    return { id: data.id, source, subject, revision: 0, ...answer };
  };
}

function pushOf({ itemId, status, body, at, time }: Push): Push {
  return { itemId, status, body, at, time };
}
