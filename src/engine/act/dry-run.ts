/**
 * What an event would do, decided as the workers would on what is stored now. Nothing is sent and nothing
 * is written; between this answer and the event the item may move.
 */
import { type Actor, isLiving } from "../../core/actor.ts";
import type { ArrivedEvent } from "../../core/arrival.ts";
import type { Fact } from "../../core/clock-fact.ts";
import { decideEvent } from "../../core/decide.ts";
import type { Decision, Verdict } from "../../core/decision.ts";
import type { ItemWarning } from "../../core/definition.ts";
import { EngineError, type Problem } from "../../core/errors.ts";
import type { JsonObject } from "../../core/event.ts";
import type { DecisionEntry } from "../../core/journal.ts";
import type { ItemAction, Refused } from "./action.ts";
import { type Acting, settingOf, storeNow } from "./acting.ts";
import { type OperatorEvent, writeEvent } from "./send-event.ts";

type EventAction = Extract<ItemAction, { readonly action: "event" }>;

export interface Forecast {
  readonly is: "forecast";
  readonly outcome: Verdict["outcome"];
  readonly problem?: Problem;
  readonly statusBefore?: string;
  /** The status that would follow. */
  readonly status?: string;
  /** What would be delivered: to the marketplace `body` is that of the PATCH. */
  readonly effects: readonly {
    readonly name: string;
    readonly channel: string;
    readonly body: JsonObject;
  }[];
  /** What it would mean to the item's SLA clocks. */
  readonly clocks: readonly Fact[];
  /** What a person should improve about the update, by the machine's own rules. */
  readonly warnings: readonly ItemWarning[];
  /** Events that wait in the item, and what would become of them after it. */
  readonly released: readonly {
    readonly type: string;
    readonly id: string;
    readonly outcome: string;
  }[];
}

export async function forecast(
  acting: Acting,
  action: EventAction,
  about: OperatorEvent,
): Promise<Forecast | Refused> {
  const written = await writeEvent(acting, action, about);
  if (written.is === "refused") return written;
  const { actor, event } = written;
  return decide(acting, { actor, event, now: await storeNow(acting) });
}

interface Question {
  readonly actor: Actor | undefined;
  readonly event: ArrivedEvent;
  readonly now: number;
}

function decide(acting: Acting, { actor, event, now }: Question): Forecast {
  const before = { statusBefore: statusOf(acting, actor) };
  try {
    const { decision, verdict } = decideEvent(settingOf(acting, now), actor, event);
    return { ...told(acting, decision), ...withoutAbsent(before), ...verdict };
  } catch (error) {
    // What its worker would make of it: a dead letter that says why.
    const outcome = "dead-letter";
    return { ...told(acting, NOTHING), ...withoutAbsent(before), outcome, problem: failure(error) };
  }
}

const NOTHING: Pick<Decision, "actor" | "entries" | "effects"> = {
  actor: undefined,
  entries: [],
  effects: [],
};

function told(
  acting: Acting,
  { actor, entries, effects }: Pick<Decision, "actor" | "entries" | "effects">,
): Omit<Forecast, "outcome" | "problem" | "statusBefore"> {
  const [, ...later] = entries;
  return {
    is: "forecast",
    ...withoutAbsent({ status: statusOf(acting, actor) }),
    effects: effects.map(({ name, channel, params }) => ({ name, channel, body: params })),
    clocks: entries.flatMap((entry) => entry.clocks ?? []),
    warnings: warningsOf(acting, actor),
    released: later.flatMap(releasedBy),
  };
}

function releasedBy(entry: DecisionEntry): Forecast["released"] {
  if (entry.kind !== "event") return [];
  const { event, outcome } = entry;
  return [{ type: event.type, id: event.id, outcome }];
}

function machineOf({ machines }: Acting, actor: Actor) {
  return machines.byId(actor.machine, actor.version);
}

function statusOf(acting: Acting, actor: Actor | undefined): string | undefined {
  if (!isLiving(actor)) return undefined;
  return machineOf(acting, actor)?.status(actor.snapshot.value);
}

function warningsOf(acting: Acting, actor: Actor | undefined): readonly ItemWarning[] {
  if (!isLiving(actor)) return [];
  const { value, context } = actor.snapshot;
  return machineOf(acting, actor)?.warnings?.({ value, context }) ?? [];
}

function failure(error: unknown): Problem {
  if (error instanceof EngineError) return { code: error.code, message: error.message };
  const said = error instanceof Error ? error.message : String(error);
  return { code: "MACHINE_FAILED", message: `The machine's definition threw: ${said}.` };
}

function withoutAbsent<Field extends string>(
  fields: Readonly<Record<Field, string | undefined>>,
): Partial<Record<Field, string>> {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as Partial<Record<Field, string>>;
}
