/**
 * Accepted events become committed decisions. Events that arrive together share one round trip;
 * actors come from a small cache first, which is safe because a commit on an outdated actor changes
 * nothing and brings the present one back.
 *
 * What a crash leaves behind: before the commit nothing, after it everything. The job is taken again
 * and finds its events answered.
 */
import type { ArrivedEvent } from "../core/arrival.ts";
import type { Problem } from "../core/errors.ts";
import { EngineError } from "../core/errors.ts";
import { groupBy } from "../core/group-by.ts";
import type { CommitResult } from "../store/actor-store.ts";
import { commitActors, loadStoredActors } from "../store/actor-store.ts";
import { bury } from "../store/dead-letter-store.ts";
import { shardOf } from "../store/keys.ts";
import { isKeyMissing } from "../store/seal.ts";
import { openActor } from "../store/sealed-texts.ts";
import type { Engine } from "./engine.ts";
import type { EventAnswer } from "./event-answer.ts";
import { answerOf, repeatOf } from "./event-answer.ts";
import type { FirstAnswer } from "./event-identity.ts";
import { contentOf, decodeAnswer, letterIdOf, markOf } from "./event-identity.ts";
import { Gatherer } from "./gatherer.ts";
import type { Happening, ItemPlan } from "./item-plan.ts";
import { planEvents, planTurn } from "./item-plan.ts";
import type { EventTask, ItemTasks, Task } from "./item-tasks.ts";
import { groupByItem, itemOf, rejectAll } from "./item-tasks.ts";

/** Events handled together. Larger batches gained nothing and hold Redis longer. */
const COMMIT_MAX = 128;

/** Actors kept in memory, as their stored text; about 1 KB each. */
const CACHE_MAX = 10_000;

/** Lost races after which an event goes back to the queue; each lost race means another's success. */
const TRIES_MAX = 100;

interface Planned {
  readonly item: ItemTasks;
  readonly plan: ItemPlan;
}

export class Applier {
  readonly #engine: Engine;
  readonly #tasks: Gatherer<Task>;
  readonly #cache = new Map<string, string>();

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#tasks = new Gatherer({
      batchMax: COMMIT_MAX,
      sideBySide: 2,
      keyOf: itemOf,
      handle: (tasks) => this.#handle(tasks),
      soon: engine.soon,
    });
  }

  /** Resolves when the event's outcome is committed. Rejects when the store cannot be reached. */
  apply(event: ArrivedEvent): Promise<EventAnswer> {
    return new Promise((resolve, reject) => {
      const [mark, content] = [markOf(event), contentOf(event)];
      this.#tasks.add({ kind: "event", event, mark, content, resolve, reject, tries: 0 });
    });
  }

  /** Lets time act on an item: timers that are due, events parked too long. */
  applyDue(itemId: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#tasks.add({ kind: "turn", itemId, resolve, reject, tries: 0 });
    });
  }

  /** Tells an item's clocks what the engine has seen. Nothing is written when none of them cares. */
  tellClocks(itemId: string, happening: Happening): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#tasks.add({ kind: "turn", itemId, happening, resolve, reject, tries: 0 });
    });
  }

  async #handle(tasks: Task[]): Promise<void> {
    const items = groupByItem(tasks);
    try {
      await this.#readMissing(items);
    } catch (error) {
      for (const item of items) rejectAll(item, error);
      return;
    }
    const planned = items.map((item) => this.#plan(item)).filter((each) => each !== undefined);
    const { layout } = this.#engine.store;
    const shards = groupBy(planned, ({ item }) => shardOf(layout, item.itemId));
    // Sent in one turn of the event loop, they travel in one write, and one fsync serves them all.
    await Promise.all([...shards].map(([shard, each]) => this.#commit(shard, each)));
  }

  async #commit(shard: number, planned: readonly Planned[]): Promise<void> {
    const { store, dedupeForMs } = this.#engine;
    try {
      const commits = planned.map(({ plan }) => plan.commit);
      const results = await commitActors(store, shard, { commits, dedupeForMs });
      for (const [index, { item, plan }] of planned.entries()) {
        const result = results[index];
        if (result !== undefined) this.#finish(shard, item, { plan, result });
      }
    } catch (error) {
      // The commit may or may not have been written: whoever asks again finds out by the marks.
      for (const { item } of planned) {
        this.#cache.delete(item.itemId);
        rejectAll(item, error);
      }
    }
  }

  /** `undefined` when the stored actor cannot be read, or a function of its machine's definition threw: the
   * event is a dead letter, others go on. Where its key is missing, all are rejected. */
  #plan(item: ItemTasks): Planned | undefined {
    const { store, machines, limits, clocks, asksAbout, now } = this.#engine;
    const setting = { machines, limits, clocks: clocks(), asksAbout, now: now() };
    const { itemId } = item;
    const stored = this.#cache.get(itemId);
    const isTurn = item.turns.length > 0;
    const happenings = item.turns.flatMap(({ happening }) => happening ?? []);
    try {
      const before = { itemId, stored, text: stored && openActor(store, itemId, stored) };
      const plan = isTurn
        ? planTurn(setting, before, happenings)
        : planEvents(setting, before, item.events);
      return { item, plan };
    } catch (error) {
      // Nobody's fault but the configuration's, and it passes: the events wait for the key in the queue.
      if (isKeyMissing(error)) {
        this.#cache.delete(itemId);
        rejectAll(item, error);
        return undefined;
      }
      const [first, ...others] = item.events;
      // One of them is at fault, and those that came with it must not go down with it.
      if (!isTurn && first !== undefined && others.length > 0) {
        return this.#plan({ ...item, events: [first], repeats: [...others, ...item.repeats] });
      }
      this.#cache.delete(item.itemId);
      for (const task of item.turns) task.reject(error);
      if (isTurn) this.#again(item.events);
      else if (first !== undefined) {
        const problem = planProblem(item.itemId, error);
        void this.#bury(first, letterIdOf(first.event), problem).catch(first.reject);
      }
      this.#again(item.repeats);
      return undefined;
    }
  }

  async #readMissing(items: readonly ItemTasks[]): Promise<void> {
    const missing = items.map(({ itemId }) => itemId).filter((itemId) => !this.#cache.has(itemId));
    if (missing.length === 0) return;
    const texts = await loadStoredActors(this.#engine.store, missing);
    for (const [index, itemId] of missing.entries()) this.#remember(itemId, texts[index]);
  }

  #finish(
    shard: number,
    item: ItemTasks,
    { plan, result }: { plan: ItemPlan; result: CommitResult },
  ): void {
    if (result.result === "committed") {
      this.#remember(item.itemId, result.sealed ?? plan.commit.actorText);
      for (const channel of plan.channels) this.#engine.wake({ shard, channel });
      for (const [index, task] of item.events.entries()) {
        const verdict = plan.verdicts[index];
        if (verdict !== undefined) task.resolve(answerOf(task.event, verdict));
      }
      // A turn leaves the events of its batch for the next one.
      if (item.turns.length > 0) this.#again(item.events);
      for (const task of item.turns) task.resolve();
      this.#again(item.repeats);
      return;
    }
    this.#remember(item.itemId, result.text);
    const answers = result.result === "duplicate" ? result.answers : [];
    const open = item.events.filter((task, index) => !this.#answerRepeat(task, answers[index]));
    this.#again([...open, ...item.repeats, ...item.turns]);
  }

  /** False when the event has not been answered before. */
  #answerRepeat(task: EventTask, answer: string | undefined): boolean {
    if (answer === undefined) return false;
    const first = decodeAnswer(answer);
    if (first.content === task.content) {
      task.resolve(repeatOf(task.event, first));
    } else {
      void this.#refuseReuse(task, first).catch(task.reject);
    }
    return true;
  }

  async #refuseReuse(task: EventTask, first: FirstAnswer): Promise<void> {
    const { event, content } = task;
    await this.#bury(task, `${letterIdOf(event)}.${content}`, {
      code: "EVENT_ID_REUSED",
      message: `Event ${event.id} of ${event.source} came before with other content, and was answered "${first.outcome}" then. Give each fact its own id, and send this one again.`,
    });
  }

  async #bury({ event, resolve }: EventTask, id: string, problem: Problem): Promise<void> {
    await bury(this.#engine.store, { kind: "event", id, at: this.#engine.now(), problem, event });
    resolve(answerOf(event, { outcome: "dead-letter", problem, revision: 0 }));
  }

  #again(tasks: readonly Task[]): void {
    const [open, spent] = [tasks.filter(isFresh), tasks.filter((task) => !isFresh(task))];
    for (const task of open) task.tries += 1;
    for (const task of spent) task.reject(contended(task));
    if (open.length > 0) this.#tasks.addFirst(open);
  }

  #remember(itemId: string, text: string | undefined): void {
    // Deleting first moves the item to the young end: the oldest one leaves when the cache is full.
    this.#cache.delete(itemId);
    if (text === undefined) return;
    this.#cache.set(itemId, text);
    if (this.#cache.size <= CACHE_MAX) return;
    const [oldest] = this.#cache.keys();
    if (oldest !== undefined) this.#cache.delete(oldest);
  }
}

/** A definition that throws must not take down the process that runs all other items. */
function planProblem(itemId: string, error: unknown): Problem {
  if (error instanceof EngineError) return { code: error.code, message: error.message };
  const said = error instanceof Error ? error.message : String(error);
  const message = `The machine's definition threw on item ${itemId}: ${said}. Its state is unchanged; mend the machine, then redrive the event.`;
  return { code: "MACHINE_FAILED", message };
}

function isFresh(task: Task): boolean {
  return task.tries < TRIES_MAX;
}

function contended(task: Task): EngineError {
  const itemId = itemOf(task);
  return new EngineError(
    "COMMIT_CONTENDED",
    `Item ${itemId} was committed by others ${TRIES_MAX} times in a row. The event goes back to the queue.`,
  );
}
