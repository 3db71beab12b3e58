/**
 * Asks whether an item can be served, and tells the item the answer.
 *
 * Always true: nothing is asked about an item that was answered meanwhile; an answer takes effect as an
 * event, which the item takes once and only while it waits; whatever is no clear yes or no asks a person.
 * A crash between answer and event asks again, and one after the event finds the item answered.
 */
import { decodeActor, isLiving, type LivingActor } from "../core/actor.ts";
import type { ArrivedEvent } from "../core/arrival.ts";
import type { JsonObject } from "../core/event.ts";
import type { Machine } from "../core/machine.ts";
import { questionOf, type Why } from "../core/serviceability.ts";
import type { WebhookClient } from "../notices/webhook-client.ts";
import {
  answerEvent,
  type Asked,
  type Templates,
  undecidedEvent,
} from "../serviceability/answer-event.ts";
import { questionMessage } from "../serviceability/question.ts";
import { checkVerdict, describeAnswer } from "../serviceability/verdict.ts";
import { loadActors } from "../store/actor-store.ts";
import type { Lane, Settlement } from "../store/outbox-store.ts";
import type { Applier } from "./apply-events.ts";
import type { Engine } from "./engine.ts";
import { again, type Delivery, delivered, headOf, superseded } from "./settlement.ts";

/** Questions under way at a time, of one account. */
export const CHECKS_AT_ONCE = 16;

/** Who is asked for an account, and in which words the answer is passed on. */
export interface ServiceabilityCheck {
  readonly client: WebhookClient;
  readonly templates: Templates;
}

export interface CheckContext {
  readonly engine: Engine;
  readonly applier: Applier;
  readonly channel: string;
  /** Absent: the account's auto-accept was switched off since it asked. */
  readonly check: ServiceabilityCheck | undefined;
  /** Whether the lane is still ours for as long as it takes to send. */
  readonly isHeld: () => boolean;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Whether new items are asked about: those of these accounts whose machine has a question. */
export function askingFor(
  configured: readonly { readonly account: string }[] | undefined,
): Engine["asksAbout"] {
  if (configured === undefined) return undefined;
  const accounts = new Set(configured.map(({ account }) => account));
  return (machine, actor) =>
    accounts.has(machine.attributes(actor.snapshot.context).account) &&
    questionOf(machine, actor) !== undefined;
}

/** Delivers the head of a lane. */
export async function deliverCheck(context: CheckContext, lane: Lane): Promise<Settlement> {
  const { engine, channel, check } = context;
  const delivery = headOf(lane, channel, engine.now());
  const standing = await standingOf(engine, lane.itemId);
  if (standing.is === "decided" || check === undefined) {
    const answer = check === undefined ? "auto-accept is off" : `not asked: ${standing.status}`;
    return superseded(delivery, { now: engine.now(), answer });
  }
  const { question } = standing;
  const reply = await check.client.send(questionMessage(lane.itemId, delivery.effect, question), {
    atMs: delivery.startedAt,
    mayStillSend: context.isHeld,
  });
  const attempt = lane.attempt.made + 1;
  const verdict = checkVerdict(reply, { attempt, random: context.random() });
  const now = engine.now();
  const answer = describeAnswer(reply);
  const asked = { itemId: lane.itemId, question, now };
  switch (verdict.verdict) {
    case "not-ours":
      return again(delivery, { now, afterMs: 0, attempt: lane.attempt });
    case "again": {
      const { afterMs } = verdict;
      return again(delivery, {
        now,
        answer,
        afterMs,
        attempt: { made: attempt, outcomeUnknown: false },
      });
    }
    case "answered": {
      const event = answerEvent(asked, check.templates, verdict.answer);
      return tellItem(context, delivery, { event, asked, answer });
    }
    case "undecided":
      return askPerson(context, delivery, { why: verdict.why, asked, answer });
  }
}

interface Telling {
  readonly asked: Asked;
  /** For the journal. */
  readonly answer: string;
}

async function tellItem(
  context: CheckContext,
  delivery: Delivery,
  { event, asked, answer }: Telling & { readonly event: ArrivedEvent },
): Promise<Settlement> {
  const { engine, applier } = context;
  const told = await applier.apply(event);
  if (told.outcome !== "applied") {
    const standing = await standingOf(engine, asked.itemId);
    if (standing.is === "waiting") {
      const said = `${answer}; ${told.problem?.code ?? told.outcome}`;
      return askPerson(context, delivery, { why: "refused", asked, answer: said });
    }
  }
  return delivered(delivery, { now: engine.now(), answer });
}

/** By a notice to the operators, which a decision of the item puts into their lane. */
async function askPerson(
  { engine, applier }: CheckContext,
  delivery: Delivery,
  { why, asked, answer }: Telling & { readonly why: Why },
): Promise<Settlement> {
  await applier.apply(undecidedEvent(asked, why));
  return delivered(delivery, { now: engine.now(), answer: `${answer}; a person is asked` });
}

type Standing =
  | { readonly is: "waiting"; readonly status: string; readonly question: JsonObject }
  | { readonly is: "decided"; readonly status: string };

async function standingOf({ store, machines }: Engine, itemId: string): Promise<Standing> {
  const [text] = await loadActors(store, [itemId]);
  const actor = text === undefined ? undefined : decodeActor(itemId, text);
  const machine = isLiving(actor) ? machines.byId(actor.machine, actor.version) : undefined;
  if (!isLiving(actor) || machine === undefined) return { is: "decided", status: "unknown here" };
  return standingIn(machine, actor);
}

function standingIn(machine: Machine, actor: LivingActor): Standing {
  const status = machine.status(actor.snapshot.value);
  const question = questionOf(machine, actor);
  return question === undefined ? { is: "decided", status } : { is: "waiting", status, question };
}
