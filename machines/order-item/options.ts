/**
 * What an installation may choose about the order lifecycle. The choices are copied into an actor
 * at its birth (`ActorChoices`), so an actor keeps the rules it was born with and a replay never
 * asks today's configuration.
 */
import { z } from "zod";
import type { LintRule } from "./findings.ts";

/** First status in which a cancellation needs an approval; "never": it always cancels at once. */
const pointOfNoReturnSchema = z.enum(["scheduled", "in_progress", "never"]);

const lintLevel = z.enum(["off", "warn", "error"]);
/** Sending a late fact once more makes it later, so what came late is never refused for that. */
const timingLevel = z.enum(["off", "warn"]);

const lintShape = {
  promptness: timingLevel,
  notes: lintLevel,
  schedule: lintLevel,
  references: lintLevel,
  failures: lintLevel,
  metadata: lintLevel,
  promise: lintLevel,
  response: timingLevel,
  fields: lintLevel,
} satisfies Record<LintRule, z.ZodType>;

export type LintLevel = z.infer<typeof lintLevel>;

/** By rule; a rule that is not named has "warn". */
const lintChoices = z.strictObject(lintShape).partial().optional();

const ruleShape = {
  /** "strict" takes the marketplace's published lifecycle alone, "extended" our additions too. */
  profile: z.enum(["strict", "extended"]),
  /** Transition 20, accepted to failed. Prefer to report the start of work, then its failure. */
  failFromAccepted: z.boolean(),
  /** Transition 23, in_progress to scheduled: a second visit without a failure in between. */
  rescheduleFromWork: z.boolean(),
  /** Transition 24: `order.noted` pushes the unchanged status with its note. */
  noteUpdates: z.boolean(),
  /** What ends the work: `completed` first, `active` at once, or whichever the source reports. */
  completionStyle: z.enum(["two-step", "direct-active", "either"]),
  /** Push the steps that an observed status only implies, not just the observed one. */
  pushIntermediate: z.boolean(),
};

const actorRulesSchema = z.strictObject({
  ...ruleShape,
  pointOfNoReturn: pointOfNoReturnSchema,
});

/** The rules one actor lives by, with the point of no return of its own offer category. */
export type ActorRules = z.infer<typeof actorRulesSchema>;

/** A changed default needs a new machine version: actors store only what differs from it. */
const DEFAULTS: ActorRules = {
  profile: "extended",
  failFromAccepted: false,
  rescheduleFromWork: false,
  noteUpdates: false,
  completionStyle: "either",
  pushIntermediate: false,
  pointOfNoReturn: "in_progress",
};

/** As an installation writes them: everything has a default. */
export const optionsSchema = z.strictObject({
  ...z.strictObject(ruleShape).partial().shape,
  lint: lintChoices,
  /** By offer category; a category that is not named has "in_progress". */
  pointOfNoReturn: z.record(z.string(), pointOfNoReturnSchema).optional(),
  /** Serialised size of one event's metadata, in bytes. */
  metadataMaxBytes: z
    .int()
    .positive()
    .default(8 * 1024),
});

export type OrderItemOptions = z.input<typeof optionsSchema>;

export type ResolvedOptions = z.output<typeof optionsSchema>;

/** The rules as an actor stores them, short because a million actors remember them. */
export const actorChoicesSchema = actorRulesSchema.partial().extend({ lint: lintChoices });

export type ActorChoices = z.infer<typeof actorChoicesSchema>;

export function actorChoices(options: ResolvedOptions, category: string | undefined): ActorChoices {
  const { metadataMaxBytes: _checkedAtTheBorder, pointOfNoReturn, lint = {}, ...rules } = options;
  const ownReturn = pointOfNoReturn?.[category ?? ""];
  const ownLint = Object.fromEntries(Object.entries(lint).filter(([, level]) => level !== "warn"));
  return {
    ...differing({ ...rules, pointOfNoReturn: ownReturn }, DEFAULTS),
    ...(Object.keys(ownLint).length > 0 && { lint: ownLint }),
  };
}

export function rulesOf({ options }: { readonly options: ActorChoices }): ActorRules {
  const { lint: _checkedApart, ...own } = options;
  // Choices hold no `undefined`: they have been through JSON, or through `actorChoices`.
  return { ...DEFAULTS, ...own } as ActorRules;
}

function differing<Values extends object>(values: Values, defaults: object): Partial<Values> {
  const usual: Readonly<Record<string, unknown>> = { ...defaults };
  const own = Object.entries(values).filter(
    ([name, value]) => value !== undefined && value !== usual[name],
  );
  return Object.fromEntries(own) as Partial<Values>;
}
