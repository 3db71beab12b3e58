/**
 * What an installation may choose about the order lifecycle. The choices are copied into an actor
 * at its birth (`ActorOptions`), so an actor keeps the rules it was born with and a replay never
 * asks today's configuration.
 */
import { z } from "zod";

const HOUR_MS = 3_600_000;

const durationMs = z.int().positive();

const slaSchema = z.strictObject({
  /** Birth to accept or reject: the marketplace's goal. */
  respondReminderMs: durationMs.default(4 * HOUR_MS),
  /** Birth to accept or reject: the marketplace's limit. */
  respondBreachMs: durationMs.default(24 * HOUR_MS),
  /** Acceptance to the first contact with the customer. */
  contactReminderMs: durationMs.default(24 * HOUR_MS),
  /** Acceptance to a set date; also how long an appointment may lack its date. */
  scheduleReminderMs: durationMs.default(5 * 24 * HOUR_MS),
  /** How long before the appointment the operator hears of it. */
  appointmentReminderMs: durationMs.default(24 * HOUR_MS),
  /** How long after the appointment work must have started. */
  appointmentOverdueMs: durationMs.default(4 * HOUR_MS),
  /** How long a visit lasts at most. */
  onSiteOverdueMs: durationMs.default(4 * HOUR_MS),
  /** Failure to a resolution. */
  resolutionReminderMs: durationMs.default(48 * HOUR_MS),
});

const pointOfNoReturnSchema = z.enum(["scheduled", "in_progress", "never"]);

/** First status in which a cancellation needs an approval; "never": it always cancels at once. */
export type PointOfNoReturn = z.infer<typeof pointOfNoReturnSchema>;

const DEFAULT_POINT_OF_NO_RETURN: PointOfNoReturn = "in_progress";

const ruleShape = {
  /** "strict" takes the marketplace's published lifecycle alone, "extended" our additions too. */
  profile: z.enum(["strict", "extended"]).default("extended"),
  /** Transition 20, accepted to failed. Prefer to report the start of work, then its failure. */
  failFromAccepted: z.boolean().default(false),
  /** Transition 23, in_progress to scheduled: a second visit without a failure in between. */
  rescheduleFromWork: z.boolean().default(false),
  /** Transition 24: `order.noted` pushes the unchanged status with its note. */
  noteUpdates: z.boolean().default(false),
  /** What ends the work: `completed` first, `active` at once, or whichever the source reports. */
  completionStyle: z.enum(["two-step", "direct-active", "either"]).default("either"),
  /** Push the steps that an observed status only implies, not just the observed one. */
  pushIntermediate: z.boolean().default(false),
  sla: slaSchema.prefault({}),
};

export const optionsSchema = z.strictObject({
  ...ruleShape,
  /** By offer category; a category that is not named has "in_progress". */
  pointOfNoReturn: z.record(z.string(), pointOfNoReturnSchema).default({}),
  /** Serialised size of one event's metadata, in bytes. */
  metadataMaxBytes: z
    .int()
    .positive()
    .default(8 * 1024),
});

/** As an installation writes them: everything has a default. */
export type OrderItemOptions = z.input<typeof optionsSchema>;

export type ResolvedOptions = z.output<typeof optionsSchema>;

export const actorOptionsSchema = z.strictObject({
  ...ruleShape,
  pointOfNoReturn: pointOfNoReturnSchema.default(DEFAULT_POINT_OF_NO_RETURN),
});

/** The rules one actor lives by, with the point of no return of its own offer category. */
export type ActorOptions = z.output<typeof actorOptionsSchema>;

export function actorOptions(options: ResolvedOptions, category: string | undefined): ActorOptions {
  const { metadataMaxBytes: _checkedAtTheBorder, pointOfNoReturn, ...rules } = options;
  return {
    ...rules,
    pointOfNoReturn: pointOfNoReturn[category ?? ""] ?? DEFAULT_POINT_OF_NO_RETURN,
  };
}
