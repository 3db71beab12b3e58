/** An operator's word about an item as an event: checked first, then through the queue like any other. */
import { randomUUID } from "node:crypto";
import type { Actor } from "../../core/actor.ts";
import type { ArrivedEvent } from "../../core/arrival.ts";
import { ACKNOWLEDGED, holdDataSchema, SNOOZED } from "../../core/clock-event.ts";
import type { CloudEvent, JsonObject } from "../../core/event.ts";
import { PARKED_RELEASED, releaseDataSchema } from "../../core/operator-event.ts";
import { checkEvent, type EventSchemas, newJob } from "../../queue/producer.ts";
import type { JobAnswer } from "../handle-job.ts";
import {
  bylineOf,
  type ItemAction,
  type Operator,
  type Outcome,
  type Plan,
  type Refused,
  type Result,
} from "./action.ts";
import { type Acting, findItem, mayAct, storeNow, unknownItem } from "./acting.ts";
import { answerTo, type FrontDoor } from "./front-door.ts";

/** What operators' own events hold; nobody may write one by hand. */
export const OPERATOR_SCHEMAS: EventSchemas = {
  [ACKNOWLEDGED]: holdDataSchema,
  [SNOOZED]: holdDataSchema,
  [PARKED_RELEASED]: releaseDataSchema,
};

export interface OperatorEvent {
  readonly item: string;
  readonly operator: Operator;
  /** Of the request; its repeat is the same event. */
  readonly request?: string | undefined;
}

type EventAction = Extract<ItemAction, { readonly action: "event" }>;
type HoldAction = Extract<ItemAction, { readonly action: "acknowledge" | "snooze" }>;

export async function planEvent(
  acting: Acting,
  action: EventAction,
  about: OperatorEvent,
): Promise<Plan | Refused> {
  const written = await writeEvent(acting, action, about);
  return written.is === "refused" ? written : planSending(acting, written.event);
}

export type WrittenEvent =
  | { readonly is: "written"; readonly event: ArrivedEvent; readonly actor: Actor | undefined }
  | Refused;

/** The event, checked as every producer's is, and the item as it is stored. */
export async function writeEvent(
  acting: Acting,
  { type, data, time }: EventAction,
  about: OperatorEvent,
): Promise<WrittenEvent> {
  const { item, operator } = about;
  const found = await findItem(acting, item);
  const account = found.is === "living" ? found.account : undefined;
  const isBirth = acting.machines.byEventType(type)?.birth === type;
  if (!mayAct(operator, account) || (found.is === "unknown" && !isBirth)) return unknownItem(item);
  const event = await eventOf(acting, about, { type, data, time });
  const checked = checkOperatorEvent(acting.schemas, event);
  if (checked.is === "refused") return checked;
  return {
    is: "written",
    event: checked.event,
    actor: found.is === "unknown" ? undefined : found.actor,
  };
}

export async function planHold(
  acting: Acting,
  { action, clock, until, role }: HoldAction,
  about: OperatorEvent,
): Promise<Plan | Refused> {
  const { item, operator } = about;
  const found = await findItem(acting, item);
  // For an item that nobody has announced the event would be a dead letter.
  if (found.is !== "living" || !mayAct(operator, found.account)) return unknownItem(item);
  const type = action === "acknowledge" ? ACKNOWLEDGED : SNOOZED;
  const { reason } = operator;
  const ends = new Date(until).toISOString();
  const data = { clock, until: ends, by: bylineOf(operator), role, reason };
  const event = await eventOf(acting, about, { type, data });
  const checked = checkOperatorEvent(OPERATOR_SCHEMAS, event);
  if (checked.is === "refused") return checked;
  return planSending(acting, checked.event, { clock, role, until });
}

/**
 * Sources of their own: an operator's clock event of today must not make stale what the same operator
 * tells of yesterday.
 */
export async function eventOf(
  acting: Acting,
  { item, operator, request }: OperatorEvent,
  {
    type,
    data,
    time,
  }: { readonly type: string; readonly data: JsonObject; readonly time?: string | undefined },
): Promise<CloudEvent> {
  const isOperators = Object.hasOwn(OPERATOR_SCHEMAS, type);
  return {
    specversion: "1.0",
    id: request ?? randomUUID(),
    source: isOperators ? `operator:${operator.actor}` : `orderwright/operator:${operator.actor}`,
    type,
    subject: item,
    time: time ?? new Date(await storeNow(acting)).toISOString(),
    data,
  };
}

function planSending(acting: Acting, event: ArrivedEvent, detail: JsonObject = {}): Plan {
  const { id, source, type, subject } = event;
  return {
    is: "plan",
    item: subject,
    detail: { ...detail, event: { id, source, type } },
    run: () => sendEvent(acting.frontDoor, event),
  };
}

export type CheckedOperatorEvent = { readonly is: "event"; readonly event: ArrivedEvent } | Refused;

/** As every producer's event is checked. */
export function checkOperatorEvent(schemas: EventSchemas, event: CloudEvent): CheckedOperatorEvent {
  // Its time is there, so the moment of the check plays no part.
  const checked = checkEvent(schemas, event, 0);
  if (checked.result === "event") return { is: "event", event: checked.event };
  return { is: "refused", why: "invalid", problem: checked.problem };
}

export async function sendEvent(frontDoor: FrontDoor, event: CloudEvent): Promise<Outcome> {
  const { id, source } = event;
  const answer = await answerTo(frontDoor, newJob(event));
  if (answer === "none") return { is: "pending", event: { source, id } };
  return { is: "done", result: resultOf(answer, { source, id }) };
}

export function resultOf(
  answer: JobAnswer,
  event: { readonly source: string; readonly id: string },
): Result {
  const { outcome, problem } = answer;
  return {
    outcome,
    event,
    ...("revision" in answer && { revision: answer.revision }),
    ...("status" in answer && answer.status !== undefined && { status: answer.status }),
    ...(problem !== undefined && { problem }),
  };
}
