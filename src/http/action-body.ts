/** What a request for an action holds, each with one schema. */
import { z } from "zod";
import { ROLES } from "../core/clock-fact.ts";
import type { Grant } from "../core/grant.ts";
import type { JsonObject } from "../core/event.ts";
import type { Action, ItemAction, LetterAction, Operator } from "../engine/act/action.ts";

/** Items or letters of one bulk request. */
const BULK_MAX = 100;

/** An id has at most as many characters; the longest are those of dead letters, with others in them. */
const ID_MAX = 512;

const REASON_MAX = 500;
const ACTOR_MAX = 200;

const id = z.string().min(1).max(ID_MAX);

const reason = z
  .string()
  .trim()
  .min(1)
  .max(REASON_MAX)
  .describe("Why. Kept in the audit journal, and in the item's own where it has a place for it.");

const common = {
  reason,
  actor: z
    .string()
    .trim()
    .min(1)
    .max(ACTOR_MAX)
    .regex(/^[^\p{Cc}]*$/u, "must have no control characters")
    .optional()
    .describe("Who it is of those that share the API key. Recorded as claimed, beside the key."),
};

const event = {
  type: id.describe("Event type, one that the item's machine takes."),
  data: z.record(z.string(), z.unknown()).default({}).describe("By the schema of the type."),
  time: z.iso
    .datetime({ offset: true })
    .optional()
    .describe("When it happened, ISO 8601 with an offset. Now, when left out."),
};

const hold = {
  clock: z.string().min(1).max(64).describe("Name of the clock, one of the item's open ones."),
  until: z.iso
    .datetime({ offset: true })
    .describe("ISO 8601 with an offset, within the next 7 days."),
  role: z
    .enum(ROLES)
    .default("owner")
    .describe("As whom; taken at its word and recorded. Only a lead may snooze beyond a due time."),
};

const push = {
  channel: id.optional().describe("`marketplace.<account>` or `operator`; needed when both wait."),
  effect: id
    .optional()
    .describe("Id of the effect that is meant: nothing is done when another is in its place."),
};

const parked = {
  source: id.optional().describe("Of the event that waits; needed when several do."),
  id: id.optional(),
  to: z
    .enum(["now", "dead-letter"])
    .default("now")
    .describe("Try it now, or give it up: it is a dead letter then, and may be redriven."),
};

export const eventBody = z.strictObject({
  ...event,
  ...common,
  reason: reason.optional().describe("Why. Required unless it is a dry run."),
  dryRun: z.boolean().default(false).describe("Only tell what would happen."),
});

export const pushBody = z.strictObject({ ...push, ...common });
export const holdBody = z.strictObject({ ...hold, ...common });
export const parkedBody = z.strictObject({ ...parked, ...common });
export const letterBody = z.strictObject(common);

const targets = z
  .array(id)
  .min(1)
  .max(BULK_MAX)
  .refine((all) => new Set(all).size === all.length, "must name each once");

const ofItems = <Name extends string, Fields extends z.core.$ZodLooseShape>(
  names: readonly [Name, ...Name[]],
  fields: Fields,
) => z.strictObject({ action: z.enum(names), items: targets, ...fields, ...common });

export const bulkBody = z.discriminatedUnion("action", [
  ofItems(["event"], event),
  ofItems(["acknowledge", "snooze"], hold),
  ofItems(["retry-push", "skip-push"], push),
  ofItems(["release-parked"], parked),
  z.strictObject({
    action: z.enum(["redrive", "discard"]),
    deadLetters: targets,
    ...common,
  }),
]);

export const actionHeaders = z.object({
  "idempotency-key": z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, "must be 1 to 200 printable characters without a space")
    .optional()
    .describe(
      "A name for the request: its repeat within 24 hours is answered, and not done again.",
    ),
});

export const dryRunQuery = z.strictObject({
  dryRun: z.enum(["true", "false"]).optional().describe("The same as in the body."),
});

export const letterParams = z.object({ id: id.describe("Id of the dead letter.") });

/** Whoever the key stands for, and who says to be behind it. */
export function operatorOf(
  { keyId, name, account }: Grant,
  { reason: why, actor }: { readonly reason: string; readonly actor?: string | undefined },
): Operator {
  return {
    actor: name,
    key: keyId,
    reason: why,
    ...(actor !== undefined && { claimed: actor }),
    ...(account !== undefined && { boundTo: account }),
  };
}

export type BulkBody = z.output<typeof bulkBody>;

/** Each target's action, under the target's name. */
export function actionsOf(body: BulkBody): readonly Action[] {
  if ("deadLetters" in body) {
    return body.deadLetters.map((letter): LetterAction => ({ action: body.action, letter }));
  }
  return body.items.map((item) => ({ ...itemActionOf(body), item }));
}

function itemActionOf(body: Exclude<BulkBody, { readonly deadLetters: unknown }>): ItemAction {
  switch (body.action) {
    case "event":
      return eventAction(body);
    case "acknowledge":
    case "snooze":
      return holdAction(body.action, body);
    case "retry-push":
    case "skip-push":
      return pushAction(body.action, body);
    case "release-parked":
      return parkedAction(body);
  }
}

type Fields<Shape extends z.core.$ZodLooseShape> = z.output<z.ZodObject<Shape>>;

export function eventAction({ type, data, time }: Fields<typeof event>): ItemAction & {
  readonly action: "event";
} {
  return {
    action: "event",
    type,
    data: data as JsonObject,
    ...(time !== undefined && { time }),
  };
}

export function holdAction(
  action: "acknowledge" | "snooze",
  { clock, until, role }: Fields<typeof hold>,
): ItemAction {
  return { action, clock, until: Date.parse(until), role };
}

export function pushAction(
  action: "retry-push" | "skip-push",
  { channel, effect }: Fields<typeof push>,
): ItemAction {
  return {
    action,
    ...(channel !== undefined && { channel }),
    ...(effect !== undefined && { effect }),
  };
}

export function parkedAction({ source, id: eventId, to }: Fields<typeof parked>): ItemAction {
  return {
    action: "release-parked",
    to,
    ...(source !== undefined && { source }),
    ...(eventId !== undefined && { id: eventId }),
  };
}
