/** What operators do to items and to dead letters: each action one route, and one for many at once. */
import type { z } from "zod";
import { act } from "../engine/act/act.ts";
import type { Action, ItemAction } from "../engine/act/action.ts";
import type { Acting } from "../engine/act/acting.ts";
import { forecast } from "../engine/act/dry-run.ts";
import {
  actionAnswers,
  actionDone,
  type Answered,
  answerTo,
  answerToDryRun,
  badRequests,
  bulkDone,
  forecastOfEvent,
} from "./action-answers.ts";
import {
  actionHeaders,
  actionsOf,
  bulkBody,
  dryRunQuery,
  eventAction,
  eventBody,
  holdAction,
  holdBody,
  letterBody,
  letterParams,
  operatorOf,
  parkedAction,
  parkedBody,
  pushAction,
  pushBody,
} from "./action-body.ts";
import { itemParams } from "./parameters.ts";
import type { RouteDescription } from "./route.ts";
import { type ActionAsked, unfit } from "./action-request.ts";

export interface ActionRoute extends RouteDescription {
  readonly method: "POST";
  /** Of which kind there are few places. */
  readonly isHeavy?: true;
  readonly run: (acting: Acting, asked: ActionAsked) => Promise<Answered>;
}

/** Targets of a bulk request that are worked on at a time: as many as leave Redis to others. */
const SIDE_BY_SIDE = 8;

const event: ActionRoute = {
  method: "POST",
  path: "/v1/items/{id}/events",
  scope: "items:operate",
  group: "Actions",
  summary: "Tell an item what happened, and hear what became of it",
  description:
    "The event goes through the queue as any other, from source `orderwright/operator:<key name>`. With `dryRun` nothing is sent or written: the answer tells what would happen now, with the body that the marketplace would get.",
  params: itemParams,
  query: dryRunQuery,
  headers: actionHeaders,
  body: eventBody,
  answers: actionAnswers(
    "The outcome; or with `dryRun` what it would be.",
    actionDone.or(forecastOfEvent),
  ),
  run: async (acting, asked) => {
    const { id } = asked.params(itemParams);
    const { dryRun } = asked.query(dryRunQuery);
    const body = asked.body(eventBody);
    const action = eventAction(body);
    if (body.dryRun || dryRun === "true") {
      const operator = operatorOf(asked.grant, { reason: "dry run" });
      return answerToDryRun(id, await forecast(acting, action, { item: id, operator }));
    }
    const { reason, actor } = body;
    if (reason === undefined) throw unfit("reason: required, unless it is a dry run");
    return actAndAnswer(acting, asked, {
      action: { ...action, item: id },
      said: { reason, actor },
    });
  },
};

interface Saying {
  readonly reason: string;
  readonly actor?: string | undefined;
}

async function actAndAnswer(
  acting: Acting,
  { grant, idempotencyKey }: ActionAsked,
  { action, said }: { readonly action: Action; readonly said: Saying },
): Promise<Answered> {
  const operator = operatorOf(grant, said);
  return answerTo(action, await act(acting, { operator, action, idempotencyKey }));
}

interface ItemRouteText<Body> {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly body: z.ZodType<Body>;
  readonly actionOf: (body: Body) => ItemAction;
}

function itemRoute<Body extends Saying>(text: ItemRouteText<Body>): ActionRoute {
  const { name, summary, description, body, actionOf } = text;
  return {
    method: "POST",
    path: `/v1/items/{id}/actions/${name}`,
    scope: "items:operate",
    group: "Actions",
    summary,
    description,
    params: itemParams,
    headers: actionHeaders,
    body,
    answers: actionAnswers("What came of it."),
    run: async (acting, asked) => {
      const { id: item } = asked.params(itemParams);
      const said = asked.body(body);
      return actAndAnswer(acting, asked, { action: { ...actionOf(said), item }, said });
    },
  };
}

function letterRoute(
  action: "redrive" | "discard",
  words: Pick<RouteDescription, "summary" | "description">,
): ActionRoute {
  return {
    method: "POST",
    path: `/v1/dead-letters/{id}/${action}`,
    scope: "items:operate",
    group: "Actions",
    ...words,
    params: letterParams,
    headers: actionHeaders,
    body: letterBody,
    answers: actionAnswers("What came of it."),
    run: async (acting, asked) => {
      const { id: letter } = asked.params(letterParams);
      const said = asked.body(letterBody);
      return actAndAnswer(acting, asked, { action: { action, letter }, said });
    },
  };
}

const bulk: ActionRoute = {
  method: "POST",
  path: "/v1/actions",
  scope: "items:operate",
  group: "Actions",
  summary: "One action on up to 100 items or dead letters",
  description:
    "Each is done, recorded and answered by itself: some may be refused while others are done. With an idempotency key each of them is done once.",
  headers: actionHeaders,
  body: bulkBody,
  isHeavy: true,
  answers: [{ status: 200, description: "A result for each.", schema: bulkDone }, ...badRequests()],
  run: async (acting, asked) => {
    const said = asked.body(bulkBody);
    const actions = actionsOf(said);
    const results: object[] = [];
    const work = actions.entries();
    // One iterator for all of them: each takes the next that nobody has taken.
    const worker = async (): Promise<void> => {
      for (const [index, action] of work) {
        results[index] = await resultOf(acting, asked, { action, said });
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
    return { outcome: "answered", status: 200, body: { results } };
  },
};

/** One of many. A Redis that goes away in between ends them all: the same request is sent again. */
async function resultOf(
  acting: Acting,
  asked: ActionAsked,
  { action, said }: { readonly action: Action; readonly said: Saying },
): Promise<object> {
  const [name, target] = "letter" in action ? ["deadLetter", action.letter] : ["item", action.item];
  const key = asked.idempotencyKey;
  // A key has no space in it, so those of two requests cannot meet here.
  const each = { ...asked, ...(key !== undefined && { idempotencyKey: `${key} ${target}` }) };
  const answered = await actAndAnswer(acting, each, { action, said });
  if (answered.outcome === "answered") return { [name]: target, ...answered.body };
  const { status, code, detail } = answered.problem;
  return { [name]: target, outcome: "refused", status, problem: { code, message: detail } };
}

export const ACTION_ROUTES: readonly ActionRoute[] = [
  event,
  itemRoute({
    name: "retry-push",
    summary: "Deliver now what is blocked or keeps failing",
    description:
      "A blocked effect is tried again, and its dead letter ends; one that waits for its next attempt is tried at once. What may have arrived is looked up first.",
    body: pushBody,
    actionOf: (body) => pushAction("retry-push", body),
  }),
  itemRoute({
    name: "skip-push",
    summary: "Leave out what is blocked or keeps failing",
    description:
      "The effect is never delivered, the item's journal says so and why, and what comes after it goes on.",
    body: pushBody,
    actionOf: (body) => pushAction("skip-push", body),
  }),
  itemRoute({
    name: "acknowledge",
    summary: "Take care of a late clock",
    description:
      "Until then its breach is not told again. Reminders, and the breach itself, still are.",
    body: holdBody,
    actionOf: (body) => holdAction("acknowledge", body),
  }),
  itemRoute({
    name: "snooze",
    summary: "Hear nothing of a clock for a while",
    description:
      "Only a lead may snooze it beyond its due time; a breach is recorded in any case. A refusal is the outcome `rejected`.",
    body: holdBody,
    actionOf: (body) => holdAction("snooze", body),
  }),
  itemRoute({
    name: "release-parked",
    summary: "Try an event that waits, or give it up",
    description:
      "Its wait ends, and it is a dead letter; to try it now is to redrive that one at once. One that would only wait again is not tried.",
    body: parkedBody,
    actionOf: parkedAction,
  }),
  letterRoute("redrive", {
    summary: "Try a dead letter again",
    description:
      "An event goes back into the queue, a blocked item delivers again, a held account is released, a timer is due again by itself.",
  }),
  letterRoute("discard", {
    summary: "Give a dead letter up",
    description:
      "A blocked effect is left out and the item's journal says why; of anything else the letter was the last record. An account is not discarded.",
  }),
  bulk,
];
