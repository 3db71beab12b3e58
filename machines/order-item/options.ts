/**
 * What an installation may choose about the order lifecycle. The choices are copied into an actor
 * at its birth (`ActorChoices`), so an actor keeps the rules it was born with and a replay never
 * asks today's configuration.
 */
import { z } from "zod";

const HOUR_MS = 3_600_000;

const durationMs = z.int().positive();

/** First status in which a cancellation needs an approval; "never": it always cancels at once. */
const pointOfNoReturnSchema = z.enum(["scheduled", "in_progress", "never"]);

const slaShape = {
  /** Birth to accept or reject: the marketplace's goal. */
  respondReminderMs: durationMs,
  /** Birth to accept or reject: the marketplace's limit. */
  respondBreachMs: durationMs,
  /** Acceptance to the first contact with the customer. */
  contactReminderMs: durationMs,
  /** Acceptance to a set date; also how long an appointment may lack its date. */
  scheduleReminderMs: durationMs,
  /** How long before the appointment the operator hears of it. */
  appointmentReminderMs: durationMs,
  /** How long after the appointment work must have started. */
  appointmentOverdueMs: durationMs,
  /** How long a visit lasts at most. */
  onSiteOverdueMs: durationMs,
  /** Failure to a resolution. */
  resolutionReminderMs: durationMs,
};

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
  sla: z.strictObject(slaShape),
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
  sla: {
    respondReminderMs: 4 * HOUR_MS,
    respondBreachMs: 24 * HOUR_MS,
    contactReminderMs: 24 * HOUR_MS,
    scheduleReminderMs: 5 * 24 * HOUR_MS,
    appointmentReminderMs: 24 * HOUR_MS,
    appointmentOverdueMs: 4 * HOUR_MS,
    onSiteOverdueMs: 4 * HOUR_MS,
    resolutionReminderMs: 48 * HOUR_MS,
  },
};

const slaChoices = z.strictObject(slaShape).partial().optional();

/** As an installation writes them: everything has a default. */
export const optionsSchema = z.strictObject({
  ...z.strictObject(ruleShape).partial().shape,
  sla: slaChoices,
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
export const actorChoicesSchema = actorRulesSchema.partial().extend({ sla: slaChoices });

export type ActorChoices = z.infer<typeof actorChoicesSchema>;

export function actorChoices(options: ResolvedOptions, category: string | undefined): ActorChoices {
  const { metadataMaxBytes: _checkedAtTheBorder, pointOfNoReturn, sla = {}, ...rules } = options;
  const ownReturn = pointOfNoReturn?.[category ?? ""];
  const ownSla = differing(sla, DEFAULTS.sla);
  return {
    ...differing({ ...rules, pointOfNoReturn: ownReturn }, DEFAULTS),
    ...(Object.keys(ownSla).length > 0 && { sla: ownSla }),
  };
}

export function rulesOf({ options }: { readonly options: ActorChoices }): ActorRules {
  const sla = { ...DEFAULTS.sla, ...options.sla };
  // Choices hold no `undefined`: they have been through JSON, or through `actorChoices`.
  return { ...DEFAULTS, ...options, sla } as ActorRules;
}

function differing<Values extends object>(values: Values, defaults: object): Partial<Values> {
  const usual: Readonly<Record<string, unknown>> = { ...defaults };
  const own = Object.entries(values).filter(
    ([name, value]) => value !== undefined && value !== usual[name],
  );
  return Object.fromEntries(own) as Partial<Values>;
}
