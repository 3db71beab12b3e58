/**
 * Plays the demonstration's week on the engine of orderwright/testing, whose clock is turned from step to
 * step, and gathers what is recorded of it. Nothing here knows what is expected.
 */
import { orderItemDefinition } from "../../machines/order-item/definition.ts";
import type { JournalEntry } from "../core/journal.ts";
import { registerMachines } from "../core/machine.ts";
import { factsOf } from "../engine/fulfilment-facts.ts";
import { type FulfilmentFigures, FulfilmentSum } from "../engine/fulfilment-figures.ts";
import type { EventAnswer } from "../engine/event-answer.ts";
import type { ItemDescription } from "../engine/describe-item.ts";
import {
  type Push,
  startTestEngine,
  type TestEngine,
  type ToldNotice,
} from "../testing/test-engine.ts";
import { POLICY } from "./demo-sla-policy.ts";
import { BEGIN, END, type Item, ITEMS, momentOf, type Step } from "./demo-sla-story.ts";

export interface ItemWeek {
  readonly item: Item;
  readonly description: ItemDescription;
  readonly journal: readonly JournalEntry[];
  /** Its journal, replayed, gives what is stored. */
  readonly isReplayed: boolean;
}

export interface Week {
  readonly items: readonly ItemWeek[];
  /** By the id of the event. */
  readonly answers: ReadonlyMap<string, EventAnswer>;
  readonly notices: readonly ToldNotice[];
  /** Updates that the marketplace has taken. */
  readonly pushes: readonly Push[];
  readonly figures: FulfilmentFigures;
}

/** The id of a step's event. */
export function eventIdOf(steps: readonly Step[], step: Step): string {
  return `step-${steps.indexOf(step) + 1}`;
}

export async function playWeek(steps: readonly Step[]): Promise<Week> {
  const machines = [orderItemDefinition()];
  const engine = await startTestEngine({ machines, now: momentOf(BEGIN), policy: POLICY });
  const answers = new Map<string, EventAnswer>();
  for (const step of steps) {
    await engine.advanceTo(momentOf(step.at));
    if (step.kind === "policy") {
      await engine.setPolicy(step.policy);
      continue;
    }
    const id = eventIdOf(steps, step);
    answers.set(id, await tell(engine, step, id));
  }
  await engine.advanceTo(momentOf(END));
  const items = await Promise.all(ITEMS.map((item) => weekOf(engine, item)));
  const { notices, pushes } = engine;
  const figures = new FulfilmentSum();
  for (const { journal } of items) {
    const facts = factsOf(journal, registerMachines(machines));
    if (facts !== undefined) figures.add(facts, { since: -Infinity, until: Infinity });
  }
  return { items, answers, notices, pushes, figures: figures.figures() };
}

async function tell(
  engine: TestEngine,
  step: Extract<Step, { readonly kind: "event" }>,
  id: string,
): Promise<EventAnswer> {
  const { item, type, data, happenedAt = step.at } = step;
  const time = momentOf(happenedAt);
  // A reseller's order says when it was made: answers are measured from there.
  const made = type === "order.received" ? { createdAt: time } : {};
  return engine.send({ id, type, subject: item, source: "crm", time, data: { ...data, ...made } });
}

async function weekOf(engine: TestEngine, item: Item): Promise<ItemWeek> {
  const description = await engine.item(item);
  if (description === undefined) throw new TypeError(`nothing is known of item ${item}`);
  const isReplayed = await engine.assertReplays(item).then(
    () => true,
    () => false,
  );
  return { item, description, journal: description.journal, isReplayed };
}
